"""Each template goes through all stages with the real workflow, and its destruction leaves nothing.

`make prove` runs it and writes docs/proofs/templates.md. The suite takes one template all the way
in the browser's story.
"""

from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest
from conversation import ANSWER_SECONDS, EXECUTED_SECONDS, Conversation
from proofs import write_proof
from shipping import card, decide, link, run_says
from waiting import wait_until

from playground.cast import ADA, ROSA, STAGES
from playground.github.runs import WorkflowRun
from playground.world import Choices, Playground, running

TEMPLATES = ("job", "lakeflow_pipeline", "ml_workflow", "dashboard_report")
KINDS = ("jobs", "pipelines", "models", "dashboards", "experiments")


def held(talk: Conversation, stage: str) -> dict[str, list[str]]:
    """Return what the project has deployed in a stage, by kind, as the workspace says itself."""
    snapshot: Any = talk.world.databricks.snapshot()
    (workspace,) = (
        one for one in snapshot["workspaces"] if (one["group"], one["stage"]) == ("gbx1", stage)
    )
    words = (talk.name, talk.name.replace("-", "_"))
    found: dict[str, list[str]] = {}
    for kind in KINDS:
        names = [str(one.get("name") or one.get("path")) for one in workspace[kind]]
        if mine := [name for name in names if any(word in name for word in words)]:
            found[kind] = mine
    return found


def _is_over(run: WorkflowRun) -> bool:
    return run.status == "completed"


def destroy(talk: Conversation, stage: str) -> WorkflowRun:
    """Destroy what is deployed in a stage, as a person who may."""
    inputs: dict[str, object] = {"stage": stage, "action": "destroy"}
    run: WorkflowRun = talk.world.github.dispatch(ADA.github, talk.name, "deploy.yml", inputs)
    return run


def destroy_project(talk: Conversation) -> None:
    """Type the command, which removes what the other stages have deployed, and all the rest."""
    talk.ada.type(f"/sciclops destroy {talk.name}")
    talk.ada.wait_for_view("Type", timeout=ANSWER_SECONDS)
    talk.ada.fill({"project": talk.name})
    assert talk.ada.submit() is None
    talk.press("Confirm & Destroy", talk.grace)
    talk.run_message("Destroy · Destroyed", timeout=EXECUTED_SECONDS)


@pytest.fixture
def playground(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Playground]:
    """Return a playground that really executes its workflows."""
    with running(tmp_path_factory.mktemp("ship"), Choices(edit_seconds=0.3)) as started:
        yield started


@pytest.mark.timeout(1800)
def test_every_template_ships_and_is_destroyed(playground: Playground, seed: int) -> None:
    rows = []
    for number, template in enumerate(TEMPLATES):
        talk = Conversation(playground, f"t{number}-{template.split('_')[0]}", EXECUTED_SECONDS)
        if number == 0:
            link(talk, ROSA)
        talk.make(template=template)
        (run,) = talk.world.github.runs(talk.name)
        decide(talk, talk.rosa, run, "Approve")
        run_says(talk, run, "Deployed to Production")
        deployed = [held(talk, stage) for stage in STAGES]
        assert all("jobs" in one for one in deployed), deployed
        assert all("[dev " in name for name in deployed[0]["jobs"])
        assert all("[dev " not in name for one in deployed[1:] for name in one["jobs"])
        ended = destroy(talk, STAGES[-1])
        card(talk, ended, "It destroys")
        decide(talk, talk.rosa, ended, "Approve")
        wait_until(partial(_is_over, ended), EXECUTED_SECONDS)
        assert ended.conclusion == "success", [job.name for job in ended.present_jobs]
        destroy_project(talk)
        left = [held(talk, stage) for stage in STAGES]
        assert left == [{}, {}, {}, {}], left
        rows.append((template, ", ".join(sorted({kind for one in deployed for kind in one}))))
    write_proof(
        "templates",
        "Every template through all stages, and away again",
        seed,
        ("Template", "Deployed in each stage, gone after destroy"),
        rows,
    )
