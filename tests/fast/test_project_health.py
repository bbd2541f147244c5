"""How a project fares, from what was last seen of it."""

from datetime import timedelta

import pytest
from rows import NOON, a_project, a_spec
from test_workflow_run import START, a_job, a_run

from provisioning.project_health import Health, Refusals, health_of, last_deployed
from provisioning.tables import DriftRow, HealthRow
from provisioning.workflow_run import WorkflowJob, WorkflowRun

LATER = START + timedelta(hours=3)
"""Both days after the project was asked for."""


def deployed(*jobs: WorkflowJob, number: int = 7, event: str = "push") -> WorkflowRun:
    """Return a run with these jobs."""
    return a_run(id=number, event=event, status="completed", jobs=jobs)


def marks(*runs: WorkflowRun, refused: Refusals = ()) -> str:
    """Return what is said of the stages; the newest run comes first."""
    found = last_deployed(a_spec(), runs, refused)
    return Health(troubles=(), looked_at=None, deployed=found).stages()


def job(name: str, conclusion: str = "success", attempt: int = 1) -> WorkflowJob:
    return a_job(name, "completed", conclusion, attempt=attempt)


@pytest.mark.parametrize(
    ("conclusion", "mark"),
    [("success", "✓"), ("failure", "✗"), ("timed_out", "✗"), ("cancelled", "–"), ("skipped", "–")],
)
def test_a_stage_shows_how_its_last_deployment_ended(conclusion: str, mark: str) -> None:
    assert marks(deployed(job("Deploy Testing", conclusion))) == (
        f"Dev – · Test {mark} · Stage – · Prod –"
    )


def test_the_last_one_counts_and_what_nobody_let_in_was_not_tried() -> None:
    older = deployed(job("Deploy Testing"), job("Deploy Production"), number=1)
    failed = deployed(job("Deploy Testing", "failure"), number=2)
    rejected = deployed(job("Deploy Production", "failure"), number=3)
    runs = (rejected, failed, older)
    assert marks(*runs, refused={("3", 1, "Production")}) == ("Dev – · Test ✗ · Stage – · Prod ✓")
    assert marks(*runs).endswith("Prod ✗")
    again = deployed(job("Deploy Testing", attempt=2), job("Deploy Development"), number=4)
    assert marks(again, *runs, refused={("3", 1, "Production")}) == (
        "Dev ✓ · Test ✓ · Stage – · Prod ✓"
    )


def test_copies_of_pull_requests_and_what_was_removed_are_not_deployed() -> None:
    pull = deployed(job("Deploy Development"), event="pull_request")
    assert marks(pull) == "Dev – · Test – · Stage – · Prod –"
    removed = deployed(job("Destroy Testing"), number=8)
    assert marks(removed, deployed(job("Deploy Testing"))) == "Dev – · Test – · Stage – · Prod –"


def test_a_stage_of_several_groups_is_as_good_as_its_worst_environment() -> None:
    spec = a_spec().model_copy(update={"workspace_groups": ("gbx1", "gbx2")})
    one = deployed(job("Deploy gbx1-Testing"))
    both = deployed(job("Deploy gbx1-Testing"), job("Deploy gbx2-Testing", "failure"))
    for run, mark in ((one, "–"), (both, "✗")):
        found = last_deployed(spec, (run,), ())
        said = Health(troubles=(), looked_at=None, deployed=found).stages()
        assert f"Test {mark}" in said


def test_troubles_are_named_and_who_has_looked_when_is_told() -> None:
    project = a_project(state="ready")
    nobody = health_of(project, None, None, (), ())
    assert nobody.said(LATER) == "nobody has looked yet"
    drift = DriftRow(project="ada-7", looked_at=START, resources=["a", "b"])
    seen = HealthRow(project="ada-7", checked_at=START + timedelta(hours=2), failed=1)
    run = deployed(job("Deploy Testing", "failure"))
    ill = health_of(project, drift, seen, (run,), ())
    assert ill.said(LATER) == (
        "2 resources have drifted; 1 of its checks failed; the last deployment to Testing failed "
        "(looked 1 hour ago)"
    )
    blind = DriftRow(project="ada-7", looked_at=START, resources=["a"], trouble="no state")
    unasked = HealthRow(project="ada-7", checked_at=START, unasked=1)
    assert health_of(project, blind, unasked, (), ()).troubles == (
        "nobody knows whether it has drifted",
        "not everything could be checked",
    )
    well = health_of(project, DriftRow(project="ada-7", looked_at=START), None, (), ())
    assert well.said(LATER) == "well (looked 3 hours ago)"


def test_what_was_seen_of_an_earlier_project_of_that_name_is_not_told() -> None:
    project = a_project(state="ready")
    before = NOON - timedelta(days=1)
    drift = DriftRow(project="ada-7", looked_at=before, resources=["a"])
    seen = HealthRow(project="ada-7", checked_at=before, failed=1)
    run = deployed(job("Deploy Testing")).model_copy(update={"created_at": before})
    health = health_of(project, drift, seen, (run,), ())
    assert health.said(LATER) == "nobody has looked yet"
    assert health.stages() == "Dev – · Test – · Stage – · Prod –"
