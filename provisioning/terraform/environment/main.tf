locals {
  principal_name = "${var.name}-${lower(var.environment_name)}"
  schema_name    = replace(var.name, "-", "_")
  audience       = var.oidc_audience == "" ? var.account_id : var.oidc_audience
}

data "databricks_current_metastore" "this" {
  provider = dbx.workspace
}

# ---------------------------------------------------------------- who deploys, and as whom

resource "databricks_service_principal" "this" {
  provider     = dbx.account
  display_name = local.principal_name
  external_id  = "${var.marker}:${var.environment_name}"

  disable_as_user_deletion = false # at account level a destroy would only deactivate it
}

# Where workflows log in with OAuth secrets instead, nobody's tokens are trusted.
resource "databricks_service_principal_federation_policy" "github" {
  count = var.federated ? 1 : 0

  provider             = dbx.account
  service_principal_id = databricks_service_principal.this.id
  description          = "GitHub Actions, environment ${var.environment_name}"

  oidc_policy = {
    issuer    = var.oidc_issuer
    audiences = [local.audience]
    subject   = "${var.oidc_prefix}:environment:${var.environment_name}"
  }
}

# Authoritative: without the first rule we would lock ourselves out.
resource "databricks_access_control_rule_set" "principal" {
  provider = dbx.account
  name     = "accounts/${var.account_id}/servicePrincipals/${databricks_service_principal.this.application_id}/ruleSets/default"

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

resource "databricks_permission_assignment" "principal" {
  provider     = dbx.workspace
  principal_id = databricks_service_principal.this.id
  permissions  = ["USER"]
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
    service_principal_name = databricks_service_principal.this.application_id
    permission_level       = "CAN_USE"
  }

  access_control {
    group_name       = var.group.display_name
    permission_level = "CAN_USE"
  }

  # Who isn't in the workspace can't be named in it.
  depends_on = [databricks_permission_assignment.principal, databricks_permission_assignment.group]
}

resource "databricks_secret_scope" "this" {
  provider = dbx.workspace
  name     = local.principal_name
}

resource "databricks_secret_acl" "principal" {
  provider   = dbx.workspace
  scope      = databricks_secret_scope.this.name
  principal  = databricks_service_principal.this.application_id
  permission = "READ"

  depends_on = [databricks_permission_assignment.principal]
}

# ---------------------------------------------------------------- the GitHub environment

resource "github_repository_environment" "this" {
  repository          = var.repository
  environment         = var.environment_name
  can_admins_bypass   = false
  prevent_self_review = var.gated

  dynamic "reviewers" {
    for_each = var.gated ? [1] : []

    content {
      teams = var.reviewer_team_ids
      users = var.reviewer_user_ids
    }
  }

  deployment_branch_policy {
    protected_branches     = false
    custom_branch_policies = true
  }

  lifecycle {
    precondition {
      condition     = !var.gated || length(var.reviewer_team_ids) + length(var.reviewer_user_ids) > 0
      error_message = "A gated stage needs at least one reviewer: with none, nobody could release to it."
    }

    precondition {
      condition     = !var.gated || length(var.reviewer_team_ids) + length(var.reviewer_user_ids) <= 6
      error_message = "GitHub takes at most 6 reviewers, teams and people together."
    }
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
    DATABRICKS_JOB_CLUSTER_POLICY_ID = databricks_cluster_policy.jobs.id
  }

  repository    = var.repository
  environment   = github_repository_environment.this.environment
  variable_name = each.key
  value         = each.value
}
