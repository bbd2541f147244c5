"""Can a request be fulfilled? Chat, GitHub and Databricks are asked at once, before it begins."""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor, wait
from dataclasses import dataclass
from functools import partial

from provisioning.errors import TemporaryError
from provisioning.operation import CHANGE, CREATE
from provisioning.policy import Policy, nobody_confirms
from provisioning.ports import People, Repositories, Workspaces
from provisioning.project import DataAccess, ProjectSpec
from provisioning.spec_change import data_to_ask_for
from provisioning.store import Store

UNCHECKED = "I could not check this just now"
"""How the sentence begins where a vendor does not answer: nothing is known then."""

Check = Callable[[], str]
"""Returns what stands in the way, or an empty string."""


@dataclass(frozen=True)
class Feasibility:
    """The checks on a request, by the form field that each belongs to; they run in `vendors`."""

    policy: Policy
    store: Store
    people: People
    repositories: Repositories
    workspaces: Workspaces
    vendors: Executor

    def objections(self, spec: ProjectSpec, who: str) -> dict[str, str]:
        """Return what stands in the way of a request by `who`: form field to sentence."""
        return self._found(
            {
                "name": partial(self.name, spec.name),
                "owners": partial(self.owners, spec, who),
                "data_access": partial(self.consent, spec.data_access, who),
                **self._of_vendors(spec, who),
            }
        )

    def objections_to_change(
        self, before: ProjectSpec, spec: ProjectSpec, who: str
    ) -> dict[str, str]:
        """Return what stands in the way of a change by `who`: form field to sentence.

        Whoever is an owner before the change confirms it, and consent is needed to what is new.
        """
        asked = data_to_ask_for(before, spec, self.policy.catalogs)
        return self._found(
            {
                "owners": partial(self.owners, spec, who, before=before),
                "data_access": partial(self.consent, asked, who),
                **self._of_vendors(spec, who),
            }
        )

    def _of_vendors(self, spec: ProjectSpec, who: str) -> dict[str, Check]:
        return {
            "managed_group": partial(self.group, spec),
            "github_team": partial(self.team, spec.github_team),
            "reviewers": partial(self.reviewers, spec, who),
        }

    def _found(self, checks: Mapping[str, Check]) -> dict[str, str]:
        """Run checks side by side, and return what they object to."""
        running = {field: self.vendors.submit(check) for field, check in checks.items()}
        wait(running.values())
        errors: dict[str, str] = {}
        for field, check in running.items():
            try:
                errors[field] = check.result()
            except TemporaryError as later:
                errors[field] = f"{UNCHECKED}: {later}. Please try again."
        return {field: sentence for field, sentence in errors.items() if sentence}

    def taken(self, name: str) -> str:
        """Refuse a name that a project of ours has; asks nobody outside."""
        holder = self.store.projects.get(name)
        if holder is None or holder.state == "gone":
            return ""
        return f"There is already a project “{name}”. Please choose another name."

    def name(self, name: str) -> str:
        """Refuse a name that GitHub already knows, too: archived repositories keep theirs."""
        if objection := self.taken(name):
            return objection
        found = self.repositories.find(name)
        if found is None:
            return ""
        kind = "an archived repository" if found.archived else "a repository"
        return f"GitHub already has {kind} “{name}”. Please choose another name."

    def owners(self, spec: ProjectSpec, who: str, before: ProjectSpec | None = None) -> str:
        """Refuse owners who are gone, and plans that nobody could confirm."""
        gone = [owner for owner in spec.owners if not self.people.is_active(owner)]
        if gone:
            return "An owner must be an active member of this workspace, not a guest or a bot."
        kind = CREATE if before is None else CHANGE
        confirmer = self.policy.confirmer(kind, before or spec)
        if confirmer in ("nobody", "requester"):
            return ""
        able = self.people.active(self.policy.confirmers(before or spec, who, kind), at_most=2)
        return nobody_confirms(confirmer, able=able, requested_by=who)

    def group(self, spec: ProjectSpec) -> str:
        """Refuse a group that an account of the chosen workspace groups does not have."""
        for group in spec.workspace_groups:
            known = group in self.policy.workspace_groups
            if known and not self.workspaces.group_exists(spec.managed_group, group):
                return f"The Databricks account of {group} has no group “{spec.managed_group}”."
        return ""

    def team(self, slug: str) -> str:
        """Refuse a team that GitHub does not know, and one without members."""
        if not self.repositories.team_exists(slug):
            return f"GitHub has no team “{slug}”."
        if not self.repositories.team_members(slug):
            return f"The team “{slug}” has no members: nobody could write the code."
        return ""

    def reviewers(self, spec: ProjectSpec, who: str) -> str:
        """Refuse reviewers whom GitHub does not know, and teams without members."""
        for reviewer in spec.reviewers:
            if reviewer.kind == "user" and not self.repositories.member_exists(reviewer.name):
                return f"“{reviewer.name}” is not a member of the GitHub organisation."
            if reviewer.kind == "team":
                if not self.repositories.team_exists(reviewer.name):
                    return f"GitHub has no team “{reviewer.name}”."
                if not self.repositories.team_members(reviewer.name):
                    return f"The team “{reviewer.name}” has no members: nobody could review."
        return self._too_few(spec, who)

    def _too_few(self, spec: ProjectSpec, who: str) -> str:
        """Refuse a project that could never be released, where several people have to agree."""
        policy, needed = self.policy, self.policy.approvals_needed
        if not policy.ruled(spec):
            return ""
        named = (one for one in spec.reviewers if one.kind == "team")
        members = (self.repositories.team_members(one.name) for one in named)
        logins = {one.name.lower() for one in spec.reviewers if one.kind == "user"}
        logins |= {login.lower() for team in members for login in team}
        others = set(self.people.active((policy.release_group,), at_most=needed + 1)) - {who}
        able = len(logins) + len(others)
        if able >= needed:
            return ""
        return f"{needed} people have to approve a release, but only {able} could: name more."

    def consent(self, asked: Sequence[DataAccess], who: str) -> str:
        """Refuse data whose consent nobody but the requester could give."""
        for access in asked:
            entry = self.policy.requestable(access)
            if entry is None or not entry.owners:
                continue
            if not set(self.people.active(entry.owners, at_most=2)) - {who}:
                return f"Nobody but you could consent to {access.securable}: ask the platform team."
        return ""
