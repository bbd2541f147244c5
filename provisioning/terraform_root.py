"""A project's Terraform root, generated as JSON: providers, module calls, outputs, imports.

Nothing that a person typed is ever in `main.tf.json`, where Terraform evaluates `${…}` and `%{…}`:
such values travel in `terraform.tfvars.json`, which it takes literally. Each environment has a
module call of its own, because `for_each` cannot vary providers.
"""

import json
from collections.abc import Mapping
from typing import Any

from provisioning.delivery import Delivery
from provisioning.project import PLANNER_SUFFIX, AccessLevel, Environment, ProjectSpec
from provisioning.text import Frozen

Json = dict[str, Any]

REQUIRED_PROVIDERS = {
    "github": {"source": "integrations/github", "version": "~> 6.9.0"},
    "databricks": {"source": "databricks/databricks", "version": "~> 1.99.0"},
}
"""Pinned: state written by github 6.11 and later has a higher schema version."""

PRIVILEGES: dict[AccessLevel, tuple[str, ...]] = {
    "read": ("SELECT",),
    "write": ("SELECT", "MODIFY"),
}
"""What a level of access grants; the modules add the USE_… privileges on the way there."""
SECURABLES = {1: "catalog", 2: "schema", 3: "table"}

PROJECT_VALUES = (
    "name",
    "marker",
    "organisation",
    "visibility",
    "github_app_id",
    "github_team",
    "platform_team",
    "reviewer_teams",
    "reviewer_users",
    "required_checks",
    "immutable_subjects",
)
SHARED_VALUES = ("name", "marker", "oidc_issuer", "federated", "automation_client_id")
ENVIRONMENT_VALUES = (
    "environment_name",
    "account_id",
    "oidc_audience",
    "host",
    "catalog",
    "deployment_branches",
    "policy_family",
    "team_may_write",
    "gated",
    "reviewed",
    "data_access",
    "secrets",
)


class AccountContext(Frozen):
    """A Databricks account."""

    account_id: str
    host: str


class WorkspaceContext(Frozen):
    """Where a stage of a workspace group lives."""

    host: str
    catalog: str
    policy_family: str = "job-cluster"


class TerraformContext(Delivery):
    """What a root needs to know of the installation. `workspaces`: group, then stage."""

    organisation: str
    github_url: str
    github_app_id: int
    visibility: str
    platform_team: str
    write_delay_ms: int
    oidc_issuer: str
    oidc_audience: str
    immutable_subjects: bool
    automation_client_id: str
    accounts: dict[str, AccountContext]
    workspaces: dict[str, dict[str, WorkspaceContext]]
    writable_stages: tuple[str, ...] = ("development",)


def root_files(
    spec: ProjectSpec,
    marker: str,
    context: TerraformContext,
    imports: Mapping[str, str],
    *,
    removes: bool = False,
) -> dict[str, str]:
    """Return the generated files of a root; `imports` maps addresses to Terraform import ids.

    One that `removes` lets schemas go that are not empty; it counts once it was applied.
    """
    values = _values(spec, marker, context)
    main: Json = {
        "terraform": {"required_version": ">= 1.9.0", "required_providers": REQUIRED_PROVIDERS},
        "provider": _providers(spec, context),
        "variable": {name: {} for name in values},
        "module": _modules(spec, context, removes=removes),
        "output": _outputs(spec, context),
    }
    if imports:
        main["import"] = [{"to": to, "id": literal(found)} for to, found in imports.items()]
    return {"main.tf.json": _text(main), "terraform.tfvars.json": _text(values)}


def environment_key(environment: Environment) -> str:
    """Return what an environment's module and provider alias are called: `gbx2_production`."""
    return _key(environment.name)


def environment_module(environment: Environment) -> str:
    """Return the address of an environment's module."""
    return f"module.{environment_key(environment)}"


def identity_module(github_environment: str) -> str:
    """Return the address of the module that makes a GitHub environment and its principal."""
    name = github_environment.removesuffix(PLANNER_SUFFIX)
    who = "deployer" if name == github_environment else "planner"
    return f'module.{_key(name)}.module.identity["{who}"]'


def account_key(accounts: Mapping[str, AccountContext], group: str) -> str:
    """Return what the account of a workspace group is called: groups may share one."""
    first = next(name for name, account in accounts.items() if account == accounts[group])
    return f"account_{first}"


def account_module(accounts: Mapping[str, AccountContext], group: str) -> str:
    """Return the address of the module for the account of a workspace group."""
    return f"module.{account_key(accounts, group)}"


def literal(text: str) -> str:
    """Return text as the configuration has to spell it, so that nothing in it is evaluated."""
    return text.replace("${", "$${").replace("%{", "%%{")


def _key(name: str) -> str:
    return name.lower().replace("-", "_")


def _text(value: Json) -> str:
    return json.dumps(value, indent=2, sort_keys=True, ensure_ascii=True) + "\n"


def _account_groups(spec: ProjectSpec, context: TerraformContext) -> dict[str, str]:
    """Return one workspace group for each account that the project uses, by the account's key."""
    found: dict[str, str] = {}
    for group in spec.workspace_groups:
        found.setdefault(account_key(context.accounts, group), group)
    return found


# ---------------------------------------------------------------------- values


def _values(spec: ProjectSpec, marker: str, context: TerraformContext) -> Json:
    return {
        "name": spec.name,
        "marker": marker,
        "organisation": context.organisation,
        "visibility": context.visibility,
        "github_app_id": context.github_app_id,
        "github_team": spec.github_team,
        "platform_team": context.platform_team,
        "reviewer_teams": [r.name for r in spec.reviewers if r.kind == "team"],
        "reviewer_users": [r.name for r in spec.reviewers if r.kind == "user"],
        "required_checks": list(context.required_checks),
        "immutable_subjects": context.immutable_subjects,
        "managed_group": spec.managed_group,
        "oidc_issuer": context.oidc_issuer,
        "federated": context.authentication == "oidc",
        "automation_client_id": context.automation_client_id,
        "environments": {
            environment_key(environment): _environment_values(spec, environment, context)
            for environment in spec.environments()
        },
    }


def _environment_values(
    spec: ProjectSpec, environment: Environment, context: TerraformContext
) -> Json:
    workspace = context.workspaces[environment.group][environment.stage]
    return {
        "environment_name": environment.name,
        "account_id": context.accounts[environment.group].account_id,
        "oidc_audience": context.oidc_audience,
        "host": workspace.host,
        "catalog": workspace.catalog,
        "policy_family": workspace.policy_family,
        "team_may_write": environment.stage in context.writable_stages,
        "gated": context.is_gated(environment),
        "reviewed": context.is_reviewed(environment),
        "deployment_branches": list(environment.branches),
        "data_access": [
            {
                "securable": SECURABLES[len(access.securable.split("."))],
                "full_name": access.securable,
                "privileges": list(PRIVILEGES[access.level]),
            }
            for access in spec.data_access
            if access.securable.split(".")[0] == workspace.catalog
        ],
        "secrets": [each.name for each in spec.secrets if environment.stage in each.stages],
    }


# ---------------------------------------------------------------------- configuration


def _providers(spec: ProjectSpec, context: TerraformContext) -> Json:
    github = {
        "owner": "${var.organisation}",
        "base_url": context.github_url,
        # The App's credentials come from the environment, but the empty block is needed.
        "app_auth": [{}],
        "write_delay_ms": max(1, context.write_delay_ms),  # the provider refuses 0
        "parallel_requests": context.write_delay_ms == 0,
    }
    reachable = _reachable(spec, context)
    accounts = [
        {
            "alias": key,
            "host": context.accounts[group].host,
            "account_id": context.accounts[group].account_id,
        }
        for key, group in _account_groups(reachable, context).items()
    ]
    # A workspace's alias must not have an account id: the rule set would use the account's API.
    workspaces = [
        {
            "alias": environment_key(environment),
            "host": literal(context.workspaces[environment.group][environment.stage].host),
        }
        for environment in reachable.environments()
    ]
    return {"github": [github], "databricks": [*accounts, *workspaces]}


def _reachable(spec: ProjectSpec, context: TerraformContext) -> ProjectSpec:
    """Return the project as if in every group, if it may be in several: groups can be added.

    What a change has begun to make and nobody wants any more is removed by its own provider, which
    has to be there. Terraform leaves out those that nothing needs.
    """
    if len(spec.workspace_groups) == 1:
        return spec
    others = (group for group in context.workspaces if group not in spec.workspace_groups)
    return spec.model_copy(update={"workspace_groups": (*spec.workspace_groups, *others)})


def _modules(spec: ProjectSpec, context: TerraformContext, *, removes: bool) -> Json:
    project = {
        "source": "./modules/project",
        "providers": {"github": "github"},
        **{name: f"${{var.{name}}}" for name in PROJECT_VALUES},
    }
    accounts = {
        key: {
            "source": "./modules/account",
            "providers": {"dbx.account": f"databricks.{key}"},
            "name": "${var.name}",
            "managed_group": "${var.managed_group}",
        }
        for key in _account_groups(spec, context)
    }
    environments = {
        environment_key(environment): _environment_module(environment, context)
        | ({"force_destroy": True} if removes else {})
        for environment in spec.environments()
    }
    return {"project": project, **accounts, **environments}


def _environment_module(environment: Environment, context: TerraformContext) -> Json:
    key, account = environment_key(environment), account_key(context.accounts, environment.group)
    return {
        "source": "./modules/environment",
        "providers": {
            "github": "github",
            "dbx.account": f"databricks.{account}",
            "dbx.workspace": f"databricks.{key}",
        },
        **{name: f"${{var.{name}}}" for name in SHARED_VALUES},
        **{name: f'${{var.environments["{key}"].{name}}}' for name in ENVIRONMENT_VALUES},
        "repository": "${module.project.repository_name}",
        "oidc_prefix": "${module.project.oidc_prefix}",
        "group": f"${{module.{account}.group}}",
        "reviewer_team_ids": "${module.project.reviewer_team_ids}",
        "reviewer_user_ids": "${module.project.reviewer_user_ids}",
    }


def _outputs(spec: ProjectSpec, context: TerraformContext) -> Json:
    environments = {
        environment.name: f"${{{environment_module(environment)}.environment}}"
        for environment in spec.environments()
    }
    planners = {
        environment.planner_name: f"${{{environment_module(environment)}.planner}}"
        for environment in context.gated(spec)
    }
    return {
        "repository": {"value": "${module.project.repository}"},
        "environments": {"value": environments | planners},
    }
