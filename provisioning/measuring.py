"""Measures what has come to its end, once: told by whoever's transaction has ended it.

At most once: a process that dies between commit and datagram measures nothing, and nobody repeats
it. UDP loses datagrams anyhow; one that came twice would make figures wrong that nobody doubts.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeVar

from provisioning.following import SINCE
from provisioning.metrics import Event, Labels, Metrics, Severity
from provisioning.release import Release, let_in_at, release_id
from provisioning.store import Store
from provisioning.store.ended_deployments import EndedDeployment
from provisioning.tables import InteractionRow, OperationRow
from provisioning.workflow_run import WorkflowJob, WorkflowRun

log = logging.getLogger(__name__)

T = TypeVar("T")
WAYS = {"slash": "typed", "click": "pressed"}
NOT_RELEASED = "not_released"
"""The outcome of a deployment that reviewers did not let in: nothing of it is broken."""
SEVERITIES: dict[str, Severity] = {"success": "success", NOT_RELEASED: "info", "cancelled": "info"}


@dataclass(frozen=True)
class Measuring:
    """Hears from the store what has happened; `commands` are the names that may be counted."""

    metrics: Metrics
    store: Store
    commands: frozenset[str]

    def listen(self) -> None:
        """Hear of everything from now on."""
        self.store.operations.on_end = _harmless(self.operation)
        self.store.workflow_runs.on_deployed = _harmless(self.deployment)
        self.store.releases.on_settled = _harmless(self.release)
        self.store.interactions.on_new = _harmless(self.interaction)

    def operation(self, row: OperationRow) -> None:
        """An attempt of an operation has ended."""
        labels = Labels(
            project=row.project,
            kind=row.kind,
            template=row.request.get("template", ""),
            outcome=row.phase,
            attempt=str(row.attempt),
        )
        self.metrics.count("operation.ended", labels)
        if row.ended_at:
            self.metrics.time("operation.duration", row.ended_at - _begin(row), labels)

    def deployment(self, ended: EndedDeployment) -> None:
        """A deployment to an environment has ended; what ended before we followed is no news."""
        job, run = ended.job, ended.run
        environment = job.deed[1] if job.deed else ""
        if job.completed_at and self._is_history(job.completed_at):
            return
        release = self.store.releases.get(release_id(run.id, job.attempt, environment))
        labels = Labels(
            project=ended.project,
            kind=job.deed[0] if job.deed else "",
            stage=_stage(environment),
            environment=environment,
            template=self._template(ended.project),
            workflow_version=run.workflow_version,
            outcome=outcome_of(job, run, release),
        )
        self.metrics.count("deployment.ended", labels)
        if job.started_at and job.completed_at:
            took = max(job.completed_at - job.started_at, timedelta())
            self.metrics.time("deployment.duration", took, labels)
        self.metrics.event(_event(ended, labels), labels)

    def release(self, release: Release) -> None:
        """A release was settled, by people or by time."""
        labels = Labels(
            project=release.project,
            stage=_stage(release.environment),
            environment=release.environment,
            template=self._template(release.project),
            outcome=release.state,
            gate=release.card.gate,
        )
        self.metrics.count("release.settled", labels)
        was_asked = release.card.reviewers or release.card.group
        if was_asked and release.decided_at:
            self.metrics.time("release.waited", release.decided_at - release.asked_at, labels)

    def interaction(self, row: InteractionRow) -> None:
        """Somebody has typed a command, or pressed a button that types one."""
        way = WAYS.get(row.payload["key"].partition(":")[0])
        words = row.payload["words"] or ["help"]
        if way:
            known = words[0].lower() if words[0].lower() in self.commands else "unknown"
            self.metrics.count("command.used", Labels(command=known, way=way))

    def _template(self, project: str) -> str:
        row = self.store.projects.get(project)
        return str(row.spec.get("template", "")) if row else ""

    def _is_history(self, at: datetime) -> bool:
        since = self.store.memos.get(SINCE)
        return since is not None and at < datetime.fromisoformat(since["at"])


def outcome_of(job: WorkflowJob, run: WorkflowRun, release: Release | None) -> str:
    """Say how a deployment ended: GitHub calls it a failure, too, when nobody has let it in."""
    if release is None or job.succeeded or _was_let_in(release, run):
        return job.conclusion or "failure"
    return NOT_RELEASED


def _was_let_in(release: Release, run: WorkflowRun) -> bool:
    if release.state in ("approved", "bypassed"):
        return True
    is_approved = release.state == "deciding" and release.verdict != "rejected"
    return is_approved or let_in_at(release, run) is not None


def _begin(row: OperationRow) -> datetime:
    """Return when the attempt began: one that somebody retried not when it was asked for first."""
    started = [datetime.fromisoformat(at) for at in row.facts.get("started", {}).values()]
    return min(started, default=row.created_at) if row.attempt > 1 else row.created_at


def _stage(environment: str) -> str:
    return environment.rpartition("-")[2].lower()


def _event(ended: EndedDeployment, labels: Labels) -> Event:
    """Describe a deployment for a dashboard; nothing in it was typed by anybody."""
    run = ended.run
    deed = "Removal from" if labels.kind == "destroy" else "Deployment to"
    outcome = labels.outcome.replace("_", " ")
    by = f"\nBegun by {run.triggering_actor or run.actor}" if run.actor else ""
    return Event(
        title=f"{ended.project}: {deed.lower()} {labels.environment}, {outcome}",
        text=f"Commit {run.sha}\nAttempt {ended.job.attempt} of {run.url}{by}",
        at=ended.job.completed_at or run.updated_at,
        severity=SEVERITIES.get(labels.outcome, "error"),
        subject=ended.project,
    )


def _harmless(measure: Callable[[T], None]) -> Callable[[T], None]:
    """Keep what is measured from the measuring's own troubles."""

    def heard(what: T) -> None:
        try:
            measure(what)
        except Exception:
            log.warning("could not measure something", exc_info=True)

    return heard
