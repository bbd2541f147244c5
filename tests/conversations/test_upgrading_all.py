"""Upgrading all projects: ring by ring, halted by failures, paused, resumed, with an overview."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from conversation import RUN_SECONDS, Conversation
from seeded_projects import CheckingRunner, Seeding, seeding
from template_versions import PublishedTemplates
from waiting import wait_until

from playground.faults import Fault
from playground.github.objects import GitStore
from playground.slack.entities import Message
from playground.slack.reading import buttons, text_of
from playground.world import Choices, Playground
from provisioning.clock import SystemClock

TEMPLATE = "refs/heads/sciclops/template"
NAMES = ("canary-1", "sandbox-1", "usual-1", "usual-2")


@pytest.fixture(scope="module")
def templates(tmp_path_factory: pytest.TempPathFactory) -> PublishedTemplates:
    """Return the templates on offer, which this module changes."""
    return PublishedTemplates(tmp_path_factory.mktemp("offer") / "bundle_templates")


@pytest.fixture(scope="module")
def choices(templates: PublishedTemplates) -> Choices:
    """Return a playground that offers them, with a canary, and halts at the first failure."""
    upgrades = {"canaries": ["canary-1"], "at_once": 1, "failures_allowed": 0}
    return Choices(edit_seconds=0.2, templates=str(templates.folder), upgrades=upgrades)


@pytest.fixture(scope="module")
def seeds(playground: Playground) -> Iterator[Seeding]:
    """Return projects: one that Terraform has made, and four that are like it."""
    talk = Conversation(playground, "model-1")
    talk.make()
    playground.world.github.runner = CheckingRunner(playground.world.github.hub.book)
    with seeding(playground, talk.name) as seeds:
        for name in NAMES:
            ends = SystemClock().now().date() + timedelta(days=20)
            seeds.make(name, sandbox_until=ends if name == "sandbox-1" else None)
        yield seeds


def fleet(talk: Conversation, state: str) -> Message:
    """Wait until the newest message of an upgrade of all shows a state."""

    def look() -> Message | None:
        shown = [m for m in talk.pat.visible_messages() if "Upgrade of all projects" in text_of(m)]
        return (
            shown[-1]
            if shown and f"Upgrade of all projects · {state}" in text_of(shown[-1])
            else None
        )

    return talk.pat.wait_until(look, timeout=RUN_SECONDS)


def offered(talk: Conversation) -> set[str]:
    """Return the projects that have an open pull request."""
    repos = talk.world.github.repos
    return {
        name
        for name in (*NAMES, "model-1")
        if any(p.state == "open" for p in repos[name].pulls.values())
    }


def begin(talk: Conversation, number: int) -> None:
    """Ask for it, as the platform team may, and agree."""
    talk.pat.type("/sciclops upgrade --all")
    asked = talk.told(talk.pat, f"Offer {number} project")
    talk.pat.press("Upgrade All", on=asked)
    talk.told(talk.pat, "The upgrade of all projects is under way")


def test_a_canary_that_fails_keeps_all_others_from_it(
    talk: Conversation, seeds: Seeding, templates: PublishedTemplates
) -> None:
    talk.ada.type("/sciclops upgrade --all")
    talk.told(talk.ada, "Not done: only the platform team upgrades all projects")
    templates.publish("2.0.0")
    git = GitStore(talk.world.github.repos["canary-1"].path)
    kept = git.ref(TEMPLATE)
    assert kept
    git.delete_ref(TEMPLATE)
    begin(talk, 5)
    halted = fleet(talk, "Halted, too much has failed")
    assert "Failed: canary-1" in text_of(halted)
    assert offered(talk) == set()
    talk.pat.type("/sciclops upgrade --status failed")
    talk.told(talk.pat, "canary-1 has no branch sciclops/template. Restore it at GitHub")

    git.set_ref(TEMPLATE, kept)
    talk.pat.press("Try Again", on=halted)
    done = text_of(fleet(talk, "Done"))
    assert "Pull request open: 5" in done
    assert offered(talk) == {*NAMES, "model-1"}
    stand(talk, "Pull request open: 5")
    assert seeds.store.trail("usual-1").fault is None


def stand(talk: Conversation, words: str) -> None:
    """Ask for the overview, which must say this."""
    talk.pat.type("/sciclops upgrade --status")
    assert "Upgrades · " in text_of(talk.told(talk.pat, words))


def test_what_is_paused_begins_with_no_further_project(
    talk: Conversation, seeds: Seeding, templates: PublishedTemplates
) -> None:
    del seeds
    templates.publish("2.1.0")
    stand(talk, "Behind: 5")
    slow = talk.world.faults.add(Fault("github", "delay", "POST .*/canary-1/git/trees", seconds=5))
    begin(talk, 5)
    wait_until(lambda: slow.times == 0, RUN_SECONDS)
    talk.ada.type("/sciclops upgrade --pause")
    talk.told(talk.ada, "Not done: only the platform team upgrades all projects")
    talk.pat.type("/sciclops upgrade --pause")
    talk.told(talk.pat, "Paused: no further project begins")
    paused = fleet(talk, "Paused")
    assert set(buttons(paused)) == {"Resume"}
    wait_until(lambda: "version 2.1.0" in title(talk, "canary-1"), RUN_SECONDS)
    talk.world.clock.advance(timedelta(minutes=1))
    assert "version 2.0.0" in title(talk, "usual-2")
    talk.pat.type("/sciclops upgrade --resume")
    talk.told(talk.pat, "The upgrade of all projects goes on")
    fleet(talk, "Done")
    assert {title(talk, name)[:24] for name in NAMES} == {"Upgrade to version 2.1.0"}
    talk.pat.type("/sciclops upgrade --resume")
    talk.told(talk.pat, "No upgrade of all projects is paused or halted")


def title(talk: Conversation, name: str) -> str:
    """Return the title of a project's open pull request."""
    pulls = talk.world.github.repos[name].pulls.values()
    return next(pull.title for pull in pulls if pull.state == "open")


def test_the_overview_is_paged(talk: Conversation, seeds: Seeding) -> None:
    for number in range(8):
        seeds.make(f"later-{number}")
    talk.pat.type("/sciclops upgrade --status current")
    first = talk.told(talk.pat, "Current · 8")
    assert "later-0" in text_of(first)
    talk.pat.type("/sciclops upgrade --status waiting")
    talk.told(talk.pat, "Pull request open · 5")
    talk.pat.type("/sciclops upgrade --status nonsense")
    talk.told(talk.pat, "Say one of current, waiting, conflicts, failed, behind")
