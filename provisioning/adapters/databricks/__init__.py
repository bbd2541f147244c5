"""Databricks through databricks-sdk, as the bot's service principal: the port `Workspaces`."""

from provisioning.adapters.databricks.connection import Accounts
from provisioning.adapters.databricks.login import Login
from provisioning.adapters.databricks.workspaces import DatabricksWorkspaces

__all__ = ["Accounts", "DatabricksWorkspaces", "Login"]
