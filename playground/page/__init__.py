"""The page: a chat client in the browser for the workspace, and views of the world behind it."""

from playground.page.lab import Control
from playground.page.server import Page

__all__ = ["Control", "Page"]
