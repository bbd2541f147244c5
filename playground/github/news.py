"""What the App is told of runs, jobs, gates and deployments, at the moment it happens."""

from collections.abc import Callable

from playground.github import deployments, hook_payloads
from playground.github.deployments import Deployment, DeploymentStatus
from playground.github.gates import Gate
from playground.github.runs import Job, Review, WorkflowRun
from playground.github.webhooks import Webhooks
from playground.github.world import Json, World


class News:
    """Makes the payloads of events, if anybody is to get them."""

    def __init__(self, world: World, webhooks: Webhooks) -> None:
        self._world = world
        self._webhooks = webhooks

    def run(self, run: WorkflowRun, action: str) -> None:
        """Tell that a run was requested, began or ended."""
        self._tell(run, "workflow_run", action, lambda: hook_payloads.of_run(self._world, run))

    def job(self, run: WorkflowRun, job: Job) -> None:
        """Tell how a job stands now."""
        deployment = deployments.of_job(run.repo, job)
        self._tell(
            run,
            "workflow_job",
            job.status,
            lambda: hook_payloads.of_job(self._world, run, job, deployment),
        )

    def deployment(self, deployment: Deployment, status: DeploymentStatus) -> None:
        """Tell a deployment's new state."""
        run = self._world.runs.get(deployment.run_id)
        if run is not None:
            self._tell(
                run,
                "deployment_status",
                "created",
                lambda: hook_payloads.of_deployment_status(self._world, run, deployment, status),
            )

    def waiting(self, gate: Gate) -> None:
        """Ask those who are to decide: the reviewers, the App that is the rule, or both."""
        run, world = gate.run, self._world
        if gate.needs_review:
            self._tell(
                run,
                "deployment_review",
                "requested",
                lambda: hook_payloads.of_review_request(world, gate),
            )
        if gate.needs_rule:
            self._tell(
                run,
                "deployment_protection_rule",
                "requested",
                lambda: hook_payloads.of_rule_request(world, gate),
            )

    def decided(self, gates: list[Gate], review: Review) -> None:
        """Tell what somebody has decided."""
        event, repo = "deployment_review", gates[0].run.repo
        if self._webhooks.wants(event):
            body = hook_payloads.of_review(self._world, gates, review)
            self._webhooks.send(event, review.state, repo, review.login, body)

    def _tell(self, run: WorkflowRun, event: str, action: str, body: Callable[[], Json]) -> None:
        if self._webhooks.wants(event):
            by = run.triggering_actor or run.actor
            self._webhooks.send(event, action, run.repo, by, body())
