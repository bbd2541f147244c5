"""A project is destroyed: shown, typed, confirmed by somebody else, and gone at the vendors."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest
from conversation import ANSWER_SECONDS, RUN_SECONDS, Conversation
from giving_secrets import give, scopes
from played_runs import PlayedRunner
from shipping import find
from waiting import wait_until

from playground import cast
from playground.databricks.deployed import Job
from playground.databricks.jobs import object_id
from playground.databricks.state import Group, Workspace
from playground.faults import Fault
from playground.github.runs import WorkflowRun
from playground.slack.reading import buttons, text_of
from playground.world import Playground

CONFIRM = "Confirm & Destroy"
ALWAYS = 1_000_000
LONGEST_PAUSE = timedelta(seconds=11)
"""Longer than the bot waits before it tries something again."""


@pytest.fixture(scope="module")
def talk(playground: Playground) -> Conversation:
    """Return a conversation about a project without an end date, in which something was made."""
    talk = Conversation(playground, "old-1")
    talk.make()
    put_a_table(talk)
    put_a_job(talk)
    give(talk, "OLD_KEY", "one-of-its-own")
    return talk


@pytest.fixture(autouse=True)
def all_is_well_again(playground: Playground, runner: PlayedRunner) -> Iterator[None]:
    """Let nothing fail or be held any more, and close dialogs that a test left open."""
    yield
    playground.world.slack.workspace.stacks.clear()
    runner.failing.clear()
    runner.held.clear()
    runner.effects.clear()
    playground.world.faults.clear()


def put_a_table(talk: Conversation) -> None:
    """Let Development's schema hold a table."""
    schemas = talk.world.databricks.world.securables
    name = talk.name.replace("-", "_")
    schema = schemas["SCHEMA", f"gbx1_dev.{name}"]
    full_name = f"gbx1_dev.{name}.sales"
    schemas["TABLE", full_name] = replace(schema, kind="TABLE", full_name=full_name, id="t-1")


def staging(talk: Conversation) -> Workspace:
    """Return the workspace of Staging."""
    return talk.world.databricks.workspace("gbx1", "staging")


def put_a_job(talk: Conversation) -> None:
    """Let Staging have a job of the bundle's."""
    world = talk.world.databricks
    maker = next(p for p in world.principals if p.display_name == f"{talk.name}-staging")
    now = talk.world.clock.now()
    job = Job(7, now, maker.application_id, {"name": f"{talk.name} daily"})
    staging(talk).access[object_id(job)] = {maker.application_id: "IS_OWNER"}
    staging(talk).jobs[job.job_id] = job


def opened(talk: Conversation) -> str:
    """Type the command; return what the dialog says."""
    talk.ada.type(f"/sciclops destroy {talk.name}")
    talk.ada.wait_for_view("Type", timeout=ANSWER_SECONDS)
    return text_of(talk.ada.view())


def submitted(talk: Conversation, typed: str) -> dict[str, str] | None:
    """Type a name into the dialog and submit it; return what is said about the field."""
    talk.ada.fill({"project": typed})
    return talk.ada.submit()


def what_is_left(talk: Conversation) -> list[str]:
    """Return what the vendors have of a project, but for its archived repository."""
    databricks, name = talk.world.databricks, talk.name
    repository = talk.world.github.repos[name]
    left = [*talk.principals(), *repository.environments, *scopes(talk)]
    left += [full for _, full in databricks.world.securables if name.replace("-", "_") in full]
    left += [
        g.display_name for g in databricks.world.of_type(Group) if g.display_name.endswith(name)
    ]
    left += [] if repository.archived else ["repository"]
    return left


def destroying(talk: Conversation) -> list[WorkflowRun]:
    """Return the runs that remove stages, in the order they began."""
    runs = talk.world.github.runs(talk.name)
    found = [run for run in runs if run.inputs.get("action") == "destroy"]
    return sorted(found, key=lambda run: run.id)


def test_who_is_no_owner_is_refused(talk: Conversation) -> None:
    talk.sam.type(f"/sciclops destroy {talk.name}")
    talk.told(talk.sam, "Not done: only an owner of the project or the platform team can do that.")


def test_the_dialog_says_what_is_lost_and_wants_the_name_typed(talk: Conversation) -> None:
    said = opened(talk)
    assert "Environments: Development, Testing, Staging, Production" in said
    assert "The values of OLD_KEY go, too" in said
    assert len(scopes(talk)) == 8
    assert "gbx1_dev.old_1, gbx1_test.old_1, gbx1_stg.old_1, gbx1_prod.old_1, with 1 table" in said
    assert "Jobs and pipelines: old-1 daily (Staging)" in said
    assert "Open pull requests, which are closed: none" in said
    assert "confirmed by" in said
    for typed in ("old-2", "OLD-1", "old"):
        assert submitted(talk, typed) == {"project": "That is not its name: type old-1."}
    assert talk.world.github.repos[talk.name].archived is False


def test_a_lock_that_comes_while_somebody_reads_is_told_in_the_dialog(talk: Conversation) -> None:
    opened(talk)
    talk.grace.type(f"/sciclops lock {talk.name} not now")
    talk.told(talk.grace, f"{talk.name} is locked: not now.")
    submitted(talk, talk.name)
    assert "old-1 is locked by U0GRACE" in text_of(talk.ada.view())
    note = talk.ada.view().blocks[0]["elements"][0]["elements"]
    assert {"type": "user", "user_id": cast.GRACE.slack} in note
    talk.world.slack.workspace.stacks.clear()
    talk.ada.type(f"/sciclops destroy {talk.name}")
    talk.told(talk.ada, "old-1 is locked by U0GRACE")
    assert not talk.ada.has_view()
    talk.grace.type(f"/sciclops unlock {talk.name}")
    talk.told(talk.grace, f"{talk.name} is unlocked.")


def test_a_destruction_that_is_discarded_leaves_the_project_as_it_is(talk: Conversation) -> None:
    opened(talk)
    assert submitted(talk, talk.name) is None
    talk.run_message("Destroy · Waiting for confirmation")
    talk.press("Discard", talk.grace)
    talk.told(talk.grace, "Discarded: nothing was changed, and the project stays as it is.")
    talk.run_message("Destroy · Discarded")


def test_somebody_else_confirms_a_failure_is_retried_and_nothing_is_left(
    talk: Conversation, runner: PlayedRunner
) -> None:
    github = talk.world.github
    (first,) = github.runs(talk.name)
    runner.failing.add("Destroy Staging")
    runner.effects["Destroy Staging"] = staging(talk).jobs.clear
    opened(talk)
    assert submitted(talk, talk.name) is None
    run = talk.run_message("Destroy · Waiting for confirmation")
    assert "Waiting for confirmation by U0GRACE or S0PLATFORM" in text_of(run)
    assert "+0 ~0 -" in text_of(run)
    talk.press(CONFIRM)
    talk.told(talk.ada, "Not done: nobody confirms their own destruction of a project")
    assert first.status == "waiting"
    talk.press(CONFIRM, talk.grace)
    failed = text_of(talk.run_message("Destroy · Failed"))
    assert "Destroy Staging failed" in failed
    assert "Error: Destroy Staging did not work" in failed
    assert (first.status, first.conclusion) == ("completed", "cancelled")
    assert not github.repos[talk.name].archived
    refused(talk)
    runner.failing.clear()
    talk.press("Retry")
    done = talk.run_message("Destroy · Destroyed")
    assert "removed from Staging, Testing, Development" in text_of(done)
    assert buttons(done) == {}
    stages = [one.inputs["stage"] for one in destroying(talk)]
    assert stages == ["staging", "staging", "testing", "development"]
    assert what_is_left(talk) == []
    assert github.unknown_calls == []
    assert talk.world.databricks.unknown_calls == []


def refused(talk: Conversation) -> None:
    """See that nothing else begins on a project that is half destroyed."""
    talk.ada.type(f"/sciclops deploy {talk.name}")
    talk.told(talk.ada, f"{talk.name} is being destroyed. Nothing was started.")
    talk.grace.type(f"/sciclops rotate {talk.name}")
    talk.told(talk.grace, f"{talk.name} is being destroyed. Nothing was started.")
    talk.ada.type(f"/sciclops status {talk.name}")
    talk.told(talk.ada, "being destroyed")
    talk.ada.type(f"/sciclops destroy {talk.name}")
    told = talk.told(talk.ada, f"The destruction of {talk.name} has stopped")
    assert set(buttons(told)) == {"Retry"}


def test_what_is_destroyed_is_gone(talk: Conversation) -> None:
    talk.ada.type(f"/sciclops destroy {talk.name}")
    talk.told(talk.ada, f"{talk.name} is gone already")
    talk.ada.type("/sciclops list gone")
    talk.told(talk.ada, talk.name)


def sandbox(playground: Playground, name: str) -> Conversation:
    """Return a conversation about a sandbox that is ready."""
    talk = Conversation(playground, name)
    talk.fill().fill({"lifetime": "sandbox"})
    talk.view_says("Sandbox until")
    assert talk.ada.submit() is None
    talk.run_message("Waiting for confirmation")
    talk.press("Confirm & Apply")
    talk.run_message("Ready in")
    return talk


def test_a_sandbox_goes_at_once_but_waits_for_a_deployment_that_runs(
    playground: Playground, runner: PlayedRunner
) -> None:
    runner.held.add("Deploy Testing")
    runner.go_on.clear()
    talk = sandbox(playground, "box-1")
    (run,) = talk.world.github.runs(talk.name)
    opened(talk)
    assert submitted(talk, talk.name) is None
    talk.run_message("Destroy · Removing what is deployed")
    assert destroying(talk) == []
    assert run.status == "in_progress"
    playground.run(let_go(runner))
    talk.run_message("Destroy · Destroyed")
    assert run.conclusion == "cancelled"
    assert [one.inputs["stage"] for one in destroying(talk)] == [
        "staging",
        "testing",
        "development",
    ]
    assert find(talk, run, "Approve") is None
    assert what_is_left(talk) == []


async def let_go(runner: PlayedRunner) -> None:
    """Let what is held go on."""
    runner.go_on.set()


POINTS = ("after dispatch staging", "after let schemas go 0")


def test_whatever_is_killed_when_it_ends_with_nothing_left(
    playground: Playground, runner: PlayedRunner
) -> None:
    runner.held.clear()
    talk = sandbox(playground, "box-2")
    bot = playground.world.bot
    playground.run(bot.hold_at(POINTS[0]))
    opened(talk)
    assert submitted(talk, talk.name) is None
    for following in (*POINTS[1:], ""):
        playground.run(bot.held(), timeout=RUN_SECONDS)
        playground.run(bot.kill())
        playground.run(bot.start((following,) if following else ()), timeout=RUN_SECONDS)
    talk.run_message("Destroy · Destroyed")
    wait_until(lambda: what_is_left(talk) == [], RUN_SECONDS)
    assert [one.inputs["stage"] for one in destroying(talk)] == [
        "staging",
        "testing",
        "development",
    ]


def test_with_github_down_it_stays_visibly_unfinished_until_a_retry_ends_it(
    playground: Playground, runner: PlayedRunner
) -> None:
    runner.held.add("Destroy Staging")
    runner.go_on.clear()
    talk = sandbox(playground, "box-3")
    opened(talk)
    assert submitted(talk, talk.name) is None
    wait_until(lambda: destroying(talk), RUN_SECONDS)
    faults = talk.world.faults
    faults.add(Fault("github", "status", times=ALWAYS, status=503))
    playground.run(let_go(runner))
    talk.says("GitHub answered 503; trying again")
    faults.clear()
    faults.add(Fault("github", "status", times=ALWAYS, status=429, seconds=3600))
    talk.world.clock.advance(LONGEST_PAUSE)
    failed = talk.run_message("Destroy · Failed")
    assert "Removing what is deployed failed" in text_of(talk.says("Removing what is deployed f"))
    assert "what was deployed to the other stages, and everything else" in text_of(failed)
    assert set(buttons(failed)) == {"Retry"}
    faults.clear()
    faults.add(Fault("github", "status", "DELETE .*/environments/", times=ALWAYS, status=503))
    talk.press("Retry")
    failed = talk.says("Applying failed: DELETE")
    assert "resources exist; Retry goes on from there" in text_of(failed)
    assert "repository" in what_is_left(talk)
    faults.clear()
    talk.press("Retry")
    talk.run_message("Destroy · Destroyed")
    assert [one.inputs["stage"] for one in destroying(talk)] == [
        "staging",
        "testing",
        "development",
    ]
    assert what_is_left(talk) == []


def test_what_was_never_ready_is_cleaned_up_instead(playground: Playground) -> None:
    talk = Conversation(playground, "half-1")
    talk.planned()
    talk.world.providers.fail("databricks_group", 100, "No")
    talk.press("Confirm & Apply")
    talk.run_message("Failed")
    talk.world.providers.clear()
    talk.ada.type(f"/sciclops destroy {talk.name}")
    told = talk.told(talk.ada, f"{talk.name} never became ready: Clean Up removes what was made")
    talk.ada.press("Clean Up", on=told)
    told = talk.told(talk.ada, f"Remove everything that was made for {talk.name}")
    talk.ada.press("Clean Up", on=told)
    talk.run_message("Cleaned up")
