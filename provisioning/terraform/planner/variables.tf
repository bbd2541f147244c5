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

variable "environment" {
  description = "The environment whose deployments are planned (output of the environment module)."
  type = object({
    name                = string
    host                = string
    client_id           = string
    policy_id           = string
    catalog             = string
    schema              = string
    federation_audience = string
  })
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

variable "federated" {
  description = "Whether GitHub's tokens may log in (OIDC); false where workflows have OAuth secrets."
  type        = bool
  default     = true
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
