"""Whoever moves an operation names what they saw: the first wins, and repeating is harmless."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from rows import NOON, a_project, an_approval, an_operation

from provisioning import audit
from provisioning.clock import MovableClock
from provisioning.database import Database
from provisioning.errors import PermanentError
from provisioning.store import Store
from provisioning.store.approvals import Settled
from provisioning.tables import OperationRow


@pytest.fixture
def operation(each_store: Store) -> OperationRow:
    return each_store.projects.reserve_and_begin(a_project(), an_operation())


def test_a_move_changes_phase_version_and_facts_and_is_audited(
    each_store: Store, each_database: Database, operation: OperationRow
) -> None:
    each_store.operations.remember(operation.id, plan="+3")

    moved = each_store.operations.move(
        operation.id, ["queued"], "planning", by="U-grace", facts={"by": "hand"}
    )

    assert moved is not None
    assert (moved.phase, moved.version) == ("planning", 1)
    assert moved.facts == {"plan": "+3", "by": "hand"}
    last = audit.history(each_database, "ada-7")[-1]
    assert (last.who, last.what, last.detail["operation"]) == (
        "U-grace",
        "queued → planning",
        "op-1",
    )


def test_facts_that_grow_lose_nothing_when_many_add_at_once(
    each_store: Store, operation: OperationRow
) -> None:
    def add(number: int) -> None:
        def one_more(facts: dict[str, object]) -> dict[str, object]:
            known = facts.get("said", [])
            assert isinstance(known, list)
            return {"said": [*known, number]}

        each_store.operations.revise(operation.id, one_more)

    with ThreadPoolExecutor(10) as people:
        list(people.map(add, range(20)))

    row = each_store.operations.get(operation.id)
    assert row is not None
    assert sorted(row.facts["said"]) == list(range(20))
    assert row.version == 0


def test_a_move_from_another_phase_or_version_changes_nothing(
    each_store: Store, each_database: Database, operation: OperationRow
) -> None:
    before = len(audit.history(each_database, "ada-7"))

    assert each_store.operations.move(operation.id, ["planning"], "applying", by="U") is None
    assert each_store.operations.move(operation.id, ["queued"], "x", by="U", version=7) is None

    assert each_store.operations.get(operation.id) == operation
    assert len(audit.history(each_database, "ada-7")) == before


def test_of_twenty_clicks_at_once_one_moves_the_operation(
    each_store: Store, operation: OperationRow
) -> None:
    def click(number: int) -> bool:
        moved = each_store.operations.move(
            operation.id, ["queued"], "applying", by=f"U-{number}", version=operation.version
        )
        return moved is not None

    with ThreadPoolExecutor(20) as people:
        assert list(people.map(click, range(20))).count(True) == 1

    now = each_store.operations.get(operation.id)
    assert now is not None
    assert now.version == 1


def test_a_step_that_is_repeated_reaches_its_phase_once(
    each_store: Store, each_database: Database, operation: OperationRow
) -> None:
    for _ in range(2):
        reached = each_store.operations.reach(operation.id, ["queued"], "planning", {"n": 1})
        assert reached is not None
        assert (reached.phase, reached.version, reached.facts) == ("planning", 1, {"n": 1})

    assert each_store.operations.reach(operation.id, ["queued"], "applying") is None
    whats = [row.what for row in audit.history(each_database, "ada-7")]
    assert whats == ["asked for create_project", "queued → planning"]


def test_an_operation_that_is_to_stop_goes_no_further(
    each_store: Store, operation: OperationRow
) -> None:
    operations = each_store.operations
    assert operations.reach(operation.id, ["queued"], "applying")
    assert operations.request_cancel(operation.id, "U-grace", ["applying"])
    for phase in ("applying", "starter"):
        assert operations.reach(operation.id, ["applying"], phase) is None
    stopped = operations.get(operation.id)
    assert stopped is not None
    assert stopped.phase == "applying"
    operations.end(operation.id, "cancelled")
    assert operations.retry(operation.id, ["cancelled"], "queued", by="U-grace")
    assert operations.reach(operation.id, ["queued"], "planning")


def test_whoever_stops_an_operation_at_its_last_step_wins_or_comes_too_late(
    each_store: Store,
) -> None:
    operations = each_store.operations
    for number in range(10):
        row = an_operation(f"op-{number}", project=f"ada-{number}")
        row.phase = "applying"
        each_store.projects.reserve_and_begin(a_project(row.project), row)

        def cancel(run: str) -> bool:
            return operations.request_cancel(run, "U-grace", ["applying"]) is not None

        def go_on(run: str) -> bool:
            return operations.reach(run, ["applying"], "starter") is not None

        with ThreadPoolExecutor(2) as both:
            cancelled, went_on = both.submit(cancel, row.id), both.submit(go_on, row.id)
            assert cancelled.result() != went_on.result()


def test_an_ended_operation_stays_as_it_ended(each_store: Store, operation: OperationRow) -> None:
    ended = each_store.operations.end(operation.id, "failed", {"error": "no"})
    again = each_store.operations.end(operation.id, "ready", {"error": ""})

    assert ended.ended_at is not None
    assert (again.phase, again.facts) == ("failed", {"error": "no"})
    assert each_store.operations.reach(operation.id, ["failed"], "planning") is None


def test_a_retry_is_another_attempt_of_the_same_operation(
    each_store: Store, operation: OperationRow
) -> None:
    each_store.operations.request_cancel(operation.id, "U-ada")
    each_store.operations.end(operation.id, "failed")

    tried = each_store.operations.retry(operation.id, ["failed"], "planning", by="U-ada")

    assert tried is not None
    assert (tried.phase, tried.attempt, tried.ended_at) == ("planning", 2, None)
    assert tried.cancel_requested_by == ""
    assert each_store.operations.retry(operation.id, ["failed"], "planning", by="U-ada") is None


def test_what_is_not_over_yet_is_not_retried(each_store: Store, operation: OperationRow) -> None:
    ended = each_store.operations.move(operation.id, ["queued"], "cancelled", by="U-ada")
    assert ended is not None
    assert each_store.operations.retry(operation.id, ["cancelled"], "queued", by="U-ada") is None
    each_store.operations.close(operation.id, ended.version, "gone")
    project = each_store.projects.get("ada-7")
    assert project is not None
    assert project.state == "gone"
    assert each_store.operations.retry(operation.id, ["cancelled"], "queued", by="U-ada")


def test_who_is_late_to_close_an_operation_takes_no_name_from_its_next_attempt(
    each_store: Store, operation: OperationRow
) -> None:
    ended = each_store.operations.move(operation.id, ["queued"], "cancelled", by="U-ada")
    assert ended is not None
    each_store.operations.close(operation.id, ended.version, "gone")
    each_store.operations.retry(operation.id, ["cancelled"], "queued", by="U-ada")
    each_store.operations.close(operation.id, ended.version, "gone")
    project, tried = each_store.projects.get("ada-7"), each_store.operations.get(operation.id)
    assert project is not None
    assert tried is not None
    assert (project.state, tried.phase, tried.ended_at) == ("reserved", "queued", None)


def test_a_move_may_add_to_the_facts_there_are(each_store: Store, operation: OperationRow) -> None:
    each_store.operations.remember(operation.id, decisions=["first"])
    moved = each_store.operations.move(
        operation.id,
        ["queued"],
        "cancelled",
        by="U-ada",
        facts=lambda known: {"decisions": [*known["decisions"], "second"]},
    )
    assert moved is not None
    assert moved.facts == {"decisions": ["first", "second"]}


def test_only_the_first_wish_to_cancel_counts_and_none_after_the_end(
    each_store: Store, operation: OperationRow
) -> None:
    first = each_store.operations.request_cancel(operation.id, "U-ada")

    assert first is not None
    assert each_store.operations.request_cancel(operation.id, "U-grace") is None
    each_store.operations.end(operation.id, "cancelled")
    each_store.projects.reserve_and_begin(a_project("grace-1"), an_operation("op-2", "grace-1"))
    each_store.operations.end("op-2", "ready")
    assert each_store.operations.request_cancel("op-2", "U-ada") is None
    kept = each_store.operations.get(operation.id)
    assert kept is not None
    assert kept.cancel_requested_by == "U-ada"


def test_operations_are_found_by_project_and_by_what_is_not_over(each_store: Store) -> None:
    for minute, name in enumerate(("op-1", "op-2", "op-3")):
        each_store.projects.reserve_and_begin(a_project(), an_operation(name, minute=minute))
        each_store.projects.become("ada-7", "gone")
    each_store.projects.reserve_and_begin(
        a_project("grace-1"), an_operation("op-x", "grace-1", minute=9)
    )
    each_store.operations.end("op-2", "ready")
    each_store.operations.move("op-3", ["queued"], "planning", by="U")

    def ids(rows: object) -> list[str]:
        assert isinstance(rows, list)
        return [row.id for row in rows]

    assert ids(each_store.operations.of_project("ada-7")) == ["op-3", "op-2", "op-1"]
    assert ids(each_store.operations.of_project("ada-7", active=True)) == ["op-3", "op-1"]
    assert ids(each_store.operations.unended()) == ["op-1", "op-3", "op-x"]
    assert ids(each_store.operations.unended("planning", "applying")) == ["op-3"]


def test_moving_what_does_not_exist_is_an_error(store: Store) -> None:
    with pytest.raises(PermanentError, match="op-9"):
        store.operations.move("op-9", ["queued"], "planning", by="U")
    with pytest.raises(PermanentError, match="ap-9"):
        store.approvals.settle("ap-9", "granted", by="U")
    with pytest.raises(PermanentError, match="nobody's"):
        store.messages.mark_sending("nobody's")


def test_a_question_is_asked_once_about_one_artefact(
    each_store: Store, operation: OperationRow
) -> None:
    first = each_store.approvals.ask(an_approval("ap-1"))
    again = each_store.approvals.ask(an_approval("ap-2"))

    assert operation.id == first.operation
    assert again.id == "ap-1"
    assert len(each_store.approvals.of_operation("op-1")) == 1


def test_of_twenty_decisions_at_once_one_counts(
    each_store: Store, each_database: Database, operation: OperationRow
) -> None:
    approval = each_store.approvals.ask(an_approval())

    def decide(number: int) -> bool:
        state: Settled = "granted" if number % 2 else "refused"
        row = each_store.approvals.settle(
            approval.id, state, by=f"U-{number}", comment=f"number {number}"
        )
        return row is not None

    with ThreadPoolExecutor(20) as people:
        won = list(people.map(decide, range(20)))

    assert won.count(True) == 1
    settled = each_store.approvals.get(approval.id)
    assert settled is not None
    assert settled.decided_by == f"U-{won.index(True)}"
    assert settled.comment == f"number {won.index(True)}"
    assert settled.decided_at is not None
    decisions = [
        row.who
        for row in audit.history(each_database, operation.project)
        if row.what in ("approval granted", "approval refused")
    ]
    assert decisions == [settled.decided_by]


def test_withdrawn_questions_cannot_be_answered(each_store: Store, operation: OperationRow) -> None:
    each_store.approvals.ask(an_approval("ap-1"))
    each_store.approvals.ask(an_approval("ap-2", question="data:gbx1_prod.sales:read"))
    each_store.approvals.settle("ap-1", "granted", by="U-grace")

    assert each_store.approvals.void(operation.id) == 1

    assert each_store.approvals.settle("ap-2", "granted", by="U-grace") is None
    assert each_store.approvals.of_operation(operation.id, open_only=True) == []
    states = [row.state for row in each_store.approvals.of_operation(operation.id)]
    assert states == ["granted", "void"]


def test_questions_past_their_deadline_are_due_until_they_are_settled(
    each_store: Store, operation: OperationRow
) -> None:
    each_store.approvals.ask(an_approval("ap-1", minutes=60))
    each_store.approvals.ask(an_approval("ap-2", question="later", minutes=120))

    def due(minutes: int) -> list[str]:
        now = NOON + timedelta(minutes=minutes)
        return [row.id for row in each_store.approvals.due(now)]

    assert operation.id == "op-1"
    assert (due(59), due(60), due(120)) == ([], ["ap-1"], ["ap-1", "ap-2"])
    each_store.approvals.settle("ap-1", "expired", by=audit.US)
    assert due(120) == ["ap-2"]


def test_times_are_the_clock_ports(
    each_store: Store, clock: MovableClock, operation: OperationRow
) -> None:
    clock.advance(timedelta(days=3))

    ended = each_store.operations.end(operation.id, "ready")

    assert ended.ended_at is not None
    assert abs(ended.ended_at - clock.now()) < timedelta(minutes=1)
    reread = each_store.operations.get(operation.id)
    assert reread is not None
    assert reread.ended_at == ended.ended_at
