"""Secrets out of logs: every value a job was given, in the spellings in which it may be printed."""

import base64
import json
from collections.abc import Iterable
from urllib.parse import quote

MASK = "***"
SHORTEST_ENCODED = 8
"""Letters: what base64 makes of less is found everywhere."""


class Masks:
    """What must not be read in a job's log."""

    def __init__(self, values: Iterable[str] = ()) -> None:
        self._hidden: list[str] = []
        for value in values:
            self.add(value)

    def add(self, value: str) -> None:
        """Hide a value from now on: as it is, line by line, and as encoders write it."""
        spellings = {value, value.strip(), *(line.strip() for line in value.splitlines())}
        spellings |= {json.dumps(value)[1:-1], quote(value, safe="")}
        if len(value) >= SHORTEST_ENCODED:
            raw = value.encode()
            spellings |= {base64.b64encode(raw[cut:]).decode().rstrip("=") for cut in range(3)}
        known = {*self._hidden, *(each for each in spellings if each)}
        self._hidden = sorted(known, key=len, reverse=True)

    def apply(self, text: str) -> str:
        """Return a text with everything hidden."""
        for each in self._hidden:
            text = text.replace(each, MASK)
        return text
