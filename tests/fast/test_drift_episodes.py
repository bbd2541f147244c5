"""Drift by itself: what counts, when it is looked for, how episodes begin and end."""

from datetime import timedelta
from typing import Any

import pytest
from rows import NOON, a_message, a_project, a_spec, an_operation

from bot.render import blocks
from playground.slack.blocks import message_problems, too_long
from provisioning.adapters.local_terraform.plans import drifted
from provisioning.clock import MovableClock
from provisioning.drift_message import answer, drift_notice, trouble_notice
from provisioning.store import Store
from provisioning.tables import DriftRow
from provisioning.text import plain

DAY = timedelta(days=1)


def a_change(address: str, *actions: str) -> dict[str, Any]:
    """Return a change as Terraform shows it."""
    return {"address": address, "type": "t", "change": {"actions": list(actions)}}


def test_drift_is_what_was_changed_elsewhere_and_would_be_changed_back() -> None:
    shown = {
        "resource_drift": [
            a_change("t.by_hand", "update"),
            a_change("t.gone", "delete"),
            a_change("t.of_the_vendor", "update"),
        ],
        "resource_changes": [
            a_change("t.by_hand", "update"),
            a_change("t.gone", "create"),
            a_change("t.of_the_vendor", "no-op"),
            a_change("t.of_a_new_module", "create"),
        ],
    }
    assert drifted(shown) == ("t.by_hand", "t.gone")
    assert drifted({}) == ()


# ---------------------------------------------------------------- when


def make(store: Store, name: str, *, busy: bool = False) -> None:
    """Have a project that became ready just now."""
    operation = an_operation(f"op-{name}", name)
    store.projects.reserve_and_begin(a_project(name), operation, [a_message(f"{name}:progress")])
    store.projects.become(name, "ready")
    if not busy:
        store.operations.end(f"op-{name}", "ready")


def test_each_project_is_looked_at_once_in_a_round_oldest_first(
    each_store: Store, clock: MovableClock
) -> None:
    make(each_store, "first")
    clock.advance(timedelta(hours=1))
    make(each_store, "second")
    make(each_store, "busy", busy=True)
    each_store.projects.reserve_and_begin(
        a_project("unready"), an_operation("op-u", "unready"), [a_message("u:progress")]
    )
    each_store.operations.end("op-u", "discarded")
    assert each_store.drifts.due(clock.now() - DAY, 10) == []
    clock.advance(DAY)
    assert each_store.drifts.due(clock.now() - DAY, 10) == ["first", "second"]
    assert each_store.drifts.due(clock.now() - DAY, 1) == ["first"]
    each_store.drifts.looked("first", ())
    assert each_store.drifts.due(clock.now() - DAY, 10) == ["second"]
    each_store.drifts.troubled("second", "no answer")
    assert each_store.drifts.due(clock.now() - DAY, 10) == []


# ---------------------------------------------------------------- episodes


def test_an_episode_lasts_until_nothing_differs(each_store: Store, clock: MovableClock) -> None:
    make(each_store, "ada-7")
    drifts = each_store.drifts
    assert drifts.looked("ada-7", ()).episode == 0
    began = drifts.looked("ada-7", ("t.b", "t.a"))
    assert (began.episode, began.resources) == (1, ["t.a", "t.b"])
    clock.advance(DAY)
    lasting = drifts.looked("ada-7", ("t.b",))
    assert (lasting.episode, lasting.since, lasting.over_since) == (1, began.since, None)
    over = drifts.looked("ada-7", ())
    assert (over.episode, over.over_since) == (1, over.looked_at)
    clock.advance(DAY)
    assert drifts.looked("ada-7", ()).over_since == over.over_since
    again = drifts.looked("ada-7", ("t.b",))
    assert (again.episode, again.over_since) == (2, None)


def test_looks_that_fail_have_episodes_of_their_own(each_store: Store, clock: MovableClock) -> None:
    make(each_store, "ada-7")
    drifts = each_store.drifts
    drifts.looked("ada-7", ("t.a",))
    failed = drifts.troubled("ada-7", "no answer")
    assert (failed.troubles, failed.resources, failed.episode) == (1, ["t.a"], 1)
    clock.advance(DAY)
    assert drifts.troubled("ada-7", "still none").troubled_since == failed.troubled_since
    works = drifts.looked("ada-7", ("t.a",))
    assert (works.trouble, works.works_since, works.troubles) == ("", works.looked_at, 1)
    assert drifts.troubled("ada-7", "again").troubles == 2


# ---------------------------------------------------------------- words


def a_row(*resources: str, **more: Any) -> DriftRow:
    """Return what is known of a project's drift."""
    return DriftRow(
        project="ada-7", looked_at=NOON, since=NOON, resources=list(resources), episode=1, **more
    )


@pytest.mark.parametrize("number", [0, 1, 300])
def test_every_message_fits_into_slack(number: int) -> None:
    long = [f't.x["{"y" * 200}{each}"]' for each in range(number)]
    row = a_row(*long, trouble="z" * 3000 if number == 300 else "", troubled_since=NOON)
    for shown in (drift_notice(row, a_spec().owners), trouble_notice(row), answer(row)):
        made = blocks(shown)
        assert message_problems(made) == []
        assert not too_long(made)


def test_many_resources_are_counted() -> None:
    said = [plain(line) for line in drift_notice(a_row(*"abcdefghijklmnopqrst"), ()).body]
    assert said[-1] == "… and 5 more"
    assert "20 resources have been changed outside SciCLOps" in said[1]
