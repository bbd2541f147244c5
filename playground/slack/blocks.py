"""Block Kit's rules."""

from playground.slack.entities import Json


def message_problems(blocks: list[Json]) -> list[str]:
    """Return what is wrong."""
    return []


def view_problems(view: Json) -> list[str]:
    """Return what is wrong."""
    return []
