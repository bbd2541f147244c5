"""Stand-ins for Slack, GitHub, Databricks and the Terraform providers, and the page to use them.

The demo and the test bed: they speak the vendors' protocols and refuse what the vendors refuse.
"""
