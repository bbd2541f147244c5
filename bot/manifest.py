"""The Slack app's manifest, for both ways of talking to Slack; `manifest.yml` is for Socket Mode.

Slack delivers nothing that the manifest doesn't ask for, and refuses calls whose scope is missing.
"""

from typing import Any
from urllib.parse import urlsplit

import commands
from bot.app import COMMAND, EVENTS
from provisioning.errors import UserError

PATH = "/slack/events"
"""Where Slack's requests arrive in HTTP mode, of whatever kind."""
SCOPES = (
    "channels:history",  # to find a message again that was posted just before a crash
    "channels:read",  # to tell whether the bot is in its channels
    "chat:write",
    "commands",
    "files:write",
    "groups:history",  # the same in private channels
    "groups:read",
    "im:history",  # the same in direct messages
    "im:write",
    "usergroups:read",
    "users:read",
)
WORDS = "From an idea to production on Databricks, without a ticket."
MORE_WORDS = (
    "Ask for a project and get it ready to ship: a GitHub repository with starter code as a "
    "Databricks bundle, stages with their own service principals, a deploy workflow and approvals. "
    "SciCLOps shows the plan before anything is made, and asks those who have a say."
)


def manifest(mode: str, url: str = "") -> dict[str, Any]:
    """Return the manifest for mode "socket", or for "http" with the bot's public https address.

    Raises UserError for another mode or address.
    """
    address = _request_address(mode, url)
    return {
        "_metadata": {"major_version": 1},
        "display_information": {
            "name": "SciCLOps",
            "description": WORDS,
            "long_description": MORE_WORDS,
            "background_color": "#1f3a5f",
        },
        "features": {
            "app_home": {
                "home_tab_enabled": True,
                "messages_tab_enabled": True,
                "messages_tab_read_only_enabled": True,
            },
            "bot_user": {"display_name": "SciCLOps", "always_online": True},
            "slash_commands": [_slash_command() | _with(address, "url")],
        },
        "oauth_config": {"scopes": {"bot": list(SCOPES)}},
        "settings": {
            "event_subscriptions": {"bot_events": list(EVENTS)} | _with(address, "request_url"),
            "interactivity": {"is_enabled": True}
            | _with(address, "request_url", "message_menu_options_url"),
            "org_deploy_enabled": False,
            "socket_mode_enabled": mode == "socket",
            "token_rotation_enabled": False,
        },
    }


def _slash_command() -> dict[str, Any]:
    """Return the command; escaping makes mentions arrive as ids, whatever people are called."""
    shown = [command.name for command in (*commands.ALL, commands.HELP) if not command.hidden]
    return {
        "command": COMMAND,
        "description": WORDS,
        "usage_hint": " | ".join(shown),
        "should_escape": True,
    }


def _request_address(mode: str, url: str) -> str:
    if mode == "socket":
        return ""
    if mode != "http":
        raise UserError(f"--mode {mode}: Slack is talked to by “socket” or by “http”.")
    parts = urlsplit(url)
    if parts.scheme != "https" or not parts.hostname:
        raise UserError(
            f"--url {url or '(nothing)'}: Slack calls the bot at an https address, "
            "like https://bot.example.com. Give the one that leads to this bot."
        )
    return url.rstrip("/") + PATH


def _with(address: str, *keys: str) -> dict[str, str]:
    return dict.fromkeys(keys, address) if address else {}
