"""What about.toml says, as tags and settings."""

import tomllib
from importlib import resources
from typing import Any


def tags() -> dict[str, str]:
    """Return the tags that every version of the model has."""
    return {key: _text(value) for key, value in _about()["tags"].items()}


def is_dummy() -> bool:
    """Tell whether this is still the template's model, which may learn from sample data."""
    return bool(_about()["tags"]["dummy_model"])


def window_days() -> int:
    """Return how many days of history a training uses."""
    return int(_about()["training"]["window_days"])


def _about() -> dict[str, Any]:
    return tomllib.loads((resources.files(__package__) / "about.toml").read_text("utf-8"))


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
