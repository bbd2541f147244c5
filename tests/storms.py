"""Webhooks by the thousand: recorded from real runs, doubled, shuffled, half of them forged."""

import asyncio
import hashlib
import hmac
import json
import random
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import aiohttp

from playground.github.webhooks import Delivery

AT_ONCE = 20
"""So many deliveries GitHub's stand-in has under way at once, too."""
CANARY = "planted-by-a-forger"
STRANGERS_SECRET = "a secret of somebody else"

Json = Any


@dataclass(frozen=True)
class Shot:
    """One delivery as it goes over the wire, and how it must be answered and counted."""

    body: bytes
    headers: dict[str, str]
    expected: tuple[int, str] = (202, "")


@dataclass
class Storm:
    """What came of sending: answers, and how long each took, in seconds."""

    statuses: Counter[int] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    took: list[float] = field(default_factory=list)
    seconds: float = 0


def signature(secret: str, body: bytes) -> str:
    """Return what GitHub sends as `X-Hub-Signature-256`."""
    return "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def signed(secret: str, body: bytes, headers: dict[str, str], **changed: str) -> Shot:
    """Return a delivery with a signature by a secret."""
    kept = {name: value for name, value in headers.items() if "Signature" not in name}
    return Shot(body, {**kept, **changed, "X-Hub-Signature-256": signature(secret, body)})


def genuine(delivery: Delivery) -> Shot:
    """Return a delivery exactly as GitHub sent it."""
    return Shot(delivery.content, dict(delivery.headers))


class Forger:
    """Makes deliveries that must change nothing, of five kinds in turn."""

    def __init__(self, secret: str, recorded: Sequence[Delivery], dice: random.Random) -> None:
        self._secret = secret
        self._recorded = [one for one in recorded if one.event == "workflow_run"]
        self._dice = dice
        self.planted: Counter[str] = Counter()

    def shots(self, number: int) -> Iterator[Shot]:
        """Return so many of them."""
        kinds = (
            self._by_a_stranger,
            self._unsigned,
            self._altered,
            self._of_others,
            self._unreadable,
        )
        for place in range(number):
            shot = kinds[place % len(kinds)](self._dice.choice(self._recorded))
            self.planted[shot.expected[1]] += 1
            yield shot

    def _body(self, delivery: Delivery, login: str = "") -> bytes:
        """Return what a forger would like us to believe."""
        payload: Json = json.loads(delivery.content)
        run = payload["workflow_run"]
        run |= {"display_title": CANARY, "status": "completed", "conclusion": "timed_out"}
        run["run_attempt"] += 7
        if login:
            payload["repository"]["owner"]["login"] = login
        return json.dumps(payload).encode()

    def _fresh(self, delivery: Delivery) -> dict[str, str]:
        return delivery.headers | {"X-GitHub-Delivery": f"{CANARY}-{self._dice.getrandbits(64):x}"}

    def _by_a_stranger(self, delivery: Delivery) -> Shot:
        shot = signed(STRANGERS_SECRET, self._body(delivery), self._fresh(delivery))
        return Shot(shot.body, shot.headers, (401, "forged"))

    def _unsigned(self, delivery: Delivery) -> Shot:
        headers = self._fresh(delivery)
        del headers["X-Hub-Signature-256"]
        return Shot(self._body(delivery), headers, (401, "forged"))

    def _altered(self, delivery: Delivery) -> Shot:
        return Shot(self._body(delivery), self._fresh(delivery), (401, "forged"))

    def _of_others(self, delivery: Delivery) -> Shot:
        """Return what GitHub tells of an organisation that has our App, and isn't ours."""
        shot = signed(self._secret, self._body(delivery, "evil"), self._fresh(delivery))
        return Shot(shot.body, shot.headers, (202, "ignored"))

    def _unreadable(self, delivery: Delivery) -> Shot:
        shot = signed(self._secret, self._body(delivery)[:-9], self._fresh(delivery))
        return Shot(shot.body, shot.headers, (400, "unreadable"))


async def send(url: str, shots: Sequence[Shot]) -> Storm:
    """Send deliveries, many at once, and note how each was answered."""
    storm, left, began = Storm(), iter(shots), time.perf_counter()
    timeout = aiohttp.ClientTimeout(total=60)
    async with aiohttp.ClientSession(timeout=timeout) as session:

        async def work() -> None:
            for shot in left:
                await _send_one(session, url, shot, storm)

        await asyncio.gather(*(work() for _ in range(AT_ONCE)))
    storm.seconds = time.perf_counter() - began
    return storm


async def _send_one(session: aiohttp.ClientSession, url: str, shot: Shot, storm: Storm) -> None:
    began = time.perf_counter()
    async with session.post(url, data=shot.body, headers=shot.headers) as answer:
        said = (await answer.json())["said"]
    storm.took.append(time.perf_counter() - began)
    storm.statuses[answer.status] += 1
    if answer.status != shot.expected[0]:
        storm.wrong.append(f"{answer.status} instead of {shot.expected}: {said}")
