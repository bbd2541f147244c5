"""Where a person reads: what is kept in sight, and what may cover what."""

from browser_seat import CHANNEL, Seat, Served
from playwright.sync_api import Locator, Page, expect

from playground.slack.entities import Message

TO_THE_LOWER_EDGE = """field => {
  const [sheet, face] = [field.closest(".sheet"), field.closest(".combobox")];
  const bottom = (one) => one.getBoundingClientRect().bottom;
  sheet.scrollTop += bottom(face) - bottom(sheet) + 1;
}"""
"""Scrolls so that the field just fits into the dialog, and nothing below it."""

pytest_plugins = ("browser_fixtures",)


def fill(served: Served) -> None:
    """Fill the channel so that it has to be scrolled."""

    async def say() -> None:
        for number in range(40):
            served.demo.workspace.add(Message(CHANNEL, "", "U0PAT", f"line {number}"))

    served.run(say())


def say(served: Served, words: str) -> None:
    """Let somebody else say something."""

    async def add() -> None:
        served.demo.workspace.add(Message(CHANNEL, "", "U0GRACE", words))

    served.run(add())


def scrolled_up(page: Page) -> None:
    page.locator("#scroll").evaluate("pane => pane.scrollTop = 0")
    expect(page.get_by_text("line 39")).not_to_be_in_viewport()


def top_and_bottom(found: Locator) -> tuple[float, float]:
    """Return from where to where something is, in pixels from the window's top."""
    where = found.bounding_box()
    assert where is not None
    return where["y"], where["y"] + where["height"]


def test_what_i_say_is_seen_even_if_i_had_scrolled_up(served: Served, seat: Seat) -> None:
    fill(served)
    ada = seat("U0ADA")
    scrolled_up(ada)
    ada.get_by_label("Message", exact=True).fill("here I am")
    ada.keyboard.press("Enter")
    expect(ada.get_by_text("here I am")).to_be_in_viewport()
    scrolled_up(ada)
    ada.get_by_label("Message", exact=True).fill("/sciclops dance")
    ada.keyboard.press("Enter")
    expect(ada.get_by_text("I don't know dance")).to_be_in_viewport()
    expect(ada.get_by_role("button", name="New messages")).to_have_count(0)


def test_what_i_submit_is_seen_even_if_i_had_scrolled_up(served: Served, seat: Seat) -> None:
    fill(served)
    ada = seat("U0ADA")
    ada.get_by_label("Message", exact=True).fill("/sciclops new")
    ada.keyboard.press("Enter")
    form = ada.get_by_role("dialog", name="New Project")
    form.get_by_label("Project name").fill("ada-7")
    form.get_by_label("GitHub team").fill("ml-r")
    form.get_by_role("option", name="ml-reviewers").click()
    scrolled_up(ada)
    form.get_by_role("button", name="Create Plan").click()
    expect(ada.get_by_text("Planning ada-7").first).to_be_in_viewport()


def test_news_from_others_do_not_move_me_but_lead_there(served: Served, seat: Seat) -> None:
    fill(served)
    ada = seat("U0ADA")
    hint = ada.get_by_role("button", name="New messages")
    say(served, "seen at once")
    expect(ada.get_by_text("seen at once")).to_be_in_viewport()
    expect(hint).to_have_count(0)
    scrolled_up(ada)
    say(served, "further down")
    expect(hint).to_be_in_viewport()
    assert ada.locator("#scroll").evaluate("pane => pane.scrollTop") == 0
    hint.click()
    expect(ada.get_by_text("further down")).to_be_in_viewport()
    expect(hint).to_have_count(0)
    scrolled_up(ada)
    say(served, "once more")
    expect(hint).to_be_visible()
    ada.locator("#scroll").evaluate("pane => pane.scrollTop = pane.scrollHeight")
    expect(hint).to_have_count(0)


def test_the_first_error_s_words_are_in_sight(seat: Seat) -> None:
    ada = seat("U0ADA")
    ada.set_viewport_size({"width": 1280, "height": 330})
    ada.get_by_label("Message", exact=True).fill("/sciclops new")
    ada.keyboard.press("Enter")
    form = ada.get_by_role("dialog", name="New Project")
    form.get_by_label("Project name").fill("ada-7")
    form.get_by_label("GitHub team").evaluate(TO_THE_LOWER_EDGE)
    form.get_by_role("button", name="Create Plan").click()
    error = form.get_by_text("Please complete this required field.")
    expect(error).to_have_count(1)
    expect(error).to_be_in_viewport(ratio=1)


def test_a_list_of_options_is_not_cut_by_the_dialog(seat: Seat) -> None:
    ada = seat("U0ADA")
    ada.set_viewport_size({"width": 1280, "height": 420})
    ada.get_by_label("Message", exact=True).fill("/sciclops new")
    ada.keyboard.press("Enter")
    form = ada.get_by_role("dialog", name="New Project")
    team = form.get_by_label("GitHub team")
    for edge in ("end", "start"):
        team.evaluate(f"field => field.scrollIntoView({{ block: '{edge}' }})")
        team.fill("team-0")
        last = form.get_by_role("option").nth(3)
        expect(last).to_be_in_viewport(ratio=1)
        last.click(trial=True)
        team.press("Escape")
    popup = form.locator(".options")
    expect(popup.first).to_be_hidden()


def test_a_lost_connection_covers_no_names(served: Served, seat: Seat) -> None:
    ada = seat("U0ADA")
    served.run(served.demo.page.stop())
    bar = ada.get_by_text("Connection lost")
    expect(bar).to_be_visible()
    _, lower = top_and_bottom(bar)
    for covered in (ada.get_by_role("heading", name="#sciclops").first, ada.locator(".workspace")):
        assert top_and_bottom(covered)[0] >= lower
    assert top_and_bottom(ada.locator(".composer"))[1] <= 800
    served.restart()
    expect(bar).to_be_hidden()
