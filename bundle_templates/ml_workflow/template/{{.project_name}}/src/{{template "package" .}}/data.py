"""Rows become numbers here: which are valid, which have an outcome, which days a training uses."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from math import isfinite, nan

import numpy as np

from . import columns

MINIMUM_ROWS = 20
"""A training needs as many rows with a known outcome."""
HOLD_OUT = 0.2
"""This share of the window, its newest rows, judges models and is not learnt from."""


@dataclass(frozen=True)
class Row:
    """One observation. The outcome is None as long as nobody knows it."""

    key: str
    day: date
    features: tuple[float, ...]
    outcome: float | str | None


@dataclass(frozen=True)
class Window:
    """The days that a model learnt from, the first and the last included."""

    start: date
    end: date


def read(records: Iterable[Mapping[str, object]]) -> list[Row]:
    """Return the valid rows, oldest first; a row needs a key, a day and numbers where any are."""
    rows = [row for record in records if (row := _row(record))]
    return sorted(rows, key=lambda row: (row.day, row.key))


def known(rows: Iterable[Row]) -> list[Row]:
    """Return the rows to learn from."""
    return [row for row in rows if row.outcome is not None]


def unknown(rows: Iterable[Row]) -> list[Row]:
    """Return the rows to score."""
    return [row for row in rows if row.outcome is None]


def training_rows(rows: Iterable[Row], days: int, as_of: date | None = None) -> list[Row]:
    """Return rows with an outcome from as many days, the newest of which may be `as_of`.

    Outcomes come late, so the days are counted back from the newest row that has one.
    """
    usable = [row for row in known(rows) if as_of is None or row.day <= as_of]
    if not usable:
        return []
    start = max(row.day for row in usable) - timedelta(days - 1)
    return [row for row in usable if row.day >= start]


def window(rows: Sequence[Row]) -> Window:
    """Return the days that these rows are from."""
    return Window(min(row.day for row in rows), max(row.day for row in rows))


def split(rows: Sequence[Row]) -> tuple[list[Row], list[Row]]:
    """Return the older rows, to learn from, and the newest, to judge by."""
    if len(rows) < MINIMUM_ROWS:
        raise ValueError(
            f"{len(rows)} rows with a known outcome are too few to learn from; "
            f"at least {MINIMUM_ROWS} are needed"
        )
    oldest_first = sorted(rows, key=lambda row: (row.day, row.key))
    cut = round(len(oldest_first) * (1 - HOLD_OUT))
    return oldest_first[:cut], oldest_first[cut:]


def features(rows: Sequence[Row]) -> np.ndarray:
    """Return one line of numbers per row, NaN where something is missing."""
    return np.array([row.features for row in rows], dtype=float).reshape(-1, len(columns.FEATURES))


def outcomes(rows: Sequence[Row]) -> np.ndarray:
    """Return the outcomes of rows that have one."""
    return np.array([row.outcome for row in rows])


def _row(record: Mapping[str, object]) -> Row | None:
    key, target = _text(record, columns.KEY), _text(record, columns.TARGET)
    if not key:
        return None
    try:
        return Row(
            key=key,
            day=date.fromisoformat(_text(record, columns.DAY)[:10]),
            features=tuple(_number(_text(record, name)) for name in columns.FEATURES),
            outcome=columns.outcome(target) if target else None,
        )
    except ValueError:
        return None


def _text(record: Mapping[str, object], column: str) -> str:
    value = record.get(column)
    return "" if value is None else str(value).strip()


def _number(text: str) -> float:
    value = float(text) if text else nan
    return value if isfinite(value) else nan
