"""What the present work is about, for the lines of the log: kept by whoever begins it."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from types import MappingProxyType

NOTHING: Mapping[str, str] = MappingProxyType({})
_ABOUT: ContextVar[Mapping[str, str]] = ContextVar("about", default=NOTHING)


@contextmanager
def about(*, request: str = "", operation: str = "", project: str = "") -> Iterator[None]:
    """Let each line that is logged meanwhile say so, beside what is known already.

    `request` is the key of what somebody asked for or the id of a webhook's delivery, `operation`
    what the engine works on: a run, a release, a sweep's slot. Threads begin with nothing, unless
    they run in a copy of the context.
    """
    facts = {"request": request, "operation": operation, "project": project}
    new = {name: value for name, value in facts.items() if value}
    token = _ABOUT.set({**_ABOUT.get(), **new})
    try:
        yield
    finally:
        _ABOUT.reset(token)


def known() -> Mapping[str, str]:
    """Return what the present work is about."""
    return _ABOUT.get()
