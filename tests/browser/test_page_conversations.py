"""What two people do in the page, in a real browser."""

import re
from statistics import median
from time import perf_counter

import page_samples as samples
from browser_seat import CHANNEL, Seat, Served
from playwright.sync_api import expect

from playground.cast import BOT_USER_ID
from playground.slack.entities import Message

pytest_plugins = ("browser_fixtures",)


def test_the_landing_card_leads_to_a_form_that_opens_for_that_person_only(
    served: Served, seat: Seat
) -> None:
    ada, grace = seat("U0ADA"), seat("U0GRACE")
    ada.get_by_role("button", name="Type /sciclops new").click()
    expect(ada.get_by_label("Message", exact=True)).to_have_value("/sciclops new")
    ada.keyboard.press("Enter")
    expect(ada.get_by_role("dialog", name="New Project")).to_be_visible()
    expect(ada.get_by_label("Project name")).to_be_focused()
    expect(grace.get_by_role("dialog")).to_have_count(0)
    assert served.demo.app.heard[-1]["user_id"] == "U0ADA"


def test_the_slash_shows_what_can_be_said_and_keys_choose_it(seat: Seat) -> None:
    ada = seat("U0ADA")
    box = ada.get_by_label("Message", exact=True)
    box.press_sequentially("/sci")
    hints = ada.get_by_role("listbox", name="Commands").get_by_role("option")
    expect(hints).to_have_count(4)
    box.press("ArrowDown")
    expect(hints.nth(1)).to_have_attribute("aria-selected", "true")
    box.press("Tab")
    expect(box).to_have_value("/sciclops list")
    expect(hints.first).to_be_hidden()


def test_an_ephemeral_answer_is_for_its_reader_only(seat: Seat) -> None:
    ada, grace = seat("U0ADA"), seat("U0GRACE")
    ada.get_by_label("Message", exact=True).fill("/sciclops dance")
    ada.keyboard.press("Enter")
    answer = ada.locator(".message.private", has_text="I don't know dance")
    expect(answer).to_contain_text("Only visible to you")
    ada.get_by_label("Message", exact=True).fill("said aloud")
    ada.keyboard.press("Enter")
    expect(grace.get_by_text("said aloud")).to_be_visible()
    expect(grace.get_by_text("I don't know dance")).to_have_count(0)
    expect(grace.get_by_text("Only visible to you")).to_have_count(0)


def test_what_people_type_stays_text(served: Served, seat: Seat) -> None:
    ada = seat("U0ADA")
    ada.get_by_label("Message", exact=True).fill(samples.HOSTILE)
    ada.keyboard.press("Enter")
    last = ada.locator(".message").last
    expect(last).to_contain_text("<script>alert(1)</script> <!channel>")
    assert ada.locator(".region script, .region iframe, .region img").count() == 0
    assert "&lt;script&gt;" in served.demo.workspace.messages[-1].text


def test_a_confirmation_asks_first_and_then_the_buttons_go(served: Served, seat: Seat) -> None:
    pat = seat("U0PAT")
    message = pat.locator(".message", has_text="Confirm the plan")
    heard = len(served.demo.app.heard)
    message.get_by_role("button", name="Discard").click()
    question = pat.get_by_role("dialog", name="Discard this plan?")
    question.get_by_role("button", name="Keep It").click()
    expect(question).to_have_count(0)
    assert len(served.demo.app.heard) == heard
    ada = seat("U0ADA")
    message.get_by_role("button", name="Confirm & Apply").click()
    for person in (pat, ada):
        expect(person.get_by_text("Confirmed by @Pat Summitt")).to_be_visible()
        expect(person.get_by_role("button", name="Confirm & Apply")).to_have_count(0)
    assert served.demo.app.heard[-1]["actions"][0]["value"] == "op-1"


def test_a_menu_opens_moves_and_chooses_by_keyboard(served: Served, seat: Seat) -> None:
    pat = seat("U0PAT")
    pat.get_by_role("button", name="More actions").focus()
    pat.keyboard.press("Enter")
    expect(pat.get_by_role("menuitem", name="Show the plan")).to_be_focused()
    pat.keyboard.press("ArrowDown")
    with pat.expect_response(re.compile("/do/press")):
        pat.keyboard.press("Enter")
    expect(pat.get_by_role("menu")).to_have_count(0)
    assert served.demo.app.heard[-1]["actions"][0]["selected_option"]["value"] == "cancel"


def test_an_update_is_on_the_page_at_once(served: Served, seat: Seat) -> None:
    ada = seat("U0ADA")
    workspace = served.demo.workspace
    (run,) = (one for one in workspace.messages if one.text == "Applying")

    async def show(title: str) -> None:
        blocks = [samples.plan(title, *samples.APPLYING["tasks"])]
        workspace.edit(run, {"blocks": blocks})

    took = []
    for second in range(20):
        started = perf_counter()
        served.run(show(f"Applying · {second} s"))
        ada.wait_for_selector(f"text=Applying · {second} s", state="attached")
        took.append(perf_counter() - started)
    assert median(took) < 0.25


def test_unread_messages_are_counted_until_they_are_seen(served: Served, seat: Seat) -> None:
    ada = seat("U0ADA")
    entry = ada.get_by_role("link", name="sciclops-community")
    expect(entry.get_by_label("1 unread")).to_be_visible()

    async def announce() -> None:
        served.demo.workspace.add(Message("C0COMMUNITY", "", BOT_USER_ID, "Ready: <@U0ROSA>"))

    served.run(announce())
    expect(entry.get_by_label("2 unread")).to_be_visible()
    expect(ada.locator("[data-person=U0ROSA]").get_by_label("has news")).to_be_visible()
    entry.click()
    expect(ada.get_by_text("Ready: @Rosa Parks")).to_be_visible()
    expect(ada.get_by_label("2 unread")).to_have_count(0)


def test_a_thread_opens_beside_the_channel_and_takes_replies(seat: Seat) -> None:
    ada = seat("U0ADA")
    ada.get_by_role("link", name=re.compile("2 replies")).click()
    thread = ada.get_by_role("complementary", name="Thread")
    expect(thread.get_by_text("Planned: +83 ~0 -0")).to_be_visible()
    expect(thread.get_by_label("Reply", exact=True)).to_be_focused()
    ada.keyboard.type("Looks right")
    ada.keyboard.press("Enter")
    expect(thread.locator(".message").last).to_contain_text("Looks right")
    expect(ada.get_by_role("main").get_by_text("Looks right")).to_have_count(0)
    expect(ada.get_by_role("link", name=re.compile("3 replies"))).to_be_visible()
    ada.go_back()
    expect(thread).to_have_count(0)


def test_a_file_can_be_read_and_kept(served: Served, seat: Seat) -> None:
    ada = seat("U0ADA")
    ada.get_by_role("link", name=re.compile("2 replies")).click()
    card = ada.locator(".file")
    expect(card).to_contain_text("this[7]: Creation complete")
    expect(card).not_to_contain_text("this[8]")
    with ada.expect_download() as download:
        card.get_by_role("link", name="Download apply.log").click()
    assert download.value.path().read_bytes() == served.demo.workspace.files["F1"].content
    card.get_by_role("link", name="32 more lines").click()
    expect(ada.locator(".whole-file")).to_contain_text("this[39]: Creation complete")


def test_one_can_be_somebody_else(seat: Seat) -> None:
    ada = seat("U0ADA")
    expect(ada.locator(".message.private")).to_have_count(1)
    ada.get_by_role("link", name="Sam Stranger Works elsewhere").click()
    expect(ada.get_by_text("You are Sam Stranger")).to_be_visible()
    expect(ada.locator(".message.private")).to_have_count(0)
    ada.get_by_label("Message", exact=True).fill("hello from Sam")
    ada.keyboard.press("Enter")
    expect(ada.locator(".message").last).to_contain_text("hello from Sam")
    expect(ada.locator(".message").last).to_have_attribute("data-author", "U0SAM")


def test_app_home_shows_what_the_app_published_for_that_person(served: Served, seat: Seat) -> None:
    ada = seat("U0ADA", "home")
    expect(ada.get_by_role("heading", name="Waiting for you")).to_be_visible()
    assert served.demo.app.heard[-1]["event"]["type"] == "app_home_opened"
    ada.get_by_role("link", name="Messages").click()
    expect(ada.get_by_text("arrives here")).to_be_visible()
    grace = seat("U0GRACE", "home")
    expect(grace.get_by_text("Home is on its way")).to_be_visible()


def test_the_page_comes_back_when_the_playground_does(served: Served, seat: Seat) -> None:
    ada = seat("U0ADA")
    served.run(served.demo.page.stop())
    expect(ada.get_by_text("Connection lost")).to_be_visible()
    served.restart()

    async def say() -> None:
        served.demo.workspace.add(Message(CHANNEL, "", "U0PAT", "back again"))

    served.run(say())
    expect(ada.get_by_text("back again")).to_be_visible()
    expect(ada.get_by_text("Connection lost")).to_be_hidden()


def test_a_telephone_has_room_for_everything(seat: Seat) -> None:
    ada = seat("U0ADA", width=400)
    for place in (f"c/{CHANNEL}", "home", "world/github", "faults", "deliveries"):
        ada.goto(f"{ada.url.split('/as/')[0]}/as/U0ADA/{place}")
        assert ada.evaluate("document.documentElement.scrollWidth") <= 400
        assert ada.evaluate("document.querySelector('#scroll').scrollWidth") <= 400
    expect(ada.get_by_role("link", name="random")).to_be_hidden()
    ada.get_by_role("button", name="Show the sidebar").click()
    ada.get_by_role("link", name="random").click()
    expect(ada.get_by_role("heading", name="#random").first).to_be_visible()
