"""The one seam to where models are kept, and the way of a new version through it.

A new version is the challenger. It becomes the champion when it does at least as well as the
champion on the newest rows, which it has not learnt from; the first version becomes champion
unopposed. Whoever scores takes the champion.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from . import data, model
from .training import TrainedModel, judge

CHAMPION, CHALLENGER = "champion", "challenger"


class Registry(Protocol):
    """Keeps the versions of one model: 1, 2, 3, …"""

    def register(self, trained: TrainedModel, tags: Mapping[str, str]) -> int:
        """Keep a new version and return its number."""

    def load(self, version: int) -> TrainedModel:
        """Return what was registered."""

    def aliases(self) -> dict[str, int]:
        """Return the version of each alias."""

    def set_alias(self, alias: str, version: int) -> None:
        """Let the alias mean this version only."""

    def remove_alias(self, alias: str) -> None:
        """Let the alias mean nothing."""

    def tag_version(self, version: int, tags: Mapping[str, str]) -> None:
        """Add tags to a version; a tag of the same name is replaced."""

    def tag_model(self, tags: Mapping[str, str]) -> None:
        """Add tags to the model itself."""


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


def decide(challenger: float, champion: float | None) -> Verdict:
    """Decide by scores, more is better; no champion is None."""
    if champion is None:
        return Verdict(True, "the first version")
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
    reigning = registry.aliases().get(CHAMPION)
    champion = None if reigning is None else judge(registry.load(reigning), hold_out)
    score = judge(trained, hold_out)
    verdict = decide(score, champion)
    if verdict.promoted:
        registry.set_alias(CHAMPION, version)
        registry.remove_alias(CHALLENGER)
    result = {f"hold_out_{model.METRIC}": f"{score:.6f}", "promotion": verdict.reason}
    registry.tag_version(version, result)
    return Registration(version, score, verdict)


def champion_of(registry: Registry) -> int | None:
    """Return the champion's version, None before there is one."""
    return registry.aliases().get(CHAMPION)
