"""From the form to production, all of it real but the vendors, in a real browser.

Ada asks and merges, Grace confirms and reviews the change, Rosa links her GitHub account and
releases Production from the message; Ada's own click and a stranger's are refused. Every job of the
deploy workflow is executed. Pictures are kept where `SCICLOPS_PICTURES` says.
"""

import re
from collections.abc import Iterator
from datetime import timedelta

import pytest
from browser_seat import Window
from dialogs import ANSWER_MS, asked, opened, say
from playwright.sync_api import Locator, Page, expect
from test_story import fill, keep

from playground.world import Choices, Playground, running

pytest_plugins = ("browser_fixtures",)

RUN_MS = 600_000
"""How long a run may take here: a minute on a quiet machine, several on a busy one."""
INTERVAL = timedelta(seconds=6)
CODE = re.compile(r"[A-Z0-9]{4}-[A-Z0-9]{4}")


ONE, TWO = ("gbx1",), ("gbx1", "gbx2")
EVERY = [("oidc", ONE), ("secret", TWO), ("oidc", TWO), ("secret", ONE)]
SAMPLE = EVERY[:1]
"""One setting; `make prove` takes all."""


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Take a sample, or everything where it is to be proved."""
    if "setting" in metafunc.fixturenames:
        chosen = EVERY if metafunc.config.getoption("--prove") else SAMPLE
        names = [f"{mode}-{len(groups)}" for mode, groups in chosen]
        metafunc.parametrize("setting", chosen, ids=names)


@pytest.fixture
def playground(
    setting: tuple[str, tuple[str, ...]], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Playground]:
    directory = tmp_path_factory.mktemp("ship")
    with running(directory, Choices(authentication=setting[0], edit_seconds=0.5)) as started:
        yield started


def link(page: Page, playground: Playground, login: str) -> None:
    """Prove at GitHub's own page whose account it is; `page` is their Home of the bot."""
    page.get_by_role("link", name="Messages").click()
    page.wait_for_url("**/c/D*")
    say(page, "/sciclops link")
    asked = page.locator(".message").filter(has_text="Enter a code only if").last
    expect(asked).to_be_visible(timeout=ANSWER_MS)
    code = CODE.search(asked.inner_text())
    assert code is not None
    with page.context.expect_page() as opened:
        asked.get_by_role("button", name="Open GitHub").click()
    github = opened.value
    github.get_by_label(re.compile("code", re.IGNORECASE)).fill(code[0])
    github.get_by_role("combobox").select_option(login)
    github.get_by_role("button", name=re.compile("Authori[sz]e")).click()
    expect(github.get_by_text("all set")).to_be_visible()
    github.close()
    playground.world.clock.advance(INTERVAL)
    asked.get_by_role("button", name="I Have Entered It").click()
    linked = page.locator(".message").filter(has_text=f"At GitHub you are {login}")
    expect(linked.last).to_be_visible(timeout=ANSWER_MS)


def merge(window: Window, project: str, title: str) -> None:
    """Propose a change as Ada, review it as Grace, merge it as Ada."""
    ada = window("U0ADA", f"repository/{project}")
    ada.get_by_text("Propose a change").click()
    ada.get_by_label("Title").fill(title)
    ada.get_by_label("File").fill(f"notes/{len(title)}.md")
    ada.get_by_role("button", name="Open Pull Request").click()
    pull = ada.locator(".pull").filter(has_text=title).first
    expect(pull).to_contain_text("open", timeout=ANSWER_MS)
    tested = ada.locator(".run").filter(has_text="pull_request").first
    expect(tested.locator("summary .tag.state").first).to_have_text("success", timeout=RUN_MS)
    grace = window("U0GRACE", f"repository/{project}")
    proposed = grace.locator(".pull").filter(has_text=title).first
    proposed.get_by_role("button", name="Approve").click()
    expect(pull).to_contain_text("approved", timeout=ANSWER_MS)
    pull.get_by_role("button", name="Merge").click()
    expect(pull).to_contain_text("merged", timeout=ANSWER_MS)


def newest_card(page: Page, project: str, environment: str, state: str) -> Locator:
    """Wait for the newest card of an environment to be in a state."""
    card = page.locator(".message").filter(has_text=f"{project} · {environment} · ").last
    expect(card).to_contain_text(state, timeout=RUN_MS)
    return card


def decide(page: Page, card: Locator, verb: str, comment: str) -> None:
    """Press Approve or Reject, and submit the dialog."""
    dialog = opened(page, f"{verb} release", card.get_by_role("button", name=verb).click)
    dialog.get_by_label(re.compile("Comment")).fill(comment)
    dialog.get_by_role("button", name=verb).click()
    expect(dialog).to_have_count(0, timeout=ANSWER_MS)


def refused(page: Page, project: str, environment: str, why: str) -> None:
    """Press Approve, and read why not."""
    card = newest_card(page, project, environment, "Waiting for approval")
    card.get_by_role("button", name="Approve").click()
    answer = page.locator(".message").filter(has_text=why)
    expect(answer.last).to_be_visible(timeout=ANSWER_MS)


def environments_of(groups: tuple[str, ...]) -> list[str]:
    """Return the gated environments, in the order of deployment."""
    return [f"{group}-Production" for group in groups] if len(groups) > 1 else ["Production"]


def make(window: Window, playground: Playground, name: str, groups: tuple[str, ...]) -> None:
    """Ask as Ada, confirm as Grace, link accounts, and wait until it is ready."""
    ada, grace = window("U0ADA"), window("U0GRACE")
    form = asked(ada, "/sciclops new", "New project")
    fill(form, name, groups)
    form.get_by_role("button", name="Create").click()
    run = grace.locator(".message").filter(has_text=f"{name} · Waiting for confirmation")
    run.get_by_role("button", name="Confirm & Apply").click(timeout=RUN_MS)
    for user, login in (("U0ADA", "ada"), ("U0ROSA", "rosa")):
        link(window(user, "home"), playground, login)
    ready = grace.locator(".message").filter(has_text=f"{name} · Ready in")
    expect(ready).to_contain_text("Deployed to Development", timeout=RUN_MS)
    ready.scroll_into_view_if_needed()
    keep(grace, f"{name}-1-ready")


def release(window: Window, name: str, groups: tuple[str, ...]) -> None:
    """Release a merged change to every gated environment, as the one person who may."""
    rosa = window("U0ROSA")
    environments = environments_of(groups)
    deployment = rosa.locator(".message").filter(has_text=f"{name} · Deployment · ").last
    expect(deployment).to_contain_text("Merge pull request #1", timeout=RUN_MS)
    newest_card(rosa, name, environments[0], "count purchases")
    why = "nobody releases their own deployment"
    refused(window("U0ADA"), name, environments[0], why)
    refused(window("U0DORA"), name, environments[0], "/sciclops link")
    for environment in environments:
        card = newest_card(rosa, name, environment, "Waiting for approval")
        card.scroll_into_view_if_needed()
        keep(rosa, f"{name}-2-card-{environment}")
        decide(rosa, card, "Approve", "looks right")
        newest_card(rosa, name, environment, "Approved by")
    expect(deployment).to_contain_text("Deployed to", timeout=RUN_MS)
    keep(rosa, f"{name}-3-deployed")
    news = window("U0SAM", "c/C0COMMUNITY")
    told = news.locator(".message").filter(has_text=name).last
    expect(told).to_contain_text(f"is in {environments[-1]}", timeout=ANSWER_MS)
    keep(news, f"{name}-4-announced")


def reject(window: Window, name: str, groups: tuple[str, ...]) -> None:
    """Reject another change, with the reason."""
    rosa = window("U0ROSA")
    first = environments_of(groups)[0]
    card = newest_card(rosa, name, first, "too risky")
    decide(rosa, card, "Reject", "not before Monday")
    newest_card(rosa, name, first, "Rejected by")
    ended = rosa.locator(".message").filter(has_text=f"{name} · Deployment · Rejected")
    expect(ended).to_contain_text("not before Monday", timeout=RUN_MS)
    keep(rosa, f"{name}-5-rejected")


@pytest.mark.timeout(2400)
def test_from_the_form_to_production(
    window: Window, playground: Playground, setting: tuple[str, tuple[str, ...]]
) -> None:
    mode, groups = setting
    name = f"ship-{mode}-{len(groups)}"
    make(window, playground, name, groups)
    merge(window, name, "feat: count purchases")
    release(window, name, groups)
    for group in groups:
        jobs = playground.world.databricks.workspace(group, "production").jobs.values()
        assert name in [job.settings["name"] for job in jobs]
    merge(window, name, "feat: too risky")
    reject(window, name, groups)
    keep(window("U0ROSA", f"repository/{name}"), f"{name}-6-runs")
