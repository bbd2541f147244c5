"""Socket Mode, Slack's side: tickets, hello, envelopes, acks, refreshes and dropped sockets."""

import asyncio
import itertools
import json
import time
from dataclasses import dataclass, field
from typing import Any

from aiohttp import WSMsgType, web

from playground.cast import APP_ID
from playground.slack.deliveries import ACK_DEADLINE, moment
from playground.slack.entities import Answer, Attempt, Delivery, Json, Refused
from playground.slack.state import State

MOST_CONNECTIONS = 10
PING_EVERY = 10.0
CLOSING_SECONDS = 1.0
LASTS_SECONDS = 18_060
TAKES_ANSWERS = {"slash_commands", "view_submission", "block_suggestion"}


@dataclass
class _Waiting:
    """An envelope on its way; `started` is a monotonic time in seconds."""

    delivery: Delivery
    attempt: Attempt
    started: float
    acked: asyncio.Event = field(default_factory=asyncio.Event)
    body: Json | None = None

    def ms(self) -> float:
        return (time.perf_counter() - self.started) * 1000


class SocketMode:
    """The connections of one app; each envelope goes to exactly one of them."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._tickets: set[str] = set()
        self._connections: list[web.WebSocketResponse] = []
        self._retiring: set[web.WebSocketResponse] = set()
        self._transports: dict[web.WebSocketResponse, asyncio.Transport] = {}
        self._turn = itertools.count()
        self._waiting: dict[str, _Waiting] = {}

    @property
    def connections(self) -> int:
        """Return how many connections can take an envelope now."""
        return len(self._open())

    def open(self) -> str:
        """Return a single-use WebSocket URL (apps.connections.open)."""
        if len(self._connections) >= MOST_CONNECTIONS:
            raise Refused("too_many_websockets")
        ticket = self._state.next_id("ticket-")
        self._tickets.add(ticket)
        base = self._state.base_url.replace("http://", "ws://")
        return f"{base}/link/?ticket={ticket}&app_id={APP_ID}"

    async def connect(self, request: web.Request) -> web.StreamResponse:
        """Serve one connection until it closes."""
        ticket = request.query.get("ticket", "")
        if ticket not in self._tickets:
            return web.Response(status=403, text="invalid ticket")
        self._tickets.discard(ticket)
        socket = web.WebSocketResponse(heartbeat=PING_EVERY, timeout=CLOSING_SECONDS)
        await socket.prepare(request)
        if request.transport is not None:
            self._transports[socket] = request.transport
        self._connections.append(socket)
        try:
            await socket.send_json(self._hello())
            self._state.feed.changed()
            await self._listen(socket)
        except ConnectionError:
            pass  # the app went away; that is the end of this connection
        finally:
            self._connections.remove(socket)
            self._retiring.discard(socket)
            self._transports.pop(socket, None)
            self._state.feed.changed()
        return socket

    async def _listen(self, socket: web.WebSocketResponse) -> None:
        async for message in socket:
            if message.type is WSMsgType.TEXT:
                self._take(message.data)

    def _hello(self) -> Json:
        debug = {
            "host": "applink-playground",
            "build_number": 1,
            "approximate_connection_time": LASTS_SECONDS,
        }
        return {
            "type": "hello",
            "num_connections": len(self._connections),
            "debug_info": debug,
            "connection_info": {"app_id": APP_ID},
        }

    def _take(self, text: str) -> None:
        try:
            message = json.loads(text)
        except ValueError:
            return
        if not isinstance(message, dict):
            return
        waiting = self._waiting.get(str(message.get("envelope_id")))
        if waiting is None:
            return
        if waiting.attempt.answer.outcome == "late":
            waiting.attempt.answer.ms = waiting.ms()
            self._state.feed.changed()
            return
        waiting.body = message.get("payload")
        waiting.acked.set()

    async def send(self, delivery: Delivery, attempt: Attempt) -> Answer:
        """Send one envelope and wait for its ack, at most three seconds by the clock."""
        sockets = self._open()
        if not sockets:
            return Answer("unreachable")
        envelope = self._envelope(delivery, attempt)
        waiting = _Waiting(delivery, attempt, time.perf_counter())
        self._waiting[envelope["envelope_id"]] = waiting
        socket = sockets[next(self._turn) % len(sockets)]
        deadline = self._state.clock.now() + ACK_DEADLINE
        try:
            await socket.send_json(envelope)
        except ConnectionError:
            return Answer("unreachable")
        if await moment(self._state.clock, deadline, waiting.acked):
            del self._waiting[envelope["envelope_id"]]
            return Answer("acked", waiting.body, waiting.ms())
        return Answer("late")

    def _envelope(self, delivery: Delivery, attempt: Attempt) -> dict[str, Any]:
        suffix = f"-{attempt.number}" if attempt.number else ""
        envelope: Json = {
            "envelope_id": f"{delivery.id}{suffix}",
            "payload": delivery.payload,
            "type": delivery.kind,
            "accepts_response_payload": bool(TAKES_ANSWERS & {delivery.kind, delivery.what}),
        }
        if delivery.kind == "events_api" or attempt.number:
            envelope["retry_attempt"] = attempt.number
            envelope["retry_reason"] = attempt.reason
        return envelope

    def _open(self) -> list[web.WebSocketResponse]:
        return [one for one in self._connections if one not in self._retiring and not one.closed]

    async def refresh(self) -> None:
        """Ask every connection to reconnect, as Slack does every few hours."""
        for socket in self._open():
            self._retiring.add(socket)
            host = {"host": "applink-playground"}
            await socket.send_json(
                {"type": "disconnect", "reason": "refresh_requested", "debug_info": host}
            )

    def drop(self) -> int:
        """Cut every connection without a goodbye; return how many there were."""
        dropped = 0
        for socket in list(self._connections):
            if transport := self._transports.get(socket):
                transport.abort()
                dropped += 1
        return dropped

    async def stop(self) -> None:
        """Close every connection."""
        for socket in list(self._connections):
            await socket.close(code=1001)
