"""Three versions of a template reach many projects, whoever squashes, edits or kills the bot.

Six projects, one of which conflicts, and two kills by default; two hundred, twenty and ten with
`make prove`. The first project is made by Terraform; the others get its rulesets, environments and
teams, and their code by the adapter that pushes starter code (`seeded_projects`).
"""

import random
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Literal

import pytest
from conversation import Conversation
from played_runs import playing
from proofs import write_proof
from seeded_projects import CheckingRunner, Seeding, seeding
from template_versions import CONTESTED, PublishedTemplates, logic_of
from waiting import wait_until

from playground.cast import ADA, GRACE, PAT
from playground.github.pulls import PullRequest
from playground.slack.reading import text_of
from playground.world import Choices, Playground
from provisioning.upgrading import LOOK_EVERY
from provisioning.versions import STANDINGS

VERSIONS = ("1.1.0", "1.2.0", "1.3.0")
Method = Literal["merge", "squash"]


@dataclass(frozen=True)
class Size:
    """How large the trial is."""

    projects: int
    conflicts: int
    kills: int
    seconds: float


@dataclass
class Fleet:
    """The projects, and what people do with them."""

    playground: Playground
    seeds: Seeding
    names: list[str]
    torn: frozenset[str]
    dice: random.Random
    kills: int = 0
    merged: int = 0
    methods: dict[str, list[Method]] = field(default_factory=dict)

    @property
    def talk(self) -> Conversation:
        """Return what is said to the bot."""
        return Conversation(self.playground, "model-1")

    def clean(self) -> list[str]:
        """Return the projects whose edits don't conflict."""
        return [name for name in self.names if name not in self.torn]

    def pulls(self, name: str) -> list[PullRequest]:
        """Return the pull requests of a project's upgrades."""
        pulls = self.playground.world.github.repos[name].pulls.values()
        return [pull for pull in pulls if pull.head == "sciclops/upgrade"]

    # ------------------------------------------------------------------ people

    def edit(self, name: str, number: int) -> None:
        """Let Ada change a line of her own; of some, the line that every version changes."""
        github, logic = self.playground.world.github, logic_of(name)
        text = github.files(name)[logic].decode()
        if name in self.torn:
            text = text.replace(text.splitlines()[0], f'"""Words of my own, {number}."""')
        branch = f"edit-{number}"
        changed = f"{text}\n# edit {number}\n"
        github.push(ADA.github, name, {logic: changed}, f"Edit {number}", branch)
        pull = github.open_pull_request(ADA.github, name, branch, f"Edit {number}")
        self.merge(name, pull, self.dice.choice(("merge", "squash")))

    def merge(self, name: str, pull: PullRequest, method: Method) -> None:
        """Review and merge as the rulesets want it, once the checks have passed."""
        github = self.playground.world.github
        runs = [run for run in github.runs(name) if run.event == "pull_request"]
        wait_until(lambda: all(run.status == "completed" for run in runs), 60)
        for reviewer in (GRACE, PAT):
            github.review_pull_request(reviewer.github, name, pull.number)
        github.merge_pull_request(GRACE.github, name, pull.number, method)

    def merge_offers(self, number: int) -> None:
        """Merge what is offered, squashed in turn."""
        for place, name in enumerate(self.clean()):
            method: Method = "squash" if (place + number) % 2 else "merge"
            (pull,) = [one for one in self.pulls(name) if one.state == "open"]
            assert not pull.draft, name
            self.merge(name, pull, method)
            self.methods.setdefault(name, []).append(method)
            self.merged += 1

    # ------------------------------------------------------------------ the bot

    def upgrade_all(self, version: str, kills: int, seconds: float) -> None:
        """Offer a version to all, and kill the bot so many times meanwhile."""
        pat = self.talk.pat
        pat.type("/sciclops upgrade --all")
        asked = self.talk.told(pat, f"Offer {len(self.names)} projects")
        pat.press("Upgrade All", on=asked)
        for number in range(kills):
            reached = len(self.names) * (number + self.dice.random()) / (kills + 1)
            self.kill_after(version, reached, seconds)
        wait_until(lambda: self.offers(version) == len(self.names), seconds)

    def kill_after(self, version: str, reached: float, seconds: float) -> None:
        """Kill the bot once so many projects are offered a version, and start it again."""
        wait_until(lambda: self.offers(version) >= reached, seconds)
        self.playground.run(self.playground.world.bot.kill())
        self.playground.run(self.playground.world.bot.start())
        self.kills += 1

    def offers(self, version: str) -> int:
        """Return how many projects are offered a version."""
        wanted = f"version {version} "
        return sum(any(wanted in pull.title for pull in self.pulls(name)) for name in self.names)

    def stand(self, **wanted: int) -> None:
        """Wait until the bot says that all stand so; its sweeps look at pull requests meanwhile."""
        facts = {STANDINGS[one]: wanted.get(one, 0) for one in STANDINGS}

        def look() -> bool:
            self.playground.world.clock.advance(LOOK_EVERY)
            self.talk.pat.type("/sciclops upgrade --status")
            text = text_of(self.talk.told(self.talk.pat, "Upgrades · "))
            stands = all(f"{label}: {number}\n" in text for label, number in facts.items())
            return stands and "Upgrade of all: Done" in text

        wait_until(look, 300)


@pytest.fixture
def size(*, prove: bool) -> Size:
    """Return how large the trial is."""
    return Size(200, 20, 10, 1800) if prove else Size(6, 1, 2, 120)


@pytest.fixture
def fleet(tmp_path_factory: pytest.TempPathFactory, size: Size, seed: int) -> Iterator[Fleet]:
    """Return the projects, all of version 1.0.0."""
    folder = tmp_path_factory.mktemp("upgrades")
    templates = PublishedTemplates(folder / "bundle_templates")
    upgrades = {"at_once": 6, "failures_allowed": 0}
    choices = Choices(
        edit_seconds=0.3,
        templates=str(templates.folder),
        upgrades=upgrades,
        gated_stages=(),
        github_writing_applies=6,
    )
    dice = random.Random(seed)
    with playing(folder / "world", choices) as playground:
        Conversation(playground, "model-1").make()
        playground.world.github.runner = CheckingRunner(playground.world.github.hub.book)
        with seeding(playground, "model-1") as seeds:
            others = [f"fleet-{number:03}" for number in range(1, size.projects)]
            with ThreadPoolExecutor(4) as pool:
                list(pool.map(seeds.make, others))
            names = ["model-1", *others]
            torn = frozenset(dice.sample(others, size.conflicts))
            yield Fleet(playground, seeds, names, torn, dice)
            assert playground.world.github.violations == []
            assert playground.world.github.unknown_calls == []


@pytest.mark.timeout(7200)
def test_three_versions_reach_all_but_those_that_conflict(
    fleet: Fleet, size: Size, seed: int, *, prove: bool
) -> None:
    templates = PublishedTemplates(fleet.seeds.templates.folder)
    kills = [size.kills // 3 + (number < size.kills % 3) for number in range(3)]
    for number, version in enumerate(VERSIONS):
        for name in fleet.names if not number else fleet.clean():
            fleet.edit(name, number)
        templates.publish(version)
        fleet.upgrade_all(version, kills[number], size.seconds)
        fleet.stand(waiting=len(fleet.clean()), conflicts=size.conflicts)
        fleet.merge_offers(number)
        fleet.stand(current=len(fleet.clean()), conflicts=size.conflicts)
        for name in fleet.clean():
            assert faults(fleet, name, version, number) == [], name
        for name in fleet.torn:
            assert torn_faults(fleet, name, number) == [], name
    assert fleet.kills == size.kills
    assert fleet.merged == 3 * len(fleet.clean())
    assert {tuple(each) for each in fleet.methods.values()} == {
        ("merge", "squash", "merge"),
        ("squash", "merge", "squash"),
    }
    if prove:
        _write(fleet, seed)


def faults(fleet: Fleet, name: str, version: str, number: int) -> list[str]:
    """Return what is not as it must be of a project that was upgraded."""
    github = fleet.playground.world.github
    files, template = github.files(name), github.files(name, "sciclops/template")
    logic = logic_of(name)
    edits = "".join(f"\n# edit {one}\n" for one in range(number + 1)).encode()
    found = []
    if files != template | {logic: template[logic] + edits}:
        found.append("main is not the template with Ada's edits")
    if not template[logic].decode().startswith(f'"""{CONTESTED}, version {version}.'):
        found.append("the template's branch is of another version")
    if len(github.commits(name, "sciclops/template")) != number + 3:
        found.append("a version was committed twice, or never")
    if [pull.merged_at is not None for pull in fleet.pulls(name)] != [True] * (number + 1):
        found.append("there are other pull requests than one for each version")
    return found


def torn_faults(fleet: Fleet, name: str, number: int) -> list[str]:
    """Return what is not as it must be of a project that conflicts."""
    github = fleet.playground.world.github
    files, logic = github.files(name), logic_of(name)
    found = []
    if not files[logic].decode().startswith('"""Words of my own'):
        found.append("her words are gone")
    opened = [pull for pull in fleet.pulls(name) if pull.state == "open"]
    if len(fleet.pulls(name)) != 1 or [pull.draft for pull in opened] != [True]:
        found.append("it has not one draft")
    elif f"* `{logic}`" not in opened[0].body or VERSIONS[number] not in opened[0].title:
        found.append("the draft does not name the file or the version")
    return found


def _write(fleet: Fleet, seed: int) -> None:
    rows = [
        ("projects", str(len(fleet.names))),
        ("consecutive versions of the template", str(len(VERSIONS))),
        ("with edits that conflict, each time marked as a draft", str(len(fleet.torn))),
        ("upgrades merged cleanly, squashed and with merge commits in turn", str(fleet.merged)),
        ("SIGKILLs of the bot meanwhile", str(fleet.kills)),
        ("pull requests too many, versions committed twice, edits lost", "0"),
    ]
    title = "Three versions of a template for two hundred projects"
    write_proof("upgrades", title, seed, ("What", "How many"), rows)
