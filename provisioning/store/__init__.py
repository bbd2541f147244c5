"""What we remember, by intent: each method is one transaction, safe from several threads."""

from collections.abc import Mapping
from typing import Any

from provisioning import audit
from provisioning.clock import Clock
from provisioning.database import Database
from provisioning.store.approvals import Approvals, Settled
from provisioning.store.drifts import Drifts
from provisioning.store.fleets import Fleets
from provisioning.store.health import HealthNotes
from provisioning.store.identities import Identities
from provisioning.store.interactions import Interactions
from provisioning.store.locks import LockedError, Locks
from provisioning.store.memos import Memos
from provisioning.store.messages import Attachment, Message, Messages
from provisioning.store.news import News
from provisioning.store.operations import BusyError, Change, ChangedError, Operations
from provisioning.store.overview import Overview
from provisioning.store.project_secrets import ProjectSecrets
from provisioning.store.projects import Filter, NameTakenError, Page, Projects
from provisioning.store.releases import Releases
from provisioning.store.sandboxes import Sandboxes
from provisioning.store.turns import Turn, Turns
from provisioning.store.usage import UsageCounts
from provisioning.store.versions import Versions
from provisioning.store.workflow_runs import Followed, WorkflowRuns

__all__ = [
    "Attachment",
    "BusyError",
    "Change",
    "ChangedError",
    "Database",
    "Filter",
    "Followed",
    "LockedError",
    "Message",
    "NameTakenError",
    "Page",
    "Settled",
    "Store",
    "Turn",
]


class Store:
    """The database's contents. Rows that are handed out are copies: changing one saves nothing."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self.projects = Projects(database, clock)
        self.secrets = ProjectSecrets(database, clock)
        self.locks = Locks(database, clock)
        self.operations = Operations(database, clock)
        self.approvals = Approvals(database, clock)
        self.messages = Messages(database, clock)
        self.workflow_runs = WorkflowRuns(database, clock)
        self.releases = Releases(database, clock)
        self.sandboxes = Sandboxes(database, clock)
        self.interactions = Interactions(database, clock)
        self.identities = Identities(database, clock)
        self.drifts = Drifts(database, clock)
        self.overview = Overview(database)
        self.health = HealthNotes(database, clock)
        self.fleets = Fleets(database, clock)
        self.versions = Versions(database, clock)
        self.memos = Memos(database)
        self.news = News(database, clock)
        self.usage = UsageCounts(database)
        self.turns = Turns(database, clock)

    def refused(self, project: str, who: str, what: str, why: str) -> None:
        """Note in a project's audit trail what somebody was not allowed to do."""
        self.note(project, who, "refused", {what: why})

    def trail(self, project: str) -> audit.Trail:
        """Return a project's audit trail, verified."""
        return audit.trail(self._database, project)

    def note(self, project: str, who: str, what: str, detail: Mapping[str, Any]) -> None:
        """Note in a project's audit trail what somebody did."""
        entry = audit.Entry(project=project, who=who, what=what, detail=detail)
        with self._database.writing() as session:
            audit.append(session, self._clock.now(), entry)
