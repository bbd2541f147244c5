"""What stands where, for whom, and what is sent when it changes."""

from dataclasses import replace
from datetime import UTC, timedelta
from pathlib import Path

import page_samples as samples
import pytest
from page_demo import CHANNEL, Demo

from playground.cast import BOT_USER_ID
from playground.clock import SharedClock
from playground.page.address import Address, parse
from playground.page.bench import read_fault
from playground.page.html import Html, tag
from playground.page.lab import Control, faults_view
from playground.page.live import Sent, difference
from playground.page.modals import modal
from playground.page.regions import MOST_MESSAGES, Scene
from playground.page.shell import Region, document
from playground.slack.entities import Message, NotPossible
from provisioning.clock import SystemClock

ADDRESSES = [
    Address("U0ADA", "channel", CHANNEL),
    Address("U0ADA", "channel", CHANNEL, thread="1.5"),
    Address("U0ADA", "home"),
    Address("U0ADA", "world", "github"),
    Address("U0ADA", "faults"),
    Address("U0ADA", "deliveries"),
    Address("U0ADA", "file", "F1"),
    Address("U0ADA", "source", "ada-7", path="src/a b.py"),
]


@pytest.fixture
def scene() -> Scene:
    return Demo().page.scene


def words(scene: Scene, viewer: str, region: str = "messages") -> str:
    """Return what a person sees in the channel."""
    return shown_at(scene, Address(viewer, "channel", CHANNEL), region)


def shown_at(scene: Scene, at: Address, region: str) -> str:
    """Return what a region shows."""
    content = scene.regions(at)[region]
    return content if isinstance(content, Html) else "".join(html for _, html in content)


@pytest.mark.parametrize("at", ADDRESSES, ids=str)
def test_an_address_is_what_it_was_parsed_from(at: Address) -> None:
    assert parse(str(at)) == at


@pytest.mark.parametrize(
    "url", ["/", "/as/U0ADA", "/as/U0ADA/c/", "/as/U0ADA/nowhere", "/x/U/home"]
)
def test_other_addresses_are_none(url: str) -> None:
    assert parse(url) is None


@pytest.mark.parametrize("at", ADDRESSES[:7], ids=str)
def test_every_place_has_a_document_without_script_or_style_of_its_own(
    scene: Scene, at: Address
) -> None:
    assert scene.exists(at)
    html = document(scene.regions(at), at, scene.title(at), scene.hints)
    assert html.startswith('<!doctype html><html lang="en">')
    assert html.count("<script") == 1
    assert " style=" not in html
    assert " onclick=" not in html


def test_places_that_are_not_there_or_not_theirs_do_not_exist(scene: Scene) -> None:
    for at in (
        Address("U0NOBODY", "home"),
        Address(BOT_USER_ID, "home"),
        Address("U0GIL", "home"),
        Address("U0ADA", "channel", "C0NONE"),
        Address("U0ADA", "channel", scene.workspace.direct_messages("U0PAT").id),
        Address("U0ADA", "world", "mars"),
        Address("U0ADA", "file", "F9"),
        Address("U0ADA", "source", "ada-7"),
    ):
        assert not scene.exists(at), at


def test_a_private_file_is_for_its_reader_only(scene: Scene) -> None:
    secret = scene.workspace.files["F1"]
    for message in scene.workspace.messages:
        message.files = []
    scene.workspace.add(Message(CHANNEL, "", BOT_USER_ID, "x", reader="U0ADA", files=[secret]))
    assert scene.file("U0ADA", "F1") is secret
    assert scene.file("U0PAT", "F1") is None


def test_an_ephemeral_message_is_in_its_reader_s_page_only(scene: Scene) -> None:
    assert "Only visible to you" in words(scene, "U0ADA")
    assert "Only visible to you" not in words(scene, "U0GRACE")


def test_a_form_is_in_its_person_s_page_only(scene: Scene) -> None:
    scene.workspace.open_view("U0ADA", samples.new_project())
    assert "New Project" in words(scene, "U0ADA", "modal")
    assert words(scene, "U0GRACE", "modal") == ""


def test_a_submit_button_may_be_absent_or_switched_off(scene: Scene) -> None:
    reader = scene.reader("U0ADA")
    view = scene.workspace.open_view("U0ADA", samples.new_project() | {"submit_disabled": True})
    assert "data-submit" in modal([view], reader)
    assert " disabled" in modal([view], reader)
    del view.content["submit"]
    assert "data-submit" not in modal([view], reader)


def test_trouble_with_the_app_is_told_in_the_form(scene: Scene) -> None:
    view = scene.workspace.open_view("U0ADA", samples.new_project())
    view.trouble = "We had some trouble connecting. Try again?"
    assert 'role="alert"><span class="mark"' in modal([view], scene.reader("U0ADA"))


def test_messages_carry_time_badge_and_edited_mark(scene: Scene) -> None:
    html = words(scene, "U0ADA")
    assert html.count("app-badge") >= 2
    assert html.count('class="edited"') == 1
    assert "2 replies" in html
    assert f"{scene.clock.now().astimezone(UTC):%Y-%m-%dT}" in html


def test_a_long_channel_shows_its_end_and_says_what_is_left_out(scene: Scene) -> None:
    shown = len(scene.workspace.visible_messages("U0ADA", CHANNEL))
    for number in range(MOST_MESSAGES):
        scene.workspace.add(Message(CHANNEL, "", "U0PAT", f"message {number}."))
    html = words(scene, "U0ADA")
    assert f"{shown} earlier messages are not shown." in html
    assert html.count("<article") == MOST_MESSAGES
    assert "message 0." in html


def test_a_message_is_drawn_anew_when_it_is_edited(scene: Scene) -> None:
    said = scene.workspace.add(Message(CHANNEL, "", "U0PAT", "before"))
    assert "before" in words(scene, "U0ADA")
    scene.workspace.edit(said, {"text": "after"})
    assert "after" in words(scene, "U0ADA")
    assert "before" not in words(scene, "U0ADA")


def test_an_unanswered_click_warns_who_clicked(scene: Scene) -> None:
    (message,) = (one for one in scene.workspace.messages if one.text == "Confirm?")
    message.warned.add("U0ADA")
    assert "did not respond in time" not in words(scene, "U0GRACE")
    assert "did not respond in time" in words(scene, "U0ADA")


def test_a_deleted_parent_leaves_its_thread(scene: Scene) -> None:
    (run,) = (one for one in scene.workspace.messages if one.text == "Applying")
    scene.workspace.delete(run)
    assert "This message was deleted." in words(scene, "U0ADA")


def test_what_was_said_on_another_day_has_its_date_in_a_thread(
    scene: Scene, tmp_path: Path
) -> None:
    clock = SharedClock(tmp_path / "clock")
    later = replace(scene, clock=clock)
    parent = next(one for one in scene.workspace.messages if one.thread_ts and one.reader is None)
    at = Address("U0ADA", "channel", CHANNEL, thread=str(parent.thread_ts))
    shown = f">{later.reader('U0ADA').local(float(parent.ts)):%b %-d, %Y} at "
    assert shown not in shown_at(later, at, "thread")
    clock.advance(timedelta(days=3))
    assert shown in shown_at(later, at, "thread")


def test_only_what_changed_is_sent() -> None:
    sent: Sent = {}
    before: dict[str, Region] = {
        "side": tag("p", "a"),
        "list": [("1", tag("p", "x")), ("2", tag("p", "y"))],
    }
    first = difference(sent, before)
    assert first["side"] == {"html": "<p>a</p>"}
    assert first["list"] == {"order": ["1", "2"], "items": {"1": "<p>x</p>", "2": "<p>y</p>"}}
    assert difference(sent, before) == {}
    after: dict[str, Region] = {
        "side": tag("p", "a"),
        "list": [("2", tag("p", "y")), ("3", tag("p", "z"))],
    }
    assert difference(sent, after) == {"list": {"order": ["2", "3"], "items": {"3": "<p>z</p>"}}}
    assert difference(sent, {"list": []}) == {"list": {"order": [], "items": {}}}


def test_a_filled_form_is_a_fault() -> None:
    sent = {
        "door": "slack",
        "what": "429",
        "times": "3",
        "seconds": "2",
        "pattern": "chat",
        "after_effect": "on",
    }
    fault = read_fault(sent)
    assert (fault.door, fault.kind, fault.status, fault.times) == ("slack", "status", 429, 3)
    assert (fault.seconds, fault.pattern, fault.after_effect) == (2.0, "chat", True)
    assert read_fault(sent | {"what": "drop"}).kind == "drop"


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        ({"door": "garage"}, "no door"),
        ({"what": "200"}, "not a fault"),
        ({"times": "0"}, "above 0"),
        ({"times": "nan"}, "above 0"),
        ({"seconds": "1e9"}, "up to 120"),
        ({"pattern": "("}, "regular expression"),
    ],
)
def test_a_form_that_makes_no_sense_says_why(wrong: dict[str, str], reason: str) -> None:
    right = {"door": "github", "what": "500", "times": "1", "seconds": "1"}
    with pytest.raises(NotPossible, match=reason):
        read_fault(right | wrong)


def test_a_clock_that_can_t_be_moved_offers_no_buttons(scene: Scene, tmp_path: Path) -> None:
    assert 'data-lab="advance"' in faults_view(scene.faults, scene.clock, {})
    assert 'data-lab="advance"' in faults_view(scene.faults, SharedClock(tmp_path / "clock"), {})
    assert 'data-lab="advance"' not in faults_view(scene.faults, SystemClock(), {})


def test_a_control_says_what_it_does_and_asks_what_it_needs(scene: Scene) -> None:
    async def act(argument: str) -> str:
        return argument

    control = Control("Crash", act, "It dies.", asks="Step", danger=True)
    html = faults_view(scene.faults, scene.clock, {"crash": control})
    assert 'value="crash"' in html
    assert "Step<input" in html
    assert "It dies." in html


@pytest.mark.parametrize(
    "said",
    [
        Message("C0COMMUNITY", "", BOT_USER_ID, "May they? <!subteam^S0DATAOWN>"),
        Message(
            "C0COMMUNITY",
            "",
            BOT_USER_ID,
            "May they?",
            blocks=[samples.rich({"type": "usergroup", "usergroup_id": "S0DATAOWN"})],
        ),
    ],
)
def test_who_names_a_user_group_has_news_for_its_members(scene: Scene, said: Message) -> None:
    wanted = scene.attention.is_wanted
    everybody = list(scene.workspace.people)
    before = {one for one in everybody if wanted(scene.workspace, one)}
    scene.workspace.add(said)
    after = {one for one in everybody if wanted(scene.workspace, one)}
    assert after - before == {"U0DORA"}


def test_terraform_s_page_says_that_terraform_is_real(scene: Scene) -> None:
    real = replace(scene, worlds={"Terraform": dict, "GitHub": dict})
    header = {one: real.regions(Address("U0ADA", "world", one))["header"] for one in real.worlds}
    assert (
        "Terraform is real; what you see is read from the files of its runs" in header["Terraform"]
    )
    assert "stand-in" not in header["Terraform"]
    assert "what the stand-in says of itself" in header["GitHub"]
