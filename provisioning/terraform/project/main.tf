locals {
  # A team that is both works in the project; only read access is needed to review deployments.
  team_roles = merge(
    { for slug in var.reviewer_teams : slug => "pull" },
    { (var.platform_team) = "maintain" },
    { (var.github_team) = "push" },
  )
}

data "github_organization" "this" {
  name         = var.organisation
  summary_only = true
}

data "github_team" "this" {
  for_each = local.team_roles

  slug         = each.key
  summary_only = true
}

data "github_user" "reviewer" {
  for_each = toset(var.reviewer_users)

  username = each.key
}

resource "github_repository" "this" {
  name        = var.name
  description = "Databricks project ${var.name}. Made by SciCLOps. ${var.marker}"
  visibility  = var.visibility

  auto_init              = true
  archive_on_destroy     = true
  vulnerability_alerts   = true
  has_issues             = true
  has_projects           = false
  has_wiki               = false
  allow_rebase_merge     = false
  delete_branch_on_merge = false # `sciclops/template` survives the merge of an upgrade

  lifecycle {
    ignore_changes = [auto_init]
  }
}

resource "github_branch_default" "main" {
  repository = github_repository.this.name
  branch     = "main"
}

resource "github_team_repository" "this" {
  for_each = local.team_roles

  team_id    = data.github_team.this[each.key].id
  repository = github_repository.this.name
  permission = each.value
}

resource "github_repository_collaborator" "reviewer" {
  for_each = toset(var.reviewer_users)

  repository = github_repository.this.name
  username   = data.github_user.reviewer[each.key].login
  permission = "pull"

  lifecycle {
    ignore_changes = [permission] # GitHub shows the strongest role, e.g. from the project's team
  }
}

# The App is the one that pushes starter code and template upgrades, so it bypasses all three.
resource "github_repository_ruleset" "main" {
  repository  = github_branch_default.main.repository
  name        = "main"
  target      = "branch"
  enforcement = "active"

  bypass_actors {
    actor_id    = var.github_app_id
    actor_type  = "Integration"
    bypass_mode = "always"
  }

  conditions {
    ref_name {
      include = ["~DEFAULT_BRANCH"]
      exclude = []
    }
  }

  rules {
    deletion         = true
    non_fast_forward = true

    pull_request {
      required_approving_review_count   = 1
      require_code_owner_review         = true
      require_last_push_approval        = true
      dismiss_stale_reviews_on_push     = true
      required_review_thread_resolution = false
    }

    dynamic "required_status_checks" {
      for_each = length(var.required_checks) > 0 ? [var.required_checks] : []

      content {
        do_not_enforce_on_create             = true
        strict_required_status_checks_policy = false

        dynamic "required_check" {
          for_each = required_status_checks.value

          content {
            context = required_check.value
          }
        }
      }
    }
  }
}

resource "github_repository_ruleset" "template" {
  repository  = github_branch_default.main.repository
  name        = "sciclops-template"
  target      = "branch"
  enforcement = "active"

  bypass_actors {
    actor_id    = var.github_app_id
    actor_type  = "Integration"
    bypass_mode = "always"
  }

  conditions {
    ref_name {
      include = ["refs/heads/sciclops/template"]
      exclude = []
    }
  }

  rules {
    creation         = true
    update           = true
    deletion         = true
    non_fast_forward = true
  }
}

# Anybody's workflow may release a version; nobody moves or removes one.
resource "github_repository_ruleset" "versions" {
  repository  = github_branch_default.main.repository
  name        = "versions"
  target      = "tag"
  enforcement = "active"

  bypass_actors {
    actor_id    = var.github_app_id
    actor_type  = "Integration"
    bypass_mode = "always"
  }

  conditions {
    ref_name {
      include = ["refs/tags/v*"]
      exclude = []
    }
  }

  rules {
    update           = true
    deletion         = true
    non_fast_forward = true
  }
}

resource "github_actions_repository_oidc_subject_claim_customization_template" "this" {
  repository  = github_repository.this.name
  use_default = true
}

resource "github_repository_dependabot_security_updates" "this" {
  repository = github_repository.this.name
  enabled    = true
}
