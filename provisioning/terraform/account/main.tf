data "databricks_group" "managed" {
  provider     = dbx.account
  display_name = var.managed_group
}

data "databricks_user" "owner" {
  for_each  = toset(var.owners)
  provider  = dbx.account
  user_name = each.key
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

resource "databricks_group_member" "owner" {
  for_each  = toset(var.owners)
  provider  = dbx.account
  group_id  = databricks_group.project.id
  member_id = data.databricks_user.owner[each.key].id
}

resource "databricks_budget_policy" "project" {
  count       = var.budget_policy ? 1 : 0
  provider    = dbx.account
  policy_name = "sciclops-${var.name}"

  custom_tags = [{
    key   = "project"
    value = var.name
  }]
}
