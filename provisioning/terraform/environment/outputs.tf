output "environment" {
  description = "What the bot, the verification and people need to know of this environment."
  value = {
    name                 = github_repository_environment.this.environment
    host                 = var.host
    service_principal_id = databricks_service_principal.this.id
    client_id            = databricks_service_principal.this.application_id
    policy_id            = databricks_cluster_policy.jobs.id
    catalog              = var.catalog
    schema               = databricks_schema.this.id
    secret_scope         = databricks_secret_scope.this.name
    federation_issuer    = var.oidc_issuer
    federation_audience  = local.audience
    federation_subject   = one(databricks_service_principal_federation_policy.github[*].oidc_policy.subject)
  }
}

# One by one, so that what plans for this environment waits for no more than it needs.
output "name" {
  description = "Name of the GitHub environment, once it exists."
  value       = github_repository_environment.this.environment
}

output "client_id" {
  description = "What deployments log in as."
  value       = databricks_service_principal.this.application_id
}

output "policy_id" {
  description = "Id of the cluster policy for jobs."
  value       = databricks_cluster_policy.jobs.id
}

output "schema" {
  description = "Full name of the project's schema, once it exists."
  value       = databricks_schema.this.id
}
