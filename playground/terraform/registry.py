"""Which code is behind which Terraform type."""

from playground.terraform.databricks_catalog import SCHEMA, VOLUME, Grant
from playground.terraform.databricks_principals import (
    FEDERATION_POLICY,
    Group,
    GroupMember,
    PermissionAssignment,
    RuleSet,
    ServicePrincipal,
)
from playground.terraform.databricks_workspace import (
    BUDGET_POLICY,
    ClusterPolicy,
    Permissions,
    SecretAcl,
    SecretScope,
)
from playground.terraform.github_environments import DEPLOYMENT_POLICY, ENVIRONMENT, VARIABLE
from playground.terraform.github_repositories import (
    CUSTOM_PROPERTY,
    SECURITY_UPDATES,
    SUBJECT_CLAIM,
    Collaborator,
    DefaultBranch,
    Repository,
    TeamRepository,
)
from playground.terraform.github_rulesets import RULESET
from playground.terraform.resource import Resource

RESOURCES: dict[str, Resource] = {
    "databricks_access_control_rule_set": RuleSet(),
    "databricks_budget_policy": BUDGET_POLICY,
    "databricks_cluster_policy": ClusterPolicy(),
    "databricks_grant": Grant(),
    "databricks_group": Group(),
    "databricks_group_member": GroupMember(),
    "databricks_permission_assignment": PermissionAssignment(),
    "databricks_permissions": Permissions(),
    "databricks_schema": SCHEMA,
    "databricks_secret_acl": SecretAcl(),
    "databricks_secret_scope": SecretScope(),
    "databricks_service_principal": ServicePrincipal(),
    "databricks_service_principal_federation_policy": FEDERATION_POLICY,
    "databricks_volume": VOLUME,
    "github_actions_environment_variable": VARIABLE,
    "github_actions_repository_oidc_subject_claim_customization_template": SUBJECT_CLAIM,
    "github_branch_default": DefaultBranch(),
    "github_repository": Repository(),
    "github_repository_collaborator": Collaborator(),
    "github_repository_custom_property": CUSTOM_PROPERTY,
    "github_repository_dependabot_security_updates": SECURITY_UPDATES,
    "github_repository_environment": ENVIRONMENT,
    "github_repository_environment_deployment_policy": DEPLOYMENT_POLICY,
    "github_repository_ruleset": RULESET,
    "github_team_repository": TeamRepository(),
}
