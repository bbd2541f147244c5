"""The stand-in GitHub's webhooks: signed, valid by GitHub's description, and never sent again."""

import hashlib
import hmac
import socket
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import jwt
import pytest
from scripted_runner import Receiver, Script, Works, receiving, working
from waiting import wait_until

from playground.github.hook_payloads import of_run
from playground.github.webhooks import HOOK_ID
from playground.github.world import APP_ID

SECRET = "It's a Secret to Everybody"
SCRIPTS = [Script("bundle / Build"), Script("bundle / Deploy Production", "Production")]


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as held:
        yield held


@pytest.fixture
def works(tmp_path: Path, receiver: Receiver) -> Iterator[Works]:
    with working(tmp_path, SCRIPTS) as held:
        held.github.webhook_url, held.github.webhook_secret = receiver.url, SECRET
        yield held


def app_token(works: Works) -> str:
    now = int(time.time())
    claims = {"iat": now - 10, "exp": now + 300, "iss": str(APP_ID)}
    return jwt.encode(claims, works.github.app_private_key_pem, algorithm="RS256")


def hook(works: Works, method: str, path: str, body: object = None) -> Any:
    return works.standin.call(method, f"/app/hook{path}", body, token=app_token(works))


def deliveries(works: Works, query: str = "") -> list[Any]:
    answer = hook(works, "GET", f"/deliveries?per_page=100{query}")
    assert answer.status_code == 200, answer.text
    found: list[Any] = answer.json()
    return found


def test_a_run_is_told_from_its_beginning_to_its_end(works: Works, receiver: Receiver) -> None:
    run = works.wait(works.dispatch("pat"), "completed")
    wait_until(lambda: receiver.named("workflow_run completed"))
    for stage in ("queued", "in_progress", "completed"):
        receiver.some(f"workflow_job {stage}", 2)
    for stage in ("requested", "in_progress", "completed"):
        receiver.some(f"workflow_run {stage}")
    told = [h.name for h in receiver.hooks if h.event == "workflow_run"]
    assert sorted(told) == [
        "workflow_run completed",
        "workflow_run in_progress",
        "workflow_run requested",
    ]
    (done,) = receiver.some("workflow_run completed")
    body = done.body
    assert body["workflow_run"]["id"] == run.id
    assert body["workflow_run"]["conclusion"] == "success"
    assert body["workflow"]["path"] == run.workflow
    assert body["sender"]["login"] == "pat"
    assert body["repository"]["full_name"] == "acme/ada-7"
    assert body["installation"]["id"] == works.github.installation_id
    stages = [h.name for h in receiver.hooks if h.event == "workflow_job"]
    assert sorted(stages) == sorted(
        f"workflow_job {stage}" for stage in ("queued", "in_progress", "completed") for _ in SCRIPTS
    )


def test_the_signature_proves_secret_and_content(works: Works, receiver: Receiver) -> None:
    works.wait(works.dispatch(), "completed")
    wait_until(lambda: receiver.named("workflow_run completed"))
    for one in receiver.hooks:
        digest = hmac.new(SECRET.encode(), one.content, hashlib.sha256).hexdigest()
        assert one.headers["X-Hub-Signature-256"] == f"sha256={digest}"
        assert one.headers["X-GitHub-Hook-ID"] == str(HOOK_ID)
        assert one.headers["X-GitHub-Hook-Installation-Target-ID"] == str(APP_ID)
        assert one.headers["User-Agent"].startswith("GitHub-Hookshot/")
    ids = [one.headers["X-GitHub-Delivery"] for one in receiver.hooks]
    assert len(set(ids)) == len(ids)


def test_the_signature_is_that_of_githubs_published_example() -> None:
    digest = hmac.new(SECRET.encode(), b"Hello, World!", "sha256").hexdigest()
    assert digest == "757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"


def test_a_waiting_job_asks_its_reviewers_and_brings_its_deployment(
    works: Works, receiver: Receiver
) -> None:
    works.gated("rosa")
    run = works.wait(works.dispatch("pat"), "waiting")
    wait_until(lambda: receiver.named("deployment_review requested"))
    (waiting,) = receiver.some("workflow_job waiting")
    assert waiting.body["workflow_job"]["name"] == "bundle / Deploy Production"
    assert waiting.body["deployment"]["environment"] == "Production"
    (asked,) = receiver.some("deployment_review requested")
    assert asked.body["environment"] == "Production"
    assert asked.body["requestor"]["login"] == "pat"
    assert asked.body["reviewers"][0]["reviewer"]["login"] == "rosa"
    assert asked.body["workflow_run"]["id"] == run.id
    works.github.review_deployment("rosa", run.id, "Production", approved=True, comment="Go.")
    works.wait(run, "completed")
    wait_until(lambda: receiver.named("workflow_run completed"))
    (said,) = receiver.some("deployment_review approved")
    assert said.body["comment"] == "Go."
    assert said.body["approver"]["login"] == said.body["sender"]["login"] == "rosa"
    states = {
        h.body["deployment_status"]["state"] for h in receiver.some("deployment_status created", 4)
    }
    assert states == {"pending", "queued", "in_progress", "success"}


def test_a_rejection_is_told(works: Works, receiver: Receiver) -> None:
    works.gated("rosa")
    run = works.wait(works.dispatch(), "waiting")
    works.github.review_deployment("rosa", run.id, "Production", approved=False, comment="No.")
    works.wait(run, "completed")
    wait_until(lambda: receiver.named("workflow_run completed"))
    wait_until(lambda: receiver.named("deployment_review rejected"))
    assert (
        receiver.some("workflow_run completed")[0].body["workflow_run"]["conclusion"] == "failure"
    )


def test_the_rule_is_asked_with_the_address_to_answer_at(works: Works, receiver: Receiver) -> None:
    works.environment("Production")
    path = "/environments/Production/deployment_protection_rules"
    works.call("POST", path, {"integration_id": APP_ID})
    works.github.push("pat", "ada-7", {"a.py": "1\n"}, "Work", "work")
    works.github.open_pull_request("pat", "ada-7", "work", "Work")
    run = works.wait(works.github.runs("ada-7")[-1], "waiting")
    (asked,) = receiver.some("deployment_protection_rule requested")
    callback = asked.body["deployment_callback_url"]
    assert callback.endswith(f"/actions/runs/{run.id}/deployment_protection_rule")
    assert asked.body["ref"] == "refs/pull/1/merge"
    assert [pull["number"] for pull in asked.body["pull_requests"]] == [1]
    answer = works.standin.session.post(
        callback,
        json={"environment_name": "Production", "state": "approved", "comment": "2 of 2"},
        headers={"Authorization": f"Bearer {works.github.installation_token()}"},
        timeout=10,
    )
    assert answer.status_code == 204
    works.wait(run, "completed")


def test_a_rerun_is_not_requested_but_begins_and_ends(works: Works, receiver: Receiver) -> None:
    run = works.wait(works.dispatch(), "completed")
    wait_until(lambda: receiver.named("workflow_run completed"))
    works.github.rerun("pat", run.id)
    wait_until(lambda: len(receiver.named("workflow_run completed")) == 2)
    assert len(receiver.some("workflow_run requested")) == 1
    attempts = [
        h.body["workflow_run"]["run_attempt"] for h in receiver.some("workflow_run in_progress", 2)
    ]
    assert sorted(attempts) == [1, 2]


def test_pushes_and_pull_requests_are_told(works: Works, receiver: Receiver) -> None:
    first = works.github.push("pat", "ada-7", {"a.py": "1\n"}, "Work", "work")
    works.github.open_pull_request("pat", "ada-7", "work", "Work")
    works.github.push("pat", "ada-7", {"a.py": "2\n"}, "More", "work")
    works.github.close_pull_request("pat", "ada-7", 1)
    repo = works.standin.person("pat").get_repo("acme/ada-7")
    works.github.world.installation_permissions["pull_requests"] = "write"
    repo.get_pull(1).edit(state="open")
    works.github.merge_pull_request("pat", "ada-7", 1)
    wait_until(lambda: len(receiver.named("pull_request closed")) == 2)
    receiver.some("push", 3)
    pushes = {h.body["ref"]: h.body for h in receiver.named("push")}
    assert pushes["refs/heads/main"]["forced"] is False
    pushed = next(h.body for h in receiver.named("push") if h.body["after"] == first)
    assert (pushed["created"], pushed["pusher"]["name"]) == (True, "pat")
    assert [c["added"] for c in pushed["commits"]] == [["a.py"]]
    assert len(receiver.some("pull_request opened")) == 1
    (moved,) = receiver.some("pull_request synchronize")
    assert moved.body["before"] == first
    assert len(receiver.some("pull_request reopened")) == 1
    merged = [h.body["pull_request"]["merged"] for h in receiver.named("pull_request closed")]
    assert sorted(merged) == [False, True]
    works.call("DELETE", "/git/refs/heads/work")
    wait_until(lambda: any(h.body["deleted"] for h in receiver.named("push")))


def test_what_the_app_may_not_read_it_is_not_told(works: Works, receiver: Receiver) -> None:
    del works.github.world.installation_permissions["deployments"]
    works.gated("rosa")
    works.wait(works.dispatch(), "waiting")
    wait_until(lambda: receiver.named("workflow_job waiting"))
    assert not [h for h in receiver.hooks if h.event.startswith("deployment")]


# Deliveries


def test_a_refusing_receiver_is_a_failed_delivery_that_is_not_repeated(
    works: Works, receiver: Receiver
) -> None:
    receiver.status = 500
    works.github.push("pat", "ada-7", {"a.py": "1\n"}, "Change [skip ci]")
    wait_until(lambda: deliveries(works))
    (failed,) = deliveries(works)
    assert (failed["event"], failed["status_code"]) == ("push", 500)
    assert failed["status"] == "Invalid HTTP Response: 500"
    assert len(receiver.hooks) == 1
    whole = hook(works, "GET", f"/deliveries/{failed['id']}").json()
    assert whole["request"]["payload"]["ref"] == "refs/heads/main"
    assert whole["request"]["headers"]["X-GitHub-Delivery"] == failed["guid"]
    assert whole["response"]["payload"] == "ok"


def test_a_redelivery_keeps_its_guid_and_signature(works: Works, receiver: Receiver) -> None:
    receiver.status = 503
    works.github.push("pat", "ada-7", {"a.py": "1\n"}, "Change [skip ci]")
    wait_until(lambda: deliveries(works))
    receiver.status = 200
    (failed,) = deliveries(works)
    assert hook(works, "POST", f"/deliveries/{failed['id']}/attempts").status_code == 202
    wait_until(lambda: len(deliveries(works)) == 2)
    again, first = deliveries(works)
    assert (again["redelivery"], again["status"], first["redelivery"]) == (True, "OK", False)
    assert again["guid"] == first["guid"]
    assert again["id"] != first["id"]
    assert receiver.hooks[0].content == receiver.hooks[1].content
    assert deliveries(works, "&status=failure") == [first]
    assert deliveries(works, "&status=success") == [again]


def test_an_unreachable_receiver_is_a_failed_delivery(works: Works) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        works.github.webhook_url = f"http://127.0.0.1:{taken.getsockname()[1]}/"
        works.github.push("pat", "ada-7", {"a.py": "1\n"}, "Change [skip ci]")
        wait_until(lambda: deliveries(works))
    (failed,) = deliveries(works)
    assert (failed["status_code"], failed["status"]) == (502, "failed to connect to host")


def test_the_list_is_paged_by_cursor_and_kept_three_days(works: Works) -> None:
    for number in range(5):
        works.github.push("pat", "ada-7", {"a.py": f"{number}\n"}, "Change [skip ci]")
    wait_until(lambda: len(deliveries(works)) == 5)
    every = [one["id"] for one in deliveries(works)]
    assert every == sorted(every, reverse=True)
    seen: list[int] = []
    path = "/app/hook/deliveries?per_page=2"
    while path:
        answer = works.standin.call("GET", path, token=app_token(works))
        seen += [one["id"] for one in answer.json()]
        path = answer.links.get("next", {}).get("url", "").removeprefix(works.github.base_url)
    assert seen == every
    assert hook(works, "GET", "/deliveries?cursor=x").status_code == 422
    works.standin.clock.advance(timedelta(days=3))
    assert deliveries(works) == []
    assert hook(works, "GET", f"/deliveries/{every[0]}").status_code == 404
    assert hook(works, "POST", f"/deliveries/{every[0]}/attempts").status_code == 404


def test_only_the_app_itself_sees_its_webhook(works: Works) -> None:
    for path in ("config", "deliveries"):
        assert works.standin.call("GET", f"/app/hook/{path}").status_code == 401


def test_the_webhook_is_configured_and_its_secret_never_told(
    works: Works, receiver: Receiver
) -> None:
    shown = hook(works, "GET", "/config").json()
    assert (shown["url"], shown["secret"]) == (receiver.url, "********")
    changed = hook(works, "PATCH", "/config", {"url": f"{receiver.url}/2", "secret": "other"})
    assert changed.json()["url"] == works.github.webhook_url == f"{receiver.url}/2"
    assert works.github.webhook_secret == "other"
    assert SECRET not in str(works.github.snapshot())
    assert hook(works, "PATCH", "/config", {"content_type": "form"}).status_code == 422


def test_without_an_address_nothing_is_sent_or_kept(works: Works, receiver: Receiver) -> None:
    works.github.push("pat", "ada-7", {"a.py": "1\n"}, "Change [skip ci]")
    wait_until(lambda: deliveries(works))
    works.github.webhook_url = ""
    works.wait(works.dispatch(), "completed")
    (only,) = deliveries(works)
    assert hook(works, "POST", f"/deliveries/{only['id']}/attempts").status_code == 422
    works.github.webhook_url, works.github.webhook_secret = receiver.url, ""
    hook(works, "POST", f"/deliveries/{only['id']}/attempts")
    wait_until(lambda: len(receiver.hooks) == 2)
    assert "X-Hub-Signature-256" not in receiver.hooks[1].headers


def test_a_payload_that_breaks_githubs_description_is_recorded(works: Works) -> None:
    repo = works.github.repos["ada-7"]
    works.soon(lambda: works.github.hub.webhooks.send("workflow_run", "requested", repo, "pat", {}))
    (problem,) = works.github.violations
    assert "webhook workflow_run requested /: 'workflow' is a required property" in problem
    works.github.violations.clear()


def test_words_that_github_does_not_know_are_found_in_a_known_shape(works: Works) -> None:
    run = works.wait(works.dispatch(), "completed")
    body: dict[str, Any] = of_run(works.github.world, run)
    body["workflow_run"]["conclusion"] = "splendid"
    repo = works.github.repos["ada-7"]
    works.soon(
        lambda: works.github.hub.webhooks.send("workflow_run", "completed", repo, "pat", body)
    )
    (problem,) = works.github.violations
    assert "'splendid' is not one of" in problem
    works.github.violations.clear()
