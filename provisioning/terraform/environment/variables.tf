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

variable "policy_family" {
  description = "Policy family that the job clusters' policy is derived from."
  type        = string
  default     = "job-cluster"

  validation {
    condition     = can(regex("^[A-Za-z0-9_-]{1,100}$", var.policy_family))
    error_message = "policy_family must be the id of a policy family."
  }
}

variable "policy_overrides" {
  description = "JSON object: what the policy fixes beyond its family."
  type        = string
  default     = "{}"

  validation {
    condition     = can(keys(jsondecode(var.policy_overrides)))
    error_message = "policy_overrides must be a JSON object."
  }
}

variable "automation_client_id" {
  description = "Application id of the bot's own service principal, which keeps managing the new one."
  type        = string

  validation {
    condition     = can(regex("^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$", lower(var.automation_client_id)))
    error_message = "automation_client_id must be a UUID."
  }
}

variable "group" {
  description = "The project's account group (output of the account module)."
  type = object({
    id               = string
    display_name     = string
    acl_principal_id = string
  })
}

variable "team_may_write" {
  description = "Whether people of the project may write its schema and run jobs as its principal here."
  type        = bool
  default     = false
}

variable "data_access" {
  description = "Data that jobs may use here, besides the project's own schema."
  type = list(object({
    securable  = string
    full_name  = string
    privileges = list(string)
  }))
  default = []

  validation {
    condition     = alltrue([for wanted in var.data_access : contains(["catalog", "schema", "table", "volume"], wanted.securable)])
    error_message = "data_access: securable must be catalog, schema, table or volume."
  }

  validation {
    condition = alltrue([
      for wanted in var.data_access :
      can(regex("^[A-Za-z0-9_-]+(\\.[A-Za-z0-9_-]+){${lookup({ catalog = 0, schema = 1 }, wanted.securable, 2)}}$", wanted.full_name))
    ])
    error_message = "data_access: full_name must have as many parts as its securable, e.g. gbx1_prod.sales for a schema."
  }

  validation {
    condition = alltrue(flatten([
      for wanted in var.data_access : [
        for privilege in wanted.privileges : contains(
          ["USE_CATALOG", "USE_SCHEMA", "SELECT", "MODIFY", "EXECUTE", "READ_VOLUME", "WRITE_VOLUME"], privilege
        )
      ]
    ])) && alltrue([for wanted in var.data_access : length(wanted.privileges) > 0])
    error_message = "data_access: privileges must be some of USE_CATALOG, USE_SCHEMA, SELECT, MODIFY, EXECUTE, READ_VOLUME, WRITE_VOLUME."
  }
}

variable "secrets" {
  description = "Names of the project's own secrets here, whose places are made; values are never known."
  type        = list(string)
  default     = []

  validation {
    condition     = alltrue([for name in var.secrets : can(regex("^[A-Z_][A-Z0-9_]{0,39}$", name))])
    error_message = "secrets must be names of up to 40 capital letters, digits and underscores that begin with no digit."
  }

  validation {
    condition     = alltrue([for name in var.secrets : !can(regex("^(GITHUB|DATABRICKS|MGMT|ACTIONS)_", name))])
    error_message = "secrets must not begin with GITHUB_, DATABRICKS_, MGMT_ or ACTIONS_."
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

variable "gated" {
  description = "Whether a deployment needs a release, so that a planner shows beforehand what it would do."
  type        = bool
  default     = false
}

variable "reviewed" {
  description = "Whether GitHub's required reviewers hold a deployment; false where our App's own rule does, or nothing."
  type        = bool
  default     = false
}

variable "reviewer_team_ids" {
  description = "Numbers of the teams that may release (output of the project module)."
  type        = list(number)
  default     = []
}

variable "reviewer_user_ids" {
  description = "Numbers of the people who may release (output of the project module)."
  type        = list(number)
  default     = []
}

variable "force_destroy" {
  description = "Whether a destroy also removes a schema that is not empty. It counts from the state: apply it first."
  type        = bool
  default     = false
}
