"""Feature monitoring: do the features of new rows still look like those of the training?

Each feature is cut into ten equally full parts at the time of the training. The population
stability index (PSI) compares how many rows fall into each part then and now: 0 is the same, and
from 0.25 on something has changed. Few rows differ by chance alone, so the index must also exceed
that chance.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import sqrt
from typing import Any

import numpy as np

PARTS = 10
CHANGED, WATCH = 0.25, 0.1
FEWEST_ROWS = 20
"""With fewer rows nothing is said about them."""
_HALF = 0.5  # Added to each part, whose share would have no logarithm if it were empty.
_RARELY = 3.09  # Standard deviations: chance alone exceeds this once in a thousand comparisons.


@dataclass(frozen=True)
class Feature:
    """How a feature was distributed: the inner edges of its parts, and the share of each.

    The last share is that of rows without a value.
    """

    edges: tuple[float, ...]
    shares: tuple[float, ...]
    mean: float | None


@dataclass(frozen=True)
class Baseline:
    """The features as a model has learnt them; stored with the model."""

    start: str
    end: str
    rows: int
    features: Mapping[str, Feature]

    def as_dict(self) -> dict[str, Any]:
        """Return what JSON can hold."""
        features = [
            {
                "name": name,
                "edges": list(each.edges),
                "shares": list(each.shares),
                "mean": each.mean,
            }
            for name, each in self.features.items()
        ]
        return {"start": self.start, "end": self.end, "rows": self.rows, "features": features}

    @classmethod
    def from_dict(cls, stored: Mapping[str, Any]) -> "Baseline":
        """Read what `as_dict` returned."""
        features = {
            each["name"]: Feature(tuple(each["edges"]), tuple(each["shares"]), each["mean"])
            for each in stored["features"]
        }
        return cls(stored["start"], stored["end"], stored["rows"], features)


@dataclass(frozen=True)
class Drift:
    """How far one feature has moved."""

    feature: str
    psi: float
    chance: float
    mean_then: float | None
    mean_now: float | None
    rows: int

    @property
    def verdict(self) -> str:
        """Return `stable`, `watch`, `drifted` or `too few rows`."""
        if self.rows < FEWEST_ROWS:
            return "too few rows"
        if self.psi <= self.chance or self.psi < WATCH:
            return "stable"
        return "drifted" if self.psi >= CHANGED else "watch"


def describe(names: Sequence[str], values: np.ndarray, start: str, end: str) -> Baseline:
    """Return the baseline of the rows that a model learns from: one line of values per row."""
    features = {name: _feature(values[:, place]) for place, name in enumerate(names)}
    return Baseline(start, end, len(values), features)


def compare(baseline: Baseline, names: Sequence[str], values: np.ndarray) -> list[Drift]:
    """Return how far each feature of the baseline has moved, the farthest first."""
    place = {name: number for number, name in enumerate(names)}
    drifts = [
        _drift(name, then, values[:, place[name]], baseline.rows)
        for name, then in baseline.features.items()
        if name in place
    ]
    return sorted(drifts, key=lambda drift: -drift.psi)


def table(drifts: Sequence[Drift]) -> str:
    """Return the drifts as a table for people."""
    lines = [f"{'feature':<24}{'PSI':>7}{'chance':>8}{'mean then':>12}{'mean now':>12}  verdict"]
    lines += [
        f"{each.feature:<24}{each.psi:>7.3f}{each.chance:>8.3f}"
        f"{_shown(each.mean_then):>12}{_shown(each.mean_now):>12}  {each.verdict}"
        for each in drifts
    ]
    return "\n".join(lines)


def _feature(values: np.ndarray) -> Feature:
    present = values[~np.isnan(values)]
    cuts = np.quantile(present, np.linspace(0, 1, PARTS + 1)[1:-1]) if len(present) else []
    edges = tuple(float(edge) for edge in np.unique(cuts))
    return Feature(edges, _shares(values, edges), _mean(present))


def _shares(values: np.ndarray, edges: Sequence[float]) -> tuple[float, ...]:
    if not len(values):
        return (0.0,) * (len(edges) + 2)
    missing = np.isnan(values)
    parts = np.searchsorted(np.array(edges), values[~missing], side="left")
    counts = [*np.bincount(parts, minlength=len(edges) + 1), missing.sum()]
    return tuple(float(count) / len(values) for count in counts)


def _drift(name: str, then: Feature, values: np.ndarray, rows_then: int) -> Drift:
    now = _shares(values, then.edges)
    pairs = [(a, b) for a, b in zip(then.shares, now, strict=True) if a or b]
    before = _filled([a for a, _ in pairs], rows_then)
    after = _filled([b for _, b in pairs], len(values))
    psi = float(np.sum((after - before) * np.log(after / before)))
    chance = _chance(len(pairs), rows_then, len(values))
    return Drift(name, psi, chance, then.mean, _mean(values[~np.isnan(values)]), len(values))


def _filled(shares: Sequence[float], rows: int) -> np.ndarray:
    """Return the shares as if each part had half a row more, so that none is empty."""
    return (np.array(shares) * rows + _HALF) / (rows + _HALF * len(shares))


def _chance(parts: int, rows_then: int, rows_now: int) -> float:
    """Return the index that unchanged features seldom exceed: a quantile of chi squared."""
    freedom = parts - 1
    if not (freedom and rows_then and rows_now):
        return 0.0
    spread = 2 / (9 * freedom)  # Wilson and Hilferty: the cube root is nearly normal.
    quantile = freedom * (1 - spread + _RARELY * sqrt(spread)) ** 3
    return quantile * (1 / rows_then + 1 / rows_now)


def _mean(values: np.ndarray) -> float | None:
    return float(values.mean()) if len(values) else None


def _shown(mean: float | None) -> str:
    return "-" if mean is None else f"{mean:.4g}"
