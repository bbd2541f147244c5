"""Answers to what people type in a form, and earlier ones for while Databricks is silent."""

from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import Executor
from threading import Lock

from provisioning.errors import TemporaryError
from provisioning.ports import Choice

MOST_CHOICES = 100
MOST_REMEMBERED = 500
PATIENCE_SECONDS = 1.5
"""How long somebody who types waits for Databricks while there is an earlier answer."""

Choices = tuple[Choice, ...]


class Suggestions:
    """Searches that always ask, and fall back on what was found before.

    An old answer is better than none: it only fills a form, and what is picked is checked again at
    submit. `search` takes where to look and a query.
    """

    def __init__(self, executor: Executor, search: Callable[[str, str], Choices]) -> None:
        self._executor = executor
        self._search = search
        self._lock = Lock()
        self._found: OrderedDict[tuple[str, str], Choices] = OrderedDict()

    def matching(self, place: str, query: str) -> Choices:
        """Return at most 100 choices; raises TemporaryError if none like it were ever found."""
        earlier = self._earlier(place, query)
        asked = self._executor.submit(self._ask, place, query)
        try:
            return asked.result(timeout=None if earlier is None else PATIENCE_SECONDS)
        except (TimeoutError, TemporaryError):
            if earlier is None:
                raise
            return earlier

    def _ask(self, place: str, query: str) -> Choices:
        found = self._search(place, query)
        with self._lock:
            self._found[place, query] = found
            self._found.move_to_end((place, query))
            while len(self._found) > MOST_REMEMBERED:
                self._found.popitem(last=False)
        return found

    def _earlier(self, place: str, query: str) -> Choices | None:
        """Return what is known for the query, or for the longest beginning of it."""
        with self._lock:
            known = dict(self._found)
        for length in range(len(query), -1, -1):
            if (found := known.get((place, query[:length]))) is not None:
                words = query.casefold()
                return tuple(choice for choice in found if words in choice.label.casefold())
        return None
