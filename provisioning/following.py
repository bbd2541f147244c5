"""Follows workflow runs at GitHub: whoever holds a run looks, and shows what it sees.

No workflow waits for a run. A row says when to look next; a webhook, a click or the clock makes it
due; whichever process claims it looks. A look asks GitHub for everything, so it may happen twice,
late, or after a crash, and the messages tell the truth again.
"""

import logging
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta

from provisioning.clock import Clock
from provisioning.deployment_board import DeploymentBoard
from provisioning.deployment_ports import Deployments, Sighting
from provisioning.errors import PermanentError, SciclopsError, TemporaryError
from provisioning.log_context import about
from provisioning.policy import Policy
from provisioning.ports import Redactor
from provisioning.release_news import MERGE
from provisioning.releasing import Releasing
from provisioning.store import Followed, Store
from provisioning.store.workflow_runs import Heard, Next
from provisioning.workflow_run import WORKFLOW, WorkflowRun, merged, with_job

log = logging.getLogger(__name__)

LOOKERS = 12
"""So many runs are looked at at once: a look waits for GitHub most of its time."""
IDLE_SECONDS = 1.0
"""How long nobody looks for due runs, unless woken."""
FIND_SECONDS = 5.0
"""How often GitHub is asked for the first runs of new projects, however often we are woken."""
SOON = timedelta(seconds=3)
"""When to look again where GitHub's lists lag behind."""
LAG = timedelta(seconds=30)
"""How long a list may lag behind what has happened; what is not there later, is not there."""
PACE = (
    (timedelta(minutes=1), timedelta(seconds=5)),
    (timedelta(hours=1), timedelta(seconds=15)),
    (timedelta(days=1), timedelta(minutes=1)),
)
"""Without webhooks: how often runs that were quiet for so long are looked at; others `SLOWLY`."""
BELIEVED_AFTER = timedelta(minutes=15)
"""How long GitHub may say that a run is not there before that is believed."""
SLOWLY = timedelta(minutes=15)
SHARE = timedelta(seconds=0.6)
"""Without webhooks: the pause for each run under way. GitHub allows 900 points a minute; a look
takes four, so that all looks together take less than half of them."""
WITH_WEBHOOKS = timedelta(minutes=5)
"""With webhooks a look in between only finds what got lost."""
SINCE = "following.since"
WHILE_DECIDING = timedelta(seconds=10)
KEPT_AFTER_A_FAILURE = timedelta(seconds=15)
KEPT_AFTER_A_REFUSAL = timedelta(minutes=15)
"""Somebody has to mend something first."""


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

    def hear(self, sighting: Sighting) -> Heard:
        """Take in what a webhook tells, once, in any order.

        A run is looked at soon where something may follow from that; else it is only shown, since
        one look for each step of each job would take more than GitHub allows.
        """
        project = self.store.projects.get(sighting.project)
        if project is None or project.state == "gone":
            return "foreign"
        job = sighting.job

        def merge(known: WorkflowRun | None) -> WorkflowRun:
            if known is None:
                return merged(None, sighting.run)
            if sighting.sparse:
                return known
            return with_job(known, job) if job else merged(known, sighting.run)

        heard = self.store.workflow_runs.deliver(
            sighting.guid,
            sighting.event,
            sighting.project,
            merge,
            lambda known: calls_for(known, sighting, is_ready=project.state == "ready"),
        )
        if heard == "show":
            self.board.show_run(sighting.run.id)
        return heard

    def look(self, followed: Followed) -> None:
        """Look at a run that was claimed, and say when to look again."""
        with about(operation=f"workflow-run:{followed.run.id}", project=followed.project):
            self.store.workflow_runs.looked(followed, self._look_and_wait(followed))

    def _look_and_wait(self, followed: Followed) -> datetime | None:
        """Look, and return when to look again, also if that did not work."""
        try:
            return self._look(followed)
        except TemporaryError as error:
            log.info("could not look at run %s: %s", followed.run.id, error)
            return self.clock.now() + (error.after or KEPT_AFTER_A_FAILURE)
        except PermanentError as error:
            log.warning("cannot look at run %s: %s", followed.run.id, error)
            return self.clock.now() + KEPT_AFTER_A_REFUSAL

    def _look(self, followed: Followed) -> datetime | None:
        look = self.deployments.look(followed.project, followed.run.id)
        if look is None:
            return self._is_gone(followed)
        if look.run.path != WORKFLOW:
            self.store.workflow_runs.disown(followed.run.id)
            return None
        self.store.memos.drop(f"lost:{followed.run.id}")
        seen = self.store.workflow_runs.see(followed.project, look.run, complete=True)
        if not followed.looks and self.is_history(seen.run):
            self.on_seen(seen)
            return None
        complete = self._note_failure(seen)
        self.board.show_run(seen.run.id)
        self.on_seen(seen)
        complete &= self.releasing.keep_up(seen, look)
        self.board.show_run(seen.run.id)
        self._announce(seen)
        return self._again(seen, complete=complete)

    def is_history(self, run: WorkflowRun) -> bool:
        """Tell whether a run had ended before this database followed any: that is no news."""
        return run.is_over and run.updated_at < self.since()

    def since(self) -> datetime:
        """Return when following began here, at the first start; in whole seconds, as at GitHub."""
        known = self.store.memos.get(SINCE)
        if known is None:
            known = {"at": self.clock.now().replace(microsecond=0).isoformat()}
            self.store.memos.set(SINCE, known)
        return datetime.fromisoformat(known["at"])

    def _is_gone(self, followed: Followed) -> datetime | None:
        """Note that GitHub has lost a run, with its repository: then it is over.

        What has only just begun may not be everywhere at GitHub yet, and one 404 proves nothing.
        """
        now, key = self.clock.now(), f"lost:{followed.run.id}"
        if followed.run.is_over:
            return None
        if now - followed.run.updated_at < LAG:
            return now + SOON
        lost = self.store.memos.get(key)
        if lost is None:
            self.store.memos.set(key, {"since": now.isoformat()})
        if lost is None or now - datetime.fromisoformat(lost["since"]) < BELIEVED_AFTER:
            return now + SLOWLY  # an App may lose sight of a repository for a moment
        over: dict[str, object] = {"status": "completed", "updated_at": self.clock.now()}
        over["conclusion"] = followed.run.conclusion or "cancelled"
        self.store.workflow_runs.see(followed.project, followed.run.model_copy(update=over))
        for release in self.store.releases.of_run(followed.run.id):
            self.releasing.outcomes.withdraw(release, "the run is gone")
        self.board.show_run(followed.run.id)
        return None

    def _note_failure(self, followed: Followed) -> bool:
        """Note the end of the log of what failed; False if it may be there soon."""
        run = followed.run
        failures = run.failures()
        if not (run.is_over and failures) or followed.failure:
            return True
        end = ""
        try:
            end = self.deployments.log_end(followed.project, failures[0])
        except SciclopsError as error:
            log.warning("no log of job %s: %s", failures[0].id, error)
        self.store.workflow_runs.note(run.id, failure=self.redact(end))
        return bool(end) or self.clock.now() - run.updated_at > LAG

    def _announce(self, followed: Followed) -> None:
        """Tell the community once the last stage was reached everywhere."""
        last = self._last_environments(followed.project)
        run = followed.run
        if last and run.event != "pull_request" and all(map(run.deployed, last)):
            self.board.announce(followed, last, self._merged_title(run))

    def _merged_title(self, run: WorkflowRun) -> str:
        """Return what a merge brought that nobody had to release: no card tells."""
        if not run.title.startswith(MERGE) or self.store.releases.of_run(run.id):
            return ""
        found = self.deployments.commits(run.repository, "", run.sha)
        return found.commits[-1].title if found else ""

    def _last_environments(self, project: str) -> tuple[str, ...]:
        names = self.board.environments(project)
        return tuple(name for name in names if name.rpartition("-")[2] == "Production")

    def _again(self, followed: Followed, *, complete: bool) -> datetime | None:
        run, now = followed.run, self.clock.now()
        if not complete:
            return now + SOON
        if any(one.state == "deciding" for one in self.store.releases.of_run(run.id)):
            return now + WHILE_DECIDING
        if run.is_over:
            return None
        if self.policy.webhooks:
            return now + WITH_WEBHOOKS
        return now + pace(now - run.updated_at, self.store.workflow_runs.count_unended())


def calls_for(known: WorkflowRun, sighting: Sighting, *, is_ready: bool) -> Next:
    """Return what a sighting calls for: a look where somebody may have to be asked or told.

    What we know only by a job may be another workflow's run. A project that isn't ready waits for
    its first deployment.
    """
    run, job = sighting.run, sighting.job
    if not known.event or run.attempt > known.attempt:
        return "look"
    if job is None:
        goes_on = sighting.event == "workflow_run" and run.status in ("queued", "in_progress")
        return "show" if goes_on else "look"
    has_deployed = bool(job.succeeded and job.deed and job.deed[0] == "deploy")
    is_news = job.status == "waiting" or job.failed or (has_deployed and not is_ready)
    return "look" if is_news else "show"


def pace(quiet: timedelta, runs: int = 1) -> timedelta:
    """Return how long to wait before the next look at a run that has been quiet for so long.

    `runs` are under way and share what GitHub allows.
    """
    every = next((every for limit, every in PACE if quiet < limit), SLOWLY)
    return max(every, runs * SHARE)


class Follower:
    """Threads of this process that look at whatever is due; several processes share the work."""

    def __init__(self, following: Following, find_new: Callable[[], None]) -> None:
        self._following = following
        self._find_new = find_new
        self._finds_at = 0.0
        self._finding: Future[None] | None = None
        self._woken = threading.Event()
        self._stopping = threading.Event()
        self._lookers = ThreadPoolExecutor(LOOKERS + 1, thread_name_prefix="follower")
        self._free = threading.Semaphore(LOOKERS)
        self._turn = threading.Lock()
        self._looking: dict[int, bool] = {}
        """Which runs are being looked at, and whether they were due again meanwhile."""
        self._thread = threading.Thread(target=self._follow, name="follower", daemon=True)

    def start(self) -> None:
        """Begin to look, first at all that is under way: nobody knows what was missed."""
        self._following.store.workflow_runs.on_wake = self._woken.set
        self._thread.start()

    def stop(self) -> None:
        """Begin no further look; what was claimed is looked at again by others."""
        self._stopping.set()
        self._woken.set()
        self._thread.join()
        self._lookers.shutdown(wait=False, cancel_futures=True)

    def _follow(self) -> None:
        started = False
        while not self._stopping.is_set():
            self._woken.clear()
            try:
                if not started:
                    self._following.since()
                    self._following.store.workflow_runs.wake_unended()
                    started = True
                self._find_now_and_then()
                busy = self._look_at_what_is_due()
            except Exception:
                log.exception("could not look for runs that are due; trying again")
                busy = False
            if not busy:
                self._woken.wait(IDLE_SECONDS)

    def _find_now_and_then(self) -> None:
        if time.monotonic() >= self._finds_at:
            self._finds_at = time.monotonic() + FIND_SECONDS
            if self._finding is None or self._finding.done():
                self._finding = self._lookers.submit(self._find)

    def _find(self) -> None:
        try:
            self._find_new()
        except Exception:
            log.exception("could not look for the first runs of new projects; trying again")

    def _look_at_what_is_due(self) -> bool:
        """Give one due run to a looker; tell whether there may be more."""
        if not self._free.acquire(timeout=IDLE_SECONDS):
            return True
        followed = None
        try:
            followed = next(iter(self._following.store.workflow_runs.claim(1)), None)
            if followed and self._begin(followed.run.id):
                self._lookers.submit(self._look, followed)
                return True
        except BaseException:
            self._free.release()
            raise
        self._free.release()
        return followed is not None

    def _begin(self, run: int) -> bool:
        """Note that a run is looked at; False if another thread does so already."""
        with self._turn:
            if run in self._looking:
                self._looking[run] = True
                return False
            self._looking[run] = False
            return True

    def _look(self, followed: Followed) -> None:
        run = followed.run.id
        try:
            self._following.look(followed)
        except Exception:
            log.exception("could not follow run %s; trying again in a minute", run)
        finally:
            self._free.release()
            self._end(run)

    def _end(self, run: int) -> None:
        with self._turn:
            is_due = self._looking.pop(run)
        if is_due:
            self._following.store.workflow_runs.wake(run)
