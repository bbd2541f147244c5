variable "name" {
  description = "Name of the project."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,61}[a-z0-9]$", var.name))
    error_message = "name must be 3 to 63 small letters, digits and hyphens, starting with a letter."
  }
}

variable "managed_group" {
  description = "Display name of the managed account group whose people work in the project."
  type        = string

  validation {
    condition     = length(trimspace(var.managed_group)) > 0 && length(var.managed_group) <= 256 && !can(regex("[\"\\\\]", var.managed_group))
    error_message = "managed_group must be the display name of an account group, without quotes and backslashes."
  }
}
