"""What the wheels don't say about the types we serve, taken from the providers' documentation.

By type, then by attribute path: defaults, what forces a replacement, what is sensitive, what an
update changes by itself, and which words are allowed.
"""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Detail:
    """What is known of one attribute beyond its type.

    `volatile` attributes get a new value whenever something else changes. `lazy` ones are never
    compared: a change of the configuration alone is no change.
    """

    default: Any = None
    force_new: bool = False
    sensitive: bool = False
    volatile: bool = False
    lazy: bool = False
    choices: tuple[str, ...] = ()
    type: Any = None
    max_items: int = 0


FORCE_NEW = Detail(force_new=True)
VOLATILE = Detail(volatile=True)
SENSITIVE = Detail(sensitive=True)
OFF = Detail(default=False)
ON = Detail(default=True)

_GRANTABLE = (
    "catalog", "credential", "external_location", "foreign_connection", "function", "metastore",
    "model", "pipeline", "recipient", "schema", "share", "storage_credential", "table", "volume",
)  # fmt: skip
_PERMISSION_OBJECTS = (
    "alert_v2_id", "app_name", "authorization", "cluster_id", "cluster_policy_id", "dashboard_id",
    "database_instance_name", "directory_id", "directory_path", "experiment_id",
    "instance_pool_id", "job_id", "notebook_id", "notebook_path", "pipeline_id",
    "registered_model_id", "repo_id", "repo_path", "serving_endpoint_id", "sql_alert_id",
    "sql_dashboard_id", "sql_endpoint_id", "sql_query_id", "vector_search_endpoint_id",
    "workspace_file_id", "workspace_file_path",
)  # fmt: skip

EXACTLY_ONE: dict[str, tuple[str, ...]] = {
    "databricks_grant": _GRANTABLE,
    "databricks_permissions": _PERMISSION_OBJECTS,
    "databricks_permission_assignment": (
        "group_name", "principal_id", "service_principal_name", "user_name",
    ),
    "github_repository_environment_deployment_policy": ("branch_pattern", "tag_pattern"),
}  # fmt: skip
"""Types of which exactly one of some attributes must be given."""

OVERRIDES: dict[str, dict[str, Detail]] = {
    "github_actions_environment_variable": {
        "repository": FORCE_NEW,
        "environment": FORCE_NEW,
        "variable_name": FORCE_NEW,
        "updated_at": VOLATILE,
    },
    "github_branch_default": {"repository": FORCE_NEW, "rename": OFF, "etag": VOLATILE},
    "github_repository": {
        "visibility": Detail(choices=("public", "private", "internal")),
        "allow_merge_commit": ON,
        "allow_squash_merge": ON,
        "allow_rebase_merge": ON,
        "allow_auto_merge": OFF,
        "squash_merge_commit_title": Detail(default="COMMIT_OR_PR_TITLE"),
        "squash_merge_commit_message": Detail(default="COMMIT_MESSAGES"),
        "merge_commit_title": Detail(default="MERGE_MESSAGE"),
        "merge_commit_message": Detail(default="PR_TITLE"),
        "delete_branch_on_merge": OFF,
        "web_commit_signoff_required": OFF,
        "archived": OFF,
        "etag": VOLATILE,
    },
    "github_repository_collaborator": {
        "username": FORCE_NEW,
        "repository": FORCE_NEW,
        "permission": Detail(default="push", force_new=True),
        "permission_diff_suppression": OFF,
    },
    "github_repository_custom_property": {
        "repository": FORCE_NEW,
        "property_name": FORCE_NEW,
        "property_value": FORCE_NEW,
        "property_type": Detail(
            force_new=True, choices=("single_select", "multi_select", "string", "true_false")
        ),
    },
    "github_repository_dependabot_security_updates": {"repository": FORCE_NEW},
    "github_repository_environment": {
        "repository": FORCE_NEW,
        "environment": FORCE_NEW,
        "can_admins_bypass": ON,
        "prevent_self_review": OFF,
        "reviewers": Detail(max_items=6),
    },
    "github_repository_environment_deployment_policy": {
        "repository": FORCE_NEW,
        "environment": FORCE_NEW,
    },
    "github_repository_ruleset": {
        "target": Detail(choices=("branch", "push", "tag")),
        "enforcement": Detail(choices=("disabled", "active", "evaluate")),
        "bypass_actors.actor_type": Detail(
            choices=("RepositoryRole", "Team", "Integration", "OrganizationAdmin", "DeployKey")
        ),
        "bypass_actors.bypass_mode": Detail(choices=("always", "pull_request", "exempt")),
        "rules.update_allows_fetch_and_merge": OFF,
        "rules.pull_request.dismiss_stale_reviews_on_push": OFF,
        "rules.pull_request.require_code_owner_review": OFF,
        "rules.pull_request.require_last_push_approval": OFF,
        "rules.pull_request.required_approving_review_count": Detail(default=0),
        "rules.pull_request.required_review_thread_resolution": OFF,
        "rules.required_status_checks.do_not_enforce_on_create": OFF,
        "rules.required_status_checks.required_check.integration_id": Detail(default=0),
        "etag": VOLATILE,
    },
    "github_team_repository": {
        "team_id": FORCE_NEW,
        "repository": FORCE_NEW,
        "permission": Detail(default="pull"),
        "etag": VOLATILE,
    },
    "databricks_access_control_rule_set": {"name": FORCE_NEW},
    "databricks_budget_policy": {"policy_id": FORCE_NEW},
    "databricks_grant": dict.fromkeys((*_GRANTABLE, "principal"), FORCE_NEW),
    "databricks_group": {"external_id": Detail(force_new=True, lazy=True)},
    "databricks_group_member": {"group_id": FORCE_NEW, "member_id": FORCE_NEW},
    "databricks_permission_assignment": {
        **dict.fromkeys(("group_name", "principal_id"), FORCE_NEW),
        **dict.fromkeys(("service_principal_name", "user_name"), FORCE_NEW),
        "permissions": Detail(type=["set", "string"]),
    },
    "databricks_permissions": dict.fromkeys(_PERMISSION_OBJECTS, FORCE_NEW),
    "databricks_schema": {
        "name": FORCE_NEW,
        "catalog_name": FORCE_NEW,
        "storage_root": FORCE_NEW,
        "force_destroy": OFF,
        "enable_predictive_optimization": Detail(choices=("DISABLE", "ENABLE", "INHERIT")),
    },
    "databricks_secret_acl": dict.fromkeys(("scope", "principal", "permission"), FORCE_NEW),
    "databricks_secret_scope": dict.fromkeys(
        ("name", "initial_manage_principal", "backend_type"), FORCE_NEW
    ),
    "databricks_service_principal": {
        "application_id": FORCE_NEW,
        "active": ON,
        "external_id": Detail(lazy=True),
    },
    "databricks_service_principal_federation_policy": {
        "policy_id": FORCE_NEW,
        "service_principal_id": FORCE_NEW,
        "update_time": VOLATILE,
    },
    "databricks_volume": {
        **dict.fromkeys(("catalog_name", "schema_name", "storage_location"), FORCE_NEW),
        "volume_type": Detail(force_new=True, choices=("MANAGED", "EXTERNAL")),
    },
}

_APP_AUTH = {
    "nesting": "list",
    "max": 1,
    "block": {
        "attributes": {
            name: {"type": "string", "optional": True}
            for name in ("id", "installation_id", "pem_file")
        }
    },
}
_DATABRICKS_SECRETS = (
    "azure_client_secret", "client_secret", "google_credentials", "password", "token",
)  # fmt: skip

PROVIDER_OVERRIDES: dict[str, tuple[dict[str, Any], dict[str, Detail]]] = {
    "github": (
        {"app_auth": _APP_AUTH},
        {"app_auth": Detail(max_items=1), "app_auth.pem_file": SENSITIVE, "token": SENSITIVE},
    ),
    "databricks": ({}, dict.fromkeys(_DATABRICKS_SECRETS, SENSITIVE)),
}
"""Blocks that the wheels get wrong, and details, of the provider configurations.

The members of `app_auth` are optional because they may come from the provider's environment.
"""
