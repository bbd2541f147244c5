output "group" {
  description = "The project's own group in this account: id, name and how rule sets call it."
  value = {
    id               = databricks_group.project.id
    display_name     = databricks_group.project.display_name
    acl_principal_id = databricks_group.project.acl_principal_id
  }
}

output "budget_policy_id" {
  description = "The serverless budget policy, or null."
  value       = one(databricks_budget_policy.project[*].policy_id)
}
