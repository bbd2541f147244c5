"""Whoever asked for a run hears who ended it, once, and never anything that was not so."""

from datetime import UTC, datetime

import pytest
from rows import a_project, a_spec, an_operation

from provisioning.audit import US
from provisioning.board import Board, read_operation
from provisioning.operation import Decision, Phase, Trouble
from provisioning.refusals import not_now
from provisioning.store import Message, Store
from provisioning.tables import OperationRow
from provisioning.text import Notice, plain


def told(store: Store, phase: Phase, *decisions: tuple[str, str]) -> list[str]:
    """Return what the requester, U-ada, is told of a run that ended after these decisions."""
    row = an_operation()
    row.request, row.phase = a_spec().model_dump(mode="json"), phase
    noted = [
        Decision(by=by, at=datetime(2026, 3, 1, tzinfo=UTC), what=what, comment="too dear")
        for by, what in decisions
    ]
    row.facts = {"decisions": [one.model_dump(mode="json") for one in noted]}
    return told_of(store, row)


def told_of(store: Store, row: OperationRow) -> list[str]:
    """Return what is said in the thread of a run that has ended."""
    store.projects.reserve_and_begin(a_project(), row)
    board, run = Board(store), read_operation(row)
    shown = store.messages.show(Message(key=run.message, content=Notice(summary=row.phase)))
    store.messages.mark_sent(run.message, shown.wanted, "1.0")  # answers wait for it
    for _ in range(2):
        board.tell_end(run)
    contents = [Message.of(owed).content for owed in store.messages.owed()]
    return [plain(one.body[0]) for one in contents if isinstance(one, Notice)]


@pytest.mark.parametrize(
    ("phase", "by", "what", "said"),
    [
        ("discarded", "U-grace", "Discarded", "U-ada: Discarded by U-grace: too dear"),
        ("refused", "U-dora", "Consent to x refused", "U-ada: Consent to x refused by U-dora"),
        ("cancelled", "U-pat", "Cancelled", "U-ada: Cancelled by U-pat"),
        ("expired", "", "Timed out, not everybody answered", "U-ada: Timed out, not everybody"),
    ],
)
def test_the_requester_hears_once_who_ended_their_run(
    each_store: Store, phase: Phase, by: str, what: str, said: str
) -> None:
    (heard,) = told(each_store, phase, ("U-ada", "Confirmed"), (by, what))
    assert heard.startswith(said)


@pytest.mark.parametrize(
    ("phase", "decisions"),
    [
        ("discarded", [("U-grace", "Confirmed"), ("U-ada", "Discarded")]),
        ("refused", [("U-grace", "Confirmed")]),
        ("cancelled", []),
        ("ready", [("U-grace", "Confirmed")]),
    ],
    ids=["by themselves", "a crash kept it from being noted", "nobody knows", "it has not"],
)
def test_the_requester_hears_nothing_else(
    each_store: Store, phase: Phase, decisions: list[tuple[str, str]]
) -> None:
    assert told(each_store, phase, *decisions) == []


@pytest.mark.parametrize(
    ("asked", "called"), [("U-pat", "U-pat"), (US, "U-ada U-grace")], ids=["a person", "the bot"]
)
def test_a_failure_calls_who_asked_and_where_nobody_did_the_owners(
    each_store: Store, asked: str, called: str
) -> None:
    row = an_operation(by=asked)
    row.request, row.phase = a_spec("ada-7", "U-ada", "U-grace").model_dump(mode="json"), "failed"
    trouble = Trouble(step="Renewing the keys", what="It did not work.")
    row.facts = {"trouble": trouble.model_dump(mode="json")}
    (heard,) = told_of(each_store, row)
    assert heard.startswith(f"{called}: Renewing the keys failed.")


@pytest.mark.parametrize(
    ("phase", "facts", "possible"),
    [
        ("queued", {}, "it can be cancelled, or waited for"),
        ("waiting", {}, "its message says whose answer is missing, and it can be cancelled"),
        ("verifying", {}, "it cannot be stopped in this step, only waited for"),
        ("failed", {}, "it can be retried or cleaned up"),
        ("failed", {"unmade": True}, "it can be cleaned up"),
        ("discarded", {}, "it has ended, and its message says how"),
        ("ready", {}, "it has ended, and its message says how"),
    ],
)
def test_a_refusal_says_what_is_possible(
    phase: Phase, facts: dict[str, bool], possible: str
) -> None:
    row = an_operation()
    row.request, row.phase, row.facts = a_spec().model_dump(mode="json"), phase, facts
    row.version, row.attempt = 1, 1
    assert not_now(read_operation(row)).endswith(f"now: {possible}. Nothing was changed.")
