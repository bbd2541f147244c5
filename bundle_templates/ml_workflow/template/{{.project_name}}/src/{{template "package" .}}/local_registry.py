"""A registry in a directory, for a laptop and for tests: one folder per version, two JSON files."""

import json
import pickle
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .drift import Baseline
from .names import ModelName
from .registry import TrainedModel


class LocalRegistry:
    """Keeps versions under `directory/<full name>/`."""

    def __init__(self, directory: Path, name: ModelName) -> None:
        self._folder = directory / name.full

    def register(self, trained: TrainedModel, tags: Mapping[str, str]) -> int:
        """See `Registry`."""
        version = 1 + max((int(path.name) for path in self._folder.glob("[0-9]*")), default=0)
        folder = self._folder / str(version)
        folder.mkdir(parents=True)
        (folder / "model.pkl").write_bytes(pickle.dumps(trained.fitted))
        _write(folder / "baseline.json", trained.baseline.as_dict())
        self.tag_version(version, tags)
        return version

    def load(self, version: int) -> TrainedModel:
        """See `Registry`."""
        folder = self._folder / str(version)
        fitted = pickle.loads((folder / "model.pkl").read_bytes())
        return TrainedModel(fitted, Baseline.from_dict(_read(folder / "baseline.json")))

    def aliases(self) -> dict[str, int]:
        """See `Registry`."""
        return _read(self._folder / "aliases.json")

    def set_alias(self, alias: str, version: int) -> None:
        """See `Registry`."""
        _write(self._folder / "aliases.json", self.aliases() | {alias: version})

    def remove_alias(self, alias: str) -> None:
        """See `Registry`."""
        left = {name: version for name, version in self.aliases().items() if name != alias}
        _write(self._folder / "aliases.json", left)

    def tags(self, version: int) -> dict[str, str]:
        """Return the tags of a version."""
        return _read(self._folder / str(version) / "tags.json")

    def tag_version(self, version: int, tags: Mapping[str, str]) -> None:
        """See `Registry`."""
        _write(self._folder / str(version) / "tags.json", self.tags(version) | dict(tags))

    def tag_model(self, tags: Mapping[str, str]) -> None:
        """See `Registry`."""
        file = self._folder / "tags.json"
        _write(file, _read(file) | dict(tags))


def _read(file: Path) -> dict[str, Any]:
    return json.loads(file.read_text("utf-8")) if file.exists() else {}


def _write(file: Path, content: Mapping[str, Any]) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(content, indent=2, sort_keys=True) + "\n", "utf-8")
