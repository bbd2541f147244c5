"""The durable engine on real databases: what was accepted runs, once, in order, patiently."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest
from databases import KINDS, opened
from engine_bench import Bench
from waiting import wait_until

from provisioning.clock import SystemClock
from provisioning.engine import Engine, Steps
from provisioning.errors import PermanentError, TemporaryError, UserError
from provisioning.log_context import known
from provisioning.project import DataAccess
from provisioning.runs import Counts


@pytest.fixture(scope="module", params=KINDS)
def bench(
    tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> Iterator[Bench]:
    directory: Path = tmp_path_factory.mktemp("engine")
    with opened(request.param, directory, request) as database:
        bench = Bench(database, directory)
        bench.engine.launch()
        yield bench
        assert bench.engine.stop()


def test_fifty_starts_of_one_operation_at_once_are_one_run(bench: Bench) -> None:
    ran: list[int] = []
    with ThreadPoolExecutor(50) as clicks:
        new = list(
            clicks.map(
                lambda _: bench.start("fifty", lambda steps: steps.do("run", ran.append, 1)),
                range(50),
            )
        )

    assert bench.end_of("fifty") == "finished"
    assert new.count(True) == 1
    assert ran == [1]
    assert not bench.start("fifty", lambda steps: steps.do("run", ran.append, 2))
    assert ran == [1]


def test_work_knows_what_its_log_lines_are_about(bench: Bench) -> None:
    assert bench.engine.launched
    said: list[dict[str, str]] = []

    def body(steps: Steps) -> None:
        steps.do("say", lambda: said.append(dict(known())))

    bench.start("about-1", body, project="release:ada-7")
    assert bench.end_of("about-1") == "finished"
    bench.prepare_sweep("about-2", body)
    bench.engine.sweep("any", "about-2")
    wait_until(lambda: len(said) == 2)
    assert said == [{"operation": "about-1", "project": "ada-7"}, {"operation": "any"}]


def test_an_idle_engine_begins_within_a_moment(bench: Bench) -> None:
    bench.run("warm", lambda steps: steps.do("go", int))
    began = threading.Event()

    bench.start("prompt", lambda steps: steps.do("go", began.set))

    assert began.wait(0.5)


def test_operations_of_one_project_run_one_by_one_in_their_order(bench: Bench) -> None:
    names = [f"line-{number:02}" for number in range(12)]
    running: list[str] = []
    ran: list[str] = []

    def work(name: str) -> None:
        running.append(name)
        assert running == [name]
        ran.append(name)
        running.remove(name)

    for name in names:
        bench.start(name, lambda steps, name=name: steps.do("work", work, name))  # type: ignore[misc]

    assert [bench.end_of(name) for name in names] == ["finished"] * len(names)
    assert ran == names


def test_different_projects_run_side_by_side(bench: Bench) -> None:
    meeting = threading.Barrier(3, timeout=10)

    def meet() -> bool:
        return meeting.wait() >= 0

    for project in ("p-1", "p-2", "p-3"):
        bench.start(project, lambda steps: _do(steps, meet), project=project)

    assert [bench.end_of(project) for project in ("p-1", "p-2", "p-3")] == ["finished"] * 3


def test_what_waits_for_its_turn_is_visible_in_order(bench: Bench) -> None:
    begun, go_on = threading.Event(), threading.Event()

    def hold() -> bool:
        begun.set()
        return go_on.wait(10)

    bench.start("first", lambda steps: _do(steps, hold))
    assert begun.wait(5)
    bench.start("second", lambda steps: steps.do("go", int))
    bench.start("third", lambda steps: steps.do("go", int))

    assert bench.engine.state("first", "create") == "running"
    assert bench.engine.state("second", "create") == "queued"
    assert bench.engine.state("fourth", "create") == "unknown"
    assert bench.engine.waiting() == ("second:create", "third:create")
    go_on.set()
    assert bench.end_of("third") == "finished"


def test_a_temporary_error_is_tried_again_until_it_works(bench: Bench) -> None:
    attempts: list[int] = []

    def works_the_third_time() -> int:
        attempts.append(1)
        if len(attempts) < 3:
            raise TemporaryError("busy")
        return 7

    results: list[int] = []
    ended = bench.run(
        "patient", lambda steps: results.append(steps.do("try", works_the_third_time))
    )

    assert ended == "finished"
    assert (len(attempts), results) == (3, [7])
    seen = [moment for operation, _, moment in bench.observed if operation == "patient"]
    assert seen == ["before", "before", "before", "after"]


def test_setbacks_are_told_from_the_second_on_and_so_is_their_end(bench: Bench) -> None:
    attempts: list[int] = []

    def works_at_last(tries: int) -> None:
        attempts.append(1)
        if len(attempts) < tries:
            raise TemporaryError("busy")

    bench.run("twice", lambda steps: steps.do("try", works_at_last, 2))
    attempts.clear()
    bench.run("four-times", lambda steps: steps.do("try", works_at_last, 4))

    assert [told for subject, told in bench.setbacks if subject == "twice"] == [None]
    second, third, end = (told for subject, told in bench.setbacks if subject == "four-times")
    assert end is None
    assert second is not None
    assert third is not None
    assert str(third.error) == "busy"
    assert third.since == second.since < second.at < second.again < third.at


def test_a_vendors_own_wish_is_waited_for_on_the_clock_port(bench: Bench) -> None:
    failed = threading.Event()
    attempts: list[int] = []

    def limited() -> None:
        attempts.append(1)
        if len(attempts) == 1:
            failed.set()
            raise TemporaryError("rate limit", after=timedelta(seconds=50))

    bench.start("limited", lambda steps: steps.do("call", limited))
    assert failed.wait(5)
    assert len(attempts) == 1
    wait_until(lambda: any(subject == "limited" for subject, _ in bench.setbacks))
    bench.clock.advance(timedelta(seconds=51))

    assert bench.end_of("limited") == "finished"
    assert len(attempts) == 2


def test_patience_ends_and_the_workflow_hears_the_last_error(bench: Bench) -> None:
    heard: list[TemporaryError] = []

    def never() -> None:
        raise TemporaryError("still busy", after=timedelta(hours=1))

    def body(steps: Steps) -> None:
        try:
            steps.do("try", never)
        except TemporaryError as error:
            heard.append(error)

    assert bench.run("impatient", body) == "finished"
    assert [(str(error), error.after) for error in heard] == [("still busy", timedelta(hours=1))]


def test_errors_of_steps_reach_the_workflow_as_what_they_are(bench: Bench) -> None:
    heard: list[str] = []

    def refuse() -> None:
        raise UserError("the name is taken", field="name")

    def give_up() -> None:
        raise PermanentError("the App lacks a permission")

    def break_down() -> None:
        raise KeyError("dapi-secret")

    def body(steps: Steps) -> None:
        for effect in (refuse, give_up, break_down):
            try:
                steps.do(effect.__name__, effect)
            except UserError as error:
                heard.append(f"user {error.field}: {error}")
            except PermanentError as error:
                heard.append(f"permanent: {error}")

    assert bench.run("erring", body) == "finished"
    assert heard[:2] == ["user name: the name is taken", "permanent: the App lacks a permission"]
    assert "reference" in heard[2]
    assert "secret" not in heard[2]


def test_a_workflow_that_fails_is_failed(bench: Bench) -> None:
    def body(steps: Steps) -> None:
        del steps
        raise PermanentError("no use")

    assert bench.run("failing", body) == "failed"


def test_results_come_back_as_their_annotation_says(bench: Bench) -> None:
    def measure() -> tuple[Counts, tuple[DataAccess, ...], timedelta, None]:
        access = DataAccess(securable="gbx1_prod.sales", level="read")
        return Counts(add=83), (access,), timedelta(seconds=3), None

    results: list[object] = []

    assert bench.run("typed", lambda steps: results.append(steps.do("go", measure))) == "finished"
    assert results == [measure()]


def test_a_result_that_does_not_fit_its_annotation_is_a_bug_and_no_success(bench: Bench) -> None:
    def lie() -> int:
        value: object = {"not": "a number"}
        return value  # type: ignore[return-value]

    def body(steps: Steps) -> None:
        with pytest.raises(PermanentError, match="reference"):
            steps.do("go", lie)

    assert bench.run("lying", body) == "finished"


def test_a_step_within_a_step_is_refused(bench: Bench) -> None:
    def body(steps: Steps) -> None:
        def outer() -> None:
            with pytest.raises(RuntimeError, match="within step outer"):
                steps.do("inner", int)

        steps.do("outer", outer)
        assert steps.do("next", lambda: 5) == 5

    assert bench.run("nested", body) == "finished"


def test_a_step_may_start_other_work_which_goes_its_own_way(bench: Bench) -> None:
    began = threading.Event()

    def body(steps: Steps) -> None:
        steps.do("start", bench.start, "started-by-step", lambda steps: steps.do("go", began.set))

    assert bench.run("starting", body) == "finished"
    assert bench.end_of("started-by-step") == "finished"
    assert began.is_set()


def test_a_change_to_a_workflow_applies_to_runs_that_begin_after_it(bench: Bench) -> None:
    applied: list[bool] = []

    assert bench.run("patched", lambda steps: applied.append(steps.patched("more"))) == "finished"
    assert applied == [True]


def test_a_sweep_runs_once_for_each_slot(bench: Bench) -> None:
    swept: list[str] = []
    for slot in ("12:00", "12:05"):
        bench.prepare_sweep(slot, lambda steps, slot=slot: steps.do("go", swept.append, slot))  # type: ignore[misc]
        assert bench.engine.sweep("any", slot)
        assert not bench.engine.sweep("any", slot)

    wait_until(lambda: len(swept) == 2)
    assert sorted(swept) == ["12:00", "12:05"]


def test_sweeps_that_hang_hold_up_no_other_one(bench: Bench) -> None:
    answered = threading.Event()
    hanging: list[str] = []
    swept: list[str] = []

    def ask(slot: str) -> None:
        hanging.append(slot)
        assert answered.wait(60)

    def asking(slot: str) -> Callable[[Steps], object]:
        return lambda steps: steps.do("ask", ask, slot)

    for slot in ("hangs-1", "hangs-2", "hangs-3"):
        bench.prepare_sweep(slot, asking(slot))
        bench.engine.sweep("any", slot)
    wait_until(lambda: len(hanging) == 3)
    bench.prepare_sweep("quick", lambda steps: steps.do("go", swept.append, "quick"))
    bench.engine.sweep("any", "quick")
    wait_until(lambda: swept == ["quick"])
    answered.set()


def test_a_workflow_that_nobody_registered_is_refused(bench: Bench) -> None:
    with pytest.raises(PermanentError, match="destroy"):
        bench.engine.start("destroy", "op-1", project="ada-7", part="create")
    with pytest.raises(ValueError, match="any"):
        bench.engine.register("any", _nothing)


def test_a_second_engine_in_one_process_is_refused(bench: Bench, tmp_path: Path) -> None:
    second = Engine(bench.database, SystemClock(), tmp_path)

    with pytest.raises(RuntimeError, match="one engine per process"):
        second.launch()
    assert bench.run("after-refusal", lambda steps: steps.do("go", int)) == "finished"


def test_only_what_ended_long_ago_is_forgotten(bench: Bench) -> None:
    assert bench.run("old", lambda steps: steps.do("go", int)) == "finished"

    bench.engine.forget(timedelta(days=30))
    assert bench.engine.state("old", "create") == "finished"
    bench.clock.advance(timedelta(days=31))

    assert bench.engine.forget(timedelta(days=30)) > 0
    assert bench.engine.state("old", "create") == "unknown"


def _do(steps: Steps, effect: object) -> None:
    assert callable(effect)
    assert steps.do("go", effect)


def _nothing(steps: Steps, subject: str) -> None:
    del steps, subject
