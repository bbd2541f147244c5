"""A check of the installation and what it finds; adapters declare checks, `doctor` runs them."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from provisioning.text import Frozen

Level = Literal["ok", "warning", "problem", "skipped"]


class Verdict(Frozen):
    """What a check found: what is so, and what to do unless it is fine.

    "skipped" is for what could not be looked at because something else is wrong.
    """

    level: Level
    detail: str
    remedy: str = ""


@dataclass(frozen=True)
class Check:
    """One question about one fact of one system.

    It is asked when the checks in `needs` (names of the same system) have gone well. When there is
    no answer in time, `silence` says what to look at.
    """

    system: str
    name: str
    ask: Callable[[], Verdict]
    needs: tuple[str, ...] = ()
    silence: str = "Check the address in the settings, the network and the proxy."


def fine(detail: str) -> Verdict:
    """Return that all is well."""
    return Verdict(level="ok", detail=detail)


def warning(detail: str, remedy: str) -> Verdict:
    """Return what works but deserves a look."""
    return Verdict(level="warning", detail=detail, remedy=remedy)


def problem(detail: str, remedy: str) -> Verdict:
    """Return what does not work, and how to mend it."""
    return Verdict(level="problem", detail=detail, remedy=remedy)


def skipped(detail: str) -> Verdict:
    """Return that the question could not be asked, and why."""
    return Verdict(level="skipped", detail=detail)
