"""GitHub, as the bot's App (through PyGithub) and for people: `Repositories`, `Identities`."""

from provisioning.adapters.github.connection import App, Connection
from provisioning.adapters.github.identities import DeviceFlow, GitHubIdentities
from provisioning.adapters.github.repositories import GitHubRepositories

__all__ = ["App", "Connection", "DeviceFlow", "GitHubIdentities", "GitHubRepositories"]
