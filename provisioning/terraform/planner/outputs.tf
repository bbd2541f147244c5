output "environment" {
  description = "What the bot, the verification and people need to know of this environment."
  value = {
    name                 = github_repository_environment.this.environment
    host                 = var.host
    service_principal_id = databricks_service_principal.this.id
    client_id            = databricks_service_principal.this.application_id
    policy_id            = var.policy_id
    catalog              = var.catalog
    schema               = var.schema
    federation_issuer    = var.oidc_issuer
    federation_audience  = local.audience
    federation_subject   = one(databricks_service_principal_federation_policy.github[*].oidc_policy.subject)
  }
}
