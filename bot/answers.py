"""Answers to one person: where they asked, else for their eyes in the channel, else directly."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

import aiohttp
from slack_sdk.errors import SlackApiError, SlackClientError
from slack_sdk.web.async_client import AsyncWebClient

from bot import forms
from bot.render import blocks, fallback
from commands.command import Form, Reply, Request, tell
from provisioning.text import say

log = logging.getLogger(__name__)

UNREACHABLE = (SlackApiError, SlackClientError, aiohttp.ClientError, OSError, TimeoutError)
"""How Slack fails us; what was decided stands all the same."""

Content = dict[str, Any]
PATIENCE_SECONDS = 4.0
"""After this long somebody who typed a command hears that it is still being worked on."""
OPEN_SECONDS = 1.0
"""After this long the dialog opens that may be wanted: Slack lets us open one for 3 s."""
WAITING = "A vendor is slow. This dialog goes on by itself as soon as it has answered."


@dataclass(frozen=True)
class Live:
    """What only exists while Slack waits: never stored.

    `trigger_id` opens a modal within 3 s; `respond` answers for 30 minutes, at most 5 times.
    """

    trigger_id: str = ""
    respond: Callable[..., Awaitable[Any]] | None = None
    replaces: bool = False


class Answers:
    """Never raises: an answer that reaches nobody changes nothing about what was done."""

    def __init__(self, client: AsyncWebClient) -> None:
        self._client = client

    async def say(self, request: Request, live: Live, reply: Reply) -> None:
        """Tell the asking person, in the first of three ways that works."""
        content: Content = {
            "text": fallback(reply.notice),
            "blocks": blocks(reply.notice, plan_blocks=False),
        }
        for way in (self._respond, self._whisper, self._message):
            try:
                if await way(request, live, content):
                    return
            except UNREACHABLE:
                log.warning("%s did not reach %s", way.__name__, request.who, exc_info=True)

    async def wait(
        self, working: asyncio.Future[Any], request: Request, live: Live, *, dialog: bool
    ) -> str:
        """Say that an answer takes a while, if it does: in a dialog, if it may turn into a form.

        Return the id of that dialog, or an empty string.
        """
        opens = dialog and bool(live.trigger_id)
        seconds = OPEN_SECONDS if opens else PATIENCE_SECONDS
        done, _ = await asyncio.wait({working}, timeout=seconds)
        if done:
            return ""
        if opens and (view_id := await self._open_waiting(live)):
            return view_id
        await self.say(request, live, tell("Still working on it; a vendor is slow."))
        return ""

    async def _open_waiting(self, live: Live) -> str:
        view = forms.message_view("One moment", say(WAITING))
        try:
            opened = await self._client.views_open(trigger_id=live.trigger_id, view=view)
        except UNREACHABLE:
            log.warning("could not open a dialog", exc_info=True)
            return ""
        return str(opened["view"]["id"])

    async def open(self, request: Request, live: Live, form: Form) -> None:
        """Open a dialog, or say that it came too late."""
        try:
            await self._client.views_open(
                trigger_id=live.trigger_id, view=forms.view(form, request.channel)
            )
        except UNREACHABLE:
            log.warning("could not open a dialog", exc_info=True)
            await self.say(request, live, tell("The dialog did not open in time; ask again."))

    async def _respond(self, request: Request, live: Live, content: Content) -> bool:
        del request
        if live.respond is None:
            return False
        answer = await live.respond(
            **content, response_type="ephemeral", replace_original=live.replaces
        )
        if answer.status_code != HTTPStatus.OK:  # Bolt raises nothing here
            log.warning("a response URL answered %s: %s", answer.status_code, answer.body)
            return False
        return True

    async def _whisper(self, request: Request, live: Live, content: Content) -> bool:
        del live
        if not request.channel:
            return False
        await self._client.chat_postEphemeral(channel=request.channel, user=request.who, **content)
        return True

    async def _message(self, request: Request, live: Live, content: Content) -> bool:
        del live
        opened = await self._client.conversations_open(users=request.who)
        await self._client.chat_postMessage(channel=opened["channel"]["id"], **content)
        return True
