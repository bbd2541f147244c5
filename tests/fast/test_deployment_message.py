"""What the message of a workflow run says where a release was stopped."""

import pytest
from test_deploy_workflow_rules import JOBS
from test_workflow_run import START, a_job, a_run

from provisioning.deployment_message import ADVICE, COPY_REMOVED, deployment_notice
from provisioning.store import Followed
from provisioning.text import code, plain
from provisioning.workflow_run import COMPARISON, ORDER, WorkflowRun


def stopped_at(step: str) -> WorkflowRun:
    """Return a run whose deployment to Production has failed at a step."""
    job = a_job("Deploy Production", "completed", "failure")
    failed = job.model_copy(update={"failed_step": step})
    return a_run(status="completed", conclusion="failure", jobs=(failed,))


def test_the_workflow_has_the_steps_that_advice_is_about() -> None:
    names = [step["name"] for step in JOBS["deploy_production"]["steps"] if "name" in step]
    assert set(ADVICE) <= set(names)


@pytest.mark.parametrize(("step", "advice"), [(COMPARISON, "a new plan"), (ORDER, "newer commit")])
def test_who_reads_that_a_release_was_stopped_reads_what_to_do(step: str, advice: str) -> None:
    followed = Followed(run=stopped_at(step), project="ada-7", created_at=START)
    notice = deployment_notice(followed, (), (), code)
    said = plain(notice.body[0])
    assert f"Deploy Production failed at the step “{step}”. Nothing was deployed there" in said
    assert advice in said
    assert [button.label for button in notice.buttons] == ["Rerun"]


def test_only_a_plan_that_is_out_of_date_needs_a_new_one() -> None:
    assert stopped_at(COMPARISON).needs_new_plan()
    assert not stopped_at(ORDER).needs_new_plan()
    assert not stopped_at("Deploy").needs_new_plan()


def test_what_a_stage_lost_is_not_called_the_project_s_destruction() -> None:
    job = a_job("Destroy Testing", "completed", "success")
    run = a_run(status="completed", conclusion="success", jobs=(job,))
    notice = deployment_notice(Followed(run=run, project="ada-7", created_at=START), (), (), code)
    assert notice.title.startswith("ada-7 · Removal · Removed from Testing in ")


def test_a_closed_pull_request_s_copy_is_said_to_be_removed() -> None:
    assert COPY_REMOVED in {job.get("name") for job in JOBS.values()}
    job = a_job(COPY_REMOVED, "completed", "success")
    run = a_run(event="pull_request", status="completed", conclusion="success", pull=1, jobs=(job,))
    notice = deployment_notice(Followed(run=run, project="ada-7", created_at=START), (), (), code)
    assert "Removed the pull request's copy in " in notice.title
