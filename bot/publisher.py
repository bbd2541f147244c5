"""Sends what the database says people should see: always the latest state, each message once.

Work only writes rows. This loop posts and edits them, under one budget for the whole workspace;
after a crash it looks whether a message arrived before it sends it again. Of several processes one
sends a message; the others leave it to that one until it dies.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import aiohttp
from slack_sdk.errors import SlackApiError, SlackClientError
from slack_sdk.web.async_client import AsyncWebClient

from bot.budget import PER_MINUTE, Budget, Pace
from bot.render import Block, blocks, fallback
from provisioning.clock import Clock
from provisioning.store import Attachment, Message, Store
from provisioning.tables import MessageRow
from provisioning.text import Notice

log = logging.getLogger(__name__)

EVENT = "sciclops_message"
"""Type of the metadata by which our own messages are found again (chat.postMessage `metadata`)."""
IDLE_SECONDS = 2.0
"""How often we look for messages that other processes owe, or that a crash kept from being sent."""
GATHERING_SECONDS = 0.05
"""News come in bursts: who waits this long looks once for all of them."""
TROUBLED_SECONDS = 2.0
FIXES = {
    "not_in_channel": "invite me to the channel: /invite @SciCLOps",
    "channel_not_found": "invite me to the channel, or correct its id in sciclops.toml",
    "is_archived": "unarchive the channel, or name another one in sciclops.toml",
    "is_inactive": "unarchive the channel",
    "missing_scope": "reinstall the app with the scopes of manifest.yml",
    "restricted_action": "allow the app to post in the channel",
}
"""What makes a message impossible until somebody does something about it, and what that is."""
PASSING = {"internal_error", "fatal_error", "service_unavailable", "request_timeout"}
"""Slack's own troubles (docs.slack.dev, errors of every method): they pass."""


@dataclass(frozen=True)
class Processes:
    """Which process this is, and which others are dead."""

    this: str
    is_gone: Callable[[str], bool]


class Publisher:
    """The loop that keeps Slack as the database says. One per process."""

    def __init__(
        self,
        client: AsyncWebClient,
        store: Store,
        clock: Clock,
        processes: Processes,
        edit_seconds: float,
        plan_blocks: str = "auto",
    ) -> None:
        self._client = client
        self._store = store
        self._clock = clock
        self._processes = processes
        self._budget = Budget()
        self._pace = Pace(edit_seconds)
        self._plan_blocks_setting = plan_blocks
        self._complained: set[tuple[str, str, str]] = set()
        self._rooms: dict[str, str] = {}

    async def run(self) -> None:
        """Send forever; never gives up, never dies of one message."""
        news, loop = asyncio.Event(), asyncio.get_running_loop()
        messages = self._store.messages

        def hear() -> None:
            loop.call_soon_threadsafe(news.set)

        messages.on_show = hear
        try:
            while True:
                news.clear()
                pause = await self._look()
                with suppress(TimeoutError):
                    async with asyncio.timeout(pause):  # wait_for would swallow a cancellation
                        await news.wait()
                    await asyncio.sleep(GATHERING_SECONDS)
        finally:
            messages.on_show = lambda: None  # work outlives this loop by a moment

    async def _look(self) -> float:
        try:
            return await self.send_owed()
        except Exception:
            log.exception("could not send what is owed; trying again")
            return TROUBLED_SECONDS

    async def send_owed(self) -> float:
        """Send what may be sent now; return how long to pause unless there are news."""
        pause = IDLE_SECONDS
        for row in await asyncio.to_thread(self._store.messages.owed):
            if await self._is_sent_elsewhere(row):
                continue
            if (rest := self._wait(row)) > 0:
                pause = min(pause, max(rest, GATHERING_SECONDS))
            else:
                await self._try(row)
                pause = 0.0
                if not row.urgent:
                    break  # what is urgent may have come meanwhile
        return pause

    async def _is_sent_elsewhere(self, row: MessageRow) -> bool:
        """Tell whether another process that lives is at it."""
        if not row.sending or row.sender in ("", self._processes.this):
            return False
        return not await asyncio.to_thread(self._processes.is_gone, row.sender)

    async def _try(self, row: MessageRow) -> None:
        """Send one message; one that Slack does not take rests, and holds up no other."""
        key = row.key
        try:
            await self._send(key, row.sender)
        except (SlackClientError, aiohttp.ClientError, OSError, TimeoutError):
            log.warning("Slack did not take %s; trying again", key, exc_info=True)
            self._pace.rest(key)
            await self._let_go(key)
        else:
            self._pace.sent(key)

    def _wait(self, row: MessageRow) -> float:
        rest = self._pace.wait(row.key, urgent=row.urgent, known=bool(row.ts))
        looking = self._budget.wait(_looks(row)) if row.sending and not row.ts else 0.0
        unknown = row.recipient and row.recipient not in self._rooms
        opening = self._budget.wait("conversations.open") if unknown else 0.0
        sending = self._budget.wait(_method(row), _place(row), urgent=row.urgent)
        return max(sending, looking, opening, rest)

    async def _send(self, key: str, instead_of: str) -> None:
        mark, this = self._store.messages.mark_sending, self._processes.this
        row = await asyncio.to_thread(mark, key, by=this, instead_of=instead_of)
        if row is None:
            return  # another process was faster
        try:
            channel = await self._channel(row)
            ts = row.ts
            if row.sending and not ts:
                ts = await self._find(row, channel)
            ts = await self._deliver(row, channel, ts)
        except SlackApiError as error:
            await self._refused(row, error)
            await self._let_go(key)
        else:
            self._pace.edited(key)
            self._complained.discard(_complaint_of(row, row.trouble))
            await asyncio.to_thread(self._store.messages.mark_sent, key, row.wanted, ts)

    async def _let_go(self, key: str) -> None:
        this = self._processes.this
        await asyncio.to_thread(self._store.messages.let_go, key, by=this)

    async def _channel(self, row: MessageRow) -> str:
        """Return where a message belongs; Slack answers with the same room for the same person."""
        if not row.recipient:
            return row.channel
        if row.recipient not in self._rooms:
            self._budget.take("conversations.open")
            opened = await self._client.conversations_open(users=row.recipient)
            self._rooms[row.recipient] = str(opened["channel"]["id"])
        return self._rooms[row.recipient]

    async def _deliver(self, row: MessageRow, channel: str, ts: str) -> str:
        message = Message.of(row)
        if isinstance(message.content, Attachment):
            return ts or await self._upload(row, channel, message.content)
        if ts:
            return await self._edit(row, channel, message.content, ts)
        return await self._post(row, channel, message.content)

    async def _post(self, row: MessageRow, channel: str, notice: Notice) -> str:
        thread_ts = await self._thread(row)

        async def post(body: list[Block]) -> Any:
            self._budget.take("chat.postMessage", _place(row))
            return await self._client.chat_postMessage(
                channel=channel,
                text=fallback(notice),
                blocks=body,
                thread_ts=thread_ts,
                metadata={"event_type": EVENT, "event_payload": {"key": row.key}},
                unfurl_links=False,
                unfurl_media=False,
            )

        answer = await self._with_fallback(notice, post)
        return str(answer["ts"])

    async def _edit(self, row: MessageRow, channel: str, notice: Notice, ts: str) -> str:
        async def edit(body: list[Block]) -> Any:
            self._budget.take("chat.update")
            return await self._client.chat_update(
                channel=channel,
                ts=ts,
                text=fallback(notice),
                blocks=body,
                metadata={"event_type": EVENT, "event_payload": {"key": row.key}},
            )

        try:
            await self._with_fallback(notice, edit)
        except SlackApiError as error:
            if error.response["error"] not in ("message_not_found", "cant_update_message"):
                raise
            return await self._post(row, channel, notice)  # somebody deleted it: say it again
        return ts

    async def _upload(self, row: MessageRow, channel: str, attachment: Attachment) -> str:
        self._budget.take("files")
        await self._client.files_upload_v2(
            channel=channel,
            thread_ts=await self._thread(row),
            filename=attachment.name,
            title=attachment.name,
            content=attachment.text or "(empty)",
        )
        return "file"

    async def _thread(self, row: MessageRow) -> str | None:
        if not row.thread_of:
            return None
        parent = await asyncio.to_thread(self._store.messages.get, row.thread_of)
        return parent.ts if parent else None

    # ------------------------------------------------------------------ looking before sending

    async def _find(self, row: MessageRow, channel: str) -> str:
        """Return where a message arrived that a crash kept us from noting, or an empty string."""
        thread = await self._thread(row)
        oldest = str(row.created_at.timestamp() - 60)
        cursor: str | None = None
        while True:
            self._budget.take(_looks(row))
            if thread:
                page = await self._client.conversations_replies(
                    channel=channel,
                    ts=thread,
                    include_all_metadata=True,
                    cursor=cursor,
                    limit=200,
                )
            else:
                page = await self._client.conversations_history(
                    channel=channel,
                    oldest=oldest,
                    include_all_metadata=True,
                    cursor=cursor,
                    limit=200,
                )
            for message in page["messages"]:
                if _is_ours(message, row):
                    return "file" if row.file_name else str(message["ts"])
            cursor = (page.get("response_metadata") or {}).get("next_cursor")
            if not cursor:
                return ""

    # ------------------------------------------------------------------ refusals

    async def _with_fallback(
        self,
        notice: Notice,
        send: Callable[[list[Block]], Awaitable[Any]],
    ) -> Any:
        """Send with plan blocks, else with classic blocks, else as text: never not at all."""
        if notice.tasks and await self._has_plan_blocks():
            try:
                return await send(blocks(notice))
            except SlackApiError as error:
                if error.response["error"] != "invalid_blocks":
                    raise
                log.warning("this workspace refuses plan blocks; using classic ones from now on")
                await asyncio.to_thread(self._store.memos.set, "plan_blocks", {"known": False})
        try:
            return await send(blocks(notice, plan_blocks=False))
        except SlackApiError as error:
            if error.response["error"] not in ("invalid_blocks", "msg_blocks_too_long"):
                raise
            log.exception("blocks refused, sending text only: %s", error.response.get("errors"))
            return await send([])

    async def _has_plan_blocks(self) -> bool:
        if self._plan_blocks_setting != "auto":
            return self._plan_blocks_setting == "always"
        memo = await asyncio.to_thread(self._store.memos.get, "plan_blocks")
        return memo is None or bool(memo.get("known", True))

    async def _refused(self, row: MessageRow, error: SlackApiError) -> None:
        code = str(error.response["error"])
        if code in ("ratelimited", "rate_limited"):
            seconds = float(error.response.headers.get("Retry-After", 30))
            self._budget.close(_refused_method(row, error), _place(row), seconds)
            return
        if code in PASSING:
            log.warning("Slack says %s; trying again", code)
            self._budget.close(_refused_method(row, error), _place(row), TROUBLED_SECONDS)
            return
        log.warning("message %s was refused: %s", row.key, code)
        await asyncio.to_thread(self._store.messages.mark_trouble, row.key, code)
        await self._complain(row, code)

    async def _complain(self, row: MessageRow, code: str) -> None:
        """Tell who asked for a run, once for each run, what keeps us from posting about it."""
        operation = await asyncio.to_thread(self._store.operations.get, _operation(row))
        if operation is None or _complaint_of(row, code) in self._complained:
            return
        self._budget.take("conversations.open")
        opened = await self._client.conversations_open(users=operation.requested_by)
        self._budget.take("chat.postMessage", operation.requested_by)
        await self._client.chat_postMessage(
            channel=opened["channel"]["id"], text=_complaint(row, operation.project, code)
        )
        self._complained.add(_complaint_of(row, code))


def _operation(row: MessageRow) -> str:
    """Return the id of the operation that a message is about; of some, no operation's."""
    return row.key.partition(":")[2].partition(":")[0]


def _complaint_of(row: MessageRow, code: str) -> tuple[str, str, str]:
    """Return what is complained about once: a run, where its message goes, and Slack's refusal."""
    return _operation(row), _place(row), code


def _complaint(row: MessageRow, project: str, code: str) -> str:
    log_says = "ask the platform team to look at the bot's log"
    if row.recipient:
        fix = FIXES[code] if code == "missing_scope" else log_says
        return (
            f"I cannot write to <@{row.recipient}> about {project} directly ({code}). Please show "
            f"them the thread of the run's message, and {fix}. I go on trying."
        )
    return (
        f"I cannot post about {project} in its channel ({code}). Please {FIXES.get(code, log_says)}"
        ". I go on trying, and show how it stands then."
    )


def _place(row: MessageRow) -> str:
    """Return where a message goes, to the budget: a channel, or a person."""
    return row.channel or row.recipient


def _method(row: MessageRow) -> str:
    """Return what sends a message, to the budget."""
    return "files" if row.file_name else "chat.update" if row.ts else "chat.postMessage"


def _refused_method(row: MessageRow, error: SlackApiError) -> str:
    """Return what Slack did not want: what sends the message, or what had to be asked before."""
    called = str(getattr(error.response, "api_url", "")).rpartition("/")[2]
    return called if called in PER_MINUTE else _method(row)


def _looks(row: MessageRow) -> str:
    """Return what finds a message again, to the budget."""
    return "conversations.replies" if row.thread_of else "conversations.history"


def _is_ours(message: dict[str, Any], row: MessageRow) -> bool:
    if row.file_name:
        return any(file.get("name") == row.file_name for file in message.get("files") or ())
    metadata = message.get("metadata") or {}
    return bool(
        metadata.get("event_type") == EVENT and metadata["event_payload"].get("key") == row.key
    )
