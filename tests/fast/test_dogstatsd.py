"""What arrives at a Datadog agent, and what happens where there is none."""

import time
from datetime import UTC, datetime, timedelta

import pytest
from agent import listening
from waiting import wait_until

from provisioning.adapters.dogstatsd import LONGEST_TEXT, MOST_WAITING, DogStatsD
from provisioning.metrics import Event, Labels

LABELS = Labels(project="ada-7", stage="production", outcome="success")
TAGS = {"project": "ada-7", "stage": "production", "outcome": "success"}
NOON = datetime(2026, 11, 25, 12, tzinfo=UTC)
NOBODY = ("127.0.0.1", 9)


def test_a_count_arrives_with_its_name_and_tags() -> None:
    with listening() as agent:
        metrics = DogStatsD(agent.address, "sciclops", {"env": "prod"})
        metrics.count("deployment.ended", LABELS)
        (heard,) = agent.wait_for(1)
    assert (heard.name, heard.kind, heard.value) == ("sciclops.deployment.ended", "c", 1)
    assert heard.tags == {"env": "prod", **TAGS}


def test_a_timing_arrives_in_milliseconds() -> None:
    with listening() as agent:
        DogStatsD(agent.address, "", {}).time("waited", timedelta(seconds=1.5), Labels())
        (heard,) = agent.wait_for(1)
    assert (heard.name, heard.kind, heard.value, heard.tags) == ("waited", "ms", 1500, {})


def test_an_event_arrives_whole_whatever_its_texts_hold() -> None:
    event = Event(
        title="ada-7 | größer",
        text="one\ntwo|#three\r\n€",
        at=NOON,
        severity="error",
        subject="Ada|7",
    )
    with listening() as agent:
        DogStatsD(agent.address, "sciclops", {}).event(event, LABELS)
        (heard,) = agent.wait_for(1)
    assert (heard.name, heard.text, heard.kind) == ("ada-7 | größer", "one\ntwo|#three\n€", "error")
    assert (heard.value, heard.key, heard.tags) == (int(NOON.timestamp()), "ada_7", TAGS)


@pytest.mark.parametrize("text", ["€" * LONGEST_TEXT, "\n" * LONGEST_TEXT, "a" + "\n" * 3000])
def test_a_long_event_is_cut_not_refused(text: str) -> None:
    with listening() as agent:
        event = Event(title="€" * 500, text=text, at=NOON)
        DogStatsD(agent.address, "sciclops", {}).event(event, LABELS)
        (heard,) = agent.wait_for(1)
    assert LONGEST_TEXT / 4 < len(heard.text) <= LONGEST_TEXT
    assert set(heard.text) == set(text)
    assert set(heard.name) == {"€"}


def test_what_would_end_a_tag_does_not() -> None:
    with listening() as agent:
        metrics = DogStatsD(agent.address, "sciclops", {"te,am": "A|b#\nc"})
        metrics.count("used", Labels(command="x,y:1|c\nforged:1|c"))
        (heard,) = agent.wait_for(1)
    assert heard.tags == {"te_am": "a_b_c", "command": "x_y:1_c_forged:1_c"}


@pytest.mark.parametrize("address", [NOBODY, ("nowhere.invalid", 8125), ("." * 300, 8125)])
def test_where_nobody_listens_nobody_waits_or_fails(address: tuple[str, int]) -> None:
    metrics = DogStatsD(address, "sciclops", {})
    began = time.monotonic()
    for _ in range(10 * MOST_WAITING):
        metrics.count("used", LABELS)
    assert time.monotonic() - began < 5
    wait_until(lambda: metrics.counts["dropped"] + metrics.counts["unheard"] > 0)


def test_an_agent_that_comes_later_hears_the_very_next_one() -> None:
    with listening() as agent:
        address = agent.address
    metrics = DogStatsD(address, "sciclops", {})
    metrics.count("lost", LABELS)
    wait_until(lambda: sum(metrics.counts.values()) == 1)
    with listening(address[1]) as again:
        metrics.count("heard", LABELS)
        assert [one.name for one in again.wait_for(1)] == ["sciclops.heard"]
    assert metrics.counts["unheard"] == 1
