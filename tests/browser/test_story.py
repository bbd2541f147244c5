"""The story that everything is for, with the real bot in a real browser, in every setting.

Two people: Ada asks, gets a field wrong, and is told; Grace, an owner, confirms; all hear of it.
Pictures are kept where `SCICLOPS_PICTURES` says.
"""

import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from browser_seat import Window
from conversation import PRINCIPALS
from dialogs import asked
from played_runs import playing
from playwright.sync_api import Locator, Page, expect

from playground.world import Choices, Playground

pytest_plugins = ("browser_fixtures",)

RUN_MS = 90_000


@pytest.fixture(scope="module", params=["socket", "http"])
def playground(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Playground]:
    directory = tmp_path_factory.mktemp("story")
    with playing(directory, Choices(mode=request.param, edit_seconds=0.5)) as started:
        yield started


def choose(form: Locator, label: str, query: str, option: str) -> None:
    """Pick an option of a type-ahead field."""
    form.get_by_label(label, exact=True).press_sequentially(query)
    form.get_by_role("option").filter(has_text=option).first.click()


def fill(form: Locator, name: str, groups: tuple[str, ...]) -> None:
    """Fill the form as Ada would."""
    choose(form, "Project owners", "Grace", "Grace Hopper")
    choose(form, "Managed team AAD group", "aad-data-s", "aad-data-science")
    choose(form, "GitHub team", "data-sc", "Data Science")
    choose(form, "GitHub reviewers", "ml-rev", "Team Ml Reviewers")
    for group in groups:
        form.get_by_label("Workspace groups", exact=True).press_sequentially(group)
        form.get_by_role("option").filter(has_text=re.compile(rf"^{group} ")).first.click()
    form.get_by_label("Deploy name", exact=True).fill(name)


def keep(page: Page, name: str) -> None:
    """Keep a picture, if somebody wants to look at it."""
    if directory := os.getenv("SCICLOPS_PICTURES"):
        page.screenshot(path=str(Path(directory) / f"{name}.png"))


@pytest.mark.timeout(300)
@pytest.mark.parametrize("groups", [("gbx1",), ("gbx1", "gbx2")], ids=["one", "two"])
def test_from_the_form_to_the_announcement(
    window: Window, playground: Playground, groups: tuple[str, ...]
) -> None:
    mode = playground.world.choices.mode
    name = f"ada-{mode}-{len(groups)}"
    ada, grace = window("U0ADA"), window("U0GRACE")
    form = asked(ada, "/sciclops new", "New project")
    fill(form, "Ada 7", groups)
    form.get_by_role("button", name="Create").click()
    expect(form.get_by_text("small letters, digits and hyphens").last).to_be_visible()
    keep(ada, f"{name}-1-field-error")
    form.get_by_label("Deploy name", exact=True).fill(name)
    form.get_by_role("button", name="Create").click()
    expect(form).to_have_count(0, timeout=15_000)
    run = grace.locator(".message").filter(has_text=f"{name} · ").filter(has_text="Run run-")
    expect(run).to_contain_text("Waiting for confirmation", timeout=RUN_MS)
    keep(grace, f"{name}-2-waiting")
    run.get_by_role("button", name="Confirm & Apply").click()
    expect(run).to_contain_text("Applying", timeout=RUN_MS)
    keep(grace, f"{name}-3-applying")
    expect(run).to_contain_text("Ready in", timeout=RUN_MS)
    expect(run.get_by_role("button", name="Confirm & Apply")).to_have_count(0)
    keep(grace, f"{name}-4-ready")
    news = window("U0SAM", "c/C0COMMUNITY")
    expect(news.locator(".message").filter(has_text=f"New project {name}")).to_have_count(1)
    keep(news, f"{name}-5-announced")
    assert len(playground.world.github.repos[name].environments) == PRINCIPALS * len(groups)
