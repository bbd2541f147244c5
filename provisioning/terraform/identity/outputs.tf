output "client_id" {
  description = "What workflows log in as, once the workspace knows it: who isn't in it can't be named in it."
  value       = databricks_service_principal.this.application_id

  depends_on = [databricks_permission_assignment.principal]
}

output "facts" {
  description = "What the verification and people need to know of this identity."
  value = {
    name                 = github_repository_environment.this.environment
    service_principal_id = databricks_service_principal.this.id
    client_id            = databricks_service_principal.this.application_id
    federation_issuer    = var.oidc_issuer
    federation_audience  = local.audience
    federation_subject   = one(databricks_service_principal_federation_policy.github[*].oidc_policy.subject)
  }
}
