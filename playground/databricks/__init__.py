"""A Databricks account with its workspaces: REST, SCIM, Unity Catalog, OIDC logins."""
