"""Names are given away once, whoever asks and however often."""

import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from rows import NOON, a_message, a_project, an_operation
from sqlalchemy import insert
from sqlmodel import select

from provisioning import audit
from provisioning.database import Database
from provisioning.store import Filter, NameTakenError, Store
from provisioning.tables import MessageRow, OperationRow, OwnerRow, ProjectRow


def test_a_reserved_name_comes_with_its_operation_its_messages_and_an_audit_entry(
    each_store: Store, each_database: Database
) -> None:
    begun = each_store.projects.reserve_and_begin(a_project(), an_operation(), [a_message()])

    assert begun.phase == "queued"
    assert begun.created_at == NOON
    project = each_store.projects.get("ada-7")
    assert project is not None
    assert project.state == "reserved"
    assert [row.key for row in each_store.messages.owed()] == ["op-1:progress"]
    assert [row.what for row in audit.history(each_database, "ada-7")] == [
        "asked for create_project"
    ]


def test_the_same_submission_again_changes_nothing(
    each_store: Store, each_database: Database
) -> None:
    for _ in range(3):
        each_store.projects.reserve_and_begin(a_project(), an_operation(), [a_message()])

    message = each_store.messages.get("op-1:progress")
    assert message is not None
    assert message.wanted == 1
    assert len(each_store.operations.of_project("ada-7")) == 1
    assert len(audit.history(each_database, "ada-7")) == 1


def test_a_taken_name_is_refused_on_its_field_and_says_whose_it_is(each_store: Store) -> None:
    each_store.projects.reserve_and_begin(a_project(by="U-ada"), an_operation("op-1"))

    with pytest.raises(NameTakenError) as refusal:
        each_store.projects.reserve_and_begin(
            a_project(by="U-grace"),
            an_operation("op-2", by="U-grace"),
            [a_message("op-2:progress")],
        )

    assert refusal.value.field == "name"
    assert refusal.value.holder == "U-ada"
    assert each_store.operations.get("op-2") is None
    assert each_store.messages.get("op-2:progress") is None


def test_twenty_people_want_one_name_and_one_gets_it(
    each_store: Store, each_database: Database
) -> None:
    def submit(number: int) -> bool:
        operation = an_operation(f"op-{number}", by=f"U-{number}")
        try:
            each_store.projects.reserve_and_begin(
                a_project(by=f"U-{number}"), operation, [a_message(f"op-{number}:progress")]
            )
        except NameTakenError:
            return False
        return True

    with ThreadPoolExecutor(20) as people:
        won = list(people.map(submit, range(20)))

    assert won.count(True) == 1
    with each_database.reading() as session:
        assert len(session.exec(select(OperationRow)).all()) == 1
        assert len(session.exec(select(MessageRow)).all()) == 1
    project = each_store.projects.get("ada-7")
    assert project is not None
    assert project.requested_by == f"U-{won.index(True)}"


def test_one_submission_delivered_twenty_times_at_once_is_one_operation(
    each_store: Store, each_database: Database
) -> None:
    def submit(_: int) -> str:
        return each_store.projects.reserve_and_begin(a_project(), an_operation()).id

    with ThreadPoolExecutor(20) as deliveries:
        assert set(deliveries.map(submit, range(20))) == {"op-1"}

    assert len(audit.history(each_database, "ada-7")) == 1


def test_the_name_of_a_project_that_is_gone_is_free_again(each_store: Store) -> None:
    each_store.projects.reserve_and_begin(a_project(by="U-ada"), an_operation("op-1"))
    each_store.projects.become("ada-7", "gone")

    each_store.projects.reserve_and_begin(
        a_project(by="U-grace", owners=("U-grace",)), an_operation("op-2", by="U-grace")
    )

    project = each_store.projects.get("ada-7")
    assert project is not None
    assert (project.state, project.requested_by) == ("reserved", "U-grace")
    assert each_store.projects.page(Filter(owner="U-ada")).total == 0


def test_the_name_of_a_failed_project_stays_taken(each_store: Store) -> None:
    each_store.projects.reserve_and_begin(a_project(), an_operation("op-1"))
    each_store.projects.become("ada-7", "failed")

    with pytest.raises(NameTakenError, match="failed"):
        each_store.projects.reserve_and_begin(a_project(), an_operation("op-2"))


def test_a_project_becomes_ready_once(each_store: Store, each_database: Database) -> None:
    each_store.projects.reserve_and_begin(a_project(), an_operation())

    first = each_store.projects.become("ada-7", "ready", {"repository_url": "https://x/ada-7"})
    again = each_store.projects.become("ada-7", "ready", {"repository_url": "https://x/ada-7"})

    assert first.ready_at is not None
    assert again.ready_at == first.ready_at
    assert again.repository_url == "https://x/ada-7"
    assert [row.what for row in audit.history(each_database, "ada-7")] == [
        "asked for create_project",
        "reserved → ready",
    ]


def test_projects_are_listed_by_name_state_owner_and_part_of_the_name(each_store: Store) -> None:
    for name, owner in (("beta-1", "U-ada"), ("alpha-1", "U-grace"), ("alpha-2", "U-ada")):
        each_store.projects.reserve_and_begin(
            a_project(name, by=owner, owners=(owner,)), an_operation(f"op-{name}", name)
        )
    each_store.projects.become("alpha-2", "ready")

    def names(wanted: Filter) -> list[str]:
        return [row.name for row in each_store.projects.page(wanted).rows]

    assert names(Filter()) == ["alpha-1", "alpha-2", "beta-1"]
    assert names(Filter(text="ALPHA")) == ["alpha-1", "alpha-2"]
    assert names(Filter(text="%")) == []
    assert names(Filter(owner="U-ada")) == ["alpha-2", "beta-1"]
    assert names(Filter(owner="U-ada", state="ready")) == ["alpha-2"]


def test_ten_thousand_projects_are_paged_quickly(store: Store, database: Database) -> None:
    names = [f"project-{number:05}" for number in range(10_000)]
    spec = a_project().model_dump()
    with database.connected() as connection:
        connection.execute(insert(ProjectRow), [{**spec, "name": name} for name in names])
        owners = [{"project": name, "person": f"U-{name[-2:]}"} for name in names]
        connection.execute(insert(OwnerRow), owners)

    began = time.perf_counter()
    last = store.projects.page(number=499)
    some = store.projects.page(Filter(text="t-042", owner="U-07"))
    seconds = time.perf_counter() - began

    assert (last.total, [row.name for row in last.rows]) == (10_000, names[-20:])
    assert [row.name for row in some.rows] == ["project-04207"]
    assert seconds < 0.5
