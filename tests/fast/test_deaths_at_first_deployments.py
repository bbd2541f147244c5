"""A first deployment that ended is told and noted whole, wherever the process dies."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any, cast

import pytest
from rows import NOON, a_project, a_spec, an_operation
from sqlmodel import Session
from test_workflow_run import a_job, a_run

from bot.installation import policy_of
from bot.settings import load
from provisioning.clock import MovableClock
from provisioning.database import Database
from provisioning.desk import Desk
from provisioning.first_deployment import FirstDeployment
from provisioning.store import Message, Store
from provisioning.sweeps import Sweeps
from provisioning.text import Notice
from provisioning.workflow_run import WorkflowRun

EXAMPLE = Path(__file__).parents[2] / "sciclops.example.toml"


class DeathError(BaseException):
    """The process died."""


class Mortal(Database):
    """A database whose process dies after so many more transactions."""

    left = 1000

    @contextmanager
    def writing(self) -> Iterator[Session]:
        """Open a transaction, unless dead."""
        if not self.left:
            raise DeathError
        self.left -= 1
        with super().writing() as session:
            yield session


class Waiting:
    """A project that waits for its first deployment, and those who end its run."""

    def __init__(self, database: Database, clock: MovableClock) -> None:
        self.database = Mortal(database.url)
        self.store = Store(self.database, clock)
        nobody = cast("Any", None)
        policy = policy_of(load(EXAMPLE, {}))
        desk = Desk(self.store, nobody, policy, nobody, clock, lambda text: text)
        self.first = FirstDeployment(
            self.store, desk, nobody, nobody, engine=nobody, policy=policy, clock=clock
        )
        self.sweeps = Sweeps(self.store, desk, nobody, clock)
        row = an_operation()
        row.phase, row.request = "deploying", a_spec().model_dump(mode="json")
        begun = (NOON + timedelta(minutes=1)).isoformat()
        row.facts = {
            "made": True,
            "started": {"deploying": begun},
            "finished": {"verifying": begun},
        }
        self.store.projects.reserve_and_begin(a_project(), row)

    def see(self, number: int, conclusion: str) -> None:
        """See a run on main that has ended like this."""
        ended: Any = conclusion
        run = a_run(
            id=number,
            event="push",
            branch="main",
            url=f"https://github.com/acme/ada-7/actions/runs/{number}",
            status="completed",
            conclusion=ended,
            jobs=[a_job("Deploy Development", "completed", conclusion)],
        )
        later = {"created_at": NOON + timedelta(minutes=number)}
        self._hear(run.model_copy(update=later | {"updated_at": later["created_at"]}))

    def _hear(self, run: WorkflowRun) -> None:
        self.first.seen(self.store.workflow_runs.see("ada-7", run))

    def dies_after(self, transactions: int, number: int, conclusion: str) -> None:
        """See a run, die after so many transactions more; then another process goes on."""
        self.database.left = transactions
        with pytest.raises(DeathError):
            self.see(number, conclusion)
        self.database.left = 1000
        self.see(number, conclusion)  # by whoever claims it next: that look had no end
        self.first.sweep()
        self.sweeps.start_what_is_not_started()

    def stands(self) -> tuple[str, str, bool]:
        """Return the state of the project, the run's phase, and whether the run is over."""
        project, run = self.store.projects.get("ada-7"), self.store.operations.get("op-1")
        assert project is not None
        assert run is not None
        return project.state, run.phase, run.ended_at is not None

    def says(self) -> str:
        """Return what the run's message says at last."""
        owed = (Message.of(one) for one in self.store.messages.owed())
        (shown,) = (one.content for one in owed if one.key == "run:op-1")
        assert isinstance(shown, Notice)
        return shown.title


@pytest.fixture
def waiting(database: Database, clock: MovableClock) -> Iterator[Waiting]:
    """Return a project that waits for its first deployment."""
    one = Waiting(database, clock)
    yield one
    one.database.close()


@pytest.mark.parametrize("transactions", range(4))
def test_a_death_while_it_fails_leaves_no_project_reserved(
    waiting: Waiting, transactions: int
) -> None:
    waiting.dies_after(transactions, 2, "failure")
    assert waiting.stands() == ("failed", "failed", True)
    assert waiting.says() == "ada-7 · Failed"


@pytest.mark.parametrize("transactions", range(6))
def test_a_death_while_it_becomes_ready_leaves_it_ready_and_announced(
    waiting: Waiting, transactions: int
) -> None:
    waiting.dies_after(transactions, 2, "success")
    assert waiting.stands() == ("ready", "ready", True)
    assert "Ready in" in waiting.says()
    assert "announce:op-1" in {one.key for one in waiting.store.messages.owed()}


@pytest.mark.parametrize("transactions", range(8))
def test_a_death_while_a_later_run_mends_it_leaves_it_ready(
    waiting: Waiting, transactions: int
) -> None:
    waiting.see(2, "failure")
    waiting.dies_after(transactions, 3, "success")
    assert waiting.stands() == ("ready", "ready", True)
    assert "Ready in" in waiting.says()


def test_a_run_of_a_project_that_had_the_name_before_mends_nothing(waiting: Waiting) -> None:
    waiting.see(2, "failure")
    waiting.see(-3, "success")
    assert waiting.stands() == ("failed", "failed", True)
