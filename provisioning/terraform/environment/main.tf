locals {
  schema_name = replace(var.name, "-", "_")

  # Who plans for a gated environment, before anybody has released anything, may look and nothing else,
  # and waits for nobody. A job behind the gate has no identity until it is released, so it could not
  # make the plan that people decide upon.
  identities = merge(
    { deployer = { environment_name = var.environment_name, reviewed = var.reviewed } },
    var.gated ? { planner = { environment_name = "${var.environment_name}-plan", reviewed = false } } : {},
  )
  deployer = module.identity["deployer"].client_id
}

data "databricks_current_metastore" "this" {
  provider = dbx.workspace
}

# ---------------------------------------------------------------- who deploys and who plans

module "identity" {
  for_each = local.identities
  source   = "../identity"

  providers = {
    github        = github
    dbx.account   = dbx.account
    dbx.workspace = dbx.workspace
  }

  name                = var.name
  marker              = var.marker
  environment_name    = each.value.environment_name
  repository          = var.repository
  oidc_prefix         = var.oidc_prefix
  oidc_issuer         = var.oidc_issuer
  oidc_audience       = var.oidc_audience
  federated           = var.federated
  account_id          = var.account_id
  deployment_branches = var.deployment_branches
  reviewed            = each.value.reviewed
  reviewer_team_ids   = var.reviewer_team_ids
  reviewer_user_ids   = var.reviewer_user_ids

  variables = {
    DATABRICKS_HOST                  = var.host
    DATABRICKS_JOB_CLUSTER_POLICY_ID = databricks_cluster_policy.jobs.id
  }
}

# The deploying job lets the planner see what it makes, and the other way round.
resource "github_actions_environment_variable" "planner" {
  count = var.gated ? 1 : 0

  repository    = var.repository
  environment   = module.identity["deployer"].facts.name
  variable_name = "DATABRICKS_PLANNER_ID"
  value         = module.identity["planner"].client_id
}

resource "github_actions_environment_variable" "deployer" {
  count = var.gated ? 1 : 0

  repository    = var.repository
  environment   = module.identity["planner"].facts.name
  variable_name = "DATABRICKS_DEPLOYER_ID"
  value         = local.deployer
}

# Authoritative: without the first rule we would lock ourselves out.
resource "databricks_access_control_rule_set" "principal" {
  provider = dbx.account
  name     = "accounts/${var.account_id}/servicePrincipals/${local.deployer}/ruleSets/default"

  grant_rules {
    principals = ["servicePrincipals/${var.automation_client_id}"]
    role       = "roles/servicePrincipal.manager"
  }

  dynamic "grant_rules" {
    for_each = var.team_may_write ? [var.group.acl_principal_id] : []

    content {
      principals = [grant_rules.value]
      role       = "roles/servicePrincipal.user"
    }
  }
}

resource "databricks_permission_assignment" "group" {
  provider     = dbx.workspace
  principal_id = var.group.id
  permissions  = ["USER"]
}

# ---------------------------------------------------------------- what jobs run on

resource "databricks_cluster_policy" "jobs" {
  provider         = dbx.workspace
  name             = "${var.name} ${var.environment_name} jobs"
  description      = "Job clusters of ${var.name} in ${var.environment_name}."
  policy_family_id = var.policy_family

  policy_family_definition_overrides = jsonencode(merge(
    {
      "custom_tags.project"     = { type = "fixed", value = var.name }
      "custom_tags.environment" = { type = "fixed", value = var.environment_name }
    },
    jsondecode(var.policy_overrides),
  ))
}

resource "databricks_permissions" "jobs_policy" {
  provider          = dbx.workspace
  cluster_policy_id = databricks_cluster_policy.jobs.id

  access_control {
    service_principal_name = local.deployer
    permission_level       = "CAN_USE"
  }

  access_control {
    group_name       = var.group.display_name
    permission_level = "CAN_USE"
  }

  # Who isn't in the workspace can't be named in it.
  depends_on = [databricks_permission_assignment.group]
}

resource "databricks_secret_scope" "this" {
  provider = dbx.workspace
  name     = "${var.name}-${lower(var.environment_name)}"
}

resource "databricks_secret_acl" "principal" {
  provider   = dbx.workspace
  scope      = databricks_secret_scope.this.name
  principal  = local.deployer
  permission = "READ"
}
