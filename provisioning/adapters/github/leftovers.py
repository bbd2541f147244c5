"""What exists of a project at GitHub though Terraform may not have heard of it.

Only what cannot simply be made again is looked for: GitHub refuses a second repository or ruleset
of a name, and answers a second deployment policy without its number; and environments, which an
archived repository would keep. Everything else (roles, variables, the OIDC template) is set, not
added, so making it again changes nothing, and it goes with its environment.
"""

from concurrent.futures import Executor
from functools import partial
from itertools import chain

from provisioning.adapters.github.connection import Connection
from provisioning.terraform_root import identity_module

RULESETS = {"main": "main", "sciclops-template": "template", "versions": "versions"}
"""Our rulesets: the name at GitHub to the resource's name."""

ENVIRONMENT = "github_repository_environment.this"
POLICY = "github_repository_environment_deployment_policy.branch"

Found = dict[str, str]


def import_ids(connection: Connection, executor: Executor, name: str) -> Found:
    """Return what exists of the repository: address in the root to Terraform import id."""
    path = f"/repos/{connection.app.organisation}/{name}"
    rulesets = executor.submit(_rulesets, connection, path, name)
    listed = connection.get(f"{path}/environments?per_page=100") or {}
    environments = [environment["name"] for environment in listed.get("environments", ())]
    policies = executor.map(partial(_policies, connection, path, name), environments)
    found = {"module.project.github_repository.this": name, **rulesets.result()}
    for each in environments:
        found[f"{identity_module(each)}.{ENVIRONMENT}"] = f"{name}:{each}"
    return found | dict(chain.from_iterable(each.items() for each in policies))


def _rulesets(connection: Connection, path: str, name: str) -> Found:
    return {
        f"module.project.github_repository_ruleset.{resource}": f"{name}:{ruleset['id']}"
        for ruleset in connection.pages(f"{path}/rulesets")
        if (resource := RULESETS.get(ruleset["name"]))
    }


def _policies(connection: Connection, path: str, name: str, environment: str) -> Found:
    where = f"{path}/environments/{environment}/deployment-branch-policies?per_page=100"
    resource = f"{identity_module(environment)}.{POLICY}"
    return {
        f'{resource}["{policy["name"]}"]': f"{name}:{environment}:{policy['id']}"
        for policy in (connection.get(where) or {}).get("branch_policies", ())
    }
