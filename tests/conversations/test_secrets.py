"""Secrets of a project's own: planned without their value, entered in a dialog, and forgotten."""

from collections.abc import Iterator
from datetime import timedelta
from functools import partial

import pytest
from conversation import RUN_SECONDS, Conversation
from waiting import wait_until

from playground.cast import STAGES
from playground.faults import Door, Fault
from playground.github.world import Environment
from playground.slack.entities import Message
from playground.slack.reading import text_of
from playground.world import Playground

NAME = "DABS_ROCKS"
VALUE = "hunter2-is-no-password-8c1f"
OTHER = "correct-horse-battery-77aa"


@pytest.fixture(scope="module")
def living(playground: Playground) -> Conversation:
    """Return a conversation about a project that is ready."""
    talk = Conversation(playground, "vault-1")
    talk.make()
    return talk


@pytest.fixture
def talk(living: Conversation) -> Iterator[Conversation]:
    """Return the conversation; afterwards all is well again."""
    yield living
    living.world.faults.clear()
    living.world.slack.workspace.stacks.clear()


def environments(talk: Conversation) -> dict[str, Environment]:
    """Return the project's environments at GitHub that have secrets of its own, by stage."""
    found = talk.world.github.repos[talk.name].environments
    return {stage: found[stage.capitalize()] for stage in STAGES}


def at_github(talk: Conversation, name: str = NAME) -> dict[str, str]:
    """Return what each stage's environment holds at GitHub, unsealed."""
    return {
        stage: environment.secrets[name].value.decode()
        for stage, environment in environments(talk).items()
        if name in environment.secrets
    }


def at_databricks(talk: Conversation, name: str = NAME) -> dict[str, str | None]:
    """Return what each stage's scope holds; None where there is a scope without a value."""
    held: dict[str, str | None] = {}
    for stage in STAGES:
        scopes = talk.world.databricks.workspace("gbx1", stage).scopes
        if scope := scopes.get(f"{talk.name}-{stage}.{name}"):
            secret = scope.secrets.get(name)
            held[stage] = secret.value.decode() if secret else None
    return held


def readers(talk: Conversation, stage: str) -> set[str]:
    """Return who may read a stage's scope, by the names of the principals."""
    scope = talk.world.databricks.workspace("gbx1", stage).scopes[f"{talk.name}-{stage}.{NAME}"]
    names = {one.application_id: one.display_name for one in talk.world.databricks.principals}
    return {names.get(who, who) for who, level in scope.acls.items() if level == "READ"}


def opened(talk: Conversation, words: str) -> None:
    """Type the command and wait for its dialog."""
    talk.ada.type(f"/sciclops secret {words}")
    title = "Add secret" if words.startswith("add") else "Enter value"
    talk.view_says(title)


def enter(talk: Conversation, value: str, *stages: str) -> None:
    """Enter a value into the dialog that is open, and submit it."""
    talk.ada.fill({"value": value, **({"stages": list(stages)} if stages else {})})
    assert talk.ada.submit() is None


def newest(talk: Conversation, state: str, after: int = 0, title: str = "Secret") -> Message:
    """Wait until the newest of more than so many run messages shows a state; return it."""

    def look() -> Message | None:
        runs = talk.run_messages()
        is_so = len(runs) > after and f"{talk.name} · {title} · {state}" in text_of(runs[-1])
        return runs[-1] if is_so else None

    return talk.ada.wait_until(look, timeout=RUN_SECONDS)


def test_a_secret_is_planned_confirmed_entered_and_forgotten(talk: Conversation) -> None:
    opened(talk, f"add {talk.name} {NAME}")
    assert talk.ada.submit() is None
    run = talk.run_message("Secret · Waiting for confirmation")
    assert "+12 ~0 -0" in text_of(run)
    assert at_databricks(talk) == {}
    talk.press("Confirm & Apply")
    run = talk.run_message("Secret · Waiting for the value")
    assert "Development, Testing, Staging and Production wait for a value" in text_of(run)
    assert at_databricks(talk) == dict.fromkeys(STAGES)
    assert at_github(talk) == {}
    assert readers(talk, "production") == {f"{talk.name}-production"}
    variables = environments(talk)["production"].variables
    assert variables[f"{NAME}_SCOPE"].value == f"{talk.name}-production.{NAME}"

    talk.press("Enter Value")
    talk.view_says("Enter value")
    enter(talk, f"  {VALUE}\n", "development", "testing", "staging")
    talk.says("Production waits for a value")
    assert "production" not in at_github(talk)
    talk.press("Enter Value")
    talk.view_says("Enter value")
    enter(talk, OTHER)  # where it is missing
    talk.run_message("Secret · Done")
    values = dict.fromkeys(STAGES[:3], VALUE) | {"production": OTHER}
    assert at_github(talk) == values
    assert at_databricks(talk) == values
    talk.told(talk.ada, f"{NAME} is stored in")


def test_set_replaces_a_value_without_a_plan(talk: Conversation) -> None:
    before = len(talk.run_messages())
    opened(talk, f"set {talk.name} {NAME}")
    enter(talk, OTHER, "testing")
    run = newest(talk, "Done", before)
    assert "Plan" not in text_of(run)
    assert at_databricks(talk) == at_github(talk)
    assert at_github(talk) == {**at_github(talk), "testing": OTHER, "staging": VALUE}
    assert len(talk.run_messages()) == before + 1


def test_names_and_dates_are_listed_and_checked_but_no_value(talk: Conversation) -> None:
    before = len(talk.run_messages())
    talk.sam.type(f"/sciclops secret list {talk.name}")
    listed = text_of(talk.told(talk.sam, f"Secrets · {talk.name}"))
    assert listed.count(NAME) == len(STAGES)
    assert VALUE not in listed
    del environments(talk)["staging"].secrets[NAME]
    talk.ada.type(f"/sciclops secret list {talk.name}")
    assert "not at GitHub" in text_of(talk.told(talk.ada, f"Secrets · {talk.name}"))
    talk.ada.type(f"/sciclops check {talk.name}")
    checked = text_of(talk.told(talk.ada, f"Check · {talk.name}"))
    assert f"environment Staging has a value of the secret {NAME}" in checked
    assert f"/sciclops secret set {talk.name}" in checked
    opened(talk, f"set {talk.name} {NAME}")
    enter(talk, VALUE, "staging")
    newest(talk, "Done", before)
    assert at_github(talk)["staging"] == VALUE


@pytest.mark.parametrize(
    ("door", "pattern", "halfway"),
    [("databricks", "POST .*/secrets/put", VALUE), ("github", f"PUT .*/{NAME}$", OTHER)],
)
def test_a_value_that_cannot_be_written_is_asked_for_again(
    talk: Conversation, door: Door, pattern: str, halfway: str
) -> None:
    before = len(talk.run_messages())
    fault = Fault(door, "status", pattern, times=1, status=403)
    opened(talk, f"set {talk.name} {NAME}")
    talk.world.faults.add(fault)
    enter(talk, OTHER, "staging", "production")
    run = newest(talk, "Waiting for the value", before)
    said = text_of(run)
    assert "The value was not stored everywhere" in said
    assert "Staging may have the new value in part. Production kept what it had" in said
    assert OTHER not in said
    assert at_github(talk)["staging"] == VALUE
    assert at_databricks(talk)["staging"] == halfway
    talk.ada.press("Enter Value", on=run)
    talk.view_says("Enter value")
    enter(talk, VALUE, "staging")
    shown = "Production waits for a value"
    talk.ada.wait_until(lambda: shown in text_of(run) or None, timeout=RUN_SECONDS)
    talk.ada.press("Enter Value", on=run)
    talk.view_says("Enter value")
    enter(talk, OTHER)
    newest(talk, "Done", before)
    assert at_github(talk)["staging"] == at_databricks(talk)["staging"] == VALUE


def test_a_value_behind_the_name_is_refused_and_kept_nowhere(talk: Conversation) -> None:
    typed = "plainly-typed-4bd1e9"
    commands = (f"add {talk.name} API_KEY {typed}", f"add {talk.name} {typed}", f"{typed} X")
    for number, words in enumerate((*commands, f"set {talk.name} API_KEY={typed}")):
        talk.ada.type(f"/sciclops secret {words}")
        talk.ada.wait_until(partial(told_so_often, talk, number + 1))
    files = [one for one in (talk.world.directory / "bot").rglob("*") if one.is_file()]
    assert any(one.name.startswith("sciclops.sqlite") for one in files)
    assert [one.name for one in files if typed.encode() in one.read_bytes()] == []
    assert typed not in talk.world.bot.log.read_text()


def told_so_often(talk: Conversation, often: int) -> bool | None:
    """Tell whether Ada was told so often that what she typed is to be considered leaked."""
    messages = talk.world.slack.workspace.messages
    mine = [text_of(one) for one in messages if one.reader == talk.ada.user]
    return sum("consider it leaked" in said for said in mine) == often or None


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("GITHUB_THING", "GitHub keeps names that begin so for itself"),
        ("DATABRICKS_TOKEN", "the deploy workflow logs in with secrets that are called so"),
        ("9LIVES", "begins with no digit"),
        ("correct-horse", "A name has capital letters"),
        (NAME, "is in every stage already; set gives it another value"),
    ],
)
def test_names_that_cannot_be_are_refused_on_their_field(
    talk: Conversation, name: str, why: str
) -> None:
    opened(talk, f"add {talk.name}")
    talk.ada.fill({"name": name, "stages": ["testing"]})
    errors = talk.ada.submit()
    assert errors is not None
    assert why in errors["name"]
    talk.ada.close()


def test_a_secret_that_every_stage_has_is_refused_before_a_dialog_opens(talk: Conversation) -> None:
    talk.ada.type(f"/sciclops secret add {talk.name} {NAME}")
    talk.told(talk.ada, f"{NAME} is in every stage already; set gives it another value.")
    assert not talk.ada.has_view()


def test_only_owners_and_the_platform_team_change_secrets(talk: Conversation) -> None:
    for words in (f"add {talk.name} X", f"set {talk.name} {NAME}", f"remove {talk.name} {NAME}"):
        talk.sam.type(f"/sciclops secret {words}")
        talk.told(talk.sam, "Not done: only an owner of the project or the platform team changes")
    assert not talk.sam.has_view()


def test_a_kill_while_a_value_is_written_is_told_and_the_value_asked_for_again(
    talk: Conversation,
) -> None:
    before, bot = len(talk.run_messages()), talk.world.bot
    opened(talk, f"set {talk.name} {NAME}")
    talk.world.faults.add(Fault("github", "delay", f"PUT .*/Testing/secrets/{NAME}$", seconds=60))
    enter(talk, "written-in-part-51cc", "development", "testing", "staging")
    wait_until(lambda: at_databricks(talk)["testing"] == "written-in-part-51cc", RUN_SECONDS)
    newest(talk, "Storing the value", before)
    talk.playground.run(bot.kill())
    talk.world.faults.clear()
    talk.playground.run(bot.start(), RUN_SECONDS)
    newest(talk, "Storing the value", before)
    talk.world.clock.advance(timedelta(minutes=4))
    run = newest(talk, "Waiting for the value", before)
    said = text_of(run)
    assert "SciCLOps was stopped while it wrote. Testing and Staging may have the new value" in said
    assert at_github(talk)["testing"] == OTHER
    talk.ada.press("Enter Value", on=run)
    talk.view_says("Enter value")
    enter(talk, VALUE, "development", "testing", "staging")
    newest(talk, "Done", before)
    assert {*at_github(talk).values(), *at_databricks(talk).values()} == {VALUE, OTHER}
    assert at_github(talk)["testing"] == at_databricks(talk)["testing"] == VALUE


def test_a_secret_is_added_after_a_kill_and_times_out_while_nobody_enters_it(
    talk: Conversation,
) -> None:
    before, bot = len(talk.run_messages()), talk.world.bot
    talk.playground.run(bot.hold_at("after keep the secret"))
    opened(talk, f"add {talk.name} LATER_KEY")
    talk.ada.fill({"stages": ["testing"]})
    assert talk.ada.submit() is None
    assert "+3 ~0 -0" in text_of(newest(talk, "Waiting for confirmation", before))
    talk.press("Confirm & Apply")
    talk.playground.run(bot.held(), RUN_SECONDS)
    talk.playground.run(bot.kill())
    talk.playground.run(bot.start(), RUN_SECONDS)
    newest(talk, "Waiting for the value", before)
    assert at_databricks(talk, "LATER_KEY") == {"testing": None}
    talk.world.clock.advance(timedelta(hours=73))
    newest(talk, "Timed out", before)
    talk.ada.type(f"/sciclops secret list {talk.name}")
    talk.told(talk.ada, "no value yet")


def test_a_discarded_secret_leaves_nothing_and_a_removed_one_neither(talk: Conversation) -> None:
    before = len(talk.run_messages())
    opened(talk, f"add {talk.name} NEVER_MADE")
    assert talk.ada.submit() is None
    newest(talk, "Waiting for confirmation", before)
    talk.press("Discard")
    newest(talk, "Discarded", before)
    assert at_databricks(talk, "NEVER_MADE") == {}

    talk.ada.type(f"/sciclops secret remove {talk.name} {NAME}")
    talk.told(talk.ada, f"The removal of {NAME} is planned. Its values go with it")
    removal = "Secret removal"
    asked = newest(talk, "Waiting for confirmation", before + 1, removal)
    assert "+0 ~0 -12" in text_of(asked)
    assert len(at_github(talk)) == len(STAGES)
    talk.press("Confirm & Apply")
    newest(talk, "Removed", before + 1, removal)
    assert at_github(talk) == {}
    assert at_databricks(talk) == {}
    assert f"{NAME}_SCOPE" not in environments(talk)["production"].variables
    talk.ada.type(f"/sciclops secret set {talk.name} {NAME}")
    talk.told(talk.ada, "has no such secret. Its secrets are LATER_KEY")
