"""What we remember, by intent: each method is one transaction, safe from several threads."""

from provisioning import audit
from provisioning.clock import Clock
from provisioning.database import Database
from provisioning.store.approvals import Approvals, Settled
from provisioning.store.identities import Identities
from provisioning.store.interactions import Interactions
from provisioning.store.memos import Memos
from provisioning.store.messages import Attachment, Message, Messages
from provisioning.store.operations import BusyError, Change, ChangedError, Operations
from provisioning.store.projects import Filter, NameTakenError, Page, Projects
from provisioning.store.releases import Releases
from provisioning.store.sandboxes import Sandboxes
from provisioning.store.turns import Turn, Turns
from provisioning.store.workflow_runs import Followed, WorkflowRuns

__all__ = [
    "Attachment",
    "BusyError",
    "Change",
    "ChangedError",
    "Database",
    "Filter",
    "Followed",
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
        self.operations = Operations(database, clock)
        self.approvals = Approvals(database, clock)
        self.messages = Messages(database, clock)
        self.workflow_runs = WorkflowRuns(database, clock)
        self.releases = Releases(database, clock)
        self.sandboxes = Sandboxes(database, clock)
        self.interactions = Interactions(database, clock)
        self.identities = Identities(database, clock)
        self.memos = Memos(database)
        self.turns = Turns(database, clock)

    def refused(self, project: str, who: str, what: str, why: str) -> None:
        """Note in a project's audit trail what somebody was not allowed to do."""
        entry = audit.Entry(project=project, who=who, what="refused", detail={what: why})
        with self._database.writing() as session:
            audit.append(session, self._clock.now(), entry)
