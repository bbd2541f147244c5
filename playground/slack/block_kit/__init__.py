"""Block Kit's rules, as data: what Slack accepts in blocks, elements and text objects."""
