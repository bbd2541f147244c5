"""Who confirms is a setting: nobody, the platform team, or somebody else than the requester."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from conversation import ANSWER_SECONDS, Conversation
from played_runs import playing
from waiting import wait_until

from playground import cast
from playground.slack.reading import buttons, text_of
from playground.world import Choices


@pytest.fixture
def talk_under(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Conversation]:
    """Return a conversation in a playground with the given confirmers."""
    choices = Choices(edit_seconds=0.2, confirm=request.param)
    with playing(tmp_path / "playground", choices) as playground:
        yield Conversation(playground, f"under-{request.param.replace('_', '-')}")


@pytest.mark.parametrize("talk_under", ["platform"], indirect=True)
def test_only_the_platform_team_confirms(talk_under: Conversation) -> None:
    talk = talk_under
    run = talk.planned()
    assert "Waiting for confirmation by S0PLATFORM" in text_of(run)
    for person in (talk.ada, talk.grace):
        talk.press("Confirm & Apply", person)
        talk.told(person, "Not done: only the platform team confirms this plan.")
    assert talk.name not in talk.world.github.repos
    talk.press("Confirm & Apply", talk.pat)
    talk.run_message("Ready in")


@pytest.mark.parametrize("talk_under", ["second_person"], indirect=True)
def test_a_second_person_confirms(talk_under: Conversation) -> None:
    talk = talk_under
    run = talk.planned()
    assert "Waiting for confirmation by U0GRACE or S0PLATFORM" in text_of(run)
    talk.press("Confirm & Apply")
    talk.told(talk.ada, "Not done: somebody else than the requester confirms this plan.")
    talk.press("Confirm & Apply", talk.sam)
    talk.told(talk.sam, "Not done: only an owner of the project or the platform team can do that.")
    assert "Confirm & Apply" in buttons(talk.run_message())
    talk.press("Confirm & Apply", talk.grace)
    assert "Confirmed by U0GRACE" in text_of(talk.run_message("Ready in"))


@pytest.mark.parametrize("talk_under", ["nobody"], indirect=True)
def test_nobody_needs_to_confirm(talk_under: Conversation) -> None:
    talk = talk_under
    talk.ask(data_access=["gbx1_prod.sales|read"])
    run = talk.run_message("Waiting for consent")
    assert "Confirm & Apply" not in buttons(run)
    talk.press("Consent", talk.dora)
    talk.run_message("Ready in")
    talk.name = "without-data"
    talk.ask()
    run = talk.run_message("Ready in")
    assert "please confirm" not in "".join(text_of(reply) for reply in talk.ada.thread(run))


def platform_team(talk: Conversation, *people: cast.Person) -> None:
    """Make these the members of the platform team's user group."""
    group = talk.world.slack.workspace.user_groups["S0PLATFORM"]
    group.members = [one.slack for one in people]


@pytest.mark.parametrize("talk_under", ["platform"], indirect=True)
@pytest.mark.parametrize("members", [(), (cast.GONE,)], ids=["empty", "inactive"])
def test_nothing_is_asked_of_a_platform_team_without_people(
    talk_under: Conversation, members: tuple[cast.Person, ...]
) -> None:
    talk = talk_under
    platform_team(talk, *members)
    errors = talk.fill().submit()
    assert errors is not None
    assert set(errors) == {"owners"}
    assert (
        "Only the platform team may confirm this, and nobody active is in it." in errors["owners"]
    )
    assert "roles.platform" in errors["owners"]
    platform_team(talk, cast.PAT)
    wait_until(lambda: talk.ada.submit() is None, ANSWER_SECONDS)
    talk.run_message()


@pytest.mark.parametrize("talk_under", ["second_person"], indirect=True)
def test_who_is_alone_is_told_that_a_second_person_is_needed(talk_under: Conversation) -> None:
    talk = talk_under
    platform_team(talk, cast.ADA, cast.GONE)
    errors = talk.fill(owners=[cast.ADA.slack]).submit()
    assert errors is not None
    assert set(errors) == {"owners"}
    assert "nobody else could" in errors["owners"]
    assert errors["owners"].endswith("Add another owner.")
    talk.ada.fill({"owners": [cast.ADA.slack, cast.GRACE.slack]})
    assert talk.ada.submit() is None
    talk.run_message()


@pytest.mark.parametrize("talk_under", ["requester"], indirect=True)
def test_the_requester_needs_no_platform_team(talk_under: Conversation) -> None:
    talk = talk_under
    platform_team(talk)
    talk.ask(owners=[cast.ADA.slack])
    talk.run_message()
