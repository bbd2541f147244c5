"""HTTP mode, Slack's side: signed requests, challenges, and what the app's answers mean."""

import asyncio
import hashlib
import hmac
import json
import time
from typing import Any
from urllib.parse import urlencode

import aiohttp

from playground.slack.deliveries import ACK_DEADLINE, moment
from playground.slack.entities import Answer, Attempt, Delivery, Json
from playground.slack.payloads import VERIFICATION_TOKEN
from playground.slack.state import State

FORM = "application/x-www-form-urlencoded"


def signature(secret: str, timestamp: str, body: str) -> str:
    """Return Slack's v0 signature of a request body."""
    base = f"v0:{timestamp}:{body}".encode()
    return "v0=" + hmac.new(secret.encode(), base, hashlib.sha256).hexdigest()


class HttpMode:
    """Posts payloads to the app's request URL."""

    def __init__(self, state: State, request_url: str | None, signing_secret: str) -> None:
        self.request_url = request_url
        """May be set after the app has started; until then nobody is reachable."""
        self._state = state
        self._secret = signing_secret
        self._session: aiohttp.ClientSession | None = None
        self._posts: set[asyncio.Task[Answer]] = set()

    async def send(self, delivery: Delivery, attempt: Attempt) -> Answer:
        """Post one payload and wait for 200, at most three seconds by the clock."""
        if self.request_url is None:
            return Answer("unreachable")
        started = time.perf_counter()
        deadline = self._state.clock.now() + ACK_DEADLINE
        answered = asyncio.Event()
        post = asyncio.create_task(self._post(*_wire(delivery), _retry_headers(attempt)))
        self._posts.add(post)
        post.add_done_callback(lambda _: answered.set())
        post.add_done_callback(self._posts.discard)
        if not await moment(self._state.clock, deadline, answered):
            post.cancel()
            return Answer("late")
        answer = post.result()
        answer.ms = (time.perf_counter() - started) * 1000
        return answer

    async def verify_request_url(self) -> bool:
        """Challenge the app, as Slack does when a request URL is saved."""
        challenge = self._state.next_id("challenge-")
        body = {"token": VERIFICATION_TOKEN, "challenge": challenge, "type": "url_verification"}
        answer = await self._post(json.dumps(body), "application/json", {})
        given = answer.body.get("challenge") if isinstance(answer.body, dict) else answer.body
        return given == challenge

    async def _post(self, body: str, content_type: str, more: dict[str, str]) -> Answer:
        # Bolt compares the timestamp with the machine's clock, so a moved clock must not sign.
        timestamp = str(int(time.time()))
        headers = {
            "Content-Type": content_type,
            "User-Agent": "Slackbot 1.0 (+https://api.slack.com/robots)",
            "X-Slack-Request-Timestamp": timestamp,
            "X-Slack-Signature": signature(self._secret, timestamp, body),
            **more,
        }
        if self._session is None:
            self._session = aiohttp.ClientSession()
        try:
            async with self._session.post(
                str(self.request_url), data=body.encode(), headers=headers, allow_redirects=False
            ) as response:
                return await _read(response)
        except aiohttp.ClientError:
            return Answer("unreachable")

    async def stop(self) -> None:
        """Give up what is still under way."""
        for post in list(self._posts):
            post.cancel()
        await asyncio.gather(*self._posts, return_exceptions=True)
        if self._session is not None:
            await self._session.close()
            self._session = None


def _wire(delivery: Delivery) -> tuple[str, str]:
    if delivery.kind == "events_api":
        return json.dumps(delivery.payload), "application/json"
    if delivery.kind == "slash_commands":
        return urlencode(delivery.payload), FORM
    return urlencode({"payload": json.dumps(delivery.payload)}), FORM


def _retry_headers(attempt: Attempt) -> dict[str, str]:
    if not attempt.number:
        return {}
    reason = {"timeout": "http_timeout"}.get(attempt.reason, attempt.reason)
    return {"X-Slack-Retry-Num": str(attempt.number), "X-Slack-Retry-Reason": reason}


async def _read(response: aiohttp.ClientResponse) -> Answer:
    text = await response.text()
    final = response.headers.get("X-Slack-No-Retry") == "1"
    if response.status != 200:
        return Answer("refused", text, final=final)
    return Answer("acked", _ack(text, response.content_type))


def _ack(text: str, content_type: str) -> Json | str | None:
    if not text:
        return None
    if content_type != "application/json":
        return text
    try:
        body: Any = json.loads(text)
    except ValueError:
        return text
    return body if isinstance(body, dict) else text
