# The environment module has checked these values.

variable "name" {
  description = "Name of the project."
  type        = string
}

variable "marker" {
  description = "Marks what one operation of ours has made."
  type        = string
}

variable "environment_name" {
  description = "Name of the GitHub environment."
  type        = string
}

variable "repository" {
  description = "Name of the project's repository."
  type        = string
}

variable "oidc_prefix" {
  description = "What OIDC subjects of the repository start with."
  type        = string
}

variable "oidc_issuer" {
  description = "Who signs the tokens of GitHub Actions."
  type        = string
}

variable "oidc_audience" {
  description = "Audience of the tokens; the account id where it is empty."
  type        = string
}

variable "federated" {
  description = "Whether GitHub's tokens may log in (OIDC)."
  type        = bool
}

variable "account_id" {
  description = "Id of the Databricks account."
  type        = string
}

variable "deployment_branches" {
  description = "Patterns of what may deploy here."
  type        = list(string)
}

variable "variables" {
  description = "Variables of the GitHub environment, besides those that say who logs in."
  type        = map(string)
}

variable "reviewed" {
  description = "Whether required reviewers hold a deployment."
  type        = bool
}

variable "reviewer_team_ids" {
  description = "Numbers of the teams that may release."
  type        = list(number)
}

variable "reviewer_user_ids" {
  description = "Numbers of the people who may release."
  type        = list(number)
}
