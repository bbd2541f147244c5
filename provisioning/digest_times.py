"""When a digest is due, and which week it is about: pure decisions."""

from datetime import UTC, datetime, time, timedelta, tzinfo
from zoneinfo import ZoneInfo

from provisioning.text import Frozen

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
WEEK = timedelta(days=7)
SOONEST = timedelta(days=6)
"""No digest follows another one sooner: another weekday in the settings makes one week longer."""
LONGEST = 2 * WEEK
"""Whoever was away for so long tells of the last week alone."""


class Week(Frozen):
    """The time that a digest is about; `until` is when it was due."""

    since: datetime
    until: datetime


class DigestTimes(Frozen):
    """Once a week, `weekday` counting from Monday as 0, at an hour of a time zone."""

    weekday: int
    hour: int
    time_zone: str = "UTC"

    def latest(self, now: datetime) -> datetime:
        """Return the latest moment at which a digest was due, in UTC."""
        there = zone(self.time_zone) or UTC
        local = now.astimezone(there)
        day = local.date() - timedelta(days=(local.weekday() - self.weekday) % 7)
        due = datetime.combine(day, time(self.hour), there)
        if due > local:
            due = datetime.combine(day - WEEK, time(self.hour), there)
        return due.astimezone(UTC)

    def week(self, told: datetime, now: datetime) -> Week | None:
        """Return the week to tell of, given how far it was told already; None if none is due."""
        until = self.latest(now)
        if until - told < SOONEST:
            return None
        return Week(since=told if until - told < LONGEST else until - WEEK, until=until)


def zone(name: str) -> tzinfo | None:
    """Return a time zone by its name, or None if this machine does not know it."""
    if name == "UTC":
        return UTC  # which a machine without a list of zones knows, too
    try:
        return ZoneInfo(name)
    except (KeyError, OSError, ValueError):  # unknown, a folder of zones, no name at all
        return None
