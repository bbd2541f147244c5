"""A question about data reads the same wherever it was asked; once settled, it is asked no more."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from rows import a_project, a_spec, an_approval, an_operation

from provisioning.board import Board
from provisioning.store import Message, Store
from provisioning.store.approvals import Settled
from provisioning.text import Notice, plain

SALES, CARDS = "data|gbx1_prod.sales|read", "data|gbx1xprod.sales|read"


@pytest.fixture
def board(each_store: Store) -> Board:
    operation = an_operation()
    operation.request = a_spec().model_dump(mode="json")
    each_store.projects.reserve_and_begin(a_project(), operation)
    for question in (SALES, CARDS):
        each_store.approvals.ask(an_approval(key(question), question=question))
    return Board(each_store)


def key(question: str) -> str:
    return question.replace("|", ".")


def shown(store: Store, recipient: str, question: str = SALES) -> Notice | None:
    found = [Message.of(row) for row in store.messages.owed() if key(question) in row.key]
    contents = (one.content for one in found if one.recipient == recipient)
    content = next(contents, None)
    assert content is None or isinstance(content, Notice)
    return content


@pytest.mark.parametrize(
    ("state", "said"),
    [
        ("granted", "Consent given by U-grace: fine"),
        ("refused", "Refused by U-grace: fine"),
        ("expired", "Timed out, nobody answered in time"),
        ("void", "Withdrawn, the run has ended"),
    ],
)
def test_who_was_asked_directly_sees_what_became_of_the_question(
    each_store: Store, board: Board, state: Settled, said: str
) -> None:
    board.show_question(key(SALES), directly=("U-grace", "U-dora"))
    for owner in ("U-grace", "U-dora"):
        asked = shown(each_store, owner)
        assert asked is not None
        assert [button.label for button in asked.buttons] == ["Consent", "Refuse"]
    each_store.approvals.settle(key(SALES), state, by="U-grace", comment="fine")

    board.show_question(key(SALES))

    for owner in ("U-grace", "U-dora"):
        settled = shown(each_store, owner)
        assert settled is not None
        assert settled.buttons == ()
        assert said in plain(settled.body[-1])


def test_a_question_that_was_settled_meanwhile_is_asked_of_nobody(
    each_store: Store, board: Board
) -> None:
    board.show_question(key(SALES), directly=("U-grace",))
    each_store.approvals.settle(key(SALES), "granted", by="U-grace")

    board.show_question(key(SALES), directly=("U-dora",))

    assert shown(each_store, "U-dora") is None
    settled = shown(each_store, "U-grace")
    assert settled is not None
    assert settled.summary == "Consent given: read gbx1_prod.sales"


def test_questions_with_similar_names_are_told_apart(each_store: Store, board: Board) -> None:
    board.show_question(key(CARDS), directly=("U-dora",))

    board.show_question(key(SALES))

    assert shown(each_store, "U-dora") is None
    assert shown(each_store, "U-dora", CARDS) is not None


def test_an_answer_that_overtakes_the_asking_is_shown_to_everybody(
    each_store: Store, board: Board
) -> None:
    owners = [f"U-{number}" for number in range(8)]

    def answer(question: str) -> None:
        while len(each_store.messages.recipients(f"run:op-1:question:{question}:to:")) < 2:
            pass
        each_store.approvals.settle(question, "granted", by="U-0")
        board.show_question(question)

    with ThreadPoolExecutor(2) as people:
        for number in range(6):
            question = f"data.gbx1_prod.s{number}.read"
            asked = an_approval(question, question=f"data|gbx1_prod.s{number}|read")
            each_store.approvals.ask(asked)
            answering = people.submit(answer, question)
            people.submit(board.show_question, question, owners).result()
            answering.result()

    still_asking = [
        row.key for row in each_store.messages.owed(limit=1000) if row.content["buttons"]
    ]
    assert still_asking == []
