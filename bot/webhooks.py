"""The door for GitHub's webhooks: signed, stored, then answered within its ten seconds.

What is not signed by GitHub is refused and counted; nothing of it is read.
"""

import asyncio
import hashlib
import hmac
import logging
import re
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

from aiohttp import web

from provisioning.deployment_ports import Webhooks
from provisioning.errors import TemporaryError, UserError
from provisioning.following import Following
from provisioning.log_context import about
from provisioning.store.workflow_runs import Heard

log = logging.getLogger(__name__)

PATH = "/github/webhooks"
LARGEST_BODY = 2 * 1024 * 1024
"""GitHub's of runs and jobs have some 50 kB; others, up to its 25 MB, may be refused unread. So
nobody fills the memory who cannot sign."""
AT_ONCE = 4
"""So many deliveries are stored at once, by threads of their own: Slack's are not held up."""
SIGNATURE = re.compile(r"sha256=[0-9a-f]{64}")


OUTCOMES: dict[Heard, str] = {
    "look": "taken",
    "show": "taken",
    "known": "known",
    "foreign": "ignored",
}


class WebhookDoor:
    """Answers 401 to the unsigned, 400 to the unreadable, 503 where our database is away."""

    def __init__(self, secret: str, webhooks: Webhooks, following: Following) -> None:
        self._secret = secret
        self._webhooks = webhooks
        self._following = following
        self._threads = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="webhook")
        self.counts: Counter[str] = Counter()

    async def handle(self, request: web.Request) -> web.Response:
        """Take one delivery."""
        signature = request.headers.get("X-Hub-Signature-256", "")
        if not SIGNATURE.fullmatch(signature):
            return self._answer("forged", 401, "not signed")
        try:
            body = await request.read()
        except web.HTTPRequestEntityTooLarge:
            return self._answer("too large", 413, f"more than {LARGEST_BODY} bytes")
        if not is_signed(self._secret, body, signature):
            return self._answer("forged", 401, "not signed with the App's webhook secret")
        return await self._answer_signed(request, body)

    async def _answer_signed(self, request: web.Request, body: bytes) -> web.Response:
        guid = request.headers.get("X-GitHub-Delivery", "")
        event = request.headers.get("X-GitHub-Event", "")
        if not guid or not event:
            return self._answer("unreadable", 400, "GitHub's headers are missing")
        loop = asyncio.get_running_loop()
        try:
            outcome = await loop.run_in_executor(self._threads, self._take, guid, event, body)
        except UserError as bad:
            return self._answer("unreadable", 400, str(bad))
        except TemporaryError:
            # GitHub notes a failed delivery; a sweep of its list reads it again.
            return self._answer("missed", 503, "the bot's database does not answer")
        return self._answer(outcome, 202, outcome)

    def _take(self, guid: str, event: str, body: bytes) -> str:
        with about(request=f"delivery:{guid}"):
            sighting = self._webhooks.read(guid, event, body)
            if sighting is None:
                return "ignored"
            return OUTCOMES[self._following.hear(sighting)]

    def _answer(self, outcome: str, status: int, words: str) -> web.Response:
        self.counts[outcome] += 1
        if status >= 400:
            self._complain(outcome, words)
        return web.json_response({"said": words}, status=status)

    def _complain(self, outcome: str, words: str) -> None:
        """Log the first ones and then ever fewer: whoever forges must not fill the disk."""
        number = self.counts[outcome]
        if number & (number - 1) == 0:
            log.warning("a webhook was not taken (%s), number %d of them", words, number)


def is_signed(secret: str, body: bytes, signature: str) -> bool:
    """Tell whether `X-Hub-Signature-256` is that of the body; without a secret nothing is."""
    expected = "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    return bool(secret) and hmac.compare_digest(expected.encode(), signature.encode())
