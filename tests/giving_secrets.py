"""How a project gets a secret of its own in a conversation, and what the vendors then hold."""

from conversation import RUN_SECONDS, Conversation

from playground.cast import STAGES


def give(talk: Conversation, name: str, value: str) -> None:
    """Add a secret in every stage, confirm it, and enter its value."""
    talk.ada.type(f"/sciclops secret add {talk.name} {name}")
    talk.view_says("Add secret")
    assert talk.ada.submit() is None
    talk.press("Confirm & Apply")
    enter(talk, value)
    talk.ada.wait_for_message(f"{talk.name} · Secret · Done", timeout=RUN_SECONDS)


def enter(talk: Conversation, value: str) -> None:
    """Enter a value where a message asks for one."""
    talk.press("Enter Value")
    talk.view_says("Enter value")
    talk.ada.fill({"value": value})
    assert talk.ada.submit() is None


def scopes(talk: Conversation) -> list[str]:
    """Return the names of all scopes that are the project's."""
    workspaces = (talk.world.databricks.workspace("gbx1", stage) for stage in STAGES)
    return [name for one in workspaces for name in one.scopes if name.startswith(f"{talk.name}-")]
