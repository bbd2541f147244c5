variable "name" {
  description = "Name of the project."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,61}[a-z0-9]$", var.name))
    error_message = "name must be 3 to 63 small letters, digits and hyphens, starting with a letter."
  }
}

variable "marker" {
  description = "Marks what one operation of ours has made, e.g. sciclops:run-0123456789ab."
  type        = string

  validation {
    condition     = can(regex("^sciclops:[A-Za-z0-9_-]{1,80}$", var.marker))
    error_message = "marker must be `sciclops:` and up to 80 letters, digits, hyphens, underscores."
  }
}

variable "environment_name" {
  description = "Name of the GitHub environment: Production, or gbx2-Production in several groups."
  type        = string

  validation {
    condition     = can(regex("^[A-Za-z0-9][A-Za-z0-9_-]{0,62}$", var.environment_name))
    error_message = "environment_name must be letters, digits, hyphens and underscores: it becomes part of an OIDC subject."
  }
}

variable "deployer_environment" {
  description = "The GitHub environment that is planned for, once it exists (output of the environment module)."
  type        = string
}

variable "deployer_id" {
  description = "What deployments log in as (output of the environment module)."
  type        = string
}

variable "policy_id" {
  description = "Id of the cluster policy for jobs (output of the environment module)."
  type        = string
}

variable "schema" {
  description = "Full name of the project's schema (output of the environment module)."
  type        = string
}

variable "repository" {
  description = "Name of the project's repository (output of the project module)."
  type        = string
}

variable "oidc_prefix" {
  description = "What OIDC subjects of the repository start with (output of the project module)."
  type        = string
}

variable "oidc_issuer" {
  description = "Who signs the tokens of GitHub Actions."
  type        = string
  default     = "https://token.actions.githubusercontent.com"

  validation {
    condition     = can(regex("^https://[^/\\s]+(/.*)?$", var.oidc_issuer)) || can(regex("^http://(127\\.0\\.0\\.1|localhost)(:[0-9]+)?(/.*)?$", var.oidc_issuer))
    error_message = "oidc_issuer must be an https address (http only on loopback)."
  }
}

variable "oidc_audience" {
  description = "Audience of the tokens; the account id where it is empty, which clients use by default."
  type        = string
  default     = ""
}

variable "federated" {
  description = "Whether GitHub's tokens may log in (OIDC); false where workflows have OAuth secrets."
  type        = bool
  default     = true
}

variable "account_id" {
  description = "Id of the Databricks account."
  type        = string

  validation {
    condition     = can(regex("^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$", lower(var.account_id)))
    error_message = "account_id must be a UUID."
  }
}

variable "host" {
  description = "Address of the Databricks workspace."
  type        = string

  validation {
    condition     = can(regex("^https?://[^/\\s]+/?$", var.host))
    error_message = "host must be a workspace's address, e.g. https://dbc-1234.cloud.databricks.com."
  }
}

variable "catalog" {
  description = "Catalog in which the project gets its schema."
  type        = string

  validation {
    condition     = can(regex("^[A-Za-z0-9_-]{1,255}$", var.catalog))
    error_message = "catalog must be letters, digits, underscores and hyphens."
  }
}

variable "deployment_branches" {
  description = "Patterns of what may deploy here: branches, or refs/pull/*/merge for pull requests."
  type        = list(string)
  default     = ["main"]

  validation {
    condition     = length(var.deployment_branches) > 0 && alltrue([for branch in var.deployment_branches : length(trimspace(branch)) > 0])
    error_message = "deployment_branches must name at least one branch pattern."
  }
}
