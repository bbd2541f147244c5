"""An operation and where it stands: pure values, no storage."""

import hashlib
from datetime import datetime
from typing import Literal

from pydantic import Field

from provisioning.ports import Finding
from provisioning.project import ProjectSpec
from provisioning.project_secrets import SecretWork
from provisioning.rotation import Rotation
from provisioning.runs import Outcome, Plan, Progress
from provisioning.text import Frozen
from provisioning.versions import Upgrade

Phase = Literal[
    "queued",
    "planning",
    "waiting",
    "undeploying",
    "confirmed",
    "applying",
    "starter",
    "verifying",
    "deploying",
    "overlapping",
    "revoking",
    "entering",
    "storing",
    "ready",
    "done",
    "unchanged",
    "failed",
    "discarded",
    "refused",
    "expired",
    "cancelled",
    "to_clean",
    "cleaning",
    "freeing",
    "cleaned",
]
"""Where an operation stands. `waiting` is for people, `deploying`, `undeploying` and `overlapping`
for workflow runs at GitHub; `TURNS` wait for GitHub's budget. `entering` is for a secret's value;
whoever entered it is `storing` it, by no workflow."""

TURNS: dict[Phase, Phase] = {"confirmed": "applying", "to_clean": "cleaning"}
"""Phases that wait for their turn to write to GitHub, and what each goes on to."""

WORKING: tuple[Phase, ...] = (
    "queued",
    "planning",
    "confirmed",
    "applying",
    "starter",
    "verifying",
    "revoking",
    "to_clean",
    "cleaning",
    "freeing",
)
"""Phases in which a workflow runs or is queued; a sweep starts it where it is missing."""

AT_GITHUB: tuple[Phase, ...] = ("deploying", "undeploying")
"""Phases in which workflow runs are waited for, between short steps of ours that begin them."""

WRITING: tuple[Phase, ...] = ("applying", "starter", "cleaning", "freeing")
"""Phases in which GitHub is written to."""

IDLE: tuple[Phase, ...] = ("queued", *TURNS)
"""Phases in which nothing is under way: a cancelled run ends at once."""
STOPPABLE: tuple[Phase, ...] = ("planning", "applying", "cleaning")
"""Phases in which Terraform runs: a cancelled run ends as soon as it can."""
CANCELLABLE = (*IDLE, *STOPPABLE)
STOPPED: tuple[Phase, ...] = ("discarded", "refused", "expired", "cancelled")
"""Ended by people, or by nobody's answer, before it was ready."""
ENDED: tuple[Phase, ...] = ("ready", "done", "unchanged", "failed", *STOPPED, "cleaned")

OPEN: tuple[Phase, ...] = ("overlapping", "entering")
"""Phases in which operations of other kinds may begin on the same project."""
UNHURRIED: tuple[Phase, ...] = ("entering",)
"""Those of them in which any operation may begin: nothing is under way."""

Part = Literal["plan", "undeploy", "apply", "revoke", "clean_up", "discard_plan"]

CREATE = "create_project"
"""The operation that makes a project; all others are about one that exists."""
CHANGE = "change_project"
"""The operation that gives a project another specification."""
CHANGES = (CHANGE, "add_secret", "remove_secret")
"""The operations whose plan changes what a project has been asked for."""
DESTROY = "destroy_project"
"""The operation after which nothing of a project is left but its archived repository."""
UPGRADE = "upgrade_project"
"""The operation that applies the present Terraform modules, and offers the present template."""
STARTER_WRITES = 6
"""A tree, a commit, two references, and something to spare."""
UPGRADE_WRITES = 10
"""A tree, two commits, two references, two merges, a pull request, and something to spare."""


def part_of(phase: Phase) -> Part:
    """Return the part of the operation that works in a phase."""
    if phase in ("queued", "planning"):
        return "plan"
    if phase == "undeploying":
        return "undeploy"
    if phase == "revoking":
        return "revoke"
    return "clean_up" if phase in ("to_clean", "cleaning", "freeing") else "apply"


class Trouble(Frozen):
    """Why an operation failed, for the person who reads its message.

    `reference` finds the log entry of an error that is nobody's business in chat.
    """

    step: str
    what: str
    resource: str = ""
    detail: str = ""
    left_behind: str = ""
    reference: str = ""


class Decision(Frozen):
    """Who decided what, bound to the artefact they saw, and in which phase of which attempt."""

    by: str
    at: datetime
    what: str
    comment: str = ""
    phase: Phase = "waiting"
    attempt: int = 1


class Trying(Frozen):
    """What a run's step waits for while it is tried again, and in which phase that was."""

    reason: str
    phase: Phase
    since: datetime
    at: datetime
    again: datetime


class Undeployment(Frozen):
    """The workflow run that removes what a stage's bundle has deployed; none while `run` is 0."""

    stage: str
    run: int = 0
    url: str = ""
    done: bool = False


class FromGitHub(Frozen):
    """The merge of a project's specification file that began a change, and who merged it."""

    login: str
    url: str
    number: int


class Facts(Frozen):
    """What an operation has found out so far; every figure is Terraform's own.

    `origin` is the operation that made the project, for all others. `made` is set before the first
    apply: from then on something may exist at a vendor. `unmade` is set before the first removal:
    from then on some of it may be gone. `writes` is the most that one of its applies was to write
    to GitHub. `left_behind` says what a cancelled run has left. `workflow_run` is the address of
    the first deployment, or of what removes a stage. `undeployments` are those that this operation
    has begun or has to begin: deployments are stopped in the attempt `undeploying_in`, what there
    is to remove is found in the attempt `found_in`, when the run `found_after` was the last one to
    deploy, and nothing begins before `quiet_at`. `covered_by` is the digest of the plan by whose
    confirmation a later `plan` is confirmed, too. `rotation` is about keys, `secret` about a secret
    of the project's own, `upgrade` about versions.

    `touched` is set before an operation changes the first thing of a project that exists. `before`
    is the specification that a change replaces; `changed` is set once it is replaced. `files` says
    what became of the repository's files: "same", "moved" on the template's branch, or, where they
    come from another version of the template, "other" (nothing to do) or "left" (something would
    have to change). `commit` is where that branch is then. `from_github` is what began a change
    that nobody asked for in Slack.
    """

    origin: str = ""
    plan: Plan | None = None
    confirmed: Plan | None = None
    covered_by: str = ""
    decisions: tuple[Decision, ...] = ()
    progress: Progress | None = None
    applied: Outcome | None = None
    findings: tuple[Finding, ...] = ()
    trouble: Trouble | None = None
    trying: Trying | None = None
    terraform_run: str = ""
    made: bool = False
    unmade: bool = False
    writes: int = 0
    left_behind: str = ""
    workflow_run: str = ""
    rotation: Rotation | None = None
    secret: SecretWork | None = None
    upgrade: Upgrade | None = None
    undeployments: tuple[Undeployment, ...] = ()
    undeploying_in: int = 0
    found_in: int = 0
    found_after: int = 0
    quiet_at: datetime | None = None
    touched: bool = False
    before: ProjectSpec | None = None
    changed: bool = False
    files: str = ""
    commit: str = ""
    from_github: FromGitHub | None = None
    started: dict[str, datetime] = Field(default_factory=dict)
    finished: dict[str, datetime] = Field(default_factory=dict)
    queue_position: int = 0


class Operation(Frozen):
    """One durable run of create, change, rotate and so on, as it was stored."""

    id: str
    kind: str
    project: str
    phase: Phase
    version: int
    attempt: int
    spec: ProjectSpec
    facts: Facts
    requested_by: str
    channel: str
    created_at: datetime
    ended_at: datetime | None = None
    cancel_requested_by: str = ""

    @property
    def marker(self) -> str:
        """Return what everything of the project is marked with at the vendors."""
        return f"sciclops:{self.facts.origin or self.id}"

    @property
    def makes_project(self) -> bool:
        """Tell whether there is no project before it."""
        return self.kind == CREATE

    @property
    def in_force(self) -> ProjectSpec:
        """Return the project's present specification: only its owners decide.

        Who is named in a change that is asked for is nobody until it is made.
        """
        facts = self.facts
        return self.spec if facts.before is None or facts.changed else facts.before

    @property
    def message(self) -> str:
        """Return the key of the channel message that shows this operation."""
        return f"run:{self.id}"

    @property
    def plan(self) -> Plan | None:
        """Return the plan of this attempt, once it is made; that of an earlier one is history."""
        return self.facts.plan if "planning" in self.facts.finished else None

    @property
    def is_covered(self) -> bool:
        """Tell whether the plan is covered by an earlier confirmation: then nobody is asked."""
        plan, confirmed = self.facts.plan, self.facts.confirmed
        return plan is not None and confirmed is not None and confirmed.covers(plan)

    @property
    def may_be_retried(self) -> bool:
        """Tell whether it can go on; after somebody's No only if something was done before.

        What a clean-up removed in part is only cleaned up further: going on would make it all anew.
        """
        if self.facts.unmade and self.makes_project:
            return False
        by_nobodys_will = self.phase in ("failed", "cancelled", "expired")
        was_changed = self.facts.touched or bool(self.facts.undeploying_in)
        was_done = self.facts.made if self.makes_project else was_changed
        return by_nobodys_will or (self.phase in STOPPED and was_done)

    @property
    def may_be_cleaned_up(self) -> bool:
        """Tell whether there may be something to remove: at the vendors, or the name itself."""
        stopped = self.phase == "failed" or (self.phase in STOPPED and self.facts.made)
        return self.makes_project and stopped

    @property
    def writes(self) -> int:
        """Return how many requests that create content it sends to GitHub at most, in its turn.

        A clean-up removes no more than one of the applies was to make.
        """
        if self.is_clean_up:
            return self.facts.writes
        changes = self.facts.plan.changes if self.facts.plan else ()
        of_terraform = sum(
            change.resource_type.startswith("github_")
            and change.action in ("create", "update", "replace", "delete")
            for change in changes
        )
        of_upgrade = UPGRADE_WRITES if self.facts.upgrade else 0
        return of_terraform + of_upgrade + (STARTER_WRITES if self.kind in (CREATE, CHANGE) else 0)

    @property
    def is_clean_up(self) -> bool:
        """Tell whether this attempt is about removing what was made."""
        return "to_clean" in self.facts.started

    @property
    def stopping(self) -> bool:
        """Tell whether somebody pressed Cancel, and it takes effect as soon as it can."""
        return bool(self.cancel_requested_by) and self.phase in STOPPABLE


def operation_id(key: str) -> str:
    """Return the id of the operation that a request with this idempotency key starts.

    The same key gives the same id, so a request that arrives twice starts one operation.
    """
    return "run-" + hashlib.sha256(key.encode()).hexdigest()[:12]
