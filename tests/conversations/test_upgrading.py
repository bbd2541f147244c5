"""Upgrading: a pull request that keeps what people have changed, and a plan for new modules."""

from pathlib import Path
from typing import Literal

import pytest
from conversation import RUN_SECONDS, Conversation
from template_versions import CONTESTED, PublishedTemplates, logic_of
from waiting import wait_until

from bot.settings import load
from playground.cast import ADA, GRACE, PAT
from playground.github.pulls import PullRequest
from playground.slack.reading import text_of
from playground.world import Choices, Playground
from provisioning.clock import SystemClock
from provisioning.database import Database
from provisioning.store import Store
from provisioning.upgrading import LOOK_EVERY

UPGRADE = "Upgrade · "


@pytest.fixture(scope="module")
def templates(tmp_path_factory: pytest.TempPathFactory) -> PublishedTemplates:
    """Return the templates on offer, which this module changes."""
    return PublishedTemplates(tmp_path_factory.mktemp("offer") / "bundle_templates")


@pytest.fixture(scope="module")
def choices(templates: PublishedTemplates) -> Choices:
    """Return a playground that offers them."""
    return Choices(edit_seconds=0.2, templates=str(templates.folder))


@pytest.fixture(scope="module")
def living(playground: Playground) -> Conversation:
    """Return a conversation about a project that is ready."""
    talk = Conversation(playground, "upgrading-1")
    talk.make()
    return talk


def upgrade(talk: Conversation, ends: str) -> PullRequest:
    """Type it and wait for the run's end; return the newest pull request."""
    before = len(done(talk))
    talk.ada.type(f"/sciclops upgrade {talk.name}")
    talk.told(talk.ada, f"The upgrade of {talk.name} is on its way")
    wait_until(lambda: len(done(talk)) > before, RUN_SECONDS)
    assert ends in done(talk)[-1]
    return list(talk.world.github.repos[talk.name].pulls.values())[-1]


def done(talk: Conversation) -> list[str]:
    """Return the messages of upgrades that are done."""
    texts = map(text_of, talk.run_messages())
    return [text for text in texts if f"{talk.name} · {UPGRADE}Done" in text]


def merge(talk: Conversation, number: int, method: Literal["merge", "squash"] = "merge") -> None:
    """Review and merge a pull request as people do, once its checks have passed."""
    github = talk.world.github
    runs = (run for run in github.runs(talk.name) if run.event == "pull_request")
    wait_until(lambda: all(run.status == "completed" for run in runs), RUN_SECONDS)
    author = github.repos[talk.name].pulls[number].author
    for reviewer in {GRACE, PAT} if author == ADA.github else {ADA, GRACE, PAT}:
        github.review_pull_request(reviewer.github, talk.name, number)
    github.merge_pull_request(GRACE.github, talk.name, number, method)


def text(talk: Conversation, path: str) -> str:
    """Return a file of main."""
    return talk.world.github.files(talk.name)[path].decode()


def edit(talk: Conversation, path: str, content: str) -> None:
    """Change a file of main by a pull request of Ada's."""
    github = talk.world.github
    branch = f"edit-{len(github.repos[talk.name].pulls)}"
    github.push(ADA.github, talk.name, {path: content}, "Edit", branch)
    merge(talk, github.open_pull_request(ADA.github, talk.name, branch, "Edit").number)


def notice_merge(talk: Conversation) -> None:
    """Let the bot look at pull requests."""
    talk.world.clock.advance(LOOK_EVERY * 2)


def is_current(talk: Conversation) -> None:
    """Wait until the bot says that there is nothing to upgrade."""

    def asked() -> bool:
        talk.ada.type(f"/sciclops upgrade {talk.name}")
        return True

    notice_merge(talk)
    wait_until(lambda: asked() and talk.told(talk.ada, f"{talk.name} is current"), RUN_SECONDS)


def test_a_project_that_was_just_made_is_current(living: Conversation) -> None:
    living.ada.type(f"/sciclops upgrade {living.name}")
    living.told(living.ada, f"{living.name} is current")
    living.sam.type(f"/sciclops upgrade {living.name}")
    living.told(living.sam, "Not done: only the requester, an owner of the project")
    living.ada.type("/sciclops upgrade nobody-7")
    living.told(living.ada, "There is no project “nobody-7”")


def test_versions_are_offered_and_edits_survive_a_squash(
    living: Conversation, templates: PublishedTemplates
) -> None:
    logic = logic_of(living.name)
    edit(living, logic, text(living, logic) + "\n# mine\n")
    for version, before, method in (("1.1.0", "1.0.0", "squash"), ("1.2.0", "1.1.0", "merge")):
        templates.publish(version)
        pull = upgrade(living, f"{before} → {version}")
        assert pull.title == f"Upgrade to version {version} of the template “Job”"
        assert not pull.draft
        assert f"version {version}" not in text(living, logic)
        merge(living, pull.number, "squash" if method == "squash" else "merge")
        assert text(living, logic).startswith(f'"""{CONTESTED}, version {version}.')
        assert text(living, logic).endswith("\n# mine\n")
        assert text(living, f"docs/version-{version}.md")
        notice_merge(living)
        living.world.clock.advance(LOOK_EVERY)
    is_current(living)


def test_a_conflict_is_told_and_left_to_people(
    living: Conversation, templates: PublishedTemplates
) -> None:
    logic = logic_of(living.name)
    lines = text(living, logic).splitlines(keepends=True)
    edit(living, logic, "".join(['"""My own words."""\n', *lines[1:]]))
    templates.publish("1.3.0")
    pull = upgrade(living, "Git could not merge it by itself")
    assert pull.draft
    assert f"* `{logic}`" in pull.body
    assert text(living, logic).startswith('"""My own words."""')
    assert logic in done(living)[-1]
    living.pat.type("/sciclops upgrade --status")
    assert "Conflicts to resolve: 1" in text_of(living.told(living.pat, "Upgrades · "))


def test_new_modules_are_planned_confirmed_and_noted(living: Conversation) -> None:
    store, database = own_store(living.world.directory)
    store.versions.applied(living.name, "made by an older bot")
    database.close()
    environment = living.world.github.repos[living.name].environments["Staging"]
    kept = environment.variables["DATABRICKS_CLIENT_ID"].value
    environment.variables["DATABRICKS_CLIENT_ID"].value = "somebody-else"
    living.ada.type(f"/sciclops upgrade {living.name}")
    living.told(living.ada, "Terraform plans with the present modules")
    shown = living.run_message(f"{UPGRADE}Waiting for confirmation")
    assert "+0 ~1 -0" in text_of(shown)
    before = len(done(living))
    living.press("Confirm & Apply")
    wait_until(lambda: len(done(living)) > before, RUN_SECONDS)
    assert "The infrastructure is as the present Terraform modules make it." in done(living)[-1]
    assert environment.variables["DATABRICKS_CLIENT_ID"].value == kept


def own_store(directory: Path) -> tuple[Store, Database]:
    """Open the bot's database beside it."""
    settings = load(directory / "sciclops.toml", {})
    database = Database(settings.url())
    return Store(database, SystemClock()), database
