"""Gates and deployments in GitHub's own JSON."""

from playground.github import payloads
from playground.github.deployments import Deployment, DeploymentStatus
from playground.github.payloads import node_id, stamp
from playground.github.payloads_repo import api_url, html_url
from playground.github.payloads_runs import actions_app, who
from playground.github.world import APP_ID, APP_SLUG, Environment, Json, Repository, World


def environment_short(world: World, repo: Repository, env: Environment) -> Json:
    """Return how a gate names its environment."""
    activity = f"{html_url(world.root, world, repo)}/deployments/activity_log"
    return {
        "id": env.id,
        "node_id": node_id("Environment", env.id),
        "name": env.name,
        "url": f"{api_url(world.root, world, repo)}/environments/{env.name}",
        "html_url": f"{activity}?environments_filter={env.name}",
    }


def reviewers(world: World, env: Environment) -> list[Json]:
    """Return who may decide on an environment, as people and teams."""
    shown: list[Json] = []
    for kind, number in env.reviewers:
        team, user = world.team_by_id(number), world.user_by_id(number)
        if kind == "Team" and team:
            body = payloads.team_short(world.root, team, world.organisation)
            shown.append({"type": "Team", "reviewer": body})
        elif user:
            body = payloads.simple_user(world.root, user)
            shown.append({"type": "User", "reviewer": body})
    return shown


def protection_rule(env: Environment) -> Json:
    """Return `deployment-protection-rule`: the App's own."""
    number = env.custom_rule or 0
    return {
        "id": number,
        "node_id": node_id("DeploymentProtectionRule", number),
        "enabled": True,
        "app": rule_app(),
    }


def rule_app() -> Json:
    """Return the App as one that offers a protection rule."""
    return {
        "id": APP_ID,
        "slug": APP_SLUG,
        "integration_url": f"https://api.github.com/apps/{APP_SLUG}",
        "node_id": node_id("Integration", APP_ID),
    }


def deployment(world: World, repo: Repository, it: Deployment) -> Json:
    """Return `deployment`."""
    url = f"{api_url(world.root, world, repo)}/deployments/{it.id}"
    changed = it.statuses[-1].at if it.statuses else it.created_at
    return {
        "url": url,
        "id": it.id,
        "node_id": node_id("Deployment", it.id),
        "sha": it.sha,
        "ref": it.ref,
        "task": "deploy",
        "payload": {},
        "original_environment": it.environment,
        "environment": it.environment,
        "description": None,
        "creator": who(world, it.creator),
        "created_at": stamp(it.created_at),
        "updated_at": stamp(changed),
        "statuses_url": f"{url}/statuses",
        "repository_url": api_url(world.root, world, repo),
        "transient_environment": False,
        "production_environment": it.environment.lower().endswith("production"),
        "performed_via_github_app": actions_app(world),
    }


def deployment_status(
    world: World, repo: Repository, it: Deployment, status: DeploymentStatus
) -> Json:
    """Return `deployment-status`."""
    url = f"{api_url(world.root, world, repo)}/deployments/{it.id}"
    page = f"{html_url(world.root, world, repo)}/actions/runs/{it.run_id}/job/{it.job_id}"
    return {
        "url": f"{url}/statuses/{status.id}",
        "id": status.id,
        "node_id": node_id("DeploymentStatus", status.id),
        "state": status.state,
        "creator": who(world, it.creator),
        "description": status.description,
        "environment": it.environment,
        "target_url": page,
        "log_url": page,
        "created_at": stamp(status.at),
        "updated_at": stamp(status.at),
        "deployment_url": url,
        "repository_url": api_url(world.root, world, repo),
        "performed_via_github_app": actions_app(world),
    }
