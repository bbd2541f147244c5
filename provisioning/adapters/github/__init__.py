"""GitHub through PyGithub, as the bot's App: the adapter of the `Repositories` port."""

from provisioning.adapters.github.connection import App, Connection
from provisioning.adapters.github.repositories import GitHubRepositories

__all__ = ["App", "Connection", "GitHubRepositories"]
