"""When sandboxes end, which warning is due, and how far one may be extended: pure decisions."""

from datetime import UTC, date, datetime, time, timedelta
from math import ceil

from provisioning.policy import Policy
from provisioning.project import ProjectSpec
from provisioning.tables import ProjectRow
from provisioning.text import Frozen

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
LAST_MINUTE = time(23, 59, tzinfo=UTC)


class SandboxWarning(Frozen):
    """What owners are told so long `before` the end; `name` is part of its message's key."""

    name: str
    before: timedelta


WARNINGS = (
    SandboxWarning(name="7d", before=7 * DAY),
    SandboxWarning(name="1d", before=DAY),
    SandboxWarning(name="1h", before=HOUR),
)
"""The most urgent one comes last."""
FIRST_WARNING = WARNINGS[0].before


class Sandbox(Frozen):
    """A project with an end date; `since` is when that date was decided."""

    project: str
    spec: ProjectSpec
    until: date
    since: datetime
    extensions: int = 0

    @classmethod
    def of(cls, row: ProjectRow) -> "Sandbox | None":
        """Return the sandbox that a project is, or None if it has no end date."""
        spec = ProjectSpec.model_validate(row.spec)
        if spec.sandbox_until is None:
            return None
        return cls(
            project=row.name,
            spec=spec,
            until=spec.sandbox_until,
            since=row.extended_at or row.created_at,
            extensions=row.extensions,
        )

    @property
    def ends(self) -> datetime:
        """Return the moment from which on it is destroyed."""
        return end_of(self.until)


def end_of(until: date) -> datetime:
    """Return what an end date means: the end of that day in UTC, its last minute."""
    return datetime.combine(until, LAST_MINUTE)


def due_warning(sandbox: Sandbox, now: datetime) -> SandboxWarning | None:
    """Return the most urgent warning whose moment has come.

    Nobody is warned of what they have just chosen: moments before the date was decided don't count.
    """
    if sandbox.ends <= now:
        return None
    due = (one for one in WARNINGS if sandbox.since < sandbox.ends - one.before <= now)
    return min(due, key=lambda one: one.before, default=None)


def proposed_end(sandbox: Sandbox, today: date, policy: Policy) -> date:
    """Return the end date that an extension begins with: the usual life more, within the cap."""
    usual = max(sandbox.until, today) + policy.sandbox_default
    return min(usual, today + policy.sandbox_maximum)


def extension_objection(sandbox: Sandbox, until: date, today: date, policy: Policy) -> str:
    """Return why a sandbox cannot be extended to a date, or an empty string."""
    latest = today + policy.sandbox_maximum
    if sandbox.until >= latest:
        return (
            f"It lives until {sandbox.until} already, and nothing may end later than "
            f"{policy.sandbox_maximum.days} days from today: {latest}. Ask again another day."
        )
    if until <= sandbox.until:
        return f"It lives until {sandbox.until} already: choose a later day."
    if until <= today:
        return "The end date must be in the future."
    if until > latest:
        return f"At most {policy.sandbox_maximum.days} days from today: until {latest}."
    return ""


def time_left(ends: datetime, now: datetime) -> str:
    """Say how long it is until the end, in the largest unit that fits: `7 days`, `1 hour`."""
    minutes = max(ceil((ends - now) / MINUTE), 0)
    hours = ceil(minutes * MINUTE / HOUR)
    if hours * HOUR >= DAY:
        return counted(round(hours * HOUR / DAY), "day")
    if minutes * MINUTE >= HOUR:
        return counted(hours, "hour")
    return counted(minutes, "minute")


def counted(number: int, unit: str) -> str:
    """Say how many: `1 day`, `2 days`."""
    return f"{number} {unit}{'' if number == 1 else 's'}"
