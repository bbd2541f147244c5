locals {
  place = {
    host      = var.host
    policy_id = databricks_cluster_policy.jobs.id
    catalog   = var.catalog
    schema    = databricks_schema.this.id
  }
}

output "environment" {
  description = "What the bot, the verification and people need to know of this environment."
  value       = merge(module.identity["deployer"].facts, local.place, { secret_scope = databricks_secret_scope.this.name })
}

output "planner" {
  description = "The same of where plans for it are made; null where nothing is gated."
  value       = var.gated ? merge(module.identity["planner"].facts, local.place) : null
}
