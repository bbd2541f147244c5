"""The page: a chat client in the browser for the workspace, and views of the world behind it."""
