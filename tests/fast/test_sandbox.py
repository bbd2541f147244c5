"""When a sandbox ends, which warning is due, and how far one may be extended."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from rows import a_spec

from bot.installation import policy_of
from bot.settings import load
from provisioning.sandbox import (
    Sandbox,
    due_warning,
    end_of,
    extension_objection,
    proposed_end,
    time_left,
)

UNTIL = date(2026, 12, 24)
ENDS = datetime(2026, 12, 24, 23, 59, tzinfo=UTC)
TODAY = date(2026, 12, 1)
SECOND = timedelta(seconds=1)
POLICY = policy_of(load(Path(__file__).parents[2] / "sciclops.example.toml", {}))
"""30 days are usual, 90 the most."""


def a_sandbox(until: date = UNTIL, since: datetime = ENDS - timedelta(days=30)) -> Sandbox:
    """Return a sandbox that was asked for 30 days before its end."""
    spec = a_spec().model_copy(update={"sandbox_until": until})
    return Sandbox(project="ada-7", spec=spec, until=until, since=since)


def test_an_end_date_means_the_last_minute_of_that_day_in_utc() -> None:
    assert end_of(UNTIL) == ENDS
    assert a_sandbox().ends == ENDS


@pytest.mark.parametrize(
    ("before", "due"),
    [
        (timedelta(days=7) + SECOND, None),
        (timedelta(days=7), "7d"),
        (timedelta(days=1) + SECOND, "7d"),
        (timedelta(days=1), "1d"),
        (timedelta(hours=1) + SECOND, "1d"),
        (timedelta(hours=1), "1h"),
        (SECOND, "1h"),
        (timedelta(), None),
        (-timedelta(days=400), None),
    ],
)
def test_the_most_urgent_warning_whose_moment_has_come_is_due(
    before: timedelta, due: str | None
) -> None:
    warning = due_warning(a_sandbox(), ENDS - before)
    assert (warning.name if warning else None) == due


def test_nobody_is_warned_of_what_they_have_just_chosen() -> None:
    chosen = a_sandbox(since=ENDS - timedelta(days=3))
    assert due_warning(chosen, ENDS - timedelta(days=2)) is None
    warning = due_warning(chosen, ENDS - timedelta(days=1))
    assert warning is not None
    assert warning.name == "1d"


@pytest.mark.parametrize(
    ("until", "proposed"),
    [
        (date(2026, 12, 8), date(2027, 1, 7)),
        (date(2026, 11, 1), date(2026, 12, 31)),
        (date(2027, 2, 20), date(2027, 3, 1)),
    ],
)
def test_the_usual_life_more_is_proposed_within_the_maximum_from_today(
    until: date, proposed: date
) -> None:
    assert proposed_end(a_sandbox(until), TODAY, POLICY) == proposed


@pytest.mark.parametrize(
    ("until", "wanted", "objection"),
    [
        (UNTIL, date(2026, 12, 25), ""),
        (UNTIL, date(2027, 3, 1), ""),
        (UNTIL, date(2027, 3, 2), "At most 90 days from today: until 2027-03-01."),
        (UNTIL, UNTIL, "It lives until 2026-12-24 already: choose a later day."),
        (date(2026, 11, 1), TODAY, "The end date must be in the future."),
        (date(2027, 3, 1), date(2027, 3, 2), "Ask again another day."),
    ],
)
def test_an_extension_is_later_than_the_end_and_within_the_maximum_from_today(
    until: date, wanted: date, objection: str
) -> None:
    said = extension_objection(a_sandbox(until), wanted, TODAY, POLICY)
    assert objection in said
    assert bool(said) == bool(objection)


@pytest.mark.parametrize(
    ("left", "said"),
    [
        (timedelta(days=30), "30 days"),
        (timedelta(days=7) - 15 * SECOND, "7 days"),
        (timedelta(days=1) - 15 * SECOND, "1 day"),
        (timedelta(hours=23), "23 hours"),
        (timedelta(hours=1) - 15 * SECOND, "1 hour"),
        (timedelta(minutes=30), "30 minutes"),
        (20 * SECOND, "1 minute"),
        (-SECOND, "0 minutes"),
    ],
)
def test_how_long_is_left_is_said_in_one_unit(left: timedelta, said: str) -> None:
    assert time_left(ENDS, ENDS - left) == said
