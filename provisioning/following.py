"""Follows workflow runs at GitHub: whoever holds a run looks, and shows what it sees.

No workflow waits for a run. A row says when to look next; a webhook, a click or the clock makes it
due; whichever process claims it looks. A look asks GitHub for everything, so it may happen twice,
late, or after a crash, and the messages tell the truth again.
"""

import logging
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta

from provisioning.clock import Clock
from provisioning.deployment_board import DeploymentBoard
from provisioning.deployment_ports import Deployments, Sighting
from provisioning.errors import SciclopsError, TemporaryError
from provisioning.policy import Policy
from provisioning.ports import Redactor
from provisioning.releasing import Releasing
from provisioning.store import Followed, Store
from provisioning.workflow_run import WORKFLOW, WorkflowRun, merged, with_job

log = logging.getLogger(__name__)

LOOKERS = 4
"""So many runs are looked at at once."""
IDLE_SECONDS = 1.0
"""How long nobody looks for due runs, unless woken."""
SOON = timedelta(seconds=3)
"""When to look again where GitHub's lists lag behind."""
PACE = (
    (timedelta(minutes=1), timedelta(seconds=5)),
    (timedelta(hours=1), timedelta(seconds=15)),
)
"""Without webhooks: how often runs that were quiet for so long are looked at; others `SLOWLY`."""
SLOWLY = timedelta(minutes=1)
WITH_WEBHOOKS = timedelta(minutes=5)
"""With webhooks a look in between only finds what got lost."""
KEPT_AFTER_A_FAILURE = timedelta(seconds=15)


@dataclass(frozen=True)
class Following:
    """One look at a run, and what follows from it."""

    store: Store
    deployments: Deployments
    releasing: Releasing
    board: DeploymentBoard
    policy: Policy
    clock: Clock
    redact: Redactor
    on_seen: Callable[[Followed], None]
    """Hears of each run after each look: projects that wait for their first deployment."""

    def hear(self, sighting: Sighting) -> bool:
        """Take in what a webhook tells; False if this very delivery was taken in before.

        The run is looked at soon: what a webhook doesn't tell decides whom to ask.
        """
        project = self.store.projects.get(sighting.project)
        if project is None or project.state == "gone":
            return False
        job = sighting.job

        def merge(known: WorkflowRun | None) -> WorkflowRun:
            if known is None:
                return merged(None, sighting.run)
            if sighting.sparse:
                return known
            return with_job(known, job) if job else merged(known, sighting.run)

        return self.store.workflow_runs.deliver(
            sighting.guid, sighting.event, sighting.project, merge
        )

    def look(self, followed: Followed) -> None:
        """Look at a run that was claimed, and say when to look again."""
        try:
            again = self._look(followed)
        except TemporaryError as error:
            log.info("could not look at run %s: %s", followed.run.id, error)
            again = self.clock.now() + (error.after or KEPT_AFTER_A_FAILURE)
        self.store.workflow_runs.looked(followed, again)

    def _look(self, followed: Followed) -> datetime | None:
        look = self.deployments.look(followed.project, followed.run.id)
        if look is None:
            self._is_gone(followed)
            return None
        if look.run.path != WORKFLOW:
            return None
        seen = self.store.workflow_runs.see(followed.project, look.run, complete=True)
        self._note_failure(seen)
        self.board.show_run(seen.run.id)
        self.on_seen(seen)
        complete = self.releasing.keep_up(seen, look)
        self.board.show_run(seen.run.id)
        self._announce(seen)
        return self._again(seen, complete=complete)

    def _is_gone(self, followed: Followed) -> None:
        """Note that GitHub has lost a run, with its repository: then it is over."""
        over: dict[str, object] = {"status": "completed", "updated_at": self.clock.now()}
        over["conclusion"] = followed.run.conclusion or "cancelled"
        self.store.workflow_runs.see(followed.project, followed.run.model_copy(update=over))
        for release in self.store.releases.of_run(followed.run.id):
            self.releasing.withdraw(release, "the run is gone")
        self.board.show_run(followed.run.id)

    def _note_failure(self, followed: Followed) -> None:
        run = followed.run
        failures = run.failures()
        if not (run.is_over and failures) or followed.failure:
            return
        try:
            end = self.deployments.log_end(followed.project, failures[0])
        except SciclopsError as error:
            log.warning("no log of job %s: %s", failures[0].id, error)
            return
        self.store.workflow_runs.note(run.id, failure=self.redact(end))

    def _announce(self, followed: Followed) -> None:
        """Tell the community once the last stage was reached everywhere."""
        last = self._last_environments(followed.project)
        run = followed.run
        if last and run.event != "pull_request" and all(map(run.deployed, last)):
            self.board.announce(followed, last)

    def _last_environments(self, project: str) -> tuple[str, ...]:
        names = self.board.environments(project)
        return tuple(name for name in names if name.rpartition("-")[2] == "Production")

    def _again(self, followed: Followed, *, complete: bool) -> datetime | None:
        run, now = followed.run, self.clock.now()
        telling = any(one.state == "deciding" for one in self.store.releases.of_run(run.id))
        if not complete or telling:
            return now + SOON
        if run.is_over:
            return None
        if self.policy.webhooks:
            return now + WITH_WEBHOOKS
        return now + pace(now - run.updated_at)


def pace(quiet: timedelta) -> timedelta:
    """Return how long to wait before the next look at a run that has been quiet for so long."""
    return next((every for limit, every in PACE if quiet < limit), SLOWLY)


class Follower:
    """Threads of this process that look at whatever is due; several processes share the work."""

    def __init__(self, following: Following, find_new: Callable[[], None]) -> None:
        self._following = following
        self._find_new = find_new
        self._woken = threading.Event()
        self._stopping = threading.Event()
        self._lookers = ThreadPoolExecutor(LOOKERS, thread_name_prefix="follower")
        self._free = threading.Semaphore(LOOKERS)
        self._thread = threading.Thread(target=self._follow, name="follower", daemon=True)

    def start(self) -> None:
        """Begin to look."""
        self._following.store.workflow_runs.on_wake = self._woken.set
        self._thread.start()

    def stop(self) -> None:
        """Begin no further look; what was claimed is looked at again by others."""
        self._stopping.set()
        self._woken.set()
        self._thread.join()
        self._lookers.shutdown(wait=False, cancel_futures=True)

    def _follow(self) -> None:
        while not self._stopping.is_set():
            self._woken.clear()
            try:
                self._find_new()
                busy = self._look_at_what_is_due()
            except Exception:
                log.exception("could not look for runs that are due; trying again")
                busy = False
            if not busy:
                self._woken.wait(IDLE_SECONDS)

    def _look_at_what_is_due(self) -> bool:
        """Give one due run to a looker; tell whether there may be more."""
        self._free.acquire()
        claimed: tuple[Followed, ...] = ()
        try:
            claimed = self._following.store.workflow_runs.claim(1)
        finally:
            if not claimed:
                self._free.release()
        for followed in claimed:
            self._lookers.submit(self._look, followed)
        return bool(claimed)

    def _look(self, followed: Followed) -> None:
        try:
            self._following.look(followed)
        except Exception:
            log.exception("could not follow run %s; trying again in a minute", followed.run.id)
        finally:
            self._free.release()


def begun(runs: tuple[WorkflowRun, ...], sha: str) -> WorkflowRun | None:
    """Return the latest run that a push of this commit has begun."""
    return next((run for run in runs if run.sha == sha and run.event == "push"), None)
