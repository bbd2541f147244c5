"""Modals: what is entered stays, errors sit on their field, and the keyboard is enough."""

import re

import page_samples as samples
from browser_seat import CHANNEL, Seat, Served
from playwright.sync_api import Locator, Page, expect

from playground.slack.entities import Json

pytest_plugins = ("browser_fixtures",)


def opened(person: Page) -> Locator:
    """Type the command and return the form."""
    person.get_by_label("Message", exact=True).fill("/sciclops new")
    person.keyboard.press("Enter")
    form = person.get_by_role("dialog", name="New Project")
    expect(form).to_be_visible()
    return form


def entered(served: Served, block: str) -> Json:
    """Return what the workspace has as an input's state."""
    view = served.demo.workspace.views("U0ADA")[-1]
    state: Json = view.values[block]["value"]
    return state


def test_an_error_sits_on_its_field_and_the_input_is_kept(seat: Seat) -> None:
    ada = seat("U0ADA")
    form = opened(ada)
    form.get_by_label("Project name").fill("Ada 7")
    form.get_by_label("Why").fill("because\nof this")
    form.get_by_label("GitHub team").fill("ml-r")
    form.get_by_role("option", name="ml-reviewers").click()
    form.get_by_role("button", name="Create Plan").click()
    name = form.get_by_label("Project name")
    expect(name).to_have_accessible_description(re.compile("Use small letters only."))
    expect(name).to_be_focused()
    expect(name).to_have_value("Ada 7")
    expect(form.get_by_label("Why")).to_have_value("because\nof this")
    expect(form.get_by_label("GitHub team")).to_have_value("ml-reviewers")
    name.fill("ada-7")
    expect(form.locator(".error")).to_have_count(0)
    form.get_by_role("button", name="Create Plan").click()
    expect(form).to_have_count(0)
    expect(ada.locator(".message").last).to_contain_text("Planning ada-7")
    expect(ada.get_by_label("Message", exact=True)).to_be_focused()


def test_slack_itself_asks_for_required_fields(served: Served, seat: Seat) -> None:
    ada = seat("U0ADA")
    form = opened(ada)
    heard = len(served.demo.app.heard)
    form.get_by_role("button", name="Create Plan").click()
    expect(form.get_by_text("Please complete this required field.")).to_have_count(2)
    expect(form.get_by_label("Project name")).to_be_focused()
    assert len(served.demo.app.heard) == heard


def test_an_update_leaves_the_caret_the_focus_and_half_typed_words_alone(
    served: Served, seat: Seat
) -> None:
    ada = seat("U0ADA")
    form = opened(ada)
    name = form.get_by_label("Project name")
    name.press_sequentially("take")
    for _ in range(2):
        name.press("ArrowLeft")
    name.press_sequentially("X")
    served.until(lambda: "taXke" in str(served.demo.app.heard[-1]))
    view = served.demo.workspace.views("U0ADA")[-1]

    async def check() -> None:
        served.demo.workspace.update_view(view, samples.new_project("Checking the name…"))

    served.run(check())
    expect(form.get_by_text("Checking the name…")).to_be_visible()
    expect(name).to_have_value("taXke")
    expect(name).to_be_focused()
    assert name.evaluate("field => field.selectionStart") == 3
    served.run(_update(served, samples.new_project()))
    expect(form.get_by_text("Checking the name…")).to_have_count(0)
    expect(name).to_be_focused()
    name.press_sequentially("Y")
    expect(name).to_have_value("taXYke")


async def _update(served: Served, content: Json) -> None:
    workspace = served.demo.workspace
    workspace.update_view(workspace.views("U0ADA")[-1], content)


def test_another_block_id_makes_it_another_input(served: Served, seat: Seat) -> None:
    ada = seat("U0ADA")
    form = opened(ada)
    form.get_by_label("Project name").fill("ada")
    form.get_by_label("Why").fill("kept")
    served.run(_update(served, samples.new_project(name_block="name-2")))
    expect(form.get_by_label("Project name")).to_have_value("")
    expect(form.get_by_label("Why")).to_have_value("kept")


def test_what_is_typed_while_the_app_is_asked_is_heard_and_answered(
    served: Served, seat: Seat
) -> None:
    ada = seat("U0ADA")
    form = opened(ada)
    form.get_by_label("Project name").press_sequentially("taken")
    expect(form.get_by_text("That name is taken.")).to_be_visible()
    expect(form.get_by_label("Project name")).to_have_value("taken")
    assert served.demo.app.heard[-1]["actions"][0]["value"] == "taken"


def test_waiting_shows_and_a_second_submission_is_not_possible(served: Served, seat: Seat) -> None:
    ada = seat("U0ADA")
    form = opened(ada)
    form.get_by_label("Project name").fill("ada-7")
    form.get_by_label("GitHub team").fill("platform")
    form.get_by_role("option", name="platform").click()
    expect(form.get_by_label("Project name")).to_have_value("ada-7")
    served.hold()
    button = form.get_by_role("button", name="Create Plan")
    button.click()
    expect(form).to_have_attribute("aria-busy", "true")
    expect(button).to_be_disabled()
    form.get_by_label("Project name").press("Enter")
    served.release()
    expect(form).to_have_count(0)
    kinds = [one.get("type") for one in served.demo.app.heard]
    assert kinds.count("view_submission") == 1


def test_escape_closes_and_the_app_hears_of_it(served: Served, seat: Seat) -> None:
    ada = seat("U0ADA")
    form = opened(ada)
    ada.keyboard.press("Escape")
    expect(form).to_have_count(0)
    expect(ada.get_by_label("Message", exact=True)).to_be_focused()
    assert served.demo.app.heard[-1]["type"] == "view_closed"
    assert served.demo.workspace.views("U0ADA") == []


def test_tab_stays_inside_a_form(seat: Seat) -> None:
    ada = seat("U0ADA")
    form = opened(ada)
    form.get_by_role("button", name="Create Plan").focus()
    ada.keyboard.press("Tab")
    expect(form.get_by_role("button", name="Close")).to_be_focused()
    ada.keyboard.press("Shift+Tab")
    expect(form.get_by_role("button", name="Create Plan")).to_be_focused()


def test_a_type_ahead_is_used_by_keyboard(served: Served, seat: Seat) -> None:
    ada = seat("U0ADA")
    form = opened(ada)
    team = form.get_by_label("GitHub team")
    team.press_sequentially("team-01")
    options = form.get_by_role("listbox").get_by_role("option")
    expect(options).to_have_count(10)
    team.press("ArrowDown")
    active = options.nth(1)
    expect(team).to_have_attribute("aria-activedescendant", str(active.get_attribute("id")))
    team.press("Enter")
    expect(team).to_have_value("team-011")
    expect(team).to_have_attribute("aria-expanded", "false")
    served.until(lambda: entered(served, "team")["selected_option"])
    assert entered(served, "team")["selected_option"]["value"] == "team-011"
    team.press("ArrowDown")
    expect(form.get_by_role("listbox")).to_be_visible()
    team.press("Escape")
    expect(form.get_by_role("listbox")).to_have_count(0)
    expect(form).to_be_visible()


def test_tab_leaves_a_type_ahead_for_the_next_field_and_chooses_nothing(
    served: Served, seat: Seat
) -> None:
    ada = seat("U0ADA")
    form = opened(ada)
    team, reviewers = form.get_by_label("GitHub team"), form.get_by_label("Reviewers")
    lists = form.get_by_role("listbox")
    team.press_sequentially("team-01")
    expect(lists.get_by_role("option")).to_have_count(10)
    team.press("Tab")
    expect(lists).to_have_count(0)
    expect(reviewers).to_be_focused()
    expect(team).to_have_value("")
    team.press_sequentially("team-02")
    team.press("Tab")  # before anything was suggested
    reviewers.press_sequentially("team-03")
    expect(lists.get_by_role("option", name="team-030")).to_be_visible()
    expect(lists).to_have_count(1)
    assert entered(served, "team")["selected_option"] is None


def test_several_can_be_chosen_and_taken_away_again(served: Served, seat: Seat) -> None:
    ada = seat("U0ADA")
    form = opened(ada)
    owners = form.get_by_label("Owners")
    owners.fill("gra")
    form.get_by_role("option", name="Grace Hopper").click()
    served.until(lambda: entered(served, "owners")["selected_users"] == ["U0ADA", "U0GRACE"])
    owners.press("Backspace")
    served.until(lambda: entered(served, "owners")["selected_users"] == ["U0ADA"])
    form.get_by_role("button", name="Remove Ada Lovelace").click()
    served.until(lambda: entered(served, "owners")["selected_users"] == [])
    reviewers = form.get_by_label("Reviewers")
    reviewers.click()
    expect(form.get_by_text("Type 1 more character to search")).to_be_visible()


def test_every_other_input_reaches_the_workspace(served: Served, seat: Seat) -> None:
    ada = seat("U0ADA")
    form = opened(ada)
    form.get_by_label("Template").select_option("Machine learning")
    form.get_by_label("gbxphil").check()
    form.get_by_label("Sandbox").check()
    form.get_by_label("Ends on").fill("2027-01-31")
    form.get_by_label("Runs at").fill("08:30")
    form.get_by_label("Workers").fill("4")
    form.get_by_label("Contact").fill("ada@acme.example")
    form.get_by_label("Tell").fill("comm")
    form.get_by_role("option", name="#sciclops-community").click()
    served.until(lambda: entered(served, "tell")["selected_channel"] == "C0COMMUNITY")
    assert entered(served, "template")["selected_option"]["value"] == "ml"
    groups = [one["value"] for one in entered(served, "groups")["selected_options"]]
    assert groups == ["gbx1", "gbxphil"]
    assert entered(served, "kind")["selected_option"]["value"] == "sandbox"
    assert entered(served, "ends")["selected_date"] == "2027-01-31"
    assert entered(served, "at")["selected_time"] == "08:30"
    assert entered(served, "workers")["value"] == "4"
    assert entered(served, "mail")["value"] == "ada@acme.example"
    ada.reload()
    expect(form.get_by_label("Contact")).to_have_value("ada@acme.example")
    expect(form.get_by_label("gbxphil")).to_be_checked()
    expect(form.get_by_label("Tell")).to_have_value("#sciclops-community")


def test_a_form_on_top_of_a_form_goes_back_to_it(served: Served, seat: Seat) -> None:
    ada = seat("U0ADA")
    form = opened(ada)
    form.get_by_label("Why").fill("kept below")
    second = samples.new_project() | {"title": samples.text("Another")}

    async def push() -> None:
        served.demo.workspace.open_view("U0ADA", second)

    served.until(lambda: entered(served, "why")["value"] == "kept below")
    served.run(push())
    top = ada.get_by_role("dialog", name="Another")
    expect(top).to_be_visible()
    top.get_by_role("button", name="Back").click()
    expect(top).to_have_count(0)
    expect(form.get_by_label("Why")).to_have_value("kept below")
    form.get_by_role("button", name="Close").click()
    expect(form).to_have_count(0)
    expect(ada).to_have_url(re.compile(CHANNEL))
