variable "name" {
  description = "Name of the project and of its repository. It never changes: schemas carry it."
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

variable "organisation" {
  description = "Login of the GitHub organisation."
  type        = string

  validation {
    condition     = can(regex("^[A-Za-z0-9][A-Za-z0-9-]{0,38}$", var.organisation))
    error_message = "organisation must be the login of a GitHub organisation."
  }
}

variable "visibility" {
  description = "Who may see the repository."
  type        = string
  default     = "private"

  validation {
    condition     = contains(["private", "internal", "public"], var.visibility)
    error_message = "visibility must be private, internal or public."
  }
}

variable "github_app_id" {
  description = "Id of the bot's GitHub App (not of its installation): it may bypass the rulesets."
  type        = number

  validation {
    condition     = var.github_app_id > 0 && floor(var.github_app_id) == var.github_app_id
    error_message = "github_app_id must be the App's number."
  }
}

variable "github_team" {
  description = "Slug of the team that works in the project."
  type        = string

  validation {
    condition     = can(regex("^[a-z0-9][a-z0-9_-]{0,99}$", var.github_team))
    error_message = "github_team must be a team's slug: small letters, digits, hyphens."
  }
}

variable "platform_team" {
  description = "Slug of the team that owns workflow files (CODEOWNERS)."
  type        = string

  validation {
    condition     = can(regex("^[a-z0-9][a-z0-9_-]{0,99}$", var.platform_team))
    error_message = "platform_team must be a team's slug: small letters, digits, hyphens."
  }
}

variable "reviewer_teams" {
  description = "Slugs of the teams that may release to gated stages."
  type        = list(string)
  default     = []

  validation {
    condition     = alltrue([for slug in var.reviewer_teams : can(regex("^[a-z0-9][a-z0-9_-]{0,99}$", slug))])
    error_message = "reviewer_teams must be team slugs: small letters, digits, hyphens."
  }

  validation {
    condition     = length(distinct(var.reviewer_teams)) == length(var.reviewer_teams)
    error_message = "reviewer_teams must not name a team twice."
  }
}

variable "reviewer_users" {
  description = "Logins of the people who may release to gated stages."
  type        = list(string)
  default     = []

  validation {
    condition     = alltrue([for login in var.reviewer_users : can(regex("^[A-Za-z0-9][A-Za-z0-9_-]{0,38}$", login))])
    error_message = "reviewer_users must be GitHub logins."
  }

  validation {
    condition     = length(distinct([for login in var.reviewer_users : lower(login)])) == length(var.reviewer_users)
    error_message = "reviewer_users must not name a person twice."
  }
}

variable "required_checks" {
  description = "Status checks that a pull request must pass; none are required where it is empty."
  type        = list(string)
  default     = []

  validation {
    condition     = alltrue([for check in var.required_checks : length(trimspace(check)) > 0 && length(check) <= 100])
    error_message = "required_checks must be names of 1 to 100 characters."
  }
}

variable "immutable_subjects" {
  description = "Whether OIDC subjects carry ids (github.com); false for names only (GitHub Enterprise Server)."
  type        = bool
  default     = true
}
