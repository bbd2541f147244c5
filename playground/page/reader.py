"""Who reads, and how ids and moments look to that person."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo

from playground.page.html import Html, tag, text

Follow = Callable[[str], str | None]
"""Says which place of this page (`source/ada-7`) an address stands for, or None."""


def nowhere(_address: str) -> str | None:
    """Know no address."""
    return None


@dataclass(frozen=True)
class Reader:
    """The person whose page is rendered; the mappings go from ids to names.

    `follow` finds the place here of what an address would show at a vendor's.
    """

    viewer: str
    people: Mapping[str, str]
    channels: Mapping[str, str]
    groups: Mapping[str, str]
    now: datetime
    zone: tzinfo = UTC
    follow: Follow = nowhere

    def person(self, user: str) -> Html:
        """Return a mention of a person; one's own stands out."""
        me = " me" if user == self.viewer else ""
        return tag("span", f"@{self.people.get(user, user)}", class_=f"mention{me}")

    def channel(self, channel: str) -> Html:
        """Return a channel's name, as a link to it if it is known."""
        if channel not in self.channels:
            return tag("span", f"#{channel}", class_="mention")
        where = f"/as/{self.viewer}/c/{channel}"
        return tag("a", f"#{self.channels[channel]}", class_="mention", href=where)

    def group(self, group: str) -> Html:
        """Return a mention of a user group."""
        return tag("span", f"@{self.groups.get(group, group)}", class_="mention")

    def link(self, address: str, label: Html | str) -> Html:
        """Return a link, or the label alone if the address is of a kind that could do harm."""
        if place := self.follow(address):
            return tag("a", label, href=f"/as/{self.viewer}/{place}")
        if not re.match(r"(https?://|mailto:)", address):
            return label if isinstance(label, Html) else text(label)
        return tag("a", label, href=address, target="_blank", rel="noopener noreferrer")

    def local(self, stamp: float) -> datetime:
        """Return a moment in the reader's time zone."""
        return datetime.fromtimestamp(stamp, UTC).astimezone(self.zone)

    def time(self, ts: str, pattern: str = "{time}") -> Html:
        """Return a message's time; the full moment shows when pointed at."""
        at = self.local(float(ts))
        full = moment(at, "{date_long} at {time_secs}", self.now.astimezone(self.zone))
        shown = moment(at, pattern, self.now.astimezone(self.zone))
        return tag("time", shown, datetime=at.isoformat(timespec="seconds"), title=full)

    def date(self, stamp: float, pattern: str) -> Html:
        """Return a moment in one of Slack's date formats."""
        at = self.local(stamp)
        shown = moment(at, pattern, self.now.astimezone(self.zone))
        return tag("time", shown, datetime=at.isoformat(timespec="seconds"))


def moment(at: datetime, pattern: str, now: datetime) -> str:
    """Write a moment in Slack's date format, such as `{date_short_pretty} at {time}`."""
    return re.sub(r"\{(\w+)\}", lambda found: _token(found[1], found[0], at, now), pattern)


def _token(token: str, whole: str, at: datetime, now: datetime) -> str:
    name = token.removesuffix("_pretty")
    if name != token and (near := _near(at, now)):
        return near
    if name == "ago":
        return ago(now - at)
    write = _WRITTEN.get(name)
    return write(at) if write else whole


def _clock(at: datetime, seconds: str = "") -> str:
    return f"{at.hour % 12 or 12}:{at:%M}{seconds} {at:%p}"


_WRITTEN: dict[str, Callable[[datetime], str]] = {
    "date_num": lambda at: f"{at:%Y-%m-%d}",
    "date_slash": lambda at: f"{at:%m/%d/%Y}",
    "date": lambda at: f"{at:%B} {_nth(at.day)}, {at.year}",
    "date_short": lambda at: f"{at:%b} {at.day}, {at.year}",
    "date_long": lambda at: f"{at:%A}, {at:%B} {_nth(at.day)}, {at.year}",
    "date_long_full": lambda at: f"{at:%A}, {at:%B} {at.day}, {at.year}",
    "day_divider": lambda at: f"{at:%A}, {at:%B} {_nth(at.day)}",
    "time": _clock,
    "time_secs": lambda at: _clock(at, f":{at:%S}"),
}


def _near(at: datetime, now: datetime) -> str:
    days = (at.date() - now.date()).days
    return {0: "Today", -1: "Yesterday", 1: "Tomorrow"}.get(days, "")


def _nth(day: int) -> str:
    ending = "th" if 10 <= day % 100 <= 20 else {1: "st", 2: "nd", 3: "rd"}.get(day % 10, "th")
    return f"{day}{ending}"


def ago(past: timedelta) -> str:
    """Say how long ago something was."""
    seconds = int(past.total_seconds())
    if seconds < 0:
        return f"in {_span(-seconds)}"
    return "just now" if seconds < 45 else f"{_span(seconds)} ago"


def _span(seconds: int) -> str:
    for size, unit in ((86400, "day"), (3600, "hour"), (60, "minute")):
        if seconds >= size:
            count = seconds // size
            return f"{count} {unit}{'s' if count > 1 else ''}"
    return f"{seconds} second{'s' if seconds != 1 else ''}"
