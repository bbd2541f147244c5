"""A part that is made when it is first needed, in the background if need be.

databricks-sdk takes more than two seconds of processor time to import, half of a start-up; Slack
is acknowledged meanwhile.
"""

import threading
from collections.abc import Callable
from typing import Any


class Later:
    """Stands for what `make` returns; the first use makes it, others wait for it."""

    def __init__(self, make: Callable[[], object]) -> None:
        self._make = make
        self._lock = threading.Lock()
        self._made: object | None = None

    def begin(self) -> None:
        """Make it in the background; a failure shows at the first use."""
        threading.Thread(target=self._get_quietly, name="later", daemon=True).start()

    def __getattr__(self, name: str) -> Any:
        """Return an attribute of what was made."""
        return getattr(self._get(), name)

    def _get(self) -> object:
        with self._lock:
            if self._made is None:
                self._made = self._make()
            return self._made

    def _get_quietly(self) -> None:
        try:
            self._get()
        except Exception:  # noqa: BLE001 - whoever needs it is told
            return
