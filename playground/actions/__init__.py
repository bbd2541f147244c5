"""GitHub Actions in the playground: workflow runs executed for real, with act in host mode."""
