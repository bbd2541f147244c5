"""The payloads of the webhooks that tell of runs, jobs, gates and deployments."""

from typing import cast

from playground.github import payloads_deployments, payloads_runs
from playground.github.deployments import Deployment, DeploymentStatus
from playground.github.gates import Gate
from playground.github.payloads import node_id, stamp
from playground.github.payloads_pulls import pull_request
from playground.github.payloads_runs import who
from playground.github.runs import Job, Review, WorkflowRun
from playground.github.world import Json, World


def workflow(world: World, run: WorkflowRun) -> Json:
    """Return the run's workflow."""
    name = payloads_runs.file_of(run).name
    return payloads_runs.workflow(world, run.repo, run.workflow, name)


def of_run(world: World, run: WorkflowRun) -> Json:
    """Return what `workflow_run` tells."""
    return {"workflow_run": payloads_runs.run(world, run), "workflow": workflow(world, run)}


def of_job(world: World, run: WorkflowRun, job: Job, deployment: Deployment | None) -> Json:
    """Return what `workflow_job` tells; a job with an environment brings its deployment."""
    body: Json = {"workflow_job": payloads_runs.job(world, run, job)}
    if deployment:
        body["deployment"] = payloads_deployments.deployment(world, run.repo, deployment)
    return body


def _job_run(world: World, gate: Gate) -> Json:
    page = f"{payloads_runs.run_page(world, gate.run)}/job/{gate.job.id}"
    return {
        "id": gate.job.id,
        "name": gate.job.name,
        "status": gate.job.status,
        "conclusion": gate.job.conclusion,
        "environment": gate.environment.name,
        "html_url": page,
        "created_at": stamp(gate.job.created_at),
        "updated_at": stamp(world.now()),
    }


def _reviewed(world: World, gate: Gate) -> Json:
    return {
        "since": stamp(gate.opened_at),
        "reviewers": [
            _asked(one) for one in payloads_deployments.reviewers(world, gate.environment)
        ],
        "workflow_job_run": _job_run(world, gate),
        "workflow_run": payloads_runs.run(world, gate.run),
    }


def _asked(reviewer: Json) -> Json:
    """Return a reviewer as webhooks tell of one: of a team less than the API's answers."""
    body = cast("Json", reviewer["reviewer"])
    untold = ("type", "organization_id") if reviewer["type"] == "Team" else ()
    return reviewer | {"reviewer": {k: v for k, v in body.items() if k not in untold}}


def of_review_request(world: World, gate: Gate) -> Json:
    """Return what `deployment_review` tells when a job begins to wait."""
    run = gate.run
    asked = {
        "environment": gate.environment.name,
        "requestor": who(world, run.triggering_actor or run.actor),
    }
    return asked | _reviewed(world, gate)


def of_review(world: World, gates: list[Gate], review: Review) -> Json:
    """Return what `deployment_review` tells when somebody has decided."""
    shown = _reviewed(world, gates[0])
    shown["workflow_job_runs"] = [_job_run(world, gate) for gate in gates]
    return shown | {"approver": who(world, review.login), "comment": review.comment}


def of_rule_request(world: World, gate: Gate) -> Json:
    """Return what `deployment_protection_rule` tells the App that is to decide."""
    run = gate.run
    callback = f"{payloads_runs.run_url(world, run)}/deployment_protection_rule"
    shown = payloads_deployments.deployment(world, run.repo, gate.deployment)
    numbers = [cast("int", pull["number"]) for pull in payloads_runs.pull_requests(world, run)]
    pulls = [pull_request(world, run.repo, run.repo.pulls[number]) for number in numbers]
    return {
        "environment": gate.environment.name,
        "event": run.event,
        "sha": run.sha,
        "ref": run.ref,
        "deployment_callback_url": callback,
        "deployment": shown,
        "pull_requests": pulls,
    }


def of_deployment_status(
    world: World, run: WorkflowRun, deployment: Deployment, status: DeploymentStatus
) -> Json:
    """Return what `deployment_status` tells."""
    repo = run.repo
    job = next((j for jobs in run.jobs.values() for j in jobs if j.id == deployment.job_id), None)
    return {
        "deployment": payloads_deployments.deployment(world, repo, deployment),
        "deployment_status": payloads_deployments.deployment_status(
            world, repo, deployment, status
        ),
        "check_run": _check_run(world, run, job) if job else None,
        "workflow": workflow(world, run),
        "workflow_run": payloads_runs.run(world, run),
    }


def _check_run(world: World, run: WorkflowRun, job: Job) -> Json:
    whole = payloads_runs.check_run(world, run, job)
    kept = ("id", "name", "head_sha", "external_id", "url", "html_url", "details_url", "status")
    names = (*kept, "conclusion", "started_at", "completed_at")
    return {name: whole[name] for name in names} | {"node_id": node_id("CheckRun", job.id)}
