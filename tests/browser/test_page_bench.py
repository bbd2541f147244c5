"""Faults, time, deliveries and the worlds, as the page shows and changes them."""

import re

from browser_seat import CHANNEL, Seat, Served
from playwright.sync_api import expect

pytest_plugins = ("browser_fixtures",)


def test_a_fault_is_switched_on_seen_and_cleared(served: Served, seat: Seat) -> None:
    ada = seat("U0ADA", "faults")
    ada.get_by_label("Where").select_option("GitHub")
    ada.get_by_label("What").select_option("503 Unavailable")
    ada.get_by_label("How many requests").fill("2")
    ada.get_by_label("Only METHOD").fill("GET /repos")
    ada.get_by_role("button", name="Switch On").click()
    words = "GitHub: 503 for 2 more requests matching GET /repos"
    expect(ada.get_by_text(words)).to_be_visible()
    fault = served.demo.faults.take("github", "GET", "/repos/acme/x")
    assert fault is not None
    assert fault.status == 503
    expect(ada.get_by_text("Struck 1 times so far.")).to_be_visible()
    expect(ada.get_by_label("What")).to_have_value("503")
    ada.get_by_role("button", name="Clear All").click()
    expect(ada.get_by_text("Nothing is switched on.")).to_be_visible()
    assert served.demo.faults.active == []


def test_a_fault_that_makes_no_sense_is_refused_with_the_reason(served: Served, seat: Seat) -> None:
    ada = seat("U0ADA", "faults")
    ada.get_by_label("How many requests").fill("many")
    ada.get_by_role("button", name="Switch On").click()
    expect(ada.get_by_role("status")).to_have_text("How many requests: 'many' is not a number")
    assert served.demo.faults.active == []


def test_the_bot_is_killed_and_crashed_through_its_controls(served: Served, seat: Seat) -> None:
    ada = seat("U0ADA", "faults")
    ada.get_by_role("button", name="Kill the Bot").click()
    expect(ada.get_by_role("status")).to_have_text("Killed")
    ada.get_by_label("Step").fill("7")
    ada.get_by_role("button", name="Crash There").click()
    expect(ada.get_by_role("status")).to_have_text("Killed 7")
    assert served.demo.done == ["", "7"]


def test_the_field_of_a_control_shows_all_of_a_step_s_name(seat: Seat) -> None:
    ada = seat("U0ADA", "faults")
    step = ada.get_by_label("Step")
    step.fill("before push starter code")
    assert step.evaluate("field => field.scrollWidth <= field.clientWidth")


def test_time_moves_forward(served: Served, seat: Seat) -> None:
    ada = seat("U0ADA", "faults")
    before = served.demo.clock.now()
    ada.get_by_role("button", name="+ 7 days").click()
    expect(ada.get_by_role("status")).to_contain_text("UTC now")
    assert (served.demo.clock.now() - before).days == 7
    expect(ada.get_by_text(f"{served.demo.clock.now():%Y-%m-%d}").first).to_be_visible()


def test_deliveries_tell_how_long_the_ack_took_and_can_be_sent_again(
    served: Served, seat: Seat
) -> None:
    ada = seat("U0ADA", f"c/{CHANNEL}")
    ada.get_by_label("Message", exact=True).fill("/sciclops dance")
    ada.keyboard.press("Enter")
    expect(ada.get_by_text("I don't know dance")).to_be_visible()
    ada.get_by_role("link", name="Deliveries").click()
    row = ada.locator(".delivery").first
    expect(row).to_contain_text("/sciclops")
    expect(row.locator(".took")).to_have_text(re.compile(r"^\d+\.\d ms$"))
    row.locator("summary").click()
    expect(row.get_by_text('"command": "/sciclops"')).to_be_visible()
    expect(row.get_by_text("response_type")).to_be_visible()
    heard = len(served.demo.app.heard)
    row.get_by_role("button", name="Deliver Again").click()
    expect(row).to_contain_text("1 more time")
    expect(row.get_by_text('"command": "/sciclops"')).to_be_visible()
    assert len(served.demo.app.heard) == heard + 1
    assert served.demo.app.heard[-1] == served.demo.app.heard[-2]
    assert served.demo.app.tries[-2:] == [0, 1]


def test_the_world_behind_is_shown_and_follows(served: Served, seat: Seat) -> None:
    ada = seat("U0ADA", "world/github")
    ada.get_by_text("src/main.py").click()
    expect(ada.get_by_text("print('<b>')")).to_be_visible()
    expect(ada.get_by_text("pull_request, deletion")).to_be_visible()
    expect(ada.get_by_text("https://gbx1.example")).to_be_visible()
    served.demo.world["visits"] = 41
    expect(ada.get_by_text("41", exact=True)).to_be_visible()
    expect(ada.get_by_text("print('<b>')")).to_be_visible()
