"""Concurrency groups: one inside, one waiting; who comes later takes the waiting one's place."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass
class Ticket:
    """A run or job that wants into a group; `stop` cancels it once it is inside."""

    stop: Callable[[], None]
    let_in: "asyncio.Future[bool]" = field(
        default_factory=lambda: asyncio.get_running_loop().create_future()
    )

    def answer(self, *, inside: bool) -> None:
        """Let the ticket in or turn it away; the first answer counts."""
        if not self.let_in.done():
            self.let_in.set_result(inside)


@dataclass
class _Group:
    inside: Ticket
    waiting: Ticket | None = None


class Groups:
    """The concurrency groups of every repository; names compare without case."""

    def __init__(self) -> None:
        self._groups: dict[tuple[int, str], _Group] = {}

    async def enter(self, repo: int, name: str, ticket: Ticket, *, cancels: bool) -> bool:
        """Wait to be let in; False if a later one took the place or the ticket was turned away."""
        key = (repo, name.lower())
        group = self._groups.get(key)
        if group is None:
            self._groups[key] = _Group(ticket)
            return True
        if group.waiting is not None:
            group.waiting.answer(inside=False)
        group.waiting = ticket
        if cancels:
            group.inside.stop()
        try:
            return await ticket.let_in
        finally:
            if group.waiting is ticket:
                group.waiting = None

    def leave(self, repo: int, name: str, ticket: Ticket) -> None:
        """Leave a group, so that the one who waits comes in; a stranger changes nothing."""
        key = (repo, name.lower())
        group = self._groups.get(key)
        if group is None or group.inside is not ticket:
            return
        following, group.waiting = group.waiting, None
        if following is None or following.let_in.done():
            del self._groups[key]
            return
        group.inside = following
        following.answer(inside=True)
