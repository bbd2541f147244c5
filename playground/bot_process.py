"""The bot's process in the playground: the real bot, on a clock that can be moved.

`python -m playground.bot_process <settings file> <clock file>`. It can be told to hold at a step:
then it says so on standard output and does nothing more, until it is killed from outside.
"""

import json
import os
import signal
import sys
import threading
from pathlib import Path
from typing import Any, Literal

from bot import logs, serve
from bot.cli import read_settings
from bot.wiring import build
from playground.clock import SharedClock


class Holds:
    """Stops the process for good at the named points, each once; lines on stdin name them."""

    def __init__(self) -> None:
        self._points: list[str] = []
        self._lock = threading.Lock()
        threading.Thread(target=self._listen, daemon=True).start()

    def observe(self, operation: str, step: str, moment: Literal["before", "after"]) -> None:
        """Tell that a point was reached; hold there if that was asked for."""
        point = f"{moment} {step}"
        with self._lock:
            held = point in self._points or f"{moment} *" in self._points
        self._tell({"operation": operation, "point": point, "held": held})
        if held:
            threading.Event().wait()

    def after(self, part: object, method: str, step: str) -> None:
        """Make `after <step>` a point: when a method of this very object has returned."""
        done = getattr(part, method)

        def then_hold(*args: Any, **kwargs: Any) -> Any:
            result = done(*args, **kwargs)
            self.observe("", step, "after")
            return result

        setattr(part, method, then_hold)

    def _listen(self) -> None:
        for line in sys.stdin:
            with self._lock:
                self._points = json.loads(line)
            self._tell({"armed": self._points})
        os.kill(os.getpid(), signal.SIGTERM)  # whoever started us is gone

    def _tell(self, said: dict[str, object]) -> None:
        with self._lock:
            sys.stdout.write(json.dumps(said) + "\n")
            sys.stdout.flush()


def main() -> None:
    """Run the bot until it is told to stop, or killed."""
    settings_file, clock_file = map(Path, sys.argv[1:])
    settings = read_settings(settings_file)
    serve.refuse_without_tokens(settings)
    holds = Holds()
    bot = build(settings, SharedClock(clock_file), holds.observe)
    store = bot.services.store
    holds.after(store.interactions, "take", "store")
    holds.after(store.projects, "reserve_and_begin", "reserve")
    holds.after(bot.identities, "poll", "poll")
    holds.after(bot.identities, "refresh", "refresh")
    holds.after(store.identities, "keep", "keep")
    holds.after(store.identities, "link", "link")
    logs.set_up(bot.redact, settings.log.format)
    serve.serve(bot)


if __name__ == "__main__":
    main()
