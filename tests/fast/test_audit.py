"""The audit's chain shows what was changed, removed or reordered."""

from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import pytest
from rows import NOON
from sqlalchemy import text

from provisioning import audit
from provisioning.database import Database


def note(database: Database, what: str, project: str = "ada-7") -> None:
    with database.writing() as session:
        entry = audit.Entry(project=project, who="U-ada", what=what, detail={"n": 1, "t": ("a",)})
        audit.append(session, NOON, entry)


@pytest.fixture
def chain(each_database: Database) -> Database:
    for what in ("one", "two", "three", "four"):
        note(each_database, what)
    note(each_database, "elsewhere", "grace-1")
    return each_database


def test_entries_are_numbered_and_linked_within_their_project(chain: Database) -> None:
    rows = audit.history(chain, "ada-7")

    assert [(row.sequence, row.what) for row in rows] == [
        (1, "one"),
        (2, "two"),
        (3, "three"),
        (4, "four"),
    ]
    assert rows[0].previous == audit.BEGINNING
    assert all(later.previous == earlier.hash for earlier, later in pairwise(rows))
    assert [row.sequence for row in audit.history(chain, "grace-1")] == [1]


def test_a_chain_that_nobody_touched_is_whole(chain: Database) -> None:
    assert audit.verify(chain, "ada-7") is None
    assert audit.verify(chain, "grace-1") is None
    assert audit.verify(chain, "nobody's") is None


AUDIT = "UPDATE audit SET"
SWAP = tuple(
    f"{AUDIT} sequence = {to} WHERE project = 'ada-7' AND sequence = {at}"
    for at, to in ((2, 99), (3, 2), (99, 3))
)


@pytest.mark.parametrize(
    ("tampering", "finding"),
    [
        ((f"{AUDIT} who = 'U-eve' WHERE sequence = 2",), "entry 2 was changed"),
        ((f"{AUDIT} what = 'x' WHERE sequence = 1",), "entry 1 was changed"),
        ((f"{AUDIT} detail = '{{}}' WHERE sequence = 3",), "entry 3 was changed"),
        ((f"{AUDIT} at = '2020-01-01 00:00:00' WHERE sequence = 4",), "entry 4 was changed"),
        (("DELETE FROM audit WHERE sequence = 1",), "entry 1 is missing"),
        (("DELETE FROM audit WHERE sequence = 3",), "entry 3 is missing"),
        (("DELETE FROM audit WHERE sequence = 4",), "the last entries are missing: 4"),
        (("DELETE FROM audit",), "the last entries are missing: 4 "),
        (SWAP, "entry 2 does not follow"),
        (("UPDATE audit_head SET sequence = 3",), "the last entries are missing: 3"),
        (("UPDATE audit_head SET hash = 'x'",), "the head does not match"),
    ],
    ids=str,
)
def test_tampering_is_found(chain: Database, tampering: tuple[str, ...], finding: str) -> None:
    with chain.connected() as connection:
        for statement in tampering:
            connection.execute(text(statement))

    found = audit.verify(chain, "ada-7")

    assert found is not None
    assert finding in found


def test_an_entry_counts_only_if_the_deed_does(each_database: Database) -> None:
    note(each_database, "done")

    def fail() -> None:
        with each_database.writing() as session:
            audit.append(session, NOON, audit.Entry(project="ada-7", who="U-ada", what="undone"))
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()

    assert [row.what for row in audit.history(each_database, "ada-7")] == ["done"]
    note(each_database, "and on")
    assert audit.verify(each_database, "ada-7") is None


def test_entries_that_come_at_once_make_one_chain(each_database: Database) -> None:
    with ThreadPoolExecutor(10) as people:
        list(people.map(lambda number: note(each_database, f"deed {number}"), range(40)))

    assert [row.sequence for row in audit.history(each_database, "ada-7")] == list(range(1, 41))
    assert audit.verify(each_database, "ada-7") is None
