"""The change feed: how live pages and waiting tests hear that the workspace is different now."""

import asyncio
from collections.abc import Callable
from types import TracebackType
from typing import Self, TypeVar

Found = TypeVar("Found")


class Subscription:
    """One listener. Changes that it was too slow for are merged: it hears of the newest only."""

    def __init__(self, leave: Callable[["Subscription"], None]) -> None:
        self._newest: asyncio.Queue[int] = asyncio.Queue(maxsize=1)
        self._leave = leave

    def put(self, revision: int) -> None:
        """Replace what has not been heard yet."""
        if self._newest.full():
            self._newest.get_nowait()
        self._newest.put_nowait(revision)

    async def get(self) -> int:
        """Return the newest revision as soon as it is news to this listener."""
        return await self._newest.get()

    def close(self) -> None:
        """Stop listening."""
        self._leave(self)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


class ChangeFeed:
    """Counts revisions and tells every subscriber. Lives in one event loop."""

    def __init__(self) -> None:
        self.revision = 0
        self._listeners: list[Subscription] = []

    def subscribe(self) -> Subscription:
        """Return a subscription; use it as a context manager, or close it."""
        subscription = Subscription(self._listeners.remove)
        self._listeners.append(subscription)
        return subscription

    def changed(self) -> None:
        """Tell everybody that something is different."""
        self.revision += 1
        for listener in self._listeners:
            listener.put(self.revision)

    async def until(self, look: Callable[[], Found | None], seconds: float) -> Found | None:
        """Return what `look` finds as soon as it finds something, or None after `seconds`."""
        with self.subscribe() as changes:
            try:
                async with asyncio.timeout(seconds):
                    while not (found := look()):
                        await changes.get()
            except TimeoutError:
                return look() or None
            return found
