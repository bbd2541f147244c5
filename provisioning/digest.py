"""The weekly digest: what the community reads of how the bot was used."""

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from provisioning.clock import Clock
from provisioning.digest_times import WEEK, DigestTimes, Week
from provisioning.store import Message, Store
from provisioning.store.usage import Usage
from provisioning.text import Fact, Notice, Text, moment, say

log = logging.getLogger(__name__)

SUBJECT = "digest"
EXPIRING_WITHIN = timedelta(days=7)


@dataclass(frozen=True)
class Digest:
    """A sweep: one digest for each week, however many processes look and however late.

    Where nobody was told anything yet, it begins with the week that has begun. After weeks without
    a bot there is one digest, for the last of them; a week without use has none.
    """

    store: Store
    clock: Clock
    times: DigestTimes | None
    channel: str

    def sweep(self) -> None:
        """Tell of the week that is over, once."""
        if self.times is None:
            return
        now = self.clock.now()
        told = self.store.news.told(SUBJECT)
        if told is None:
            self.store.news.follow(SUBJECT, None, self.times.latest(now).isoformat(), None)
        elif week := self.times.week(datetime.fromisoformat(told), now):
            self._tell(week, told)

    def _tell(self, week: Week, before: str) -> None:
        usage = self.store.usage.between(week.since, week.until, EXPIRING_WITHIN)
        message = None if usage.is_empty else self._message(week, usage)
        until = week.until.isoformat()
        if self.store.news.follow(SUBJECT, before, until, message) and message:
            self.store.messages.on_show()

    def _message(self, week: Week, usage: Usage) -> Message:
        return Message(
            key=f"announce:digest:{week.until.isoformat()}",
            channel=self.channel,
            content=digest_notice(week, usage),
        )


def digest_notice(week: Week, usage: Usage) -> Notice:
    """Return what is said of a week; what did not happen is left out."""
    span = "week" if week.until - week.since <= WEEK + timedelta(hours=2) else "days"
    return Notice(
        summary=f"SciCLOps: the {span} in figures",
        title=f"The {span} in figures",
        body=(say("From ", moment(week.since), " to ", moment(week.until), "."),),
        facts=tuple(_fact(label, value) for label, value in _figures(usage)),
    )


def _figures(usage: Usage) -> Iterator[tuple[str, str]]:
    if usage.projects:
        yield "New projects", str(usage.projects)
    if usage.releases:
        stages = (f"{stage.capitalize()} {number}" for stage, number in usage.releases.items())
        yield "Releases", ", ".join(stages)
    if usage.people:
        yield "People who did something", str(usage.people)
    if usage.rotations:
        yield "Keys rotated", f"{usage.keys} in {_counted(usage.rotations, 'rotation')}"
    if usage.sandboxes_destroyed or usage.expiring:
        ended = f"{usage.sandboxes_destroyed} destroyed"
        yield "Sandboxes", f"{ended}, {usage.expiring} end within the next 7 days"
    if usage.projects_destroyed:
        yield "Projects destroyed", str(usage.projects_destroyed)


def _fact(label: str, value: str) -> Fact:
    words: Text = say(value)
    return Fact(label=label, value=words)


def _counted(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"
