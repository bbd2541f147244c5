"""A Slack workspace: Web API, Socket Mode, HTTP events, and the page people use."""
