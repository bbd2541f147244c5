output "repository" {
  description = "The repository, as GitHub numbers and names it."
  value = {
    id        = github_repository.this.repo_id
    name      = github_repository.this.name
    full_name = github_repository.this.full_name
    url       = github_repository.this.html_url
    clone_url = github_repository.this.http_clone_url
  }
}

output "repository_name" {
  description = "Name for what depends on the repository; known once teams may enter it."
  value       = github_repository.this.name
}

output "oidc_prefix" {
  description = "What the subject of an OIDC token starts with; ids are known only after the apply."
  value = (
    var.immutable_subjects
    ? "repo:${data.github_organization.this.login}@${data.github_organization.this.id}/${github_repository.this.name}@${github_repository.this.repo_id}"
    : "repo:${data.github_organization.this.login}/${github_repository.this.name}"
  )
}

# GitHub silently drops reviewers who may not read the repository, so their access comes first.
output "reviewer_team_ids" {
  description = "Numbers of the teams that may release."
  value       = [for slug in var.reviewer_teams : tonumber(data.github_team.this[slug].id)]
  depends_on  = [github_team_repository.this]
}

output "reviewer_user_ids" {
  description = "Numbers of the people who may release."
  value       = [for login in var.reviewer_users : tonumber(data.github_user.reviewer[login].id)]
  depends_on  = [github_repository_collaborator.reviewer]
}

output "rulesets" {
  description = "Numbers of the rulesets, by name."
  value = {
    for ruleset in [
      github_repository_ruleset.main, github_repository_ruleset.template, github_repository_ruleset.versions,
    ] : ruleset.name => ruleset.ruleset_id
  }
}
