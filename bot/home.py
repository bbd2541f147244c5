"""Publishes the App Home tab, on opening it and whenever somebody turns its pages."""

import asyncio
import logging
from collections.abc import Mapping, Sequence
from concurrent.futures import Executor
from functools import partial
from typing import Any

from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.payloads import words_of
from bot.render import Block, blocks
from commands.command import Services
from commands.home import TURN, Turn, home
from commands.home import Home as Page
from provisioning.text import Notice

log = logging.getLogger(__name__)

FILTER = "home-filter"
MOST_BLOCKS = 100
"""Slack's limit for a view (docs.slack.dev/surfaces/app-home)."""


class Home:
    """One person's home at a time."""

    def __init__(self, services: Services, client: AsyncWebClient, pool: Executor) -> None:
        self._services = services
        self._client = client
        self._pool = pool

    async def publish(self, who: str, turn: Turn | None = None) -> None:
        """Show somebody their home as it is now, turned to a page if they asked for one."""
        asked = partial(home, who, self._services, turn or Turn())
        page = await asyncio.get_running_loop().run_in_executor(self._pool, asked)
        view = {"type": "home", "blocks": view_blocks(page)}
        try:
            await self._client.views_publish(user_id=who, view=view)
        except SlackApiError as error:
            log.warning("could not publish the home of %s: %s", who, error.response["error"])


def view_blocks(page: Page) -> list[Block]:
    """Return the blocks of a home: its sections, and a field that filters by name."""
    return [*drawn(page.sections), *filter_field(page.text), *drawn(page.below)][:MOST_BLOCKS]


def drawn(sections: Sequence[Notice]) -> list[Block]:
    """Return the blocks of some sections."""
    return [block for notice in sections for block in blocks(notice, plan_blocks=False)]


def filter_field(text: str | None) -> list[Block]:
    """Return the field, with what it filters by now; its id changes with that.

    Slack keeps what was typed into a field of the same id, so that nothing else clears it.
    """
    if text is None:
        return []
    entry: Block = {"type": "plain_text_input", "action_id": FILTER, "max_length": 60}
    if text:
        entry["initial_value"] = text
    return [
        {
            "type": "input",
            "block_id": f"{FILTER}:{text}",
            "dispatch_action": True,
            "optional": True,
            "label": {"type": "plain_text", "text": "Find by a part of the name", "emoji": False},
            "element": entry,
        }
    ]


def turn_of(action: Mapping[str, Any]) -> Turn | None:
    """Return what part of their home somebody wants to see, if an action says so."""
    if action.get("action_id") == FILTER:
        return Turn(text=" ".join((action.get("value") or "").split()))
    words = words_of(action.get("value")) if action.get("type") == "button" else ()
    return Turn.read(words) if words[:1] == (TURN,) else None
