"""Where Slack meets the commands: store, acknowledge, act, answer.

Slack waits 3 s for an acknowledgement and never resends a click, so whatever may start or decide
something is stored in our own database first; then it is acknowledged; then it is acted upon in a
bounded pool of threads. What was stored and not finished is acted upon after a restart.
"""

import asyncio
import contextvars
import logging
from collections.abc import Awaitable, Callable
from concurrent.futures import Executor
from typing import Any

from slack_sdk.web.async_client import AsyncWebClient

from bot import forms
from bot.answers import UNREACHABLE, Answers, Live
from bot.dispatch import checks_first, dispatch, explain, explain_form, in_full, suggest
from bot.drafts import Drafts
from bot.payloads import (
    plain_values,
    request_of_row,
    request_of_view,
    shows_all,
    words_of,
)
from bot.typed import typed_words
from commands.command import Answer, Form, Reply, Request, Services, Start, tell
from provisioning.errors import SciclopsError, UserError
from provisioning.log_context import about
from provisioning.operation import CREATE, operation_id
from provisioning.tables import InteractionRow
from provisioning.text import plain, say

log = logging.getLogger(__name__)

Ack = Callable[..., Awaitable[Any]]
SUBMIT_SECONDS = 1.5
"""How long checks may take before the form turns into “Checking…”; Slack waits 3 s in all, and
storing the submission comes after this."""
CHECKING_SECONDS = 1.0
"""How long it shows that at least: Slack may take what we call before what we acknowledged."""
SUGGEST_SECONDS = 2.0


class Edge:
    """Turns payloads into requests, and answers into messages and modals."""

    def __init__(
        self,
        services: Services,
        client: AsyncWebClient,
        commands: Executor,
        checks: Executor,
        executor: str,
    ) -> None:
        self._services = services
        self._client = client
        self._answers = Answers(client)
        self._commands = commands
        self._checks = checks
        self._executor = executor
        self._tasks: set[asyncio.Task[None]] = set()
        self._submissions: dict[str, asyncio.Future[Answer]] = {}
        self._drafts = Drafts(
            client, lambda request: self._in(checks, dispatch, request, self._services)
        )

    # ------------------------------------------------------------------ doors

    async def slash(
        self, ack: Ack, body: dict[str, Any], respond: Callable[..., Awaitable[Any]]
    ) -> None:
        """Somebody typed `/sciclops …`."""
        request = Request(
            who=body["user_id"],
            channel=body["channel_id"],
            words=typed_words(body.get("text", ""), self._services.redact),
            key=f"slash:{body['trigger_id']}",
        )
        await self._store_and_act(ack, request, Live(body["trigger_id"], respond))

    async def click(
        self, ack: Ack, body: dict[str, Any], respond: Callable[..., Awaitable[Any]]
    ) -> None:
        """Somebody pressed a button: it types its words."""
        action = body["actions"][0]
        words = words_of(action.get("value"))
        if not words:
            await ack()
            return
        container = body.get("container", {})
        request = Request(
            who=body["user"]["id"],
            channel=body.get("channel", {}).get("id", ""),
            words=words,
            key=f"click:{body['trigger_id']}",
        )
        replaces = bool(container.get("is_ephemeral"))
        live = Live(body["trigger_id"], respond if "response_url" in body else None, replaces)
        await self._store_and_act(ack, request, live)

    async def draft(self, ack: Ack, body: dict[str, Any]) -> None:
        """Somebody changed a field of a form that follows along."""
        await ack()
        view = body.get("view")
        if not view or view.get("callback_id") != "form":
            return
        request = request_of_view(body, view, draft=True)
        self._spawn(self._drafts.follow(request, view))

    async def options(self, ack: Ack, body: dict[str, Any]) -> None:
        """Somebody types into a type-ahead field: answer in time, with less if need be."""
        view = body.get("view") or {}
        request = request_of_view(body, view)
        asked = self._in(
            self._checks, suggest, request, body["action_id"], body["value"], self._services
        )
        try:
            found = await asyncio.wait_for(asked, SUGGEST_SECONDS)
        except (TimeoutError, SciclopsError):
            log.warning("no options for %s in time", body["action_id"])
            found = ()
        await ack(options=forms.options(found))

    async def submit(self, ack: Ack, body: dict[str, Any]) -> None:
        """Somebody submitted a form: checks run together, errors go into the acknowledgement."""
        view = body["view"]
        request = request_of_view(body, view)
        if bad := forms.too_long(request.values or {}):
            await ack(response_action="errors", errors=bad)
            return
        settled = self._submission(request)
        done, _ = await asyncio.wait({settled}, timeout=SUBMIT_SECONDS)
        if done:
            await self._acknowledge(ack, request, view, settled)
            return
        stored = f"{request.key}:{view['hash']}"  # the same view may be submitted once more later
        await self._thread(self._take, request, view["id"], stored)
        await ack(response_action="update", view=forms.message_view("Checking…", say(CHECKING)))
        later = asyncio.ensure_future(_in_order(settled))
        self._spawn(self._finish_submission(request, view["id"], later, stored, view))

    async def recover(self, dead: Callable[[str], bool]) -> int:
        """Act upon what dead processes had stored and not finished; return how much it was."""
        interactions = self._services.store.interactions
        adopted = 0
        for row in await self._thread(interactions.unfinished):
            if not await self._thread(dead, row.taken_by):
                continue
            if await self._thread(_adopt, interactions, row.key, row.taken_by, self._executor):
                adopted += 1
                self._spawn(self._resume(row))
        return adopted

    async def _resume(self, row: InteractionRow) -> None:
        request, view_id = request_of_row(row.payload), row.payload["view_id"]
        with about(request=request.key):
            if view_id:
                await self._finish_submission(request, view_id, self._submission(request), row.key)
            else:
                await self._act(request, Live())

    async def stop(self, seconds: float = 3) -> None:
        """Give what is being answered a moment to end; what is stored will be acted upon later."""
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=seconds)

    # ------------------------------------------------------------------ commands and clicks

    async def _store_and_act(self, ack: Ack, request: Request, live: Live) -> None:
        try:
            new = await self._thread(self._take, request)
        except SciclopsError as error:
            await ack()
            await self._answers.say(request, live, explain(error))
            return
        await ack()
        if new:
            self._spawn(self._act(request, live))

    async def _act(self, request: Request, live: Live) -> None:
        """Act upon a request once; what was done is noted before anybody is told of it."""
        working = asyncio.ensure_future(self._decide(request))
        view_id = await self._answers.wait(working, request, live, dialog=checks_first(request))
        answer = await working
        await self._thread(self._services.store.interactions.finish, request.key)
        if view_id:
            await self._turn_into(view_id, _shown(answer, request), request, answer)
        else:
            await self._deliver(request, live, answer)

    async def _decide(self, request: Request) -> Answer:
        """Return the answer to a request, whatever happens."""
        try:
            answer: Answer = await self._in(self._commands, dispatch, request, self._services)
            return await self._begin(request, answer) if isinstance(answer, Start) else answer
        except Exception as error:  # noqa: BLE001 - whatever it is, the person hears of it
            return explain(error)

    async def _deliver(self, request: Request, live: Live, answer: Answer) -> None:
        if isinstance(answer, Reply):
            await self._answers.say(request, live, answer)
        elif not live.trigger_id or not isinstance(answer, Form):
            await self._answers.say(
                request, live, tell("I was restarted meanwhile; please ask again.")
            )
        else:
            await self._answers.open(request, live, answer)

    async def _begin(self, request: Request, start: Start) -> Reply:
        await self._thread(_request, self._services, start, request)
        return tell(start.said)

    # ------------------------------------------------------------------ forms

    def _submission(self, request: Request) -> asyncio.Future[Answer]:
        """Run a submission once, however often it is delivered."""
        known = self._submissions.get(request.key)
        if known and not (known.done() and _wants_another_try(known)):
            return known
        started = asyncio.ensure_future(self._settle(request))
        self._submissions[request.key] = started
        asyncio.get_running_loop().call_later(600, self._submissions.pop, request.key, None)
        return started

    async def _settle(self, request: Request) -> Answer:
        """Check, and begin what is accepted: both before anybody is told anything."""
        if await self._thread(self._services.store.operations.get, operation_id(request.key)):
            return tell("This request is on its way already.")
        answer: Answer = await self._in(self._checks, dispatch, request, self._services)
        if not isinstance(answer, Start):
            return answer
        try:
            return await self._begin(request, answer)
        except UserError as late:
            if late.field is None:
                raise  # the whole form says it
            form: Answer = await self._in(self._checks, _with_error, request, late, self._services)
            return form

    async def _acknowledge(
        self,
        ack: Ack,
        request: Request,
        view: dict[str, Any],
        settled: asyncio.Future[Answer],
    ) -> None:
        if error := settled.exception():
            await ack(**_refusal(error, view))
            return
        answer = settled.result()
        if isinstance(answer, Form) and shows_all(answer.errors, view):
            await ack(response_action="errors", errors=dict(answer.errors))
        elif isinstance(answer, Form):
            await ack(response_action="update", view=forms.view(answer, request.channel, view))
        else:
            await ack()
            if isinstance(answer, Reply):
                await self._answers.say(request, Live(), answer)

    async def _finish_submission(
        self,
        request: Request,
        view_id: str,
        settled: asyncio.Future[Answer],
        stored: str,
        view: dict[str, Any] | None = None,
    ) -> None:
        """Turn “Checking…” back into the form with its errors, or say that it is on its way.

        `view` is the form as it was submitted; after a restart it is not known any more.
        """
        try:
            answer = await settled
        except Exception as error:  # noqa: BLE001 - whatever it is, the person hears of it
            answer = explain(error)
            shown = forms.again(view, explain_form(error)) if view else _shown(answer, request)
        else:
            shown = _shown(answer, request, view)
        await self._turn_into(view_id, shown, request, answer)
        await self._thread(self._services.store.interactions.finish, stored)

    async def _turn_into(
        self, view_id: str, shown: dict[str, Any], request: Request, answer: Answer
    ) -> None:
        """Show an answer in a dialog that is open; where it was closed meanwhile, in words."""
        try:
            await self._client.views_update(view_id=view_id, view=shown)
        except UNREACHABLE:
            await self._answers.say(request, Live(), _in_words(answer))

    # ------------------------------------------------------------------ threads and tasks

    def _take(self, request: Request, view_id: str = "", stored: str = "") -> bool:
        """Store a request; False if it is known already."""
        payload = {
            "key": request.key,
            "who": request.who,
            "channel": request.channel,
            "words": list(request.words),
            "values": plain_values(request.values, self._services.redact),
            "view_id": view_id,
        }
        return self._services.store.interactions.take(
            stored or request.key, payload, by=self._executor
        )

    def _spawn(self, work: Awaitable[None]) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _thread(self, work: Callable[..., Any], *args: Any) -> Any:
        return await asyncio.to_thread(work, *args)

    def _in(self, pool: Executor, work: Callable[..., Any], *args: Any) -> asyncio.Future[Any]:
        """Run in a thread of the pool, whose log lines say what they are about."""
        run = contextvars.copy_context().run
        return asyncio.get_running_loop().run_in_executor(pool, run, work, *args)


CHECKING = (
    "GitHub or Databricks is slow. I keep what you typed, and this dialog goes on by itself as "
    "soon as they have answered."
)


def _adopt(interactions: Any, key: str, of: str, by: str) -> bool:
    return bool(interactions.adopt(key, of=of, by=by))


def _request(services: Services, start: Start, request: Request) -> None:
    if start.kind == CREATE:
        services.requesting.create(start.spec, by=request.who, key=request.key)
        return
    asked = dict(start.facts)
    services.requesting.begin(start.kind, start.spec, by=request.who, key=request.key, facts=asked)


def _with_error(request: Request, error: UserError, services: Services) -> Answer:
    """Show the form again with the error of a request that came a moment too late."""
    draft = Request(**{**request.__dict__, "draft": True})
    form = dispatch(draft, services)
    if not isinstance(form, Form):
        raise error
    return Form(**{**form.__dict__, "errors": {error.field: str(error)}})


def _refusal(error: BaseException, view: dict[str, Any]) -> dict[str, Any]:
    """Return the acknowledgement of a form that was not taken: on the field at fault, if any."""
    field, words = getattr(error, "field", None), explain_form(error)
    if field and shows_all({field: plain(words)}, view):
        return {"response_action": "errors", "errors": {field: plain(words)}}
    return {"response_action": "update", "view": forms.again(view, words)}


def _shown(
    answer: Answer, request: Request, before: dict[str, Any] | None = None
) -> dict[str, Any]:
    """Return the dialog that shows an answer; `before` is how it looked."""
    if isinstance(answer, Form):
        return forms.view(answer, request.channel, before)
    words = in_full(answer) if isinstance(answer, Reply) else say("Done.")
    return forms.message_view("SciCLOps", words)


async def _in_order(settled: asyncio.Future[Answer]) -> Answer:
    """Return the answer, but not at once: what is called may overtake an acknowledgement."""
    await asyncio.sleep(CHECKING_SECONDS)
    return await settled


def _wants_another_try(settled: asyncio.Future[Answer]) -> bool:
    return settled.exception() is not None or isinstance(settled.result(), Form)


def _in_words(answer: Answer) -> Reply:
    if isinstance(answer, Reply):
        return answer
    if isinstance(answer, Form) and not answer.errors:
        return tell("The dialog was closed meanwhile; please ask again.")
    if isinstance(answer, Form):
        problems = " ".join(answer.errors.values())
        return tell(f"Your request could not be accepted: {problems} Please ask again.")
    return tell("Done.")
