"""Which providers, at which versions, and which of their types the playground serves."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class ProviderSource:
    """One provider, and the types whose true schemas we present.

    `address` is its source as configurations write it; Terraform puts the registry's host before.
    """

    name: str
    address: str
    version: str
    resources: tuple[str, ...]
    data_sources: tuple[str, ...]

    @property
    def schema_file(self) -> Path:
        """Where the vendored schemas lie."""
        return Path(__file__).parent / "schemas" / f"{self.name}-{self.version}.json.gz"


GITHUB = ProviderSource(
    "github",
    "integrations/github",
    "6.9.0",
    resources=(
        "github_actions_environment_variable",
        "github_actions_repository_oidc_subject_claim_customization_template",
        "github_branch_default",
        "github_repository",
        "github_repository_collaborator",
        "github_repository_custom_property",
        "github_repository_dependabot_security_updates",
        "github_repository_environment",
        "github_repository_environment_deployment_policy",
        "github_repository_ruleset",
        "github_team_repository",
    ),
    data_sources=("github_organization", "github_repository", "github_team", "github_user"),
)
DATABRICKS = ProviderSource(
    "databricks",
    "databricks/databricks",
    "1.99.0",
    resources=(
        "databricks_access_control_rule_set",
        "databricks_budget_policy",
        "databricks_cluster_policy",
        "databricks_grant",
        "databricks_group",
        "databricks_group_member",
        "databricks_permission_assignment",
        "databricks_permissions",
        "databricks_schema",
        "databricks_secret_acl",
        "databricks_secret_scope",
        "databricks_service_principal",
        "databricks_service_principal_federation_policy",
        "databricks_volume",
    ),
    data_sources=(
        "databricks_catalog",
        "databricks_current_metastore",
        "databricks_current_user",
        "databricks_group",
        "databricks_service_principal",
        "databricks_user",
    ),
)
PROVIDERS = (GITHUB, DATABRICKS)
