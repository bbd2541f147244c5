# Who GitHub Actions is while it works in one GitHub environment: the environment, the principal whose
# name it has, and the trust between both. What the principal may do is its caller's affair.

locals {
  audience = var.oidc_audience == "" ? var.account_id : var.oidc_audience
}

# ---------------------------------------------------------------- the principal

resource "databricks_service_principal" "this" {
  provider     = dbx.account
  display_name = "${var.name}-${lower(var.environment_name)}"
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

resource "databricks_permission_assignment" "principal" {
  provider     = dbx.workspace
  principal_id = databricks_service_principal.this.id
  permissions  = ["USER"]
}

# ---------------------------------------------------------------- the GitHub environment

resource "github_repository_environment" "this" {
  repository          = var.repository
  environment         = var.environment_name
  can_admins_bypass   = false
  prevent_self_review = var.reviewed

  dynamic "reviewers" {
    for_each = var.reviewed ? [1] : []

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
      condition     = !var.reviewed || length(var.reviewer_team_ids) + length(var.reviewer_user_ids) > 0
      error_message = "A gated stage needs at least one reviewer: with none, nobody could release to it."
    }

    precondition {
      condition     = !var.reviewed || length(var.reviewer_team_ids) + length(var.reviewer_user_ids) <= 6
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
  for_each = merge(var.variables, {
    DATABRICKS_CLIENT_ID  = databricks_service_principal.this.application_id
    DATABRICKS_ACCOUNT_ID = local.audience
  })

  repository    = var.repository
  environment   = github_repository_environment.this.environment
  variable_name = each.key
  value         = each.value
}
