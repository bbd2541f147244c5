"""`/sciclops new`, from the form to the announcement."""

from conversation import PRINCIPALS, Conversation


def test_a_project_becomes_ready_and_is_announced(talk: Conversation) -> None:
    talk.ask()
    talk.run_message("Waiting for confirmation")
    talk.ada.press("Confirm & Apply")
    talk.run_message("Ready in")
    announced = talk.sam.wait_for_message(f"New project {talk.name}", channel="C0COMMUNITY")
    assert announced.channel == "C0COMMUNITY"
    repository = talk.world.github.repos[talk.name]
    assert not repository.archived
    principals = [p.display_name for p in talk.world.databricks.principals]
    assert sum(name.startswith(talk.name) for name in principals) == PRINCIPALS
