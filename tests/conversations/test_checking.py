"""`/sciclops check`: what is as it was asked for, what is not, and how to mend it."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from conversation import RUN_SECONDS, Conversation
from shipping import merge
from typer.testing import CliRunner, Result

from bot.cli import cli
from playground.faults import Fault
from playground.slack.driver import Person
from playground.slack.entities import File, Message
from playground.slack.reading import text_of
from playground.world import Playground


@pytest.fixture(scope="module")
def living(playground: Playground) -> Conversation:
    """Return a conversation about a project that is ready, and that people have changed since."""
    talk = Conversation(playground, "checked-1")
    talk.make()
    merge(talk, "feat: write something down")
    return talk


@pytest.fixture(autouse=True)
def mended(living: Conversation) -> Iterator[None]:
    """Leave no fault behind, and none of the results."""
    yield
    living.world.faults.clear()
    living.world.slack.workspace.messages.clear()


def check(talk: Conversation, person: Person) -> Message:
    """Type the command; return the result that is sent directly."""
    person.type(f"/sciclops check {talk.name}")
    talk.told(person, f"GitHub and Databricks are asked about {talk.name}")

    def look() -> Message | None:
        messages = reversed(talk.world.slack.workspace.messages)
        mine = (one for one in messages if one.channel == f"D{person.user.removeprefix('U')}")
        return next((one for one in mine if f"Check · {talk.name}" in text_of(one)), None)

    return person.wait_until(look, timeout=RUN_SECONDS)


def rows(result: Message) -> list[list[str]]:
    """Return the cells of the result's table, without its header."""
    (table,) = (block for block in result.blocks if block["type"] == "table")
    return [[_words(cell) for cell in row] for row in table["rows"][1:]]


def _words(cell: Any) -> str:
    sections = cell.get("elements", [])
    return "".join(part.get("text", "") for each in sections for part in each["elements"]).strip()


def row(result: Message, name: str) -> list[str]:
    """Return the row of one check."""
    return next(cells for cells in rows(result) if name in cells[0])


def on_the_command_line(talk: Conversation, *options: str) -> Result:
    """Run `sciclops check` as an operator or CI would."""
    file = str(talk.world.directory / "sciclops.toml")
    words = ["check", talk.name, "--settings", file, *options]
    return CliRunner().invoke(cli, words, env=talk.world.secrets())


def test_a_project_that_people_have_changed_passes_for_anybody(living: Conversation) -> None:
    result = check(living, living.sam)
    total = len(json.loads(on_the_command_line(living, "--json").output)["checks"])
    assert f"{total} of {total} checks passed" in text_of(result)
    assert row(result, "Development: last deployment")[1].startswith("passed: commit ")
    assert row(result, "Production: last deployment")[1] == "passed: none yet"
    assert row(result, "Everything else that was asked")[1] == f"{total - 4} passed"
    assert "failed" not in text_of(result)


def test_what_is_broken_at_either_vendor_is_named_first_with_its_remedy(
    living: Conversation,
) -> None:
    world, name = living.world, living.name
    variable = world.github.repos[name].environments["Staging"].variables["DATABRICKS_CLIENT_ID"]
    principal = next(
        each for each in world.databricks.principals if each.display_name == f"{name}-testing"
    )
    kept, variable.value, principal.active = variable.value, "somebody-else", False
    try:
        result = check(living, living.ada)
        done = on_the_command_line(living)
    finally:
        variable.value, principal.active = kept, True
    assert "2 failed" in text_of(result)
    first, second = rows(result)[:2]
    assert first == [
        "environment Staging has its variables",
        "failed: Wrong or missing: DATABRICKS_CLIENT_ID.",
        f"Somebody has changed this by hand: /sciclops reconcile {name} plans it back and asks "
        "first.",
    ]
    assert second[0] == "Testing: service principal is active"
    assert second[1] == f"failed: {name}-testing is deactivated."
    assert second[2] == first[2]
    assert done.exit_code == 1
    assert f"failed  {second[0]}: {name}-testing is deactivated." in done.output
    living.ada.open_home()
    home = text_of(living.ada.wait_for_home("2 of its checks failed", timeout=RUN_SECONDS))
    assert "(looked just now)" in home
    assert "Dev ✓ · Test ✓ · Stage ✓ · Prod –" in home


def test_a_vendor_that_does_not_answer_has_not_passed(living: Conversation) -> None:
    living.world.faults.add(Fault("github", "status", times=10_000, status=503))
    result = check(living, living.ada)
    cells = row(result, "GitHub, about repository and environments")
    assert cells[1].startswith("could not be asked: GitHub answered 503")
    assert "Check again once it answers" in cells[2]
    assert "could not be asked" in text_of(result)
    assert row(result, "Everything else that was asked")[1].endswith("passed")


def test_programs_get_everything_as_a_file(living: Conversation) -> None:
    living.ada.type(f"/sciclops check {living.name} --json")
    living.told(living.ada, "I send you a file directly")

    def look() -> File | None:
        shared = [file for one in living.world.slack.workspace.messages for file in one.files]
        return next((file for file in shared if file.name.startswith("check-")), None)

    file = living.ada.wait_until(look, timeout=RUN_SECONDS)
    assert file.channel == f"D{living.ada.user.removeprefix('U')}"
    told = json.loads(file.content)
    assert told["project"] == living.name
    assert told["passed"] is True
    assert {each["result"] for each in told["checks"]} == {"passed"}
    offered = "acme/sciclops-platform/.github/workflows/deploy-bundle.yml@v1"
    names = [each["check"] for each in told["checks"]]
    assert f"the deploy workflow is the one on offer, {offered}" in names
    done = on_the_command_line(living, "--json")
    assert done.exit_code == 0
    assert [each["check"] for each in json.loads(done.output)["checks"]] == names


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("nobody-1", "There is no project “nobody-1”."),
        ("checked-1 --yaml", "There is no “--yaml” here; there is only --json."),
        ("", "Which project?"),
    ],
)
def test_what_cannot_be_checked_is_said_at_once(
    living: Conversation, typed: str, said: str
) -> None:
    living.ada.type(f"/sciclops check {typed}")
    living.told(living.ada, said)
