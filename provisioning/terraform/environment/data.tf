# The project's schema and every grant. A `databricks_grant` is authoritative for its pair of
# securable and principal: two for one pair would overwrite each other for ever, so whatever is
# wanted of a securable is merged into one before any grant is made.

locals {
  full_schema_name = "${var.catalog}.${local.schema_name}"

  own_read  = ["USE_SCHEMA", "SELECT", "EXECUTE", "READ_VOLUME"]
  own_write = ["MODIFY", "CREATE_TABLE", "CREATE_VOLUME", "CREATE_FUNCTION", "CREATE_MODEL", "WRITE_VOLUME"]

  own = [
    { key = "catalog/${var.catalog}", privileges = ["USE_CATALOG"] },
    { key = "schema/${local.full_schema_name}", privileges = concat(local.own_read, local.own_write) },
  ]

  requested = [
    for wanted in var.data_access :
    { key = "${wanted.securable}/${wanted.full_name}", privileges = wanted.privileges }
  ]

  # Nothing can be reached without its catalog and its schema.
  reached = flatten([
    for wanted in var.data_access : concat(
      [{ key = "catalog/${split(".", wanted.full_name)[0]}", privileges = ["USE_CATALOG"] }],
      wanted.securable == "catalog"
      ? [{ key = "catalog/${wanted.full_name}", privileges = ["USE_SCHEMA"] }]
      : [{ key = "schema/${join(".", slice(split(".", wanted.full_name), 0, 2))}", privileges = ["USE_SCHEMA"] }],
    )
  ])

  all = concat(local.own, local.requested, local.reached)

  principal_privileges = {
    for key in distinct(local.all[*].key) :
    key => sort(distinct(flatten([for each in local.all : each.privileges if each.key == key])))
  }

  group_privileges = {
    "catalog/${var.catalog}"           = ["USE_CATALOG"]
    "schema/${local.full_schema_name}" = sort(concat(local.own_read, var.team_may_write ? local.own_write : []))
  }

  # The own schema is named by its resource, so that grants on it wait until it exists.
  names = {
    for key in keys(local.principal_privileges) : key => {
      securable = split("/", key)[0]
      full_name = key == "schema/${local.full_schema_name}" ? databricks_schema.this.id : split("/", key)[1]
    }
  }
}

resource "databricks_schema" "this" {
  provider      = dbx.workspace
  catalog_name  = var.catalog
  name          = local.schema_name
  comment       = "Project ${var.name}, ${var.environment_name}. Managed by SciCLOps."
  force_destroy = var.force_destroy

  lifecycle {
    precondition {
      condition     = data.databricks_current_metastore.this.id != "no_metastore"
      error_message = "The workspace has no metastore: assign one before projects can live in it."
    }
  }
}

resource "databricks_grant" "principal" {
  for_each = local.principal_privileges
  provider = dbx.workspace

  catalog = local.names[each.key].securable == "catalog" ? local.names[each.key].full_name : null
  schema  = local.names[each.key].securable == "schema" ? local.names[each.key].full_name : null
  table   = local.names[each.key].securable == "table" ? local.names[each.key].full_name : null
  volume  = local.names[each.key].securable == "volume" ? local.names[each.key].full_name : null

  principal  = local.deployer
  privileges = each.value
}

resource "databricks_grant" "group" {
  for_each = local.group_privileges
  provider = dbx.workspace

  catalog = local.names[each.key].securable == "catalog" ? local.names[each.key].full_name : null
  schema  = local.names[each.key].securable == "schema" ? local.names[each.key].full_name : null

  principal  = var.group.display_name
  privileges = each.value
}

# What planning asks Databricks for: the way to the schema, and EXECUTE to read the description of a
# registered model in it, which Unity Catalog tells nobody else.
resource "databricks_grant" "planner" {
  for_each = var.gated ? { catalog = ["USE_CATALOG"], schema = ["EXECUTE", "USE_SCHEMA"] } : {}
  provider = dbx.workspace

  catalog = each.key == "catalog" ? var.catalog : null
  schema  = each.key == "schema" ? databricks_schema.this.id : null

  principal  = module.identity["planner"].client_id
  privileges = each.value
}
