"""The one seam to where models are kept."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from .drift import Baseline

CHAMPION, CHALLENGER = "champion", "challenger"


@dataclass(frozen=True)
class TrainedModel:
    """What is kept: the fitted model and the features that it has learnt."""

    fitted: Any
    baseline: Baseline


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


def champion_of(registry: Registry) -> int | None:
    """Return the champion's version, None before there is one."""
    return registry.aliases().get(CHAMPION)
