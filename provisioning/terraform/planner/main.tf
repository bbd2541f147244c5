# Who plans for a gated environment, before anybody has released anything: a principal that may look
# and nothing else, in a GitHub environment that waits for nobody. A job behind the gate has no
# identity until it is released, so it could not make the plan that people decide upon.

locals {
  environment_name = "${var.environment_name}-plan"
  principal_name   = "${var.name}-${lower(local.environment_name)}"
  audience         = var.oidc_audience == "" ? var.account_id : var.oidc_audience

  # What planning asks Databricks for: the way to the schema, and EXECUTE to read the description of
  # a registered model in it, which Unity Catalog tells nobody else.
  grants = {
    catalog = ["USE_CATALOG"]
    schema  = ["EXECUTE", "USE_SCHEMA"]
  }
}

# ---------------------------------------------------------------- who plans, and what it may see

resource "databricks_service_principal" "this" {
  provider     = dbx.account
  display_name = local.principal_name
  external_id  = "${var.marker}:${local.environment_name}"

  disable_as_user_deletion = false # at account level a destroy would only deactivate it
}

resource "databricks_service_principal_federation_policy" "github" {
  count = var.federated ? 1 : 0

  provider             = dbx.account
  service_principal_id = databricks_service_principal.this.id
  description          = "GitHub Actions, environment ${local.environment_name}"

  oidc_policy = {
    issuer    = var.oidc_issuer
    audiences = [local.audience]
    subject   = "${var.oidc_prefix}:environment:${local.environment_name}"
  }
}

resource "databricks_permission_assignment" "principal" {
  provider     = dbx.workspace
  principal_id = databricks_service_principal.this.id
  permissions  = ["USER"]
}

resource "databricks_grant" "principal" {
  for_each = local.grants
  provider = dbx.workspace

  catalog = each.key == "catalog" ? var.catalog : null
  schema  = each.key == "schema" ? var.schema : null

  principal  = databricks_service_principal.this.application_id
  privileges = each.value
}

# ---------------------------------------------------------------- the GitHub environment

resource "github_repository_environment" "this" {
  repository        = var.repository
  environment       = local.environment_name
  can_admins_bypass = false

  deployment_branch_policy {
    protected_branches     = false
    custom_branch_policies = true
  }
}

resource "github_repository_environment_deployment_policy" "branch" {
  for_each = toset(var.deployment_branches)

  repository     = var.repository
  environment    = github_repository_environment.this.environment
  branch_pattern = each.key
}

resource "github_actions_environment_variable" "this" {
  for_each = {
    DATABRICKS_HOST                  = var.host
    DATABRICKS_CLIENT_ID             = databricks_service_principal.this.application_id
    DATABRICKS_ACCOUNT_ID            = local.audience
    DATABRICKS_JOB_CLUSTER_POLICY_ID = var.policy_id
    DATABRICKS_DEPLOYER_ID           = var.deployer_id
  }

  repository    = var.repository
  environment   = github_repository_environment.this.environment
  variable_name = each.key
  value         = each.value
}

# The deploying job lets the planner see what it makes.
resource "github_actions_environment_variable" "planner" {
  repository    = var.repository
  environment   = var.deployer_environment
  variable_name = "DATABRICKS_PLANNER_ID"
  value         = databricks_service_principal.this.application_id
}
