"""What the faults panel does: faults, time, redelivery and the controls of the bot's process."""

import re
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any, get_args

from playground.clock import AdjustableClock
from playground.faults import Door, Fault
from playground.page.regions import Scene
from playground.slack.entities import Json, NotPossible

LONGEST = 120.0
MOST_TIMES = 10_000


class Bench:
    """The deeds that are nobody's in particular: they act on the playground itself."""

    def __init__(self, scene: Scene) -> None:
        self._scene = scene

    @property
    def known(self) -> dict[str, Callable[[Json], Awaitable[Json]]]:
        """Return the deeds by name."""
        return {
            "fault": self.fault,
            "clear": self.clear,
            "advance": self.advance,
            "redeliver": self.redeliver,
            "control": self.control,
        }

    async def fault(self, sent: Json) -> Json:
        """Switch a fault on."""
        fault = read_fault(sent)
        self._scene.faults.add(fault)
        self._scene.workspace.feed.changed()
        return {"said": "Switched on."}

    async def clear(self, _: Json) -> Json:
        """Switch all faults off."""
        self._scene.faults.clear()
        self._scene.workspace.feed.changed()
        return {"said": "Nothing is switched on now."}

    async def advance(self, sent: Json) -> Json:
        """Move the clock forward."""
        clock = self._scene.clock
        if not isinstance(clock, AdjustableClock):
            raise NotPossible("this clock can't be moved")
        clock.advance(timedelta(seconds=_number(sent.get("seconds"), "Seconds", 366 * 86400)))
        self._scene.workspace.feed.changed()
        return {"said": f"It is {clock.now():%Y-%m-%d %H:%M} UTC now."}

    async def redeliver(self, sent: Json) -> Json:
        """Send a delivery, or else the newest, to the app once more."""
        wanted = sent.get("id")
        found = [one for one in self._scene.workspace.deliveries if wanted in (None, "", one.id)]
        if not found:
            raise NotPossible("nothing has been delivered yet")
        attempts = await self._scene.workspace.redeliver(found[-1])
        return {"said": f"Delivered {found[-1].what} again: {attempts[-1].answer.outcome}."}

    async def control(self, sent: Json) -> Json:
        """Do something to the bot's process."""
        control = self._scene.controls.get(str(sent.get("name")))
        if control is None:
            raise NotPossible("there is no such control")
        said = await control.act(str(sent.get("argument") or "").strip())
        self._scene.workspace.feed.changed()
        return {"said": said}


def read_fault(sent: Json) -> Fault:
    """Return the fault that a filled form describes, or say what is wrong with it."""
    what, pattern = str(sent.get("what")), str(sent.get("pattern") or "")
    door: Door | None = next((one for one in get_args(Door) if one == sent.get("door")), None)
    if door is None:
        raise NotPossible(f"there is no door {sent.get('door')!r}")
    try:
        re.compile(pattern)
    except re.error as error:
        raise NotPossible(f"the pattern is not a regular expression: {error}") from error
    times = int(_number(sent.get("times"), "How many requests", MOST_TIMES))
    seconds = _number(sent.get("seconds"), "Seconds", LONGEST)
    after = bool(sent.get("after_effect"))
    if what in ("delay", "drop"):
        kind: Any = what
        return Fault(door, kind, pattern, times, seconds=seconds, after_effect=after)
    if not re.fullmatch(r"[45]\d\d", what):
        raise NotPossible(f"{what!r} is not a fault that can be switched on")
    return Fault(door, "status", pattern, times, int(what), seconds, after)


def _number(given: object, name: str, most: float) -> float:
    try:
        number = float(str(given))
    except ValueError:
        raise NotPossible(f"{name}: {given!r} is not a number") from None
    if not 0 < number <= most:
        raise NotPossible(f"{name}: give a number above 0, up to {most:g}")
    return number
