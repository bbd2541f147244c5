"""What is measured: each ending once, by whichever process it was that ended it."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import timedelta

import pytest
from rows import a_project, an_operation
from test_release import a_release
from test_workflow_run import START, a_job, a_run

from provisioning.clock import MovableClock
from provisioning.database import Database
from provisioning.following import SINCE
from provisioning.measuring import Measuring
from provisioning.metrics import Event, Labels
from provisioning.release import ReleaseState
from provisioning.store import Store
from provisioning.workflow_run import WORKFLOW, WorkflowJob, WorkflowRun

COMMANDS = frozenset({"new", "help"})


@dataclass
class Notebook:
    """Metrics that are only written down: name, labels, and what was measured."""

    counted: list[tuple[str, Labels]] = field(default_factory=list)
    timed: list[tuple[str, timedelta, Labels]] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)

    def count(self, name: str, labels: Labels) -> None:
        self.counted.append((name, labels))

    def time(self, name: str, took: timedelta, labels: Labels) -> None:
        self.timed.append((name, took, labels))

    def event(self, event: Event, labels: Labels) -> None:
        assert labels.project
        self.events.append(event)


class Broken(Notebook):
    """Metrics that fail, which those of the product never do."""

    def count(self, name: str, labels: Labels) -> None:
        raise RuntimeError(f"cannot count {name} of {labels.project}")


@pytest.fixture
def notes() -> Notebook:
    return Notebook()


@pytest.fixture
def processes(each_database: Database, clock: MovableClock, notes: Notebook) -> list[Store]:
    """Return the stores of three processes on one database, all of which measure."""
    stores = [Store(each_database, clock) for _ in range(3)]
    for store in stores:
        Measuring(notes, store, COMMANDS).listen()
    return stores


TEN_SECONDS = timedelta(seconds=10)


def took(notes: Notebook) -> list[tuple[str, int, Labels]]:
    """Return what was timed, in seconds, ten at a time: the clock goes on meanwhile."""
    return [(name, took // TEN_SECONDS * 10, labels) for name, took, labels in notes.timed]


def begun(store: Store) -> None:
    """Begin an operation that makes a project."""
    operation = an_operation()
    operation.request = a_project().spec
    operation.created_at = store.operations._clock.now()
    store.projects.reserve_and_begin(a_project(), operation)


def deployed(store: Store, *jobs: WorkflowJob, attempt: int = 1, seconds: int = 0) -> None:
    """See a run as a look at GitHub shows it."""
    store.workflow_runs.see("ada-7", run_with(*jobs, attempt=attempt, seconds=seconds))


def run_with(*jobs: WorkflowJob, attempt: int = 1, seconds: int = 0) -> WorkflowRun:
    return a_run(attempt, seconds, event="push", workflow_version="v1", jobs=jobs)


def test_an_operation_s_end_is_measured_once_whoever_ends_it(
    processes: list[Store], notes: Notebook, clock: MovableClock
) -> None:
    begun(processes[0])
    clock.advance(timedelta(minutes=5))
    with ThreadPoolExecutor(6) as pool:
        for store in processes * 2:
            pool.submit(store.operations.end, "op-1", "failed")
    ((name, labels),) = notes.counted
    assert name == "operation.ended"
    assert labels == Labels(
        project="ada-7", kind="create_project", template="job", outcome="failed", attempt="1"
    )
    assert took(notes) == [("operation.duration", 5 * 60, labels)]


def test_an_end_that_is_tidied_up_later_is_measured_once_it_is_over(
    processes: list[Store], notes: Notebook
) -> None:
    begun(processes[0])
    moved = processes[0].operations.move("op-1", ["queued"], "cancelled", by="U-ada")
    assert moved
    assert not notes.counted
    for store in processes:
        store.operations.close("op-1", moved.version, "gone")
    assert [labels.outcome for _, labels in notes.counted] == ["cancelled"]


def test_another_attempt_is_measured_by_itself(
    processes: list[Store], notes: Notebook, clock: MovableClock
) -> None:
    begun(processes[0])
    processes[0].operations.end("op-1", "failed")
    clock.advance(timedelta(days=1))
    started = {"started": {"queued": clock.now().isoformat()}}
    processes[0].operations.retry("op-1", ["failed"], "queued", by="U-ada", facts=started)
    clock.advance(timedelta(minutes=3))
    processes[1].operations.end("op-1", "ready")
    assert [(one.outcome, one.attempt) for _, one in notes.counted] == [
        ("failed", "1"),
        ("ready", "2"),
    ]
    assert took(notes)[-1][1] == 3 * 60


def test_a_deployment_is_measured_once_however_often_it_is_seen(
    processes: list[Store], notes: Notebook
) -> None:
    begun(processes[0])
    job = a_job("Deploy Production", "completed", "success")
    deployed(processes[0], a_job("Deploy Production", "in_progress"))
    assert not notes.counted
    with ThreadPoolExecutor(6) as pool:
        for store in processes * 2:
            pool.submit(deployed, store, job)
    for number, store in enumerate(processes):
        store.workflow_runs.deliver(f"guid-{number}", "workflow_job", "ada-7", run_with(job))
    ((name, labels),) = notes.counted
    assert name == "deployment.ended"
    assert labels == Labels(
        project="ada-7",
        kind="deploy",
        stage="production",
        environment="Production",
        template="job",
        workflow_version="v1",
        outcome="success",
    )
    (event,) = notes.events
    assert event.title == "ada-7: deployment to Production, success"
    assert (event.severity, event.subject) == ("success", "ada-7")


def test_a_list_that_lacks_a_job_for_a_while_makes_nobody_count_it_again(
    processes: list[Store], notes: Notebook
) -> None:
    job = a_job("Deploy Testing", "completed", "success")
    for jobs in ((job,), (), (job,)):
        run = run_with(*jobs)
        processes[0].workflow_runs.see("ada-7", run, complete=True)
    assert len(notes.counted) == 1


def test_a_rerun_counts_only_what_it_has_done_itself(
    processes: list[Store], notes: Notebook
) -> None:
    done = a_job("Deploy Development", "completed", "success", number=1)
    failed = a_job("Deploy Testing", "completed", "failure", number=2)
    deployed(processes[0], done, failed)
    listed_again = done.model_copy(update={"id": 201, "attempt": 2})
    again = a_job("Deploy Testing", "completed", "success", attempt=2, number=2)
    mended = again.model_copy(update={"completed_at": START + timedelta(minutes=9)})
    deployed(processes[1], listed_again, mended, attempt=2, seconds=600)
    assert [(one.stage, one.outcome) for _, one in notes.counted] == [
        ("development", "success"),
        ("testing", "failure"),
        ("testing", "success"),
    ]
    assert [event.severity for event in notes.events] == ["success", "error", "success"]


@pytest.mark.parametrize(
    ("name", "status", "conclusion"),
    [
        ("Deploy Testing", "completed", "skipped"),
        ("Plan Production", "completed", "success"),
        ("Deploy Pull Request Copy", "completed", "success"),
        ("Deploy Production", "waiting", ""),
    ],
)
def test_other_jobs_are_no_deployments(
    processes: list[Store], notes: Notebook, name: str, status: str, conclusion: str
) -> None:
    job = WorkflowJob.model_validate(
        {**a_job(name, "completed", conclusion).model_dump(), "status": status}
    )
    deployed(processes[0], job)
    assert not notes.counted


def test_a_job_of_a_workflow_that_may_be_another_one_is_not_measured(
    processes: list[Store], notes: Notebook
) -> None:
    job = a_job("Deploy Production", "completed", "success")
    for event, path in (("", WORKFLOW), ("push", ".github/workflows/nightly.yml")):
        processes[0].workflow_runs.see("ada-7", a_run(jobs=(job,), event=event, path=path))
    assert not notes.counted


def test_what_had_ended_before_anything_was_followed_is_not_measured(
    processes: list[Store], notes: Notebook
) -> None:
    since = START + timedelta(hours=1)
    processes[0].memos.set(SINCE, {"at": since.isoformat()})
    deployed(processes[0], a_job("Deploy Testing", "completed", "success"))
    assert not notes.counted


@pytest.mark.parametrize(
    ("state", "failed_step", "outcome"),
    [
        ("rejected", "", "not_released"),
        ("expired", "", "not_released"),
        ("open", "", "not_released"),
        ("open", "Deploy", "failure"),
        ("approved", "", "failure"),
        ("bypassed", "", "failure"),
    ],
)
def test_what_reviewers_did_not_let_in_is_no_failure(
    processes: list[Store], notes: Notebook, state: ReleaseState, failed_step: str, outcome: str
) -> None:
    store = processes[0]
    deployed(store, a_job("Deploy Production", "waiting"))
    store.releases.ask(a_release())
    if state != "open":
        store.releases.move(a_release().id, ["open"], state)
    job = a_job("Deploy Production", "completed", "failure")
    deployed(store, job.model_copy(update={"failed_step": failed_step}))
    name, labels = notes.counted[-1]
    assert (name, labels.outcome) == ("deployment.ended", outcome)


def test_a_release_is_measured_once_it_is_settled(
    processes: list[Store], notes: Notebook, clock: MovableClock
) -> None:
    begun(processes[0])
    deployed(processes[0])
    release = a_release(asked_at=clock.now(), deadline=clock.now() + timedelta(days=3))
    processes[0].releases.ask(release)
    processes[0].releases.move(release.id, ["open"], "deciding", by="U-rosa")
    assert not notes.counted
    clock.advance(timedelta(hours=2))
    for store in processes:
        store.releases.move(release.id, ["open", "deciding"], "approved", by="U-rosa")
    ((name, labels),) = notes.counted
    assert name == "release.settled"
    assert labels == Labels(
        project="ada-7",
        stage="production",
        environment="Production",
        template="job",
        outcome="approved",
        gate="reviewer",
    )
    assert took(notes) == [("release.waited", 2 * 60 * 60, labels)]


@pytest.mark.parametrize(
    ("key", "words", "counted"),
    [
        ("slash:1", ["new"], [("new", "typed")]),
        ("slash:1", ["NEW", "x"], [("new", "typed")]),
        ("slash:1", [], [("help", "typed")]),
        ("slash:1", ["my secret"], [("unknown", "typed")]),
        ("click:1", ["new"], [("new", "pressed")]),
        ("view:V1", ["new"], []),
    ],
)
def test_commands_are_counted_by_name_and_only_by_known_ones(
    processes: list[Store],
    notes: Notebook,
    key: str,
    words: list[str],
    counted: list[tuple[str, str]],
) -> None:
    for store in processes:
        store.interactions.take(key, {"key": key, "words": words})
    assert [(one.command, one.way) for _, one in notes.counted] == counted


def test_what_cannot_be_measured_happens_nevertheless(store: Store) -> None:
    Measuring(Broken(), store, COMMANDS).listen()
    begun(store)
    assert store.operations.end("op-1", "failed").ended_at
    assert store.interactions.take("slash:1", {"key": "slash:1", "words": ["new"]})
