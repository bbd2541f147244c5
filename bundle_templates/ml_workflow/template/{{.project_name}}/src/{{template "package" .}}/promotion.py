"""The way of a new version: registered, challenger, perhaps champion.

A new version is the challenger. It becomes the champion when it does at least as well as the
champion on the newest rows, which it has not learnt from; the first version becomes champion
unopposed. Whoever scores takes the champion.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from . import columns, data, model
from .registry import CHALLENGER, CHAMPION, Registry, TrainedModel, champion_of
from .training import judge


@dataclass(frozen=True)
class Verdict:
    """Whether a challenger becomes champion, and why."""

    promoted: bool
    reason: str


@dataclass(frozen=True)
class Registration:
    """What became of a new version."""

    version: int
    score: float
    verdict: Verdict


def decide(challenger: float, champion: float) -> Verdict:
    """Decide by scores; more is better."""
    if challenger >= champion:
        return Verdict(True, f"{challenger:.4f} is at least as good as {champion:.4f}")
    return Verdict(False, f"{challenger:.4f} is not as good as {champion:.4f}")


def register(
    registry: Registry,
    trained: TrainedModel,
    hold_out: Sequence[data.Row],
    tags: Mapping[str, str],
) -> Registration:
    """Register a version as challenger and, if it is good enough, make it the champion."""
    version = registry.register(trained, tags)
    registry.set_alias(CHALLENGER, version)
    score = judge(trained, hold_out)
    verdict = _verdict(registry, score, hold_out)
    if verdict.promoted:
        registry.set_alias(CHAMPION, version)
        registry.remove_alias(CHALLENGER)
    result = {f"hold_out_{model.METRIC}": f"{score:.6f}", "promotion": verdict.reason}
    registry.tag_version(version, result)
    return Registration(version, score, verdict)


def _verdict(registry: Registry, score: float, hold_out: Sequence[data.Row]) -> Verdict:
    version = champion_of(registry)
    if version is None:
        return Verdict(True, "the first version")
    champion = registry.load(version)
    if tuple(champion.baseline.features) != columns.FEATURES:
        return Verdict(True, f"version {version} has learnt from other features")
    return decide(score, judge(champion, hold_out))
