"""What `sciclops doctor` prints: for people, or as JSON."""

import json
from collections import Counter
from collections.abc import Iterator
from itertools import groupby
from textwrap import wrap

from bot.doctor.running import Result

WIDTH = 100
WORDS = {"ok": "OK", "warning": "WARNING", "problem": "PROBLEM", "skipped": "SKIPPED"}


def is_healthy(results: tuple[Result, ...]) -> bool:
    """Tell whether everything was looked at and nothing is wrong; warnings are no obstacle."""
    return all(result.verdict.level in ("ok", "warning") for result in results)


def as_text(results: tuple[Result, ...]) -> str:
    """Return the results, system by system, with a remedy under each that needs one."""
    lines: list[str] = []
    for system, some in groupby(results, key=lambda result: result.system):
        lines += [system, *(line for result in some for line in _lines(result)), ""]
    return "\n".join([*lines, _summary(results)])


def as_json(results: tuple[Result, ...]) -> str:
    """Return the results for programs: `healthy`, and every check with level, detail, remedy."""
    checks = [
        {"system": result.system, "check": result.name, **result.verdict.model_dump()}
        for result in results
    ]
    return json.dumps({"healthy": is_healthy(results), "checks": checks}, indent=2)


def _lines(result: Result) -> Iterator[str]:
    verdict = result.verdict
    start = f"  {WORDS[verdict.level]:8} {result.name}: "
    yield from _wrapped(start, verdict.detail, " " * 11)
    if verdict.remedy:
        yield from _wrapped(" " * 11 + "→ ", verdict.remedy, " " * 13)


def _wrapped(start: str, text: str, indent: str) -> Iterator[str]:
    first, *more = text.splitlines() or [""]
    for line in (start + first, *(indent + line for line in more)):
        yield from wrap(
            line,
            WIDTH,
            subsequent_indent=indent,
            break_long_words=False,
            break_on_hyphens=False,
        )


def _summary(results: tuple[Result, ...]) -> str:
    counts = Counter[str](result.verdict.level for result in results)
    parts = [f"{counts[level]} {word}" for level, word in WORDS.items() if counts[level]]
    return f"{len(results)} check{'s' * (len(results) != 1)}: {', '.join(parts)}"
