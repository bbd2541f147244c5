"""A GitHub organisation: REST, git over HTTP, OIDC issuer."""
