"""What GitHub could not deliver is read from its list; nothing is delivered again, or twice."""

import asyncio
import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import requests
from conversation import Conversation
from played_runs import PlayedRunner
from shipping import card, link, run_says
from storms import Shot, genuine, send, signed
from waiting import wait_until

from playground.bot import free_port
from playground.cast import GRACE, ORGANISATION, ROSA
from playground.github.runs import WorkflowRun
from playground.github.webhooks import Delivery
from playground.slack.reading import buttons, text_of
from playground.world import Playground

SECONDS = 60
"""So soon after its return the bot has found everything."""
PAGE = 100
LATE = "from the delivery list"
FOREIGN = {
    ".github/workflows/nightly.yml": (
        "name: nightly\non:\n  workflow_dispatch:\njobs:\n  one:\n    runs-on: ubuntu-latest\n"
        "    steps:\n      - run: 'true'\n"
    )
}


@pytest.fixture(scope="module")
def talk(playground: Playground) -> Conversation:
    """Return a conversation about a project that is ready and whose first release is rejected."""
    talk = Conversation(playground, "lost-1")
    link(talk, ROSA)
    talk.make()
    (run,) = talk.world.github.runs(talk.name)
    card(talk, run)
    review(talk, run, approved=False)
    run_says(talk, run, "· Rejected")
    return talk


def review(talk: Conversation, run: WorkflowRun, *, approved: bool) -> None:
    """Decide as Rosa on GitHub's page."""
    talk.world.github.review_deployment(
        ROSA.github, run.id, "Production", approved=approved, comment="on GitHub"
    )


def begin(talk: Conversation) -> WorkflowRun:
    """Begin a deployment and play it to its gate."""
    run = talk.world.github.dispatch(GRACE.github, talk.name, "deploy.yml", {})
    wait_until(lambda: any(job.status == "waiting" for job in run.present_jobs), 30)
    return run


@contextmanager
def lost(talk: Conversation) -> Iterator[list[Delivery]]:
    """Let GitHub reach nobody for a while; yield its deliveries."""
    github = talk.world.github
    address = github.webhook_url
    github.webhook_url = f"http://127.0.0.1:{free_port()}/github/webhooks"
    try:
        yield github.hub.webhooks.deliveries
        talk.playground.run(github.hub.webhooks.idle())
    finally:
        github.webhook_url = address


def bot_log(talk: Conversation) -> str:
    """Return what the bot has logged so far."""
    return talk.world.bot.log.read_text()


def test_what_was_not_delivered_is_found_without_being_sent_again(talk: Conversation) -> None:
    with lost(talk) as deliveries:
        run = begin(talk)
    began = time.monotonic()
    assert set(buttons(card(talk, run))) == {"Approve", "Reject"}
    run_says(talk, run, "Waiting for approval of Production")
    assert time.monotonic() - began < SECONDS
    assert f"heard of run {run.id} late, {LATE}" in bot_log(talk)
    assert not [one for one in deliveries if one.redelivery]
    review(talk, run, approved=True)
    run_says(talk, run, "Deployed to Production")


def test_a_bot_that_was_away_reads_a_list_of_several_pages(talk: Conversation) -> None:
    runner = talk.world.github.runner
    assert isinstance(runner, PlayedRunner)
    talk.playground.run(talk.world.bot.kill())
    before = len(talk.world.github.hub.webhooks.deliveries)
    runs = [begin(talk) for _ in range(3)]
    review(talk, runs[0], approved=True)
    review(talk, runs[1], approved=False)
    wait_until(lambda: all(run.status == "completed" for run in runs[:2]), 30)
    talk.playground.run(talk.world.github.hub.webhooks.idle())
    deliveries = talk.world.github.hub.webhooks.deliveries[before:]
    assert len(deliveries) > PAGE
    talk.playground.run(talk.world.bot.start(), 100)
    began = time.monotonic()
    run_says(talk, runs[0], "Deployed to Production")
    run_says(talk, runs[1], "· Rejected")
    assert buttons(card(talk, runs[2]))
    assert time.monotonic() - began < SECONDS
    assert not [one for one in deliveries if one.redelivery]
    review(talk, runs[2], approved=True)
    run_says(talk, runs[2], "Deployed to Production")


def test_what_is_delivered_again_changes_nothing(talk: Conversation) -> None:
    run = begin(talk)
    card(talk, run)
    review(talk, run, approved=True)
    run_says(talk, run, "Deployed to Production")
    hooks = talk.world.github.hub.webhooks
    talk.playground.run(hooks.idle())
    wait_until(lambda: quiet(talk), SECONDS)
    told = [
        one for one in hooks.deliveries if one.succeeded and str(run.id).encode() in one.content
    ]
    before, calls = known(talk), written(talk)

    async def again() -> None:
        for one in told:
            hooks.redeliver(one)
        await hooks.idle()

    talk.playground.run(again())
    followed = [one for one in told if one.event in ("workflow_run", "workflow_job")]
    assert known(talk) - before >= len(followed) > 0
    wait_until(lambda: quiet(talk), SECONDS)
    assert written(talk) == calls


def known(talk: Conversation) -> int:
    """Return how many deliveries the bot has refused to hear twice."""
    url = talk.world.github.webhook_url.replace("/github/webhooks", "/healthz")
    counts: dict[str, int] = requests.get(url, timeout=10).json()["webhooks"]
    return counts.get("known", 0)


def written(talk: Conversation) -> int:
    """Return how often the bot has written to Slack."""
    return len([one for one in talk.world.slack.calls if one.method.startswith("chat.")])


def quiet(talk: Conversation) -> bool:
    """Tell whether nothing was written to Slack for a while."""
    calls = written(talk)
    pause = asyncio.run(_for_a_while())
    return written(talk) == calls and pause


async def _for_a_while() -> bool:
    try:
        async with asyncio.timeout(2):
            await asyncio.Event().wait()
    except TimeoutError:
        return True
    return False


def test_a_job_may_be_told_of_before_its_run(talk: Conversation) -> None:
    with lost(talk) as deliveries:
        before = len(deliveries)
        run = begin(talk)
    told = [genuine(one) for one in deliveries[before:] if one.event == "workflow_job"]
    talk.world.github.hub.webhooks.deliveries.clear()
    deliver(talk, told[::-1])
    assert buttons(card(talk, run))
    run_says(talk, run, "Waiting for approval of Production")
    review(talk, run, approved=False)
    run_says(talk, run, "· Rejected")


def deliver(talk: Conversation, shots: list[Shot]) -> None:
    """Send deliveries to the bot; all must be taken."""
    storm = asyncio.run(send(talk.world.github.webhook_url, shots))
    assert storm.wrong == []


def test_other_workflows_are_not_shown_whatever_their_jobs_are_called(
    talk: Conversation,
) -> None:
    github = talk.world.github
    github.push(GRACE.github, talk.name, FOREIGN, "Nightly [skip ci]", "nightly")
    run = github.dispatch(GRACE.github, talk.name, "nightly.yml", {}, "nightly")
    wait_until(lambda: run.status == "completed", 30)
    assert [job for job in run.present_jobs if "Deploy" in job.name]
    talk.playground.run(github.hub.webhooks.idle())
    ours = begin(talk)
    assert buttons(card(talk, ours))
    shown = [text_of(one) for one in talk.ada.visible_messages()]
    assert not [text for text in shown if str(run.id) in text]
    review(talk, ours, approved=False)
    run_says(talk, ours, "· Rejected")


def test_a_repository_that_is_no_project_is_read_once_and_never_shown(
    talk: Conversation,
) -> None:
    hooks = talk.world.github.hub.webhooks
    sample = next(one for one in hooks.deliveries if one.event == "workflow_run")
    payload: Any = json.loads(sample.content)
    payload["repository"]["name"] = "no-project"
    payload["workflow_run"]["id"] = 4711
    assert payload["repository"]["owner"]["login"] == ORGANISATION
    body = json.dumps(payload).encode()
    shot = signed(talk.world.github.webhook_secret, body, sample.headers)
    deliver(talk, [shot])
    shown = [text_of(one) for one in talk.ada.visible_messages()]
    assert not [text for text in shown if "4711" in text]
