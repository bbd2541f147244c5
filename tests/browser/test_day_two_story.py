"""What people do with a project that they have, in a real browser: one sandbox, to its end.

Ada looks at her Home, adds a team of reviewers and a secret, renews the keys while a deployment
holds the old ones, checks, puts off the end when she is warned of it, and destroys it all. Time is
moved on the page, as anybody does who plays. Pictures are kept where `SCICLOPS_PICTURES` says.
"""

import re
from collections.abc import Iterator
from datetime import timedelta

import pytest
from browser_seat import Window
from conversation import RUN_SECONDS, Conversation
from dialogs import ANSWER_MS, asked, opened, say
from keys import Keys, LoggingIn, status
from played_runs import playing
from playwright.sync_api import Locator, Page, expect
from test_story import choose, keep

from playground.world import Choices, Playground

pytest_plugins = ("browser_fixtures",)
pytestmark = pytest.mark.timeout(300)

NAME = "ada-7"
DAYS_LEFT = re.compile("3[01] days left")
VALUE = "hunter2-is-no-password-8c1f"
RUN_MS = RUN_SECONDS * 1000


@pytest.fixture(scope="module")
def playground(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Playground]:
    directory = tmp_path_factory.mktemp("day-two")
    with playing(directory, Choices(authentication="secret", edit_seconds=0.3)) as started:
        runner = LoggingIn(started.world.github.hub.book)
        runner.held.add("Deploy Testing")
        started.world.github.runner = runner
        yield started


@pytest.fixture(scope="module")
def sandbox(playground: Playground) -> Conversation:
    """Return a conversation about a sandbox that is ready; its first deployment is in Testing."""
    talk = Conversation(playground, NAME)
    talk.fill()
    talk.ada.fill({"lifetime": "sandbox"})
    talk.view_says("Sandbox until")
    assert talk.ada.submit() is None
    talk.run_message("Waiting for confirmation")
    talk.press("Confirm & Apply")
    talk.run_message("Ready in")
    return talk


@pytest.fixture(autouse=True)
def no_dialog_is_left_open(sandbox: Conversation) -> Iterator[None]:
    """Close what a test left open, and show the next one another picture."""
    yield
    sandbox.world.slack.workspace.stacks.clear()


def advance(window: Window, *steps: str) -> None:
    """Move time on the page, as everybody may."""
    bench = window("U0ADA", "faults")
    for step in steps:
        before = bench.locator(".panel .calm b").inner_text()
        bench.get_by_role("button", name=f"+ {step}").click()
        expect(bench.locator(".panel .calm b")).not_to_have_text(before)
    bench.close()


def message(page: Page, headline: str) -> Locator:
    """Return the newest message that says this, once it is there."""
    found = page.locator(".message").filter(has_text=headline).last
    expect(found).to_be_visible(timeout=RUN_MS)
    return found


def typed(page: Page, words: str, said: str) -> Locator:
    """Type into the channel, and wait for the answer."""
    say(page, words)
    return message(page, said)


def test_home_shows_what_one_has(window: Window, sandbox: Conversation) -> None:
    home = window("U0ADA", "home")
    expect(home.get_by_role("row").filter(has_text=NAME)).to_contain_text(DAYS_LEFT)
    keep(home, "home-1-ada")
    nothing = window("U0SAM", "home")
    expect(nothing.get_by_text("Welcome to SciCLOps")).to_be_visible()
    keep(nothing, "home-2-sam")
    home.get_by_role("button", name="All Projects").click()
    home.get_by_role("link", name="Messages").click()
    home.wait_for_url("**/c/D*")
    listed = message(home, "Projects · 1")
    expect(listed.get_by_role("row").filter(has_text=NAME)).to_contain_text("ready")
    keep(home, "home-3-list")
    assert sandbox.world.github.unknown_calls == []


def test_a_change_is_planned_confirmed_and_applied(window: Window, sandbox: Conversation) -> None:
    production = sandbox.world.github.repos[NAME].environments["Production"]
    before = production.reviewers
    ada = window("U0ADA")
    form = asked(ada, f"/sciclops change {NAME}", "Change project")
    expect(form.get_by_label("Project owners", exact=True)).to_be_focused()
    expect(form).to_contain_text("Team ml-reviewers")
    choose(form, "GitHub reviewers", "platf", "Team Platform")
    keep(ada, "change-1-form")
    form.get_by_role("button", name="Plan Change").click()
    expect(form).to_have_count(0, timeout=ANSWER_MS)
    run = message(ada, f"{NAME} · Change")
    expect(run).to_contain_text("Change · Waiting for confirmation", timeout=RUN_MS)
    expect(run).to_contain_text("+ team platform")
    expect(run.get_by_role("button")).to_have_text(["Confirm & Apply", "Discard", "Add Comment"])
    keep(ada, "change-2-waiting")
    run.get_by_role("button", name="Confirm & Apply").click()
    expect(run).to_contain_text("Change · Changed", timeout=RUN_MS)
    expect(run.get_by_role("button")).to_have_count(0)
    keep(ada, "change-3-done")
    assert len(production.reviewers) == len(before) + 1


def test_a_secret_is_planned_without_its_value_which_is_entered_and_forgotten(
    window: Window, sandbox: Conversation
) -> None:
    ada = window("U0ADA")
    form = asked(ada, f"/sciclops secret add {NAME} DABS_ROCKS", "Add secret")
    keep(ada, "secret-1-form")
    form.get_by_role("button", name="Plan Secret").click()
    expect(form).to_have_count(0, timeout=ANSWER_MS)
    run = message(ada, f"{NAME} · Secret")
    expect(run).to_contain_text("Resources to be changed: +12 ~0 -0", timeout=RUN_MS)
    run.get_by_role("button", name="Confirm & Apply").click()
    expect(run).to_contain_text("Secret · Waiting for the value", timeout=RUN_MS)
    expect(run.get_by_role("button")).to_have_text(["Enter Value"])
    keep(ada, "secret-2-waiting")
    home = window("U0GRACE", "home")
    expect(home.get_by_text(f"{NAME}: the value of DABS_ROCKS")).to_be_visible()
    keep(home, "secret-3-home")
    form = opened(ada, "Enter value", run.get_by_role("button", name="Enter Value").click)
    expect(form.get_by_label("Value", exact=True)).to_be_focused()
    form.get_by_label("Value", exact=True).fill(VALUE)
    keep(ada, "secret-4-value")
    form.get_by_role("button", name="Store Value").click()
    expect(form).to_have_count(0, timeout=ANSWER_MS)
    expect(run).to_contain_text("Secret · Done", timeout=RUN_MS)
    expect(run).to_contain_text("is stored in Development, Testing, Staging and Production")
    expect(run.get_by_role("button")).to_have_count(0)
    keep(ada, "secret-5-stored")
    held = sandbox.world.github.repos[NAME].environments["Production"].secrets["DABS_ROCKS"]
    assert held.value.decode() == VALUE
    assert VALUE not in ada.content()


def test_new_keys_replace_the_old_ones_while_a_deployment_holds_those(
    window: Window, sandbox: Conversation
) -> None:
    keys, ada = Keys(sandbox), window("U0ADA")
    old = keys.of()
    typed(ada, f"/sciclops rotate {NAME}", "New keys for Development")
    run = message(ada, f"{NAME} · Key rotation")
    expect(run).to_contain_text("Keeping the old keys for deployments", timeout=RUN_MS)
    expect(run).to_contain_text("at most until")
    keep(ada, "rotate-1-overlap")
    assert (keys.of() != old, status(old)) == (True, 200)
    advance(window, "1 day", "1 hour")
    expect(run).to_contain_text("Key rotation · Done", timeout=RUN_MS)
    expect(run).to_contain_text("5 old keys revoked")
    expect(run.get_by_role("button")).to_have_count(0)
    keep(ada, "rotate-2-done")
    assert status(old) == 401
    assert keys.are_tidy()


def test_a_check_comes_as_a_table(window: Window, sandbox: Conversation) -> None:
    principal = Keys(sandbox).principal("Staging")
    ada = window("U0ADA", "home")
    ada.get_by_role("link", name="Messages").click()
    ada.wait_for_url("**/c/D*")
    principal.active = False
    typed(ada, f"/sciclops check {NAME}", "I send you the result directly")
    result = message(ada, f"Check · {NAME}")
    principal.active = True
    first = result.get_by_role("row").nth(1)
    expect(first).to_contain_text("Staging: service principal is active")
    expect(first).to_contain_text(f"failed: {NAME}-staging is deactivated.")
    keep(ada, "check-1-failed")


def test_who_is_warned_of_the_end_puts_it_off(window: Window, sandbox: Conversation) -> None:
    advance(window, *["7 days"] * 3, *["1 day"] * 2)
    ada = window("U0ADA")
    message(ada, f"{NAME} · Ready in").locator(".thread-link").click()
    pane = ada.locator(".thread-pane")
    warning = pane.locator(".message").filter(has_text=f"the sandbox {NAME} ends in")
    expect(warning).to_contain_text(re.compile("ends in [67] days"), timeout=RUN_MS)
    keep(ada, "extend-1-warned")
    form = opened(ada, "Extend sandbox", warning.get_by_role("button", name="Extend").click)
    proposed = form.get_by_label("Sandbox until").input_value()
    too_late = sandbox.world.clock.now().date() + timedelta(days=91)
    form.get_by_label("Sandbox until").fill(too_late.isoformat())
    form.get_by_role("button", name="Extend").click()
    expect(form.get_by_text("At most 90 days from today: until")).to_be_visible(timeout=ANSWER_MS)
    keep(ada, "extend-2-too-late")
    form.get_by_label("Sandbox until").fill(proposed)
    form.get_by_role("button", name="Extend").click()
    expect(form).to_have_count(0, timeout=ANSWER_MS)
    expect(warning).to_contain_text("Extended by", timeout=RUN_MS)
    expect(warning.get_by_role("button")).to_have_count(0)
    keep(ada, "extend-3-extended")


async def let_go(runner: LoggingIn) -> None:
    """Let what is held go on."""
    runner.go_on.set()


def test_who_types_the_name_destroys_it(window: Window, sandbox: Conversation) -> None:
    runner = sandbox.world.github.runner
    assert isinstance(runner, LoggingIn)
    sandbox.playground.run(let_go(runner))
    ada = window("U0ADA")
    form = asked(ada, f"/sciclops destroy {NAME}", "Destroy project")
    expect(form).to_contain_text("Nothing brings this back")
    keep(ada, "destroy-1-asked")
    form.get_by_label(f"Type {NAME} to confirm").fill("ada-8")
    form.get_by_role("button", name="Destroy").click()
    expect(form.locator(".error")).to_contain_text(f"type {NAME}", timeout=ANSWER_MS)
    keep(ada, "destroy-2-another-name")
    form.get_by_label(f"Type {NAME} to confirm").fill(NAME)
    form.get_by_role("button", name="Destroy").click()
    expect(form).to_have_count(0, timeout=ANSWER_MS)
    run = message(ada, f"{NAME} · Destroy · ")
    keep(ada, "destroy-3-begun")
    expect(run).to_contain_text("Destroy · Destroyed", timeout=RUN_MS)
    expect(run.get_by_role("button")).to_have_count(0)
    keep(ada, "destroy-4-destroyed")
    assert sandbox.world.github.repos[NAME].archived
    assert sandbox.principals() == []
    left = window("U0ADA", f"repository/{NAME}")
    expect(left.get_by_text("This repository is archived")).to_be_visible()
    expect(left.get_by_text("Propose a change")).to_have_count(0)
    keep(left, "destroy-6-archived")
    home = window("U0ADA", "home")
    expect(home.get_by_role("row").filter(has_text=NAME)).to_have_count(0)
    keep(home, "destroy-5-home")
