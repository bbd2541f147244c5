# The places of the project's own secrets. Values never come here: whoever enters one has it written
# straight into the scope and into the GitHub environment. A scope holds one secret, since rights
# are given on scopes; removing it removes the value.

resource "databricks_secret_scope" "secret" {
  for_each = toset(var.secrets)
  provider = dbx.workspace
  name     = "${databricks_secret_scope.this.name}.${each.key}"
}

resource "databricks_secret_acl" "secret" {
  for_each   = toset(var.secrets)
  provider   = dbx.workspace
  scope      = databricks_secret_scope.secret[each.key].name
  principal  = local.deployer
  permission = "READ"
}

# Tells workflows where jobs find the secret.
resource "github_actions_environment_variable" "secret" {
  for_each = toset(var.secrets)

  repository    = var.repository
  environment   = module.identity["deployer"].facts.name
  variable_name = "${each.key}_SCOPE"
  value         = databricks_secret_scope.secret[each.key].name
}
