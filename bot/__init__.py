"""The Slack edge and the composition root."""
