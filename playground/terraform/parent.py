"""What the provider process asks the process that started it: the time, and what is to go wrong."""

import json
import os
import sys
from concurrent.futures import Future
from dataclasses import dataclass
from datetime import datetime
from itertools import count
from threading import Lock
from typing import Any

ANSWER_SECONDS = 30


@dataclass(frozen=True)
class Verdict:
    """What happens to one apply: it waits, and fails before or after the vendor has acted.

    One that is held asks again.
    """

    seconds: float = 0
    failure: str = ""
    after_effect: bool = False
    held: bool = False


class Parent:
    """The other end of stdin and stdout; any thread may ask."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._numbers = count(1)
        self._waiting: dict[int, Future[Any]] = {}

    def tell(self, **words: Any) -> None:
        """Write one line."""
        with self._lock:
            sys.stdout.write(json.dumps(words) + "\n")
            sys.stdout.flush()

    def now(self) -> datetime:
        """Ask what time it is in the playground, where time can be moved."""
        return datetime.fromisoformat(self._ask("now", ""))

    def verdict(self, resource_type: str) -> Verdict:
        """Ask whether an apply of this type meets a fault."""
        return Verdict(**self._ask("verdict", resource_type))

    def hear(self) -> None:
        """Hand out answers until the parent closes our stdin; then end without any grace."""
        for line in sys.stdin:
            words = json.loads(line)
            self._waiting.pop(words["id"]).set_result(words["answer"])
        os._exit(0)

    def _ask(self, question: str, about: str) -> Any:
        number = next(self._numbers)
        answer: Future[Any] = Future()
        self._waiting[number] = answer
        self.tell(id=number, ask=question, about=about)
        return answer.result(timeout=ANSWER_SECONDS)
