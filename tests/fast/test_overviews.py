"""Lists and App Home ask a few questions, however many projects there are, and read what they show.

Time is not measured here (`make bench` does that): what is pinned is how many questions there are,
and that none of them walks through what is not shown.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from crowd import Crowd, name_of
from rows import an_approval
from sqlalchemy import event

from bot.home import MOST_BLOCKS, filter_field, turn_of, view_blocks
from bot.render import blocks
from commands.command import Reply, Request
from commands.home import KINDS, Home, Turn, home
from commands.list import show
from playground.slack.blocks import MOST_BLOCKS as SLACKS
from playground.slack.blocks import view_problems
from provisioning.clock import MovableClock
from provisioning.database import Database
from provisioning.project_secrets import begun
from provisioning.store import Store
from provisioning.tables import OperationRow
from provisioning.text import Notice, plain

MANY, OWNERS = 300, ("U0", "U1")
PAGES = 15


def services_of(store: Store, clock: MovableClock) -> Any:
    """Return what lists and home ask: our own database, and nobody who is linked."""
    return SimpleNamespace(
        store=store,
        clock=clock,
        policy=SimpleNamespace(authentication="secret", channel="C-runs"),
        people=SimpleNamespace(is_among=lambda who, named: who in named),
        linking=SimpleNamespace(is_set_up=False, login_of=lambda _: None),
        releasing=SimpleNamespace(asked=lambda releases, _: tuple(releases)),
    )


@pytest.fixture
def services(each_store: Store, each_database: Database, clock: MovableClock) -> Any:
    """Return the services of an installation with many projects."""
    Crowd(clock.now(), OWNERS).join(each_database, range(MANY))
    return services_of(each_store, clock)


@contextmanager
def asked(database: Database) -> Iterator[list[tuple[str, Any]]]:
    """Collect the questions that our database is asked."""
    questions: list[tuple[str, Any]] = []

    def note(_connection: Any, _cursor: Any, words: str, values: Any, *_: Any) -> None:
        if words.startswith("SELECT"):
            questions.append((words, values))

    event.listen(database.engine, "before_cursor_execute", note)
    yield questions
    event.remove(database.engine, "before_cursor_execute", note)


def listed(services: Any, *words: str, who: str = "U1") -> Notice:
    request = Request(who=who, channel="C", words=("list", *words), key="k")
    answer = show(request, services)
    assert isinstance(answer, Reply)
    return answer.notice


def sections_of(shown: Home) -> tuple[Notice, ...]:
    """Return everything that stands above and below the field that filters."""
    return (*shown.sections, *shown.below)


def text_of(shown: Home) -> str:
    """Return all words of a home."""
    lines = [line for one in sections_of(shown) for line in (*one.body, one.footer)]
    tables = [one.table for one in sections_of(shown) if one.table]
    cells = [cell for table in tables for row in table.rows for cell in row]
    return "\n".join(plain(line) for line in (*lines, *cells))


def labels(shown: Home) -> dict[str, tuple[str, ...]]:
    return {button.label: button.words for one in sections_of(shown) for button in one.buttons}


def test_home_shows_a_page_of_my_projects_with_their_health(services: Any) -> None:
    shown = home("U1", services)
    said = text_of(shown)
    assert "You have 150 projects." in said
    assert f"Page 1 of {PAGES}" in said
    names = [plain(row[0]) for one in sections_of(shown) if one.table for row in one.table.rows]
    assert names == [name_of(place) for place in range(1, 20, 2)]
    assert "1 resource has drifted (looked 1 hour ago)" in said
    assert "2 of its checks failed (looked 1 hour ago)" in said
    assert "the last deployment to Testing failed (looked 1 hour ago)" in said
    assert "well (looked 1 hour ago)" in said
    assert "Dev ✓ · Test ✗ · Stage ✓ · Prod ✓" in said, "later stages have what came before"
    assert "Dev ✓ · Test ✓ · Stage ✓ · Prod ✓" in said
    assert f"{name_of(7)}: the sandbox ends " in said
    assert "… and more sandboxes" in said
    assert f"{name_of(1)}: the key of Production is due " in said
    assert "create project, ready, " in said


def test_home_turns_its_pages_and_narrows_them_down(services: Any) -> None:
    first = labels(home("U1", services))
    assert set(first) >= {"Next", "Needs Attention", "Sandboxes", "New Project", "All Projects"}
    second = home("U1", services, Turn.read(first["Next"]))
    assert f"Page 2 of {PAGES}" in text_of(second)
    assert set(labels(second)) >= {"Previous", "Next"}
    last = home("U1", services, Turn(page=99))
    assert f"Page {PAGES} of {PAGES}" in text_of(last)
    assert "Next" not in labels(last)
    ill = home("U1", services, Turn.read(first["Needs Attention"]))
    assert "Shown: Needs Attention (" in text_of(ill)
    assert "well (" not in text_of(ill)
    assert labels(ill)["Next"][2] == "attention"
    sandboxes = home("U1", services, Turn.read(first["Sandboxes"]))
    assert "Shown: Sandboxes (21)." in text_of(sandboxes)
    found = home("U1", services, Turn(text="many-0001"))
    assert "Shown: names with “many-0001” (5)." in text_of(found)
    assert labels(found)["Show All of Mine"] == ("home", "1", "", "")
    none = home("U1", services, Turn(text="nothing-like-it"))
    assert "Shown: names with “nothing-like-it” (0)." in text_of(none)


def test_owners_see_the_value_that_their_project_waits_for(
    services: Any, each_database: Database
) -> None:
    with each_database.writing() as session:
        row = session.get_one(OperationRow, "run-00001")
        row.kind, row.phase, row.ended_at = "add_secret", "entering", None
        row.facts = {**row.facts, **begun("DABS_ROCKS", ["testing"], ())}
        session.add(row)
    line = f"{name_of(1)}: the value of DABS_ROCKS"
    assert line in text_of(home("U1", services))
    assert line not in text_of(home("U0", services))


def test_the_filter_stands_between_the_projects_and_what_has_none(services: Any) -> None:
    shown = view_blocks(home("U1", services))
    kinds = [block["type"] for block in shown]
    titles = [block["text"]["text"] for block in shown if block["type"] == "header"]
    assert titles.index("Your projects") < titles.index("Running out")
    assert kinds.index("table") < kinds.index("input") < kinds.index("header", kinds.index("table"))


@pytest.mark.parametrize("turn", [Turn(), Turn(page=3, kind="sandbox", text="many")])
def test_slack_takes_the_fullest_home(services: Any, each_database: Database, turn: Turn) -> None:
    with each_database.writing() as session:
        for place in range(1, 60, 2):
            operation = f"run-{place:05}"
            approval = an_approval(f"ap-{place}", operation)
            approval.approvers = ["U1"]
            session.add(approval)
    shown = view_blocks(home("U1", services, turn))
    assert len(shown) < MOST_BLOCKS == SLACKS["home"]
    assert view_problems({"type": "home", "blocks": shown}) == []


def test_who_is_new_has_nothing_to_filter(each_store: Store, clock: MovableClock) -> None:
    shown = home("U1", services_of(each_store, clock))
    assert shown.sections[0].title == "Welcome to SciCLOps"
    assert filter_field(shown.text) == []


def test_what_turns_home_is_told_from_what_is_done() -> None:
    button = {"type": "button", "value": '["home", "3", "sandbox", "a b"]'}
    assert turn_of(button) == Turn(page=3, kind="sandbox", text="a b")
    assert turn_of({"type": "button", "value": '["home", "-1", "nonsense"]'}) == Turn()
    assert turn_of({"type": "button", "value": '["list", "mine"]'}) is None
    (field,) = filter_field("")
    typed = {"action_id": field["element"]["action_id"], "value": " many  1 "}
    assert turn_of(typed) == Turn(text="many 1")
    assert turn_of({**typed, "value": None}) == Turn()
    assert turn_of({"type": "static_select", "action_id": "name"}) is None
    assert set(KINDS) == {"", "attention", "sandbox"}


@pytest.mark.parametrize("words", [(), ("mine",), ("many-000",), ("ready", "7"), ("failed",)])
def test_a_list_asks_as_much_of_many_projects_as_of_few(
    services: Any, each_database: Database, words: tuple[str, ...]
) -> None:
    with asked(each_database) as questions:
        shown = listed(services, *words)
    assert len(questions) <= 3
    assert "LIMIT" in questions[-1][0]
    assert len(blocks(shown)) <= 5


def test_home_asks_as_much_of_many_projects_as_of_few(
    services: Any, each_database: Database
) -> None:
    with asked(each_database) as questions:
        home("U1", services)
    many = len(questions)
    with asked(each_database) as fewer:
        home("U1", services, Turn(text=name_of(1)))
    assert many == len(fewer) <= 14


@pytest.mark.parametrize("whose", ["list", "list mine", "home"])
def test_no_question_walks_through_what_is_not_shown(
    database: Database, store: Store, clock: MovableClock, whose: str
) -> None:
    Crowd(clock.now(), OWNERS).join(database, range(40))
    services = services_of(store, clock)
    with asked(database) as questions:
        home("U1", services) if whose == "home" else listed(services, *whose.split()[1:])
    assert questions
    for words, values in questions:
        for step in steps_of(database, words, values):
            is_shown = (
                "LIMIT" in words and "USING INDEX" in step and "ORDER BY project.name" in words
            )
            counts = words.startswith("SELECT count(*)") and "COVERING INDEX" in step
            assert not step.startswith("SCAN ") or is_shown or counts or is_inner(step), (
                step,
                words,
            )


def is_inner(step: str) -> bool:
    """Tell whether what is walked through is what another question has just found."""
    return step == "SCAN latest" or step.startswith("SCAN (subquery-")


def steps_of(database: Database, words: str, values: Any) -> list[str]:
    """Return how SQLite would answer a question."""
    with database.connected() as connection:
        plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {words}", values).all()
    return [str(row[3]) for row in plan]


def test_time_since_a_look_is_told_in_words(services: Any, clock: MovableClock) -> None:
    clock.advance(timedelta(days=3))
    assert "(looked 3 days ago)" in text_of(home("U1", services))
