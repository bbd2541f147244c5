"""Forms that follow along: what follows from a draft is shown while somebody fills the form.

Drafts of one form are answered side by side, and Slack takes a view with an old hash from nobody.
So whoever is late shows nothing, unless theirs is the newest draft.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any

from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot import forms
from commands.command import Answer, Form, Request

log = logging.getLogger(__name__)

FORGOTTEN_AFTER = 600
"""Seconds after which nobody waits for the answer to a draft."""


class Drafts:
    """Shows what follows from drafts; `answer` gives it, in a thread of its own."""

    def __init__(
        self, client: AsyncWebClient, answer: Callable[[Request], Awaitable[Answer]]
    ) -> None:
        self._client = client
        self._answer = answer
        self._newest: dict[str, Request] = {}

    async def follow(self, request: Request, view: dict[str, Any]) -> None:
        """Answer a draft; whatever goes wrong is checked again at submit."""
        self._newest[view["id"]] = request
        asyncio.get_running_loop().call_later(FORGOTTEN_AFTER, self._newest.pop, view["id"], None)
        try:
            answer = await self._answer(request)
            if isinstance(answer, Form):
                await self._show(answer, request, view)
        except Exception as error:  # noqa: BLE001 - a draft is checked again at submit
            log.warning("could not follow a draft: %r", error)

    async def _show(self, form: Form, request: Request, view: dict[str, Any]) -> None:
        """Show what follows from a draft; the newest one also over what an older one has shown."""
        shown = forms.view(form, request.channel, view)
        if forms.same_shape(shown, view):
            return
        try:
            await self._client.views_update(view_id=view["id"], hash=view["hash"], view=shown)
        except SlackApiError as error:
            if error.response["error"] not in ("hash_conflict", "not_found"):
                raise
            if self._newest.get(view["id"]) is request and error.response["error"] != "not_found":
                await self._client.views_update(view_id=view["id"], view=shown)
