"""An exported trail names who, what, when and which artefact; no spreadsheet computes it."""

import csv
import io
import json
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from sqlalchemy import text

from provisioning import audit
from provisioning.audit_export import actor, artefact, export, summary
from provisioning.database import Database
from provisioning.store import Store
from provisioning.tables import AuditRow
from provisioning.text import Span, person, plain

RELEASED: Mapping[str, Any] = {
    "release": "7:1:Production",
    "commit": "c0ffee",
    "plan": "d" * 64,
    "login": "rosa-r",
    "comment": "=HYPERLINK(1)",
}


class Directory:
    """Knows Ada, and who has linked what."""

    def name(self, user: str) -> str:
        """Return somebody's name."""
        return {"U0ADA": "Ada Lovelace"}.get(user, user)

    def login_of(self, person: str) -> str | None:
        """Return somebody's login."""
        return {"U0ADA": "ada-l"}.get(person)


@pytest.fixture
def trail(each_store: Store, each_database: Database) -> audit.Trail:
    each_store.note("ada-7", "U0ADA", "approval granted", {"artefact": "a1", "comment": "fine"})
    each_store.note("ada-7", "U0ROSA", "release approved", RELEASED)
    each_store.note("ada-7", "sciclops", "=1+1", {})
    return audit.trail(each_database, "ada-7")


def test_a_line_holds_the_human_the_accounts_the_artefact_and_the_proof(
    trail: audit.Trail,
) -> None:
    lines = [
        json.loads(line) for line in export(trail, "jsonl", Directory(), Directory()).splitlines()
    ]
    assert trail.fault is None
    first, second, third = lines
    assert (first["who"], first["name"], first["github_login"]) == (
        "U0ADA",
        "Ada Lovelace",
        "ada-l",
    )
    assert (first["decision"], first["artefact"]) == ("approval granted", "a1")
    assert (second["github_login"], second["artefact"]) == ("rosa-r", "d" * 64)
    assert third["name"] == ""
    assert [second["previous"], third["previous"]] == [first["hash"], second["hash"]]
    assert first["time"] == trail.rows[0].at.isoformat()


def test_a_spreadsheet_computes_nothing_of_it(trail: audit.Trail) -> None:
    rows = list(csv.DictReader(io.StringIO(export(trail, "csv", Directory(), Directory()))))
    assert [row["decision"] for row in rows] == ["approval granted", "release approved", "'=1+1"]
    assert json.loads(rows[1]["detail"]) == RELEASED


def test_what_an_entry_is_about_is_said_shortly(trail: audit.Trail) -> None:
    assert [artefact(row) for row in trail.rows] == ["a1", "d" * 64, ""]
    said = [plain(summary(row)) for row in trail.rows]
    assert said == ["comment: fine", "comment: =HYPERLINK(1)", ""]


LONG = "x" * 200


@pytest.mark.parametrize(
    ("who", "detail", "said"),
    [
        ("U0ADA", {"holder": "U0ADA", "reason": "URGENT", "since": "2026"}, "reason: URGENT"),
        (
            "U0ADA",
            {"reason": "mine", "from": {"holder": "U0GRACE", "reason": "hers"}},
            "reason: mine, from: @Grace",
        ),
        ("U0ROSA", {"deploy": "locked", "by": "U0ADA"}, "deploy: locked, by: @Ada"),
        ("U0ADA", {"comment": LONG, "until": "then"}, f"comment: {LONG[:110]}…"),
    ],
)
def test_people_read_names_and_nothing_twice(
    each_store: Store, each_database: Database, who: str, detail: Mapping[str, Any], said: str
) -> None:
    each_store.note("ada-7", who, "did something", detail)
    (row,) = audit.trail(each_database, "ada-7").rows
    named = {"U0ADA": "@Ada", "U0GRACE": "@Grace"}
    words = [named[span.target] if span.style == "person" else span.text for span in summary(row)]
    assert "".join(words) == said


@pytest.mark.parametrize(
    ("who", "shown"),
    [
        ("bot", "SciCLOps"),
        ("sciclops", "SciCLOps"),
        ("rosa-r", "rosa-r"),
        ("U0ADA", person("U0ADA")),
    ],
)
def test_the_bot_goes_by_one_name(who: str, shown: Span | str) -> None:
    row = AuditRow(project="ada-7", sequence=1, who=who, what="asked", previous="", hash="")
    assert actor(row) == shown


def test_a_trail_that_grows_meanwhile_is_not_called_broken(
    each_store: Store, each_database: Database
) -> None:
    def write(number: int) -> None:
        each_store.note("ada-7", "U0ADA", f"deed {number}", {})

    with ThreadPoolExecutor(4) as people:
        writing = [people.submit(write, number) for number in range(60)]
        faults = [audit.trail(each_database, "ada-7").fault for _ in range(60)]
        for one in writing:
            one.result()
    assert set(faults) == {None}


def test_a_broken_chain_is_exported_with_its_verdict(
    trail: audit.Trail, each_database: Database
) -> None:
    assert trail.fault is None
    with each_database.connected() as connection:
        connection.execute(text("UPDATE audit SET who = 'U-eve' WHERE sequence = 2"))
    assert audit.trail(each_database, "ada-7").fault == "entry 2 was changed"
