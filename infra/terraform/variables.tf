variable "stack" {
  description = "The name of the stack, which all names begin with: that of `deploy --to`"
  type        = string

  validation {
    condition     = can(regex("^[a-z]([a-z0-9-]{0,39}[a-z0-9])?$", var.stack))
    error_message = "The name of the stack must be at most 41 lower-case letters, digits and hyphens."
  }
}

variable "release" {
  description = "The folder that `flink-dispatch deploy --to` has written"
  type        = string
}

variable "code_bucket" {
  description = "A bucket of this account and region for the template and the zips"
  type        = string
}

variable "code_prefix" {
  description = "What their keys begin with"
  type        = string
  default     = "flink-dispatch/"
}

variable "parameters" {
  description = "Of the template, where they differ from what `deploy --to` was told"
  type        = map(string)
  default     = {}
}

variable "tags" {
  description = "On the stack and all that it has"
  type        = map(string)
  default     = {}
}
