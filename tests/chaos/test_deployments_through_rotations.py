"""Real deployments, every job executed, one after the other while keys are rotated: none fails."""

from functools import partial

import pytest
from conversation import EXECUTED_SECONDS, Conversation
from keys import Keys, status
from proofs import write_proof
from waiting import wait_until

from playground.cast import GRACE
from playground.github.runs import WorkflowRun
from playground.slack.reading import text_of
from playground.world import Choices, running

ROTATIONS = 3


def begin(talk: Conversation) -> WorkflowRun:
    """Begin to deploy up to Testing."""
    run: WorkflowRun = talk.world.github.dispatch(
        GRACE.github, talk.name, "deploy.yml", {"stage": "testing"}
    )
    return run


def is_over(run: WorkflowRun) -> bool:
    """Tell whether a run has ended."""
    return run.status == "completed"


def works(run: WorkflowRun) -> bool:
    """Tell whether a job of a run has begun that has got a key."""
    started = [job for job in run.present_jobs if job.environment and job.status != "queued"]
    return bool(started) or is_over(run)


def deploy_through_a_rotation(keys: Keys) -> list[WorkflowRun]:
    """Begin to rotate while a deployment works, and deploy until the old keys are revoked."""
    runs = [begin(keys.talk)]
    wait_until(partial(works, runs[0]), EXECUTED_SECONDS)
    number = keys.rotate()

    def is_done() -> bool:
        return any("Key rotation · Done" in text_of(one) for one in keys.messages()[number:])

    while True:
        wait_until(partial(is_over, runs[-1]), EXECUTED_SECONDS)
        if is_done():
            return runs
        runs.append(begin(keys.talk))


@pytest.mark.timeout(3600)
def test_deployments_all_through_rotations_never_fail(
    tmp_path_factory: pytest.TempPathFactory, seed: int
) -> None:
    choices = Choices(edit_seconds=0.3, authentication="secret")
    with running(tmp_path_factory.mktemp("rotations"), choices) as playground:
        talk = Conversation(playground, "loop-1", EXECUTED_SECONDS)
        talk.make()
        keys, rows = Keys(talk), []
        for number in range(ROTATIONS):
            old = keys.all()
            runs = deploy_through_a_rotation(keys)
            ended = [(run.conclusion, run.id) for run in runs]
            assert [one for one in ended if one[0] != "success"] == []
            assert keys.are_tidy()
            assert {status(key) for key in old.values()} == {401}
            rows.append((str(number + 1), str(len(runs)), "0"))
        title = "Deployments, every job executed, one after the other while keys are rotated"
        write_proof("rotations", title, seed, ("Rotation", "Deployments", "Failed"), rows)
