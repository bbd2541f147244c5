"""Publishes the App Home tab, on opening it."""

import asyncio
import logging
from concurrent.futures import Executor

from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.render import blocks
from commands.command import Services
from commands.home import home

log = logging.getLogger(__name__)


class Home:
    """One person's home at a time."""

    def __init__(self, services: Services, client: AsyncWebClient, pool: Executor) -> None:
        self._services = services
        self._client = client
        self._pool = pool

    async def publish(self, who: str) -> None:
        """Show somebody their home as it is now."""
        notice = await asyncio.get_running_loop().run_in_executor(
            self._pool, home, who, self._services
        )
        view = {"type": "home", "blocks": blocks(notice, plan_blocks=False)}
        try:
            await self._client.views_publish(user_id=who, view=view)
        except SlackApiError as error:
            log.warning("could not publish the home of %s: %s", who, error.response["error"])
