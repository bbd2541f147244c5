output "group" {
  description = "The project's own group in this account: id, name and how rule sets call it."
  value = {
    id               = databricks_group.project.id
    display_name     = databricks_group.project.display_name
    acl_principal_id = databricks_group.project.acl_principal_id
  }
}
