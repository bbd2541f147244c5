"""The door for GitHub's webhooks: signed, stored, then answered within its ten seconds.

What is not signed by GitHub is refused and counted; nothing of it is read.
"""

import asyncio
import hashlib
import hmac
import logging
from collections import Counter

from aiohttp import web

from provisioning.deployment_ports import Webhooks
from provisioning.errors import TemporaryError, UserError
from provisioning.following import Following

log = logging.getLogger(__name__)

PATH = "/github/webhooks"
LARGEST_BODY = 25 * 1024 * 1024
"""GitHub drops payloads that are larger."""


class WebhookDoor:
    """Answers 401 to the unsigned, 400 to the unreadable, 503 where our database is away."""

    def __init__(self, secret: str, webhooks: Webhooks, following: Following) -> None:
        self._secret = secret
        self._webhooks = webhooks
        self._following = following
        self.counts: Counter[str] = Counter()

    async def handle(self, request: web.Request) -> web.Response:
        """Take one delivery."""
        body = await request.read()
        if not is_signed(self._secret, body, request.headers.get("X-Hub-Signature-256", "")):
            return self._answer("forged", 401, "not signed with the App's webhook secret")
        guid = request.headers.get("X-GitHub-Delivery", "")
        event = request.headers.get("X-GitHub-Event", "")
        if not guid or not event:
            return self._answer("unreadable", 400, "GitHub's headers are missing")
        try:
            outcome = await asyncio.to_thread(self._take, guid, event, body)
        except UserError as bad:
            return self._answer("unreadable", 400, str(bad))
        except TemporaryError:
            # GitHub notes a failed delivery; a sweep of its list reads it again.
            return self._answer("missed", 503, "the bot's database does not answer")
        return self._answer(outcome, 202, outcome)

    def _take(self, guid: str, event: str, body: bytes) -> str:
        sighting = self._webhooks.read(guid, event, body)
        if sighting is None:
            return "ignored"
        return "taken" if self._following.hear(sighting) else "known"

    def _answer(self, outcome: str, status: int, words: str) -> web.Response:
        self.counts[outcome] += 1
        if status >= 400:
            log.warning("a webhook was not taken (%s), the %d.", words, self.counts[outcome])
        return web.json_response({"said": words}, status=status)


def is_signed(secret: str, body: bytes, signature: str) -> bool:
    """Tell whether `X-Hub-Signature-256` is that of the body; without a secret nothing is."""
    expected = "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    return bool(secret) and hmac.compare_digest(expected.encode(), signature.encode())
