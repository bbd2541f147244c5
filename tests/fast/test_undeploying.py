"""What a project has deployed is removed stage by stage, last first, and nothing runs beside it."""

from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from rows import a_project, a_spec, an_operation
from test_deaths_at_first_deployments import DeathError, Mortal
from test_workflow_run import START, a_job, a_run

from bot.installation import policy_of
from bot.settings import load
from provisioning.board import read_operation
from provisioning.clock import MovableClock
from provisioning.database import Database
from provisioning.deployment_ports import Look
from provisioning.desk import Desk
from provisioning.operation import DESTROY, Operation
from provisioning.ports import RepositoryFacts
from provisioning.project import STAGES
from provisioning.run_steps import RunSteps
from provisioning.store import Store
from provisioning.undeploying import QUIET, Undeploying, is_to_be_cancelled
from provisioning.workflow_run import WorkflowRun

EXAMPLE = Path(__file__).parents[2] / "sciclops.example.toml"
NOBODY = cast("Any", None)
SOON = START + timedelta(minutes=1)
DAY = timedelta(days=1)


class World:
    """GitHub and the engine, as far as the removal of deployments asks them."""

    def __init__(self) -> None:
        self.used = {"Development", "Staging"}
        self.pulls = 0
        self.archived = False
        self.dispatched: list[str] = []
        self.lifted: list[str] = []
        self.started: list[str] = []
        self.states: dict[str, str] = {}
        self.runs: dict[int, WorkflowRun] = {}

    def find(self, name: str) -> RepositoryFacts:
        """Return the repository."""
        return RepositoryFacts(
            name=name, id=1, url="", description="", archived=self.archived, default_branch="main"
        )

    def was_used(self, project: str, environment: str) -> bool:
        """Tell where something was deployed."""
        del project
        return environment in self.used

    def close_pull_requests(self, project: str) -> int:
        """Return how many there were."""
        del project
        return self.pulls

    def lift_gate(self, project: str, environment: str) -> None:
        """Note whose gate was lifted."""
        del project
        self.lifted.append(environment)

    def recent(self, project: str) -> tuple[WorkflowRun, ...]:
        """Know of nothing that we do not."""
        del project
        return ()

    def dispatch(self, project: str, ref: str, inputs: dict[str, str], token: None) -> int:
        """Begin a run."""
        del project, ref, token
        assert inputs["action"] == "destroy"
        self.dispatched.append(inputs["stage"])
        return 100 + len(self.dispatched)

    def cancel(self, project: str, run: int) -> None:
        """Note what was cancelled."""
        del project
        self.dispatched.append(f"cancel {run}")

    def look(self, project: str, run: int) -> Look:
        """Return a run as it was heard of last."""
        del project
        return Look(run=self.runs[run])

    def start(self, name: str, operation: str, *, project: str, part: str) -> None:
        """Note what was started, once."""
        del operation, project
        if part not in self.states:
            self.started.append(name.rpartition(".")[2])
            self.states[part] = "finished"

    def state(self, operation: str, part: str) -> str:
        """Return what became of a part."""
        del operation
        return self.states.get(part, "unknown")


class Going:
    """A project whose destruction was confirmed a moment ago."""

    def __init__(self, database: Database, clock: MovableClock) -> None:
        self.database = Mortal(database.url)
        self.clock = clock
        self.world = World()
        world = cast("Any", self.world)
        self.store = Store(self.database, clock)
        policy = policy_of(load(EXAMPLE, {}))
        desk = Desk(self.store, world, policy, NOBODY, clock, lambda text: text)
        steps = RunSteps(self.store, desk, clock, policy, NOBODY, lambda text: text)
        self.undeploying = Undeploying(
            steps, world, world, deployments=world, dispatches=world, outcomes=NOBODY, engine=world
        )
        self.store.projects.reserve_and_begin(a_project(state="ready"), an_operation())
        self.store.operations.end("op-1", "ready")
        row = an_operation("op-2", minute=1)
        row.kind, row.request = DESTROY, a_spec().model_dump(mode="json")
        self.store.operations.begin(row)
        self.store.operations.move("op-2", ["queued"], "undeploying", by="bot")

    def do(self, part: str) -> None:
        """Work on a durable part, as the engine would."""
        steps = SimpleNamespace(do=lambda _, effect, *args: effect(*args))
        self.undeploying.workflows()[f"{DESTROY}.{part}"](cast("Any", steps), "op-2")

    def begin(self) -> None:
        """Stop what deploys, and find what is deployed."""
        self.do("undeploy")
        self.do("find")

    def operation(self) -> Operation:
        """Return the operation as it stands."""
        row = self.store.operations.get("op-2")
        assert row is not None
        return read_operation(row)

    def hear(self, number: int, conclusion: str = "success", **more: Any) -> None:
        """Hear that a run has ended, or how it stands otherwise."""
        ended = {"status": "completed", "conclusion": conclusion, "event": "workflow_dispatch"}
        run = a_run(id=number, **{**ended, **more})
        self.world.runs[number] = run
        self.undeploying.seen(self.store.workflow_runs.see("ada-7", run))


@pytest.fixture
def going(database: Database, clock: MovableClock) -> Any:
    """Return a project that goes."""
    one = Going(database, clock)
    yield one
    one.database.close()


def state(going: Going) -> str:
    """Return the project's state."""
    project = going.store.projects.get("ada-7")
    assert project is not None
    return project.state


def test_stages_that_were_used_are_removed_last_first_and_then_terraform_has_its_turn(
    going: Going,
) -> None:
    going.begin()
    assert state(going) == "going"
    assert going.world.started == ["find", "stage"]
    going.do("stage")
    assert going.world.dispatched == ["staging"]
    assert going.world.lifted == ["Staging"]
    going.hear(101)
    going.do("stage")
    assert going.world.dispatched == ["staging", "development"]
    assert going.operation().phase == "undeploying"
    going.hear(102)
    assert going.operation().phase in ("confirmed", "applying")
    assert "undeploying" in going.operation().facts.finished


def test_a_part_that_is_repeated_begins_no_second_run(going: Going) -> None:
    going.begin()
    going.do("stage")
    going.do("stage")
    assert going.world.dispatched == ["staging"]


def test_where_no_workflow_ever_ran_there_is_nothing_to_remove(going: Going) -> None:
    going.world.used = set()
    going.begin()
    assert going.operation().phase in ("confirmed", "applying")
    assert going.world.started == ["find", "apply"]


def test_an_archived_repository_runs_nothing(going: Going) -> None:
    going.world.archived = True
    going.begin()
    assert going.operation().phase in ("confirmed", "applying")


@pytest.mark.parametrize(
    ("stage", "says"), [("Production", "The gate of Production is off"), ("Testing", "")]
)
def test_a_stop_says_whose_gate_is_off_by_now(going: Going, stage: str, says: str) -> None:
    going.world.used = {stage}
    going.begin()
    going.do("stage")
    going.hear(101, "failure")
    trouble = going.operation().facts.trouble
    assert trouble is not None
    assert "Retry goes on from there" in trouble.left_behind
    assert ("gate" in trouble.left_behind) is bool(says)
    assert says in trouble.left_behind


def test_a_failure_names_its_step_and_a_retry_goes_on_behind_what_is_done(going: Going) -> None:
    going.begin()
    going.do("stage")
    going.hear(101)
    going.do("stage")
    failed = a_job("Destroy Development", "completed", "failure")
    failed = failed.model_copy(update={"failed_step": "Destroy what the bundle deployed"})
    going.store.workflow_runs.note(102, failure="Error: no")
    going.hear(102, "failure", jobs=(failed,))
    trouble = going.operation().facts.trouble
    assert going.operation().phase == "failed"
    assert trouble is not None
    assert trouble.what.startswith("Destroy Development failed at the step “Destroy what")
    assert trouble.detail == "Error: no"
    assert state(going) == "going"
    assert going.operation().may_be_retried
    assert not going.operation().may_be_cleaned_up
    going.store.operations.retry("op-2", ["failed"], "undeploying", by="U-ada")
    going.begin()
    going.do("stage")
    assert going.world.dispatched == ["staging", "development", "development"]


def test_what_was_deployed_again_since_is_removed_again(going: Going) -> None:
    going.begin()
    going.do("stage")
    going.hear(101)
    going.store.operations.end("op-2", "failed")
    going.store.operations.retry("op-2", ["failed"], "undeploying", by="U-ada")
    going.hear(150, jobs=(a_job("Deploy Staging", "completed", "success"),))
    going.begin()
    going.do("stage")
    assert going.world.dispatched == ["staging", "staging"]


def test_nothing_begins_while_another_run_works(going: Going) -> None:
    deploying = a_job("Deploy Testing", "in_progress")
    early = {"created_at": going.clock.now() - DAY}
    going.hear(50, "", status="in_progress", jobs=(deploying,), **early)
    going.do("undeploy")
    assert going.world.started == []
    jobs = (
        a_job("Deploy Testing", "completed", "success"),
        a_job("Deploy Production", "waiting", number=2),
    )
    going.hear(50, "", status="waiting", jobs=jobs, updated_at=SOON, **early)
    assert going.world.started == ["clear"]
    going.do("clear")
    assert going.world.dispatched == ["cancel 50"]
    later = {"updated_at": SOON + timedelta(minutes=1)}
    going.hear(50, "cancelled", **later, **early)
    assert going.world.started == ["clear", "find"]
    going.world.used.add("Testing")
    going.do("find")
    going.do("stage")
    going.hear(102)
    going.do("stage")
    assert going.world.dispatched == ["cancel 50", "staging", "testing"]


def test_what_is_deployed_in_between_is_removed_before_it_ends(going: Going) -> None:
    going.world.used = {"Development"}
    going.begin()
    going.do("stage")
    going.hear(60, jobs=(a_job("Deploy Development", "completed", "success"),))
    going.hear(160, jobs=(a_job("Deploy Testing", "completed", "success"),))
    going.world.used.add("Testing")
    going.hear(101)
    assert going.world.started == ["find", "stage", "find"]
    going.do("find")
    going.do("stage")
    assert going.world.dispatched == ["development", "testing"]


def test_copies_of_pull_requests_get_time_to_go(going: Going, clock: MovableClock) -> None:
    going.world.pulls = 2
    going.do("undeploy")
    assert going.world.started == []
    clock.advance(QUIET)
    going.undeploying.sweep()
    assert going.world.started == ["find"]


def test_a_sweep_starts_what_a_crash_kept_from_starting(going: Going) -> None:
    going.undeploying.sweep()
    assert going.world.started == ["undeploy"]
    going.do("undeploy")
    assert going.world.started == ["undeploy", "find"]


def test_what_begins_while_a_stage_is_asked_for_may_be_ours_and_is_let_be(going: Going) -> None:
    going.begin()
    going.world.states["stage:1:staging"] = "running"
    going.hear(101, "", status="queued", created_at=going.clock.now() + DAY)
    assert going.world.started == ["find", "stage"]
    going.do("stage")
    going.hear(101)
    assert going.world.started == ["find", "stage", "stage"]


def test_work_that_broke_off_ends_visibly(going: Going) -> None:
    going.world.states["undeploy:1"] = "failed"
    going.undeploying.sweep()
    trouble = going.operation().facts.trouble
    assert trouble is not None
    assert "broke off" in trouble.what
    assert going.operation().phase == "failed"


@pytest.mark.parametrize("transactions", range(6))
def test_a_death_while_a_stage_ends_loses_nothing(going: Going, transactions: int) -> None:
    going.world.used = {"Development"}
    going.begin()
    going.do("stage")
    going.database.left = transactions
    with pytest.raises(DeathError):
        going.hear(101)
    going.database.left = 1000
    going.hear(101)
    going.undeploying.sweep()
    assert going.operation().phase in ("confirmed", "applying")
    assert going.world.dispatched == ["development"]


@pytest.mark.parametrize(
    ("run", "expected"),
    [
        ({"status": "waiting", "jobs": (a_job("Deploy Production", "waiting"),)}, True),
        ({"status": "in_progress", "jobs": (a_job("Deploy Testing", "in_progress"),)}, False),
        ({"status": "in_progress", "jobs": (a_job("Version", "in_progress"),)}, False),
        ({"status": "queued", "is_late": True}, True),
        (
            {"status": "queued", "is_late": True, "event": "pull_request"},
            False,
        ),
    ],
)
def test_runs_that_wait_or_came_too_late_are_cancelled(
    going: Going, run: dict[str, Any], *, expected: bool
) -> None:
    told = dict(run)
    begun = going.clock.now() + (DAY if told.pop("is_late", False) else -DAY)
    going.do("undeploy")
    seen = a_run(**{"created_at": begun, "event": "push", **told})
    assert is_to_be_cancelled(going.operation(), seen) is expected


def test_all_stages_are_known() -> None:
    assert [one.stage for one in a_spec().environments()] == list(STAGES)
