"""A Databricks account with its workspaces: REST, SCIM, Unity Catalog, OIDC logins."""

from playground.databricks.server import Databricks

__all__ = ["Databricks"]
