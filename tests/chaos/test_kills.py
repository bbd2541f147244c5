"""`kill -9` at every step boundary and within plan and apply: each project ends truthfully.

A sample runs with the suite; `make prove` runs all and writes docs/proofs/kills.md.
"""

import random

import pytest
from conversation import Conversation
from kills import Killer, Trial
from proofs import write_proof

from playground.crash import POINTS, STEPS
from playground.world import Playground

SAMPLE = 4
WITHIN = 12
"""Kills within plan and apply in the full proof; the boundaries come on top."""


def trials(dice: random.Random, *, all_of_them: bool) -> list[Trial]:
    """Return the kills to try: half of them take Terraform along."""
    points = list(POINTS)
    dice.shuffle(points)
    places: list[dict[str, object]] = [{"point": point} for point in points]
    within: list[dict[str, object]] = [
        {
            "phase": dice.choice(("planning", "applying", "applying")),
            "resources": dice.randint(1, 7),
        }
        for _ in range(WITHIN)
    ]
    chosen = places + within if all_of_them else places[: SAMPLE // 2] + within[: SAMPLE // 2]
    return [
        Trial(name=f"kill-{number}x", with_terraform=number % 2 == 0, **place)  # type: ignore[arg-type]
        for number, place in enumerate(chosen)
    ]


@pytest.mark.timeout(7200)
def test_whatever_is_killed_when_each_project_ends_ready_once(
    playground: Playground, seed: int, *, prove: bool
) -> None:
    dice = random.Random(seed)
    killer = Killer(playground, dice)
    rows = []
    for trial in trials(dice, all_of_them=prove):
        ended = killer.run_trial(trial)
        wrong = killer.faults_of(Conversation(playground, trial.name))
        rows.append((str(trial), "ready" if "Ready in" in ended else "failed", "; ".join(wrong)))
        assert "Ready in" in ended, f"{trial} (seed {seed}): {ended}"
        assert not wrong, f"{trial} (seed {seed}): {wrong}"
    assert len(rows) == (len(POINTS) + WITHIN if prove else SAMPLE)
    assert killer.killed_terraforms > 0 or not prove
    if prove:
        write_proof(
            "kills",
            "`kill -9` of the bot, half of the kills taking Terraform along",
            seed,
            ("Kill", "Ended", "Found wrong at the vendors or in Slack"),
            rows,
        )


def test_the_boundaries_are_those_of_a_real_run(playground: Playground) -> None:
    Conversation(playground, "whole-1x").make()
    steps = [p.removeprefix("before ") for _, p in playground.world.bot.points if "before" in p]
    assert tuple(step for step in steps if step != "sweep") == STEPS


def test_a_planted_double_is_found(playground: Playground) -> None:
    talk = Conversation(playground, "planted-1x")
    talk.make()
    killer = Killer(playground, random.Random(1))
    assert killer.faults_of(talk) == []
    mine = [p for p in killer.principals() if p.display_name.startswith("planted-1x-")]
    mine[0].display_name = mine[1].display_name
    assert f"2 principals {mine[1].display_name}" in killer.faults_of(talk)
