"""The logic of the job. It knows plain Python only, so tests need no Spark and no workspace."""

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import datetime


def daily_counts(events: Iterable[Mapping[str, str]]) -> list[dict[str, str | int]]:
    """Count events per day and kind; events without a valid time are left out."""
    counts = Counter(
        (day, event["kind"]) for event in events if (day := _day(event.get("happened_at", "")))
    )
    return [
        {"day": day, "kind": kind, "events": number}
        for (day, kind), number in sorted(counts.items())
    ]


def _day(moment: str) -> str:
    try:
        return datetime.fromisoformat(moment).date().isoformat()
    except ValueError:
        return ""
