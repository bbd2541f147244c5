"""What SciCLOps does, without knowing that Slack exists."""
