"""The organisation's repositories, teams and members, as our App sees them."""

from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from urllib.parse import quote

from pydantic import SecretStr

from provisioning.adapters.github.connection import Connection
from provisioning.adapters.github.directory import Choices, Directory, matching
from provisioning.adapters.github.environment_secrets import EnvironmentSecrets
from provisioning.adapters.github.leftovers import import_ids
from provisioning.adapters.github.starter import TEMPLATE_BRANCH, StarterCode
from provisioning.adapters.github.template_branch import TemplateBranch
from provisioning.adapters.github.verification import Verification
from provisioning.clock import Clock
from provisioning.delivery import Delivery
from provisioning.ports import Choice, Finding, RepositoryFacts
from provisioning.project import ProjectSpec

AT_ONCE = 32
"""Requests side by side; GitHub allows 100 of everybody together."""


class GitHubRepositories:
    """Implements the `Repositories` port; safe to use from several threads."""

    def __init__(
        self, connection: Connection, clock: Clock, delivery: Delivery | None = None
    ) -> None:
        self._connection = connection
        self._organisation = f"/orgs/{connection.app.organisation}"
        self._executor = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="github")
        self._teams = Directory(clock, self._executor, self._list_teams)
        self._members = Directory(clock, self._executor, self._list_members)
        self._verification = Verification(connection, self._executor, clock, delivery or Delivery())

    # ------------------------------------------------------------------ looking

    def find(self, name: str) -> RepositoryFacts | None:
        """Return the repository, archived or not, or None."""
        with self._connection.doing(f"look for the repository {name}"):
            found = self._connection.get(self._repository(name))
        if found is None or found["name"].lower() != name.lower():
            return None  # one that was renamed answers to its old name, which is free
        return RepositoryFacts(
            name=found["name"],
            id=found["id"],
            url=found["html_url"],
            description=found["description"] or "",
            archived=found["archived"],
            default_branch=found["default_branch"],
        )

    def search_teams(self, query: str) -> Choices:
        """Return at most 100 teams whose name or slug contains the query."""
        return matching(self._teams.choices(), query)

    def search_reviewers(self, query: str) -> Choices:
        """Return at most 100 teams and members: values `team:<slug>` and `user:<login>`."""
        teams = tuple(
            Choice(value=f"team:{team.value}", label=f"Team {team.label}")
            for team in self._teams.choices()
        )
        return matching((*teams, *self._members.choices()), query)

    def team_exists(self, slug: str) -> bool:
        """Tell whether the organisation has the team."""
        with self._connection.doing(f"find the team {slug}"):
            return self._connection.get(self._team(slug)) is not None

    def member_exists(self, login: str) -> bool:
        """Tell whether the login is a member of the organisation."""
        path = f"{self._organisation}/memberships/{quote(login, safe='')}"
        with self._connection.doing(f"find the member {login}"):
            found = self._connection.get(path)
        return found is not None and found["state"] == "active"

    def team_members(self, slug: str) -> frozenset[str]:
        """Return the logins of a team; a team that does not exist has none."""
        with self._connection.doing(f"list the team {slug}"):
            members = self._connection.pages(f"{self._team(slug)}/members")
            return frozenset(member["login"] for member in members)

    def _list_teams(self) -> Choices:
        with self._connection.doing("list the teams"):
            teams = list(self._connection.pages(f"{self._organisation}/teams"))
        return _sorted(Choice(value=team["slug"], label=team["name"]) for team in teams)

    def _list_members(self) -> Choices:
        with self._connection.doing("list the members"):
            members = list(self._connection.pages(f"{self._organisation}/members"))
        return _sorted(Choice(value=f"user:{m['login']}", label=m["login"]) for m in members)

    # ------------------------------------------------------------------ making and removing

    def push_starter(self, name: str, files: Mapping[str, bytes], marker: str) -> str:
        """Make `main` and `sciclops/template` hold exactly `files`, in one commit; return its SHA.

        The commit's message ends with `marker`: a repeated call finds that commit and only makes
        up for what is missing, so nobody's later work is overwritten.
        """
        with self._connection.doing(f"push the starter code to {name}"):
            return StarterCode(self._connection, self._repository(name)).push(files, marker)

    def follow(
        self, name: str, before: Mapping[str, bytes], after: Mapping[str, bytes], message: str
    ) -> str:
        """Make `sciclops/template` hold what comes after, in one commit; return where it is."""
        with self._connection.doing(f"push to {TEMPLATE_BRANCH} of {name}"):
            branch = TemplateBranch(self._connection, self._repository(name))
            return branch.follow(before, after, message)

    def leftovers(self, name: str, marker: str) -> dict[str, str]:
        """Return what exists of a project's repository, if it carries our marker."""
        if self._ours(name, marker) is None:
            return {}
        with self._connection.doing(f"look into the repository {name}"):
            return import_ids(self._connection, self._executor, name)

    def unarchive(self, name: str) -> None:
        """Let an archived repository be changed again."""
        with self._connection.doing(f"unarchive the repository {name}"):
            self._connection.write("PATCH", self._repository(name), {"archived": False})

    def delete(self, name: str, marker: str) -> bool:
        """Delete the repository if it carries our marker; tell whether none of ours is left."""
        if self._ours(name, marker) is None:
            return True
        with self._connection.doing(f"delete the repository {name}"):
            self._connection.remove(self._repository(name))
        return self._ours(name, marker) is None

    def secrets(self, name: str, environment: str) -> dict[str, datetime]:
        """Return when each secret of an environment was last written, by its name."""
        with self._connection.doing(f"list the secrets of {environment} in {name}"):
            return self._secrets(name, environment).dates()

    def put_secrets(self, name: str, environment: str, values: Mapping[str, SecretStr]) -> None:
        """Write secrets of an environment, in place of what they were."""
        with self._connection.doing(f"write the secrets of {environment} in {name}"):
            self._secrets(name, environment).put(values)

    def verify(
        self,
        spec: ProjectSpec,
        files: Mapping[str, bytes],
        outputs: Mapping[str, object],
        pushed: str = "",
    ) -> tuple[Finding, ...]:
        """Ask GitHub whether the project is as it was asked for, check by check."""
        with self._connection.doing(f"verify the repository {spec.name}"):
            return self._verification.findings(spec, files, outputs, pushed)

    def _ours(self, name: str, marker: str) -> RepositoryFacts | None:
        found = self.find(name)
        return found if found and found.description.endswith(f" {marker}") else None

    def _secrets(self, name: str, environment: str) -> EnvironmentSecrets:
        path = f"{self._repository(name)}/environments/{quote(environment, safe='')}"
        return EnvironmentSecrets(self._connection, path)

    def _repository(self, name: str) -> str:
        return f"/repos/{self._connection.app.organisation}/{quote(name, safe='')}"

    def _team(self, slug: str) -> str:
        return f"{self._organisation}/teams/{quote(slug, safe='')}"


def _sorted(choices: Iterable[Choice]) -> Choices:
    return tuple(sorted(choices, key=lambda choice: choice.label.casefold()))
