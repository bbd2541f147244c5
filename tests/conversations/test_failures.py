"""When a run fails or is stopped: what is said, going on without duplicates, cleaning up."""

import re
from collections import Counter

from conversation import ANSWER_SECONDS, PRINCIPALS, Conversation
from waiting import wait_until

from playground.faults import Fault
from playground.slack.reading import buttons, text_of

QUOTA = "quota exceeded for cluster policies in this workspace"
SCOPES = "databricks_secret_scope"


def what_exists(talk: Conversation) -> list[str]:
    """Return everything at the vendors that carries the project's name."""
    databricks, name = talk.world.databricks, talk.name
    schema = name.replace("-", "_")
    found = [f"schema {full}" for full in databricks.schemas if full.endswith(f".{schema}")]
    found += [f"principal {one}" for one in talk.principals()]
    named = (one.display_name for one in databricks.world.principals.values())
    found += [f"group {one}" for one in named if one == f"sciclops-{name}"]
    for workspace in databricks.world.workspaces.values():
        found += [f"scope {one}" for one in workspace.scopes if name in one]
        policies = (one.name for one in workspace.policies.values())
        found += [f"{workspace.name} {one}" for one in policies if name in one]
    if name in talk.world.github.repos:
        found.append("repository")
    return found


def test_a_failed_apply_says_why_and_a_retry_finishes_it_without_duplicates(
    talk: Conversation,
) -> None:
    talk.planned()
    talk.world.providers.fail("databricks_cluster_policy", 1, QUOTA)
    talk.press("Confirm & Apply")
    run = talk.run_message("Failed")
    said = text_of(run)
    assert "Applying failed: " in said
    assert QUOTA in said
    assert "databricks_cluster_policy" in said
    assert "resources exist; Retry goes on from there, Clean Up removes them" in said
    assert set(buttons(run)) == {"Retry", "Clean Up"}
    called = talk.says("Applying failed. The message above says why")
    assert called in talk.ada.thread(run)
    before = {one.id for one in talk.world.databricks.principals}

    talk.press("Retry", talk.sam)
    talk.told(talk.sam, "Not done: only the requester, an owner of the project")
    talk.press("Retry")
    run = talk.run_message("Ready in")
    assert before <= {one.id for one in talk.world.databricks.principals}
    assert len(talk.principals()) == PRINCIPALS
    assert max(Counter(what_exists(talk)).values()) == 1
    assert len(talk.run_messages()) == 1
    assert "checks passed" in text_of(run)
    assert QUOTA not in text_of(run)


def test_a_retry_that_is_confirmed_already_calls_nobody_and_says_why(talk: Conversation) -> None:
    plan = re.search(r" · plan `?([0-9a-f]{12})", text_of(talk.planned()))
    assert plan
    talk.world.providers.fail("databricks_cluster_policy", 1, QUOTA)
    talk.press("Confirm & Apply")
    talk.run_message("Failed")
    talk.press("Retry")
    run = talk.run_message("Ready in")
    covered = f"covered by the confirmation of plan {plan[1]}"
    assert covered in text_of(run)
    first, second = (text_of(one) for one in talk.ada.thread(run) if "made in" in text_of(one))
    assert "please confirm or discard it" in first
    assert "please confirm or discard it" not in second
    assert f"It is {covered}." in second


def test_a_run_says_what_it_waits_for_as_long_as_it_waits(talk: Conversation) -> None:
    talk.planned()
    fault = Fault("github", "status", pattern=r"POST .*/git/trees", times=10_000, status=503)
    talk.world.faults.add(fault)
    talk.press("Confirm & Apply")
    run = talk.says("GitHub answered 503; trying again, for ")
    assert f"{talk.name} · Pushing the starter code" in text_of(run)
    talk.world.faults.clear()
    assert "trying again" not in text_of(talk.run_message("Ready in"))


def test_cleaning_up_removes_everything_and_frees_the_name(talk: Conversation) -> None:
    talk.planned()
    talk.world.providers.fail("databricks_grant", 100, "User does not have MANAGE on Catalog")
    talk.press("Confirm & Apply")
    talk.run_message("Failed")
    talk.world.providers.clear()
    assert "repository" in what_exists(talk)
    assert len(what_exists(talk)) > 5
    talk.press("Clean Up", talk.grace)
    run = talk.run_message("Cleaned up")
    assert what_exists(talk) == []
    assert buttons(run) == {}
    assert "Everything that was made is removed, and the name is free again." in text_of(run)
    talk.planned()
    talk.press("Confirm & Apply")
    talk.run_message("Ready in")
    assert len(talk.principals()) == PRINCIPALS


def test_what_cannot_be_removed_is_named(talk: Conversation) -> None:
    talk.planned()
    talk.world.providers.fail("databricks_grant", 1, "User does not have MANAGE on Catalog")
    talk.press("Confirm & Apply")
    talk.run_message("Failed")
    talk.world.providers.fail(SCOPES, 100, "the scope is locked by an administrator")
    talk.press("Clean Up")
    talk.says("Cleaning up failed: ")
    run = talk.run_message("Failed")
    assert "the scope is locked by an administrator" in text_of(run)
    assert f"module.production.{SCOPES}.this" in text_of(run)
    assert "Couldn't clean up" in text_of(run)
    assert set(buttons(run)) == {"Clean Up"}
    left = {one.partition(" ")[0] for one in what_exists(talk)}
    assert "scope" in left
    talk.fill(talk.grace)
    errors = talk.refused(talk.grace)
    assert "There is already a project" in errors["name"]
    talk.grace.close()
    talk.world.providers.clear()
    talk.press("Clean Up")
    talk.run_message("Cleaned up")
    assert what_exists(talk) == []


def test_a_failed_plan_made_nothing_and_cleaning_up_frees_the_name(talk: Conversation) -> None:
    talk.ask()
    group = talk.world.databricks.world.named("aad-data-science")
    assert group is not None
    group.display_name = "renamed"
    try:
        run = talk.run_message("Failed")
    finally:
        group.display_name = "aad-data-science"
    assert "Planning failed: " in text_of(run)
    assert "nothing was made; the name stays reserved" in text_of(run)
    talk.press("Clean Up")
    talk.run_message("Cleaned up")
    assert what_exists(talk) == []


def test_a_run_is_cancelled_while_planning_and_nothing_was_made(talk: Conversation) -> None:
    talk.ask()
    # Terraform looks for the teams; without this its plan may be there before Cancel is pressed.
    slow = Fault("github", "delay", pattern="GET .*/teams/", times=10_000, seconds=4)
    talk.world.faults.add(slow)
    talk.run_message("Planning")
    talk.press("Cancel Run", talk.sam)
    talk.told(talk.sam, "Not done: only the requester, an owner of the project")
    talk.press("Cancel Run")
    run = talk.run_message("Cancelled")
    assert "Nothing was made, and the name is free again." in text_of(run)
    talk.world.faults.clear()
    assert re.search(r"Cancelled while planning\W+Cancelled by U0ADA", text_of(run))
    assert set(buttons(run)) == {"Retry"}
    assert what_exists(talk) == []
    talk.press("Retry")
    talk.run_message("Waiting for confirmation")
    talk.press("Discard")
    talk.run_message("Discarded")


def test_a_run_is_cancelled_while_applying_and_can_be_cleaned_up(talk: Conversation) -> None:
    talk.planned()
    talk.world.providers.hold("databricks_permission_assignment")
    talk.press("Confirm & Apply")
    talk.run_message("Applying")
    wait_until(lambda: what_exists(talk), ANSWER_SECONDS)
    talk.press("Cancel Run", talk.pat)
    assert buttons(talk.run_message("Applying · stopping")) == {}
    talk.world.providers.clear()
    run = talk.run_message("Cancelled")
    assert "What was made so far stays until somebody retries or cleans up." in text_of(run)
    assert re.search(r"Cancelled while applying\W+Cancelled by U0PAT", text_of(run))
    assert re.search(r"Left behind: \d+ resources? exist", text_of(run))
    assert set(buttons(run)) == {"Retry", "Clean Up"}
    assert what_exists(talk)
    talk.press("Clean Up")
    talk.run_message("Cleaned up")
    assert what_exists(talk) == []
