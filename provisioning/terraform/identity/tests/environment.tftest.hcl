# What holds for every environment, checked without the bot and without a vendor:
# `terraform init && terraform test` in the folder of the module (Terraform 1.7 or newer).

mock_provider "github" {}

mock_provider "dbx" {
  alias = "account"
}

mock_provider "dbx" {
  alias = "workspace"
}

variables {
  name                = "ada-7"
  marker              = "sciclops:run-0123456789ab"
  environment_name    = "Production"
  repository          = "ada-7"
  oidc_prefix         = "repo:acme@1/ada-7@2"
  oidc_issuer         = "https://token.actions.githubusercontent.com"
  oidc_audience       = ""
  federated           = true
  account_id          = "11111111-2222-4333-8444-555555555555"
  deployment_branches = ["main"]
  variables           = {}
  reviewed            = true
  reviewer_team_ids   = [7]
  reviewer_user_ids   = []
}

run "a_gate_has_reviewers_whom_nobody_passes" {
  command = plan

  assert {
    condition     = one(github_repository_environment.this.reviewers).teams == toset([7])
    error_message = "The reviewers are not those that were asked for."
  }

  assert {
    condition     = github_repository_environment.this.prevent_self_review && !github_repository_environment.this.can_admins_bypass
    error_message = "Somebody could release a deployment of their own."
  }
}

run "a_gate_without_reviewers_is_refused" {
  command = plan

  variables {
    reviewer_team_ids = []
  }

  expect_failures = [github_repository_environment.this]
}

run "only_main_is_deployed" {
  command = plan

  assert {
    condition     = keys(github_repository_environment_deployment_policy.branch) == ["main"]
    error_message = "Something else than main may be deployed."
  }
}

run "databricks_trusts_the_tokens_of_this_environment_alone" {
  command = plan

  assert {
    condition     = databricks_service_principal_federation_policy.github[0].oidc_policy.subject == "repo:acme@1/ada-7@2:environment:Production"
    error_message = "Databricks would trust somebody else's tokens."
  }

  assert {
    condition     = databricks_service_principal_federation_policy.github[0].oidc_policy.audiences == tolist([var.account_id])
    error_message = "Databricks would take tokens that were made for somebody else."
  }
}

run "nobody_is_trusted_where_workflows_log_in_with_secrets" {
  command = plan

  variables {
    federated = false
  }

  assert {
    condition     = length(databricks_service_principal_federation_policy.github) == 0
    error_message = "Databricks trusts tokens although workflows log in with secrets."
  }
}
