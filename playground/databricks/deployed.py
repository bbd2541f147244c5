"""What people and bundles deploy to a workspace, as plain dataclasses."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

NodeKind = Literal["DIRECTORY", "FILE", "DASHBOARD", "MLFLOW_EXPERIMENT"]
LifeCycle = Literal["QUEUED", "PENDING", "BLOCKED", "RUNNING", "TERMINATED", "SKIPPED"]


@dataclass
class Job:
    """A job's settings, as they were sent."""

    job_id: int
    created: datetime
    creator: str
    settings: dict[str, Any]
    runs: int = 0


@dataclass
class TaskRun:
    """One task of a run; `output` is what it printed, `message` why it failed."""

    run_id: int
    settings: dict[str, Any]
    life_cycle: LifeCycle = "PENDING"
    result: str = ""
    message: str = ""
    output: str = ""
    started: datetime | None = None
    ended: datetime | None = None

    @property
    def key(self) -> str:
        """Return the task's key."""
        return str(self.settings["task_key"])

    @property
    def upstream(self) -> list[str]:
        """Return the keys of the tasks that come before."""
        return [str(each["task_key"]) for each in self.settings.get("depends_on") or []]


@dataclass
class Run:
    """A run of a job; `settings` are those of its start."""

    run_id: int
    job_id: int
    number: int
    created: datetime
    creator: str
    runs_as: str
    settings: dict[str, Any]
    parameters: dict[str, str]
    tasks: list[TaskRun]
    life_cycle: LifeCycle = "PENDING"
    result: str = ""
    message: str = ""
    ended: datetime | None = None

    @property
    def is_over(self) -> bool:
        """Tell whether nothing more will happen."""
        return self.life_cycle in ("TERMINATED", "SKIPPED")


@dataclass
class Update:
    """One update of a pipeline."""

    update_id: str
    created: datetime
    cause: str
    runs_as: str
    state: str = "QUEUED"
    output: str = ""
    message: str = ""


@dataclass
class Pipeline:
    """A pipeline's specification, as it was sent."""

    pipeline_id: str
    created: datetime
    creator: str
    spec: dict[str, Any]
    updates: dict[str, Update] = field(default_factory=dict)


@dataclass
class Node:
    """Something in the tree of the workspace; `facts` are a dashboard's or an experiment's own."""

    object_id: int
    path: str
    kind: NodeKind
    creator: str
    created: datetime
    modified: datetime
    content: bytes = field(default=b"", repr=False)
    facts: dict[str, Any] = field(default_factory=dict)


@dataclass
class ModelVersion:
    """A version of a registered model with its files."""

    version: int
    created: datetime
    creator: str
    source: str
    description: str = ""
    status: str = "PENDING_REGISTRATION"
    tags: dict[str, str] = field(default_factory=dict)
    files: dict[str, bytes] = field(default_factory=dict, repr=False)


@dataclass
class Endpoint:
    """A serving endpoint."""

    id: str
    name: str
    created: datetime
    creator: str
    entities: list[dict[str, Any]]
    tags: list[dict[str, str]] = field(default_factory=list)
