"""A message is owed until its latest state was sent; what people did is acted upon once."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

from rows import a_message

from provisioning.clock import MovableClock
from provisioning.store import Attachment, Message, Store
from provisioning.tables import MessageRow
from provisioning.text import Notice


def begun(store: Store) -> MessageRow:
    """Begin to send the message; return what to send."""
    row = store.messages.mark_sending("op-1:progress")
    assert row is not None
    return row


def owed(store: Store) -> list[str]:
    return [row.key for row in store.messages.owed()]


def test_a_message_is_owed_until_its_latest_state_is_sent(each_store: Store) -> None:
    each_store.messages.show(a_message(summary="planning"))
    sending = begun(each_store)
    each_store.messages.show(a_message(summary="applying"))
    each_store.messages.mark_sent("op-1:progress", sending.wanted, "17.1")

    assert owed(each_store) == ["op-1:progress"]
    again = begun(each_store)
    assert (again.wanted, again.ts) == (2, "17.1")
    assert Message.of(again).content == Notice(summary="applying")
    each_store.messages.mark_sent("op-1:progress", again.wanted, "17.1")
    assert owed(each_store) == []


def test_showing_the_same_again_owes_nothing_new(each_store: Store) -> None:
    each_store.messages.show(a_message())
    each_store.messages.mark_sent("op-1:progress", 1, "17.1")

    row = each_store.messages.show(a_message())

    assert (row.wanted, row.sent, row.ts) == (1, 1, "17.1")
    assert owed(each_store) == []


def test_of_many_who_show_a_new_message_at_once_each_is_heard(each_store: Store) -> None:
    for number in range(5):
        message = a_message(key=f"deployment:{number}")
        with ThreadPoolExecutor(8) as pool:
            shown = list(pool.map(each_store.messages.show, [message] * 8))
        assert {row.wanted for row in shown} == {1}


def test_an_attempt_that_a_crash_cut_off_is_visible_to_the_next_one(each_store: Store) -> None:
    each_store.messages.show(a_message())

    assert not begun(each_store).sending
    assert begun(each_store).sending


def test_of_several_processes_one_sends_until_it_has_failed(each_store: Store) -> None:
    messages = each_store.messages
    messages.show(a_message())

    assert messages.mark_sending("op-1:progress", by="one")
    assert messages.mark_sending("op-1:progress", by="other") is None
    messages.let_go("op-1:progress", by="other")
    assert messages.mark_sending("op-1:progress", by="other") is None
    messages.let_go("op-1:progress", by="one")
    assert messages.mark_sending("op-1:progress", by="other")
    messages.mark_sent("op-1:progress", 1, "17.1")
    assert messages.mark_sending("op-1:progress", by="one")


def test_a_late_confirmation_of_an_older_state_takes_nothing_back(each_store: Store) -> None:
    each_store.messages.show(a_message(summary="planning"))
    each_store.messages.show(a_message(summary="applying"))
    each_store.messages.mark_sent("op-1:progress", 2, "17.1")

    each_store.messages.mark_sent("op-1:progress", 1, "17.1")

    assert owed(each_store) == []


def test_urgent_messages_come_first_and_then_those_that_wait_longest(
    each_store: Store, clock: MovableClock
) -> None:
    for key in ("a", "b", "c"):
        each_store.messages.show(a_message(key, urgent=key == "c"))
        clock.advance(timedelta(seconds=1))

    each_store.messages.show(a_message("a", "changed while it waits"))

    assert owed(each_store) == ["c", "a", "b"]
    assert [row.key for row in each_store.messages.owed(limit=1)] == ["c"]


def test_an_answer_waits_for_what_it_answers(each_store: Store) -> None:
    each_store.messages.show(a_message("log", thread_of="op-1:progress"))
    each_store.messages.show(a_message("op-1:progress"))
    assert owed(each_store) == ["op-1:progress"]

    each_store.messages.mark_sent("op-1:progress", 1, "17.1")

    assert owed(each_store) == ["log"]


def refuse(store: Store, key: str, trouble: str = "not_in_channel", times: int = 1) -> None:
    for _ in range(times):
        store.messages.mark_sending(key)
        store.messages.mark_trouble(key, trouble)


def test_a_refused_message_is_due_again_by_itself_ever_later(
    each_store: Store, clock: MovableClock
) -> None:
    each_store.messages.show(a_message())
    for seconds in (10, 20, 40, 80, 160, 320, 600, 600):
        refuse(each_store, "op-1:progress")
        clock.advance(timedelta(seconds=seconds - 5))
        assert owed(each_store) == []
        clock.advance(timedelta(seconds=5))
        assert owed(each_store) == ["op-1:progress"]


def test_a_refused_message_that_changes_is_tried_sooner_but_not_at_every_change(
    each_store: Store, clock: MovableClock
) -> None:
    each_store.messages.show(a_message(summary="one"))
    refuse(each_store, "op-1:progress", times=8)

    for number in range(11):
        each_store.messages.show(a_message(summary=f"change {number}"))
        assert owed(each_store) == []
        clock.advance(timedelta(seconds=0.9))
    clock.advance(timedelta(seconds=0.5))

    assert owed(each_store) == ["op-1:progress"]


def test_messages_with_the_same_trouble_are_due_as_soon_as_one_is_taken(
    each_store: Store, clock: MovableClock
) -> None:
    for key in ("a", "b", "c", "elsewhere"):
        message = a_message(key)
        if key == "elsewhere":
            message = message.model_copy(update={"channel": "C-other"})
        each_store.messages.show(message)
        refuse(each_store, key, "is_archived" if key == "c" else "not_in_channel", times=9)
    clock.advance(timedelta(minutes=1))
    assert owed(each_store) == []

    each_store.messages.mark_sent("a", 1, "17.1")

    assert owed(each_store) == ["b"]
    row = each_store.messages.get("a")
    assert row is not None
    assert (row.trouble, row.refusals, row.rests_until) == ("", 0, None)


def test_messages_in_trouble_hold_up_nobody(each_store: Store, clock: MovableClock) -> None:
    each_store.messages.show(a_message("troubled", urgent=True))
    refuse(each_store, "troubled")
    clock.advance(timedelta(minutes=1))
    each_store.messages.show(a_message("new"))

    assert owed(each_store) == ["new", "troubled"]


def test_a_refusal_does_not_hide_that_an_earlier_attempt_may_have_arrived(
    each_store: Store,
) -> None:
    each_store.messages.show(a_message())
    refuse(each_store, "op-1:progress")

    assert begun(each_store).sending


def test_a_file_for_one_person_comes_back_as_it_was(each_store: Store) -> None:
    message = Message(
        key="op-1:raw",
        content=Attachment(name="apply.log", text="line 1\nline 2 \N{SNOWMAN}"),
        recipient="U-ada",
        urgent=True,
    )

    each_store.messages.show(message)

    row = each_store.messages.get("op-1:raw")
    assert row is not None
    assert Message.of(row) == message


A_LOG = Message(
    key="op-1:log", channel="C-runs", content=Attachment(name="apply.log", text="42 added")
)


def text_of_the_log(store: Store) -> object:
    row = store.messages.get("op-1:log")
    assert row is not None
    return row.content["text"]


def test_the_text_of_a_file_that_slack_has_is_dropped_after_a_while_and_never_sent_again(
    each_store: Store, clock: MovableClock
) -> None:
    each_store.messages.show(A_LOG)
    each_store.messages.show(a_message())
    each_store.messages.mark_sent("op-1:log", 1, "file")
    clock.advance(timedelta(hours=23))
    assert each_store.messages.drop_texts(timedelta(days=1)) == 0
    assert text_of_the_log(each_store) == "42 added"
    clock.advance(timedelta(hours=2))

    assert each_store.messages.drop_texts(timedelta(days=1)) == 1
    assert each_store.messages.drop_texts(timedelta(days=1)) == 0

    assert text_of_the_log(each_store) == ""
    each_store.messages.show(A_LOG)
    assert text_of_the_log(each_store) == ""
    assert owed(each_store) == ["op-1:progress"]
    kept = each_store.messages.get("op-1:progress")
    assert kept is not None
    assert Message.of(kept) == a_message()


def test_a_file_that_may_not_have_arrived_keeps_its_text(
    each_store: Store, clock: MovableClock
) -> None:
    each_store.messages.show(A_LOG)
    each_store.messages.mark_sending("op-1:log")
    clock.advance(timedelta(days=30))

    assert each_store.messages.drop_texts(timedelta(days=1)) == 0

    assert owed(each_store) == ["op-1:log"]
    assert text_of_the_log(each_store) == "42 added"


def test_old_answers_and_hopeless_messages_are_forgotten_and_runs_are_not(
    each_store: Store, clock: MovableClock
) -> None:
    for key in ("run", "hopeless"):
        each_store.messages.show(a_message(key))
    each_store.messages.show(a_message("old answer", thread_of="run"))
    each_store.messages.mark_sent("run", 1, "17.1")
    refuse(each_store, "hopeless")
    clock.advance(timedelta(days=91))
    each_store.messages.show(a_message("new answer", thread_of="run"))

    assert each_store.messages.forget(timedelta(days=90)) == 2

    found = [
        key
        for key in ("run", "hopeless", "old answer", "new answer")
        if each_store.messages.get(key)
    ]
    assert found == ["run", "new answer"]


def test_of_twenty_deliveries_at_once_one_is_taken(each_store: Store) -> None:
    def deliver(number: int) -> bool:
        return each_store.interactions.take("view-1", {"delivery": number}, by=f"process-{number}")

    with ThreadPoolExecutor(20) as deliveries:
        taken = list(deliveries.map(deliver, range(20)))

    assert taken.count(True) == 1
    (row,) = each_store.interactions.unfinished()
    assert row.payload == {"delivery": taken.index(True)}


def test_what_was_taken_stays_unfinished_until_it_is_done(
    each_store: Store, clock: MovableClock
) -> None:
    for key in ("first", "second"):
        each_store.interactions.take(key, {})
        clock.advance(timedelta(seconds=1))

    each_store.interactions.finish("first")
    each_store.interactions.finish("first")

    assert [row.key for row in each_store.interactions.unfinished()] == ["second"]
    assert not each_store.interactions.take("first", {})


def test_the_interaction_of_a_dead_process_is_adopted_by_one_other(each_store: Store) -> None:
    each_store.interactions.take("view-1", {}, by="dead")

    def adopt(number: int) -> bool:
        return each_store.interactions.adopt("view-1", of="dead", by=f"process-{number}")

    with ThreadPoolExecutor(8) as processes:
        assert list(processes.map(adopt, range(8))).count(True) == 1
    each_store.interactions.finish("view-1")
    assert not each_store.interactions.adopt("view-1", of="dead", by="late")


def test_only_finished_interactions_are_forgotten_after_their_time(
    each_store: Store, clock: MovableClock
) -> None:
    for key in ("done", "open"):
        each_store.interactions.take(key, {})
    each_store.interactions.finish("done")

    assert each_store.interactions.forget(timedelta(days=1)) == 0
    clock.advance(timedelta(days=2))

    assert each_store.interactions.forget(timedelta(days=1)) == 1
    assert [row.key for row in each_store.interactions.unfinished()] == ["open"]


def test_a_memo_holds_the_last_value(each_store: Store) -> None:
    assert each_store.memos.get("plan_blocks") is None

    each_store.memos.set("plan_blocks", {"usable": True})
    each_store.memos.set("plan_blocks", {"usable": False})

    assert each_store.memos.get("plan_blocks") == {"usable": False}
