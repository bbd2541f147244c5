"""What `provisioning.engine` needs of DBOS beyond its documented interface, pinned to our version.

When one of these fails after an upgrade of DBOS, `engine.py` has to change before it is shipped.
"""

import contextvars
import inspect
import logging
from importlib.metadata import version
from pathlib import Path

import pytest
from dbos import DBOS, DBOSPortableJSONSerializer, SetEnqueueOptions, SetWorkflowID
from dbos._context import get_local_dbos_context
from dbos._sys_db import SystemDatabase, WorkflowStatusString
from waiting import wait_until

from provisioning.clock import SystemClock
from provisioning.database import Database
from provisioning.engine import APPLICATION_VERSION, STATES, Engine, Steps
from provisioning.liveness import Liveness


def test_the_version_is_the_one_these_tests_were_written_for() -> None:
    assert version("dbos").startswith("3.4.")


def test_every_state_of_a_workflow_has_a_name_of_ours() -> None:
    assert set(STATES) == {state.value for state in WorkflowStatusString}


def test_recovery_takes_executors_and_touches_only_their_pending_work() -> None:
    assert list(inspect.signature(DBOS._recover_pending_workflows).parameters) == ["executor_ids"]
    parameters = inspect.signature(SystemDatabase.reenqueue_for_recovery).parameters
    assert list(parameters)[1:3] == ["workflow_id", "executor_ids"]


def test_ids_options_and_serializer_are_where_we_expect_them() -> None:
    assert "workflow_id_reuse_policy" in inspect.signature(SetWorkflowID).parameters
    options = inspect.signature(SetEnqueueOptions).parameters
    assert {"priority", "queue_partition_key"} <= set(options)
    assert DBOSPortableJSONSerializer().name() == "portable_json"


@pytest.fixture
def engine(database: Database, tmp_path: Path) -> Engine:
    return Engine(database, SystemClock(), tmp_path)


def test_a_launched_engine_is_quiet_and_fixed_in_version_and_name(engine: Engine) -> None:
    engine.launch()

    assert DBOS.application_version == APPLICATION_VERSION
    assert DBOS.executor_id == engine.executor
    assert all(
        isinstance(handler, logging.NullHandler) for handler in logging.getLogger("dbos").handlers
    )
    assert engine.stop()


def test_active_workflows_are_counted_and_a_new_context_has_no_parent(engine: Engine) -> None:
    seen: list[object] = []

    def look() -> None:
        seen.append(engine._active())
        seen.append(get_local_dbos_context() is not None)
        seen.append(contextvars.Context().run(get_local_dbos_context))

    def work(steps: Steps, operation: str) -> None:
        del operation
        steps.do("look", look)

    engine.register("look", work)
    engine.launch()
    engine.start("look", "op-1", project="ada-7", part="create")
    wait_until(lambda: engine.state("op-1", "create") == "finished")

    assert seen == [1, True, None]
    wait_until(lambda: engine._active() == 0)
    assert engine.stop()


def test_elsewhere_a_process_is_dead_once_its_row_has_not_changed_for_a_lease(
    database: Database, tmp_path: Path
) -> None:
    here = Liveness(database, SystemClock(), "here", tmp_path / "here", 0.2)
    there = Liveness(database, SystemClock(), "there", tmp_path / "there", 0.2)
    there._host = "another-machine"
    here.begin()
    there.begin()

    def judged() -> frozenset[str]:
        here.beat()
        return here.dead({"here", "there"})

    assert judged() == frozenset()
    wait_until(lambda: judged() == {"there"})
    there.beat()
    assert judged() == frozenset()
    here.bury({"there"})
    assert here.known() == {"here"}
    assert judged() == {"there"}
    there.end()
    here.end()


def test_a_process_that_could_not_renew_its_own_life_judges_nobody(
    database: Database, tmp_path: Path
) -> None:
    late = Liveness(database, SystemClock(), "late", tmp_path, 0.05)
    late.begin()

    assert late.dead({"buried-long-ago"}) == {"buried-long-ago"}
    wait_until(lambda: late.dead({"buried-long-ago"}) == frozenset())
    late.end()
