# The provider is called `dbx`, not `databricks`: a forgotten `provider =` then fails at init
# instead of silently using an empty default provider.
terraform {
  required_version = ">= 1.6"

  required_providers {
    github = {
      source  = "integrations/github"
      version = "~> 6.9.0"
    }
    dbx = {
      source                = "databricks/databricks"
      version               = "~> 1.99.0"
      configuration_aliases = [dbx.account, dbx.workspace]
    }
  }
}
