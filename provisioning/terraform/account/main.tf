data "databricks_group" "managed" {
  provider     = dbx.account
  display_name = var.managed_group
}

resource "databricks_group" "project" {
  provider     = dbx.account
  display_name = "sciclops-${var.name}"
}

resource "databricks_group_member" "managed" {
  provider  = dbx.account
  group_id  = databricks_group.project.id
  member_id = data.databricks_group.managed.id
}
