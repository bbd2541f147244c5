"""Two drafts of one form at once, with a Slack that refuses what is older than what it shows."""

import asyncio
from collections.abc import AsyncIterator, Awaitable
from typing import Any

import pytest
from slack_standin_app import Running, running_slack

from bot import forms
from bot.drafts import Drafts
from commands.command import Answer, Field, Form, Request
from playground.cast import ADA

View = dict[str, Any]


@pytest.fixture
async def running() -> AsyncIterator[Running]:
    async with running_slack() as one:
        yield one


def draft(template: str) -> Request:
    values = {"template": template}
    return Request(ADA.slack, "C0SCICLOPS", ("new",), "view:1", values=values, draft=True)


def form(template: str) -> Form:
    """Return a form that asks what a template needs."""
    fields = (Field("template", "Template", "text", live=True), Field(template, template, "text"))
    return Form("New project", "Create", ("new",), fields)


class Answers:
    """Answers drafts when it is told to, in any order."""

    def __init__(self) -> None:
        self._told: dict[str, asyncio.Event] = {}

    async def give(self, request: Request) -> Answer:
        """Wait until this one's turn has come."""
        template = str((request.values or {})["template"])
        await self._of(template).wait()
        return form(template)

    def tell(self, template: str) -> None:
        """Let a draft be answered now."""
        self._of(template).set()

    def _of(self, template: str) -> asyncio.Event:
        return self._told.setdefault(template, asyncio.Event())


def asked(running: Running) -> list[str]:
    """Return what the open form asks for."""
    [view] = running.workspace.views(ADA.slack)
    return [block["block_id"] for block in view.blocks if block["type"] == "input"]


async def opened(running: Running) -> View:
    """Open the form; return what Slack sends along with each draft of it."""
    empty = forms.view(form("nothing"), "C0SCICLOPS")
    trigger = running.workspace.new_trigger(ADA.slack)
    view: View = (await running.client().views_open(trigger_id=trigger, view=empty))["view"]
    return view | {"state": {"values": {}}}


async def followed(running: Running, answered: tuple[str, str]) -> list[str]:
    """Type “job”, then “pipeline”, and answer in some order; return what the form asks for then."""
    answers, view = Answers(), await opened(running)
    drafts = Drafts(running.client(), answers.give)
    working: dict[str, Awaitable[None]] = {}
    for template in ("job", "pipeline"):
        working[template] = asyncio.create_task(drafts.follow(draft(template), view))
    for template in answered:
        answers.tell(template)
        await working[template]
    return asked(running)


async def test_the_newest_draft_is_shown_over_what_an_older_one_has_shown(running: Running) -> None:
    assert "pipeline" in await followed(running, ("job", "pipeline"))
    assert refusals(running) == ["hash_conflict"]


async def test_an_older_draft_shows_nothing_over_a_newer_one(running: Running) -> None:
    assert "pipeline" in await followed(running, ("pipeline", "job"))
    assert refusals(running) == ["hash_conflict"]


async def test_a_form_that_was_closed_is_left_alone(running: Running) -> None:
    view = await opened(running)
    running.workspace.stacks.clear()
    answers = Answers()
    answers.tell("job")
    await Drafts(running.client(), answers.give).follow(draft("job"), view)
    assert running.workspace.views(ADA.slack) == []
    assert refusals(running) == ["not_found"]


def refusals(running: Running) -> list[str]:
    """Return with which errors Slack has refused to show a form."""
    calls = running.slack.calls
    return [one.error for one in calls if one.method == "views.update" and one.error]
