"""`kill -9` at step boundaries and in between, of operations of every kind: at least 30 of each.

Where Terraform runs, half of the kills take it along. Each kind is a test of its own, which writes
its own section of docs/proofs/kills.md: a proof that was cut off goes on with the next kind.
"""

import random
from collections.abc import Iterator

import pytest
from keys import LoggingIn
from killed_changes import CHANGES
from killed_kinds import KINDS, Projects
from kills import Kill, Killed, Killer
from played_runs import playing
from proofs import write_section
from template_versions import PublishedTemplates

from playground.world import Choices, Playground

BOUNDARIES = 20
"""Kills at boundaries of steps, at least; each step has one, before or after it."""
WITHIN = 14
"""Kills in between that are tried, once so many requests have come to the vendors."""
ENOUGH = 30
"""Kills that have to have met the operation; one that came too late is made up for, twice each."""


@pytest.fixture
def playground(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Playground]:
    """Return a running playground whose projects have secrets."""
    offer = PublishedTemplates(tmp_path_factory.mktemp("offer") / "bundle_templates").folder
    choices = Choices(edit_seconds=0.3, authentication="secret", templates=str(offer))
    with playing(tmp_path_factory.mktemp("kinds"), choices) as started:
        started.world.github.runner = LoggingIn(started.world.github.hub.book)
        yield started


def kills(steps: list[str], requests: int, kind: type[Killed], dice: random.Random) -> list[Kill]:
    """Return the kills to try: at each step, then as many as are missing, then in between."""
    points = [f"{moment} {step}" for step in steps for moment in ("before", "after")]
    chosen = [f"{dice.choice(('before', 'after'))} {step}" for step in steps]
    chosen += dice.choices(points, k=max(BOUNDARIES - len(chosen), 0))
    dice.shuffle(chosen)
    within = sorted(dice.randint(1, requests) for _ in range(WITHIN))
    spare = [dice.randint(1, requests) for _ in range(2 * WITHIN)]
    places = [(point, 0) for point in chosen] + [("", number) for number in [*within, *spare]]
    return [
        Kill(point, after, with_terraform=kind.runs_terraform and number % 2 == 0)
        for number, (point, after) in enumerate(places)
    ]


@pytest.mark.timeout(7200)
@pytest.mark.parametrize("kind", [*KINDS, *CHANGES], ids=lambda kind: kind.name)
def test_whatever_is_killed_when_it_ends_truthfully_and_nothing_happens_twice(
    playground: Playground, seed: int, kind: type[Killed]
) -> None:
    dice = random.Random(f"{seed} {kind.name}")
    killer, projects = Killer(playground), Projects(playground)
    steps, requests = killer.rehearse(kind(projects.talk_for(kind)))
    rows: list[tuple[str, ...]] = []
    planned = kills(steps, requests, kind, dice)
    for number, kill in enumerate(planned):
        if number >= len(planned) - 2 * WITHIN and len(rows) >= ENOUGH:
            break
        where, wrong = killer.run_trial(kind(projects.talk_for(kind)), kill)
        assert not wrong, f"{kill}, {where} (seed {seed}): {wrong}"
        if where:
            rows.append((str(kill), where, "as it should", ""))
    assert len(rows) >= ENOUGH
    assert killer.killed_terraforms > 0 or not kind.runs_terraform
    said = f"seed {seed}, {len(rows)} kills, {killer.killed_terraforms} Terraform processes with it"
    header = ("Kill", "It was", "It ended", "Found wrong at the vendors or in Slack")
    title = "`kill -9` of the bot, half of the kills taking Terraform along"
    write_section("kills", title, kind.name, said, (header, rows))
