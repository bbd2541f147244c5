"""What a project's owners and the platform team may do with it, and nobody else: one rule."""

from collections.abc import Collection
from dataclasses import dataclass

from provisioning.errors import UserError
from provisioning.policy import Policy
from provisioning.ports import People
from provisioning.project import ProjectSpec
from provisioning.store import Store
from provisioning.verdicts import Allowed, Refused


def may(
    *, who: str, owners: Collection[str], platform: bool, do: str = "can do that"
) -> Allowed | Refused:
    """Decide whether somebody is one of them."""
    if who in owners or platform:
        return Allowed()
    return Refused(why=f"only an owner of the project or the platform team {do}")


@dataclass(frozen=True)
class Owners:
    """Asks who is one of them, live."""

    store: Store
    people: People
    policy: Policy

    def require(self, spec: ProjectSpec, by: str, what: str, do: str = "can do that") -> None:
        """Raise `UserError` unless somebody is one of them; that they tried is in the audit."""
        platform = self.people.is_among(by, (self.policy.platform_group,))
        verdict = may(who=by, owners=spec.owners, platform=platform, do=do)
        if isinstance(verdict, Refused):
            self.store.refused(spec.name, by, what, verdict.why)
            raise UserError(f"Not done: {verdict.why}.")
