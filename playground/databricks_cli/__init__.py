"""A stand-in for the `databricks` command: reads real bundles, deploys over the real REST API."""
