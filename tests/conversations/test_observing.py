"""What observers get: metrics at a real UDP socket, readiness, logs as JSON.

Two processes serve the same project, one of which dies: still everything is measured once.
"""

import json
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
import requests
from agent import Agent, listening
from conversation import ANSWER_SECONDS, RUN_SECONDS, Conversation
from shipping import card, decide, link, merge, run_says, second_process
from storms import genuine, send
from waiting import wait_until

from playground.bot import BotProcess
from playground.cast import ROSA
from playground.faults import Fault
from playground.world import Choices, Playground

__all__ = ["second_process"]

NAME = "seen-1"
EARLIER = ("development", "testing", "staging")


@pytest.fixture(scope="module")
def agent() -> Iterator[Agent]:
    """Listen where a Datadog agent would."""
    with listening() as ear:
        yield ear


@pytest.fixture(scope="module")
def choices(agent: Agent) -> Choices:
    """Return a playground that is measured and logs JSON."""
    host, port = agent.address
    return Choices(edit_seconds=0.2, statsd=f"{host}:{port}", log_format="json")


@pytest.fixture(scope="module")
def talk(playground: Playground) -> Conversation:
    """Return a conversation about a project that is ready; Rosa reviews it."""
    talk = Conversation(playground, NAME)
    link(talk, ROSA)
    talk.make()
    return talk


def tags(agent: Agent, name: str, tag: str, **about: str) -> Counter[str]:
    """Count what was heard of the project under a name, by one of its tags."""
    return Counter(one.tags[tag] for one in agent.about(name, project=NAME, **about))


def probe(talk: Conversation, path: str) -> tuple[int, dict[str, Any]]:
    """Ask as a watching system does; 0 while nobody answers."""
    address = talk.world.github.webhook_url.replace("/github/webhooks", path)
    try:
        answer = requests.get(address, timeout=10)
    except requests.ConnectionError:
        return 0, {}
    return answer.status_code, answer.json()


def test_a_created_project_is_measured_once(talk: Conversation, agent: Agent) -> None:
    wait_until(lambda: agent.about("sciclops.operation.duration", project=NAME), ANSWER_SECONDS)
    (ended,) = agent.about("sciclops.operation.ended", project=NAME)
    assert ended.tags == {
        "project": NAME,
        "kind": "create_project",
        "template": "job",
        "outcome": "ready",
        "attempt": "1",
    }
    (took,) = agent.about("sciclops.operation.duration", project=NAME)
    assert 100 < took.value < RUN_SECONDS * 1000
    assert ended.tags["project"] == talk.name
    assert agent.about("sciclops.command.used", command="new", way="typed")
    assert len(agent.about("sciclops.command.used", command="confirm", way="pressed")) == 1
    for kind in ("slash", "click", "view"):
        assert agent.about("sciclops.slack.acknowledged", kind=kind)
    _, alive = probe(talk, "/healthz")
    assert alive["metrics"]["sent"] > 0
    assert alive["metrics"]["dropped"] == 0


def test_each_stage_s_first_deployment_is_measured_once(talk: Conversation, agent: Agent) -> None:
    card(talk, talk.world.github.runs(NAME)[0])
    ended = "sciclops.deployment.ended"
    wait_until(lambda: len(agent.about(ended, project=NAME)) >= len(EARLIER), ANSWER_SECONDS)
    for stage in EARLIER:
        (one,) = agent.about(ended, project=NAME, stage=stage)
        assert one.tags == {
            "project": NAME,
            "kind": "deploy",
            "stage": stage,
            "environment": stage,
            "template": "job",
            "workflow_version": "v1",
            "outcome": "success",
        }
        (event,) = [one for one in agent.heard if one.text and one.tags["stage"] == stage]
        assert event.name == f"{NAME}: deployment to {stage.capitalize()}, success"
        assert (event.kind, event.key) == ("success", NAME)


def test_a_rejected_release_is_no_failed_deployment(talk: Conversation, agent: Agent) -> None:
    run = talk.world.github.runs(NAME)[0]
    decide(talk, talk.rosa, run, "Reject", "not yet")
    run_says(talk, run, "· Rejected")
    (settled,) = agent.about("sciclops.release.settled", project=NAME)
    assert (settled.tags["outcome"], settled.tags["gate"]) == ("rejected", "reviewer")
    (ended,) = agent.about("sciclops.deployment.ended", project=NAME, stage="production")
    assert ended.tags["outcome"] == "not_released"


def test_with_two_processes_one_of_which_dies_a_release_is_measured_once(
    talk: Conversation, agent: Agent, second_process: BotProcess
) -> None:
    assert second_process.pid != talk.world.bot.pid
    before = tags(agent, "sciclops.deployment.ended", "stage")
    run = merge(talk, "feat: seen by two")
    card(talk, run)
    talk.playground.run(talk.world.bot.kill())
    decide(talk, talk.rosa, run, "Approve")
    run_says(talk, run, "Deployed to Production")
    talk.playground.run(talk.world.bot.start(), 100)
    ended = tags(agent, "sciclops.deployment.ended", "stage") - before
    assert ended == Counter([*EARLIER, "production"])
    settled = tags(agent, "sciclops.release.settled", "outcome")
    assert settled == Counter(["rejected", "approved"])
    assert len(agent.about("sciclops.release.waited", outcome="approved")) == 1
    (released,) = [
        one for one in agent.heard if one.name == f"{NAME}: deployment to Production, success"
    ]
    assert run.sha in released.text


def entries(talk: Conversation) -> list[dict[str, Any]]:
    """Return the bot's log; each line is a JSON object."""
    return [json.loads(line) for line in talk.world.bot.log.read_text().splitlines()]


def test_log_lines_say_what_they_are_about(talk: Conversation) -> None:
    faults = talk.world.faults
    faults.add(Fault("slack", "status", "/actions/"))
    faults.add(Fault("github", "status", "/actions/runs/", times=10_000, status=502))
    talk.sam.type(f"/sciclops status {NAME}")
    talk.told(talk.sam, f"Project {NAME}")
    run = merge(talk, "feat: to be logged")
    wait_until(lambda: "could not look at run" in talk.world.bot.log.read_text(), RUN_SECONDS)
    faults.clear()
    card(talk, run)
    told = entries(talk)
    (refused,) = [one for one in told if "a response URL answered" in one["message"]]
    assert refused["request"].startswith("slash:")
    looked = [one for one in told if "could not look at run" in one["message"]]
    assert looked
    assert looked[0]["project"] == NAME
    assert looked[0]["operation"].startswith("workflow-run:")
    secrets = set(talk.world.secrets().values())
    assert not [one for one in told if secrets & set(one.values())]


def test_without_slack_webhooks_are_taken_and_readiness_is_red(talk: Conversation) -> None:
    assert probe(talk, "/readyz") == (
        200,
        {"ready": True, "database": "ok", "engine": "ok", "slack": "ok"},
    )
    talk.playground.run(talk.world.bot.kill())
    talk.world.faults.add(Fault("slack", "drop", "auth.test", times=10_000))
    talk.playground.run(talk.world.bot.spawn())
    wait_until(lambda: "not answer" in str(probe(talk, "/readyz")), RUN_SECONDS)
    assert probe(talk, "/readyz") == (
        503,
        {
            "ready": False,
            "database": "ok",
            "engine": "ok",
            "slack": "Slack does not answer; trying again",
        },
    )
    status, alive = probe(talk, "/healthz")
    assert (status, alive["ok"]) == (200, True)
    delivered = [one for one in talk.world.github.hub.webhooks.deliveries if one.succeeded]
    url = talk.world.github.webhook_url
    storm = talk.playground.run(send(url, [genuine(one) for one in delivered[-20:]]))
    assert storm.statuses == {202: 20}
    talk.world.faults.clear()
    sockets = Fault("slack", "status", "apps.connections.open", times=4, status=503)
    talk.world.faults.add(sockets)
    wait_until(lambda: probe(talk, "/readyz")[0] == 200, ANSWER_SECONDS)
    assert not sockets.times, "more than Slack's client tries by itself"
    talk.sam.type("/sciclops help")
    talk.told(talk.sam, "/sciclops new")
