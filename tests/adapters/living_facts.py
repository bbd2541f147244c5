"""The facts of a made project at the vendors, to be broken by tests and put back."""

from collections.abc import Iterable, Iterator, Mapping
from copy import deepcopy
from typing import Any

from made_project import Project

from playground.databricks.state import Group, Securable, ServicePrincipal, Workspace
from playground.github.objects import GitStore
from playground.github.repos import write_files
from playground.github.world import Environment, Repository, Ruleset, Team
from provisioning.ports import Finding

Objects = dict[Any, Any]


class Facts:
    """Direct access to the stand-ins' state, with a way back."""

    def __init__(self, project: Project, outputs: dict[str, object]) -> None:
        self.project, self.outputs = project, outputs
        self.github, self.databricks = project.vendors.github, project.vendors.databricks
        self._saved = [(held, [*_kept(held)]) for held in self._collections()]
        self._refs = self._git().refs()

    def restore(self) -> None:
        """Make everything what it was."""
        self.project.vendors.faults.clear()
        for held, kept in self._saved:
            held.clear()
            for key, each, state in kept:
                each.__dict__.clear()
                each.__dict__.update(deepcopy(state))
                held[key] = each
        for ref in self._git().refs():
            self._git().delete_ref(ref)
        for ref, commit in self._refs.items():
            self._git().set_ref(ref, commit)

    def _collections(self) -> Iterable[Objects]:
        github, databricks = self.github.world, self.databricks.world
        return (
            github.repos,
            github.teams,
            databricks.principals,
            databricks.workspaces,
            databricks.securables,
            databricks.rule_sets,
            databricks.tokens,
        )

    # ------------------------------------------------------------------ what verification says

    def github_failures(self) -> list[Finding]:
        """Return the checks of GitHub that fail."""
        project = self.project
        told = project.vendors.repositories.verify(project.spec, project.files, self.outputs)
        return [finding for finding in told if not finding.passed]

    def databricks_failures(self) -> list[Finding]:
        """Return the checks of Databricks that fail."""
        told = self.project.vendors.workspaces.verify(self.project.spec, self.outputs)
        return [finding for finding in told if not finding.passed]

    # ------------------------------------------------------------------ GitHub

    @property
    def repository(self) -> Repository:
        """The repository."""
        return self.github.world.repos[self.project.spec.name]

    @property
    def team(self) -> Team:
        """The team that works in the project."""
        return self.github.world.teams[self.project.spec.github_team]

    def environment(self, name: str = "Production") -> Environment:
        """Return a GitHub environment."""
        return self.repository.environments[name]

    def ruleset(self, name: str) -> Ruleset:
        """Return a ruleset by its name."""
        return next(each for each in self.repository.rulesets.values() if each.name == name)

    def rewrite(self, branch: str, **changes: bytes | None) -> None:
        """Put another commit on a branch: files by path, None for removed."""
        self._commit(branch, [self._git().ref(f"refs/heads/{branch}") or ""], changes)

    def replace_main(self, **changes: bytes | None) -> None:
        """Push another commit over the starter code on main."""
        git = self._git()
        *_, first = git.history(git.ref("refs/heads/main") or "")
        self._commit("main", [first.sha], changes)

    def _commit(self, branch: str, parents: list[str], changes: Mapping[str, bytes | None]) -> None:
        git = self._git()
        files = {**self.project.files, **changes}
        tree = write_files(git, {path: data for path, data in files.items() if data is not None})
        who = "Sam <sam@acme.example> 1790000000 +0000"
        git.set_ref(f"refs/heads/{branch}", git.write_commit(tree, parents, who, who, "Change"))

    def delete_branch(self, branch: str) -> None:
        """Remove a branch."""
        self._git().delete_ref(f"refs/heads/{branch}")

    def _git(self) -> GitStore:
        return GitStore(self.repository.path)

    # ------------------------------------------------------------------ Databricks

    def principal(self, stage: str = "production") -> ServicePrincipal:
        """Return a stage's service principal."""
        name = f"{self.project.spec.name}-{stage}"
        return next(each for each in self.databricks.principals if each.display_name == name)

    @property
    def group(self) -> Group:
        """The project's account group."""
        name = f"sciclops-{self.project.spec.name}"
        groups = self.databricks.world.of_type(Group)
        return next(each for each in groups if each.display_name == name)

    def workspace(self, stage: str = "production") -> Workspace:
        """Return a workspace."""
        return self.databricks.workspace("gbx1", stage)

    def securable(self, full_name: str) -> Securable:
        """Return a securable of any kind."""
        held = self.databricks.world.securables.values()
        return next(each for each in held if each.full_name == full_name)


def _kept(held: Objects) -> Iterator[tuple[Any, Any, dict[str, Any]]]:
    for key, each in held.items():
        yield key, each, deepcopy(each.__dict__)
