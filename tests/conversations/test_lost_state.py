"""Terraform's state is lost, or cut off by a kill: a destruction ends as it should all the same."""

import json
import os
import signal
from contextlib import suppress
from pathlib import Path

from conversation import RUN_SECONDS, Conversation
from kills import terraform_processes
from test_clean_up import exists, failed
from test_destroy import CONFIRM, opened, put_a_table, submitted, what_is_left
from waiting import wait_until

from playground.slack.entities import Message
from playground.slack.reading import text_of
from playground.world import Playground

SOME = 5
"""So many resources are adopted by the time an import is killed."""


def state_of(talk: Conversation) -> Path:
    """Return the file that holds a project's state."""
    root = talk.world.directory / "bot" / "terraform" / "projects" / talk.name / "root"
    return root / "terraform.tfstate"


def cut_off(state: Path) -> None:
    """Do what a kill does to a command that was writing the state: it has made a backup before."""
    whole = state.read_text()
    state.with_name("terraform.tfstate.backup").write_text(whole)
    state.write_text(whole[:5000])


def lose_the_state(talk: Conversation) -> None:
    """Take Terraform's state away, its backup included."""
    state = state_of(talk)
    state.unlink()
    state.with_name("terraform.tfstate.backup").unlink(missing_ok=True)


def test_principals_that_a_clean_up_adopts_are_deleted_not_deactivated(talk: Conversation) -> None:
    failed(talk)
    assert talk.principals()
    lose_the_state(talk)
    talk.press("Clean Up")
    talk.run_message("Cleaned up")
    assert talk.principals() == []
    assert not exists(talk)


def test_a_destruction_adopts_all_of_it_and_archives_the_repository(talk: Conversation) -> None:
    talk.make()
    put_a_table(talk)
    lose_the_state(talk)
    opened(talk)
    assert submitted(talk, talk.name) is None
    talk.run_message("Destroy · Waiting for confirmation")
    talk.press(CONFIRM, talk.grace)
    done = talk.run_message("Destroy · Destroyed")
    assert "3 of 3 checks passed" in text_of(done)
    assert what_is_left(talk) == []


def test_what_a_discarded_destruction_adopted_goes_with_the_next_one(talk: Conversation) -> None:
    """The root of the next one imports nothing: all of it is in the state by then."""
    talk.make()
    lose_the_state(talk)
    opened(talk)
    assert submitted(talk, talk.name) is None
    talk.run_message("Destroy · Waiting for confirmation")
    talk.press("Discard")
    talk.run_message("Destroy · Discarded")
    opened(talk)
    assert submitted(talk, talk.name) is None
    talk.press(CONFIRM, talk.grace)
    talk.run_message("Destroy · Destroyed")
    assert what_is_left(talk) == []


def test_an_adoption_that_was_killed_is_finished_before_anything_is_planned(
    talk: Conversation,
) -> None:
    talk.make()
    lose_the_state(talk)
    opened(talk)
    assert submitted(talk, talk.name) is None
    wait_until(lambda: kill_an_import(talk), RUN_SECONDS)
    talk.run_message("Destroy · Waiting for confirmation")
    talk.press(CONFIRM, talk.grace)
    talk.run_message("Destroy · Destroyed")
    assert what_is_left(talk) == []


def kill_an_import(talk: Conversation) -> bool:
    """Kill the `terraform import` that runs for a project, once some things are adopted."""
    state = state_of(talk)
    if not state.exists() or state.read_text().count('"mode": "managed"') < SOME:
        return False
    for pid in terraform_processes(talk.world.directory):
        with suppress(OSError):
            words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
            if b"import" in words:
                os.kill(pid, signal.SIGKILL)
                return True
    return False


def test_a_state_that_was_cut_off_is_taken_from_its_backup(playground: Playground) -> None:
    talk = Conversation(playground, "torn-1")
    talk.make()
    playground.run(playground.world.bot.hold_at("after let schemas go 0"))
    opened(talk)
    assert submitted(talk, talk.name) is None
    run = talk.run_message("Destroy · Waiting for confirmation")
    planned = next(line for line in text_of(run).splitlines() if "to destroy" in line)
    talk.press(CONFIRM, talk.grace)
    playground.run(playground.world.bot.held(), timeout=RUN_SECONDS)
    playground.run(playground.world.bot.kill())
    cut_off(state_of(talk))
    playground.run(playground.world.bot.start(), timeout=RUN_SECONDS)
    done = text_of(talk.run_message("Destroy · Destroyed"))
    assert planned in done
    assert what_is_left(talk) == []


def test_what_is_left_in_an_archived_repository_is_removed_and_it_is_archived_again(
    playground: Playground,
) -> None:
    talk = Conversation(playground, "shut-1")
    talk.make()
    playground.run(playground.world.bot.hold_at("after let schemas go 0"))
    opened(talk)
    assert submitted(talk, talk.name) is None
    talk.run_message("Destroy · Waiting for confirmation")
    talk.press(CONFIRM, talk.grace)
    playground.run(playground.world.bot.held(), timeout=RUN_SECONDS)
    playground.run(playground.world.bot.kill())
    # As it is where Terraform was killed once all was done, and its backup knows nothing of that.
    talk.world.github.repos[talk.name].archived = True
    playground.run(playground.world.bot.start(), timeout=RUN_SECONDS)
    talk.run_message("Destroy · Destroyed")
    assert what_is_left(talk) == []


def test_what_was_made_anew_before_the_cut_is_adopted_and_not_made_twice(
    playground: Playground,
) -> None:
    talk = Conversation(playground, "torn-anew")
    talk.make()
    state = state_of(talk)
    before = state.read_text()
    environments = talk.world.github.repos[talk.name].environments
    del environments["Testing"]
    reconciled(talk, 1)
    made = environments["Testing"]
    state.with_name("terraform.tfstate.backup").write_text(before)
    state.write_text("")
    reconciled(talk, 2)
    assert environments["Testing"] is made
    assert [pattern.name for pattern in made.patterns.values()] == ["main"]


def test_a_state_that_an_adoption_has_cut_off_keeps_what_was_made_before(
    playground: Playground,
) -> None:
    talk = Conversation(playground, "torn-late")
    talk.make()
    lose_environments(talk)
    playground.run(playground.world.bot.hold_at("after plan 0"))
    opened(talk)
    assert submitted(talk, talk.name) is None
    playground.run(playground.world.bot.held(), timeout=RUN_SECONDS)
    playground.run(playground.world.bot.kill())
    cut_off(state_of(talk))
    playground.run(playground.world.bot.start(), timeout=RUN_SECONDS)
    run = talk.run_message("Destroy · Waiting for confirmation")
    planned = next(line for line in text_of(run).splitlines() if "to destroy" in line)
    talk.press(CONFIRM, talk.grace)
    assert planned in text_of(talk.run_message("Destroy · Destroyed"))
    assert what_is_left(talk) == []


def lose_environments(talk: Conversation) -> None:
    """Take the environments alone out of Terraform's state."""
    state = json.loads(state_of(talk).read_text())
    held, lost = state["resources"], "github_repository_environment"
    state["resources"] = [one for one in held if one["type"] != lost]
    assert len(state["resources"]) < len(held)
    state_of(talk).write_text(json.dumps(state))


def reconciled(talk: Conversation, number: int) -> None:
    """Have what was changed planned back, and see it through."""
    talk.ada.type(f"/sciclops reconcile {talk.name}")
    talk.run_message("Reconcile · Waiting for confirmation")
    talk.press("Confirm & Apply")
    wait_until(lambda: len(done(talk)) == number, RUN_SECONDS)


def done(talk: Conversation) -> list[Message]:
    """Return the reconciliations that have ended well."""
    return [one for one in talk.run_messages() if "Reconcile · Done" in text_of(one)]
