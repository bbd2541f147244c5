"""The bot's view of GitHub Actions against the stand-in: runs, gates, plans, decisions."""

import io
import json
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr
from scripted_runner import Script, Works, working
from waiting import wait_until

from playground.github.limits import Limits
from playground.github.runs import WorkflowRun as TheirRun
from provisioning.adapters.github import Connection
from provisioning.adapters.github.actions import GitHubActions
from provisioning.deployment_ports import TooLateError, Verdict
from provisioning.errors import TemporaryError, UserError

SCRIPTS = [
    Script("bundle / Deploy Development", "Development"),
    Script("bundle / Plan Production", "Production-plan"),
    Script("bundle / Deploy Production", "Production"),
]


@pytest.fixture
def works(tmp_path: Path) -> Iterator[Works]:
    with working(tmp_path, [replace(script) for script in SCRIPTS]) as works:
        yield works


class Overheard(Connection):
    """A connection whose answers pass `hear` on their way to us."""

    hear: Callable[[str, Any], Any] = staticmethod(lambda _, answer: answer)

    def _answer(self, method: str, path: str, *more: Any, **named: Any) -> tuple[Any, Any]:
        headers, answer = super()._answer(method, path, *more, **named)
        return headers, self.hear(path, answer)


@pytest.fixture
def connection(works: Works) -> Overheard:
    return Overheard(works.our_app(), works.standin.clock)


@pytest.fixture
def actions(connection: Overheard) -> GitHubActions:
    return GitHubActions(connection)


def a_plan(run: TheirRun, **more: object) -> bytes:
    """Return the archive of a plan artifact."""
    plan: dict[str, Any] = {
        "environment": "Production",
        "target": "production",
        "commit": run.sha,
        "version": "v0.1.0",
        "digest": "d" * 64,
        "changes": [{"action": "create", "resource": "jobs.ada", "name": "ada"}],
        **more,
    }
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("plan.json", json.dumps(plan))
    return packed.getvalue()


def waiting_run(works: Works, *reviewers: str, **settings: object) -> TheirRun:
    """Return a run that waits for the reviewers of Production."""
    works.gated(*reviewers, **settings)
    run = works.dispatch()
    wait_until(lambda: any(job.status == "waiting" for job in run.present_jobs))
    return run


def test_a_look_shows_the_run_its_jobs_and_who_may_release(
    works: Works, actions: GitHubActions
) -> None:
    run = waiting_run(works, "rosa")
    look = actions.look("ada-7", run.id)
    assert look is not None
    assert look.run.sha == run.sha
    assert look.run.actor == "pat"
    assert look.run.waiting() == ("Production",)
    assert [job.title for job in look.run.jobs if job.succeeded] == [
        "Deploy Development",
        "Plan Production",
    ]
    assert [(one.name, one.reviewers) for one in look.pending] == [("Production", ("user:rosa",))]
    assert look.reviews == ()
    assert [one.id for one in actions.recent("ada-7")] == [run.id]


def test_a_run_that_is_gone_is_none(actions: GitHubActions) -> None:
    assert actions.look("ada-7", 123456) is None


def test_a_plan_is_read_if_it_is_of_this_commit_and_no_nonsense(
    works: Works, actions: GitHubActions
) -> None:
    run = waiting_run(works, "rosa")
    look = actions.look("ada-7", run.id)
    assert look is not None
    assert actions.plan("ada-7", look.run, "Production") is None
    book = works.github.hub.book
    works.soon(lambda: book.add_artifact(run, "plan-Production", a_plan(run)))
    plan = actions.plan("ada-7", look.run, "Production")
    assert plan is not None
    assert plan.digest == "d" * 64
    assert [(change.action, change.resource) for change in plan.changes] == [("create", "jobs.ada")]


@pytest.mark.parametrize("spoilt", [b"no archive", b""], ids=["no archive", "empty"])
def test_what_is_no_plan_is_none(works: Works, actions: GitHubActions, spoilt: bytes) -> None:
    run = waiting_run(works, "rosa")
    look = actions.look("ada-7", run.id)
    assert look is not None
    works.soon(lambda: works.github.hub.book.add_artifact(run, "plan-Production", spoilt))
    assert actions.plan("ada-7", look.run, "Production") is None


def test_a_plan_of_an_earlier_attempt_is_none(works: Works, actions: GitHubActions) -> None:
    run = waiting_run(works, "rosa")
    book = works.github.hub.book
    works.soon(lambda: book.add_artifact(run, "plan-Production", a_plan(run)))
    actions.cancel("ada-7", run.id)
    works.wait(run, "completed")
    works.standin.clock.advance(timedelta(seconds=5))
    works.github.rerun("pat", run.id)
    wait_until(lambda: any(job.status == "waiting" for job in run.present_jobs))
    look = actions.look("ada-7", run.id)
    assert look is not None
    assert look.run.attempt == 2
    assert actions.plan("ada-7", look.run, "Production") is None
    again = a_plan(run, digest="e" * 64)
    works.soon(lambda: book.add_artifact(run, "plan-Production", again))
    plan = actions.plan("ada-7", look.run, "Production")
    assert plan is not None
    assert plan.digest == "e" * 64


def test_what_is_decided_during_a_look_does_not_count_as_decided_before_it(
    works: Works, actions: GitHubActions, connection: Overheard
) -> None:
    run = waiting_run(works, "rosa")

    def decide_right_after(path: str, answer: Any) -> Any:
        if path.endswith(("/approvals", "/pending_deployments")) and not run.reviews:
            works.github.review_deployment("rosa", run.id, "Production", approved=True, comment="")
        return answer

    connection.hear = decide_right_after
    look = actions.look("ada-7", run.id)
    assert look is not None
    assert not (look.pending and look.reviews)
    assert run.reviews


def test_a_remark_of_an_apps_rule_is_no_decision(
    works: Works, actions: GitHubActions, connection: Overheard
) -> None:
    run = waiting_run(works, "rosa")
    remark = {
        "state": "pending",
        "user": {"login": "scanner[bot]"},
        "comment": "scanning",
        "environments": [{"name": "Production"}],
    }
    connection.hear = lambda path, answer: [remark] if path.endswith("/approvals") else answer
    look = actions.look("ada-7", run.id)
    assert look is not None
    assert look.reviews == ()


def test_a_plan_of_another_commit_is_none(works: Works, actions: GitHubActions) -> None:
    run = waiting_run(works, "rosa")
    look = actions.look("ada-7", run.id)
    assert look is not None
    other = a_plan(run, commit="f" * 40)
    works.soon(lambda: works.github.hub.book.add_artifact(run, "plan-Production", other))
    assert actions.plan("ada-7", look.run, "Production") is None


@pytest.mark.parametrize("said", ["approved", "rejected"])
def test_a_reviewer_decides_with_their_own_token(
    works: Works, actions: GitHubActions, said: str
) -> None:
    approved = said == "approved"
    run = waiting_run(works, "rosa")
    token = SecretStr(works.github.user_token("rosa"))
    actions.decide(
        "ada-7", run.id, "Production", Verdict(approved=approved, comment="as agreed"), token
    )
    works.wait(run, "completed")
    look = actions.look("ada-7", run.id)
    assert look is not None
    assert look.run.conclusion == ("success" if approved else "failure")
    (review,) = look.reviews
    assert (review.login, review.approved, review.comment) == ("rosa", approved, "as agreed")
    works.let_nobody_in(20)
    assert actions.released("ada-7", "Production") == (run.sha if approved else "")


def test_a_stranger_is_refused_by_github_too(works: Works, actions: GitHubActions) -> None:
    run = waiting_run(works, "rosa")
    with pytest.raises(UserError, match="GitHub"):
        actions.decide(
            "ada-7",
            run.id,
            "Production",
            Verdict(approved=True, comment="let me"),
            SecretStr(works.github.user_token("ada")),
        )
    assert run.status == "waiting"


MANY = 50
"""More than our App asks in a test."""


@pytest.mark.parametrize(
    ("limits", "minutes"),
    [(Limits(per_hour=MANY), 55), (Limits(creating_per_minute=1), 0.9)],
    ids=["the hour's budget", "a burst"],
)
def test_a_persons_rate_limit_is_not_told_as_a_refusal(
    works: Works, actions: GitHubActions, limits: Limits, minutes: float
) -> None:
    run = waiting_run(works, "rosa")
    for _ in range(MANY):
        works.refused(works.decide(run, "rosa", environment_ids=[1]))
    works.github._limits.limits = limits
    token = SecretStr(works.github.user_token("rosa"))
    with pytest.raises(TemporaryError, match="rate limit") as stopped:
        actions.decide("ada-7", run.id, "Production", Verdict(approved=True, comment="yes"), token)
    assert stopped.value.after is not None
    assert stopped.value.after > timedelta(minutes=minutes)
    assert run.status == "waiting"


def test_a_decision_that_comes_too_late_is_told_apart(works: Works, actions: GitHubActions) -> None:
    run = waiting_run(works, "rosa")
    works.github.review_deployment("rosa", run.id, "Production", approved=True, comment="on GitHub")
    works.wait(run, "completed")
    with pytest.raises(TooLateError):
        actions.decide(
            "ada-7",
            run.id,
            "Production",
            Verdict(approved=True, comment="late"),
            SecretStr(works.github.user_token("rosa")),
        )


def test_the_end_of_a_failed_jobs_log_is_read_without_times(
    works: Works, actions: GitHubActions
) -> None:
    works.runner.scripts[0].conclusion = "failure"
    run = works.wait(works.dispatch(), "completed")
    look = actions.look("ada-7", run.id)
    assert look is not None
    (failed,) = look.run.failures()
    assert failed.failed_step == "Say hello"
    assert actions.log_end("ada-7", failed) == "hello from bundle / Deploy Development"


def test_a_dispatch_names_the_person_and_is_not_repeated(
    works: Works, actions: GitHubActions
) -> None:
    works.runner.title = "deploy run-123"
    token = SecretStr(works.github.user_token("pat"))
    inputs = {"stage": "production", "correlation": "run-123"}
    begun = actions.dispatch("ada-7", "main", inputs, token)
    wait_until(lambda: actions.recent("ada-7")[0].title == "deploy run-123")
    assert actions.dispatch("ada-7", "main", inputs, token) == begun
    (run,) = works.github.runs("ada-7")
    assert (run.id, run.actor) == (begun, "pat")


def test_what_failed_is_rerun_as_the_person(works: Works, actions: GitHubActions) -> None:
    works.runner.scripts[0].conclusion = "failure"
    run = works.wait(works.dispatch(), "completed")
    works.runner.scripts[0].conclusion = "success"
    actions.rerun("ada-7", run.id, SecretStr(works.github.user_token("pat")))
    wait_until(lambda: run.attempt == 2 and run.status == "completed")
    assert run.triggering_actor == "pat"


@pytest.mark.parametrize(("whole", "repeated"), [(False, ["Test"]), (True, ["Build", "Test"])])
def test_what_had_succeeded_is_repeated_with_the_whole_run_only(
    works: Works, actions: GitHubActions, *, whole: bool, repeated: list[str]
) -> None:
    works.runner.scripts = [Script("Build"), Script("Test", conclusion="failure")]
    run = works.wait(works.dispatch(), "completed")
    token = SecretStr(works.github.user_token("pat"))
    actions.rerun("ada-7", run.id, token, whole=whole)
    wait_until(lambda: run.attempt == 2 and run.status == "completed")
    assert [job.name for job in run.jobs[2]] == repeated


def test_a_rerun_of_an_attempt_that_was_rerun_already_changes_nothing(
    works: Works, actions: GitHubActions
) -> None:
    works.runner.scripts[0].conclusion = "failure"
    run = works.wait(works.dispatch(), "completed")
    token = SecretStr(works.github.user_token("pat"))
    actions.rerun("ada-7", run.id, token, attempt=1)
    wait_until(lambda: run.attempt == 2 and run.status == "completed")
    actions.rerun("ada-7", run.id, token, attempt=1)
    assert (run.attempt, run.status) == (2, "completed")
    actions.rerun("ada-7", run.id, token, attempt=2)
    assert run.attempt == 3


def test_cancelling_twice_is_fine(works: Works, actions: GitHubActions) -> None:
    run = waiting_run(works, "rosa")
    actions.cancel("ada-7", run.id)
    works.wait(run, "completed")
    actions.cancel("ada-7", run.id)
    assert run.conclusion == "cancelled"


def test_commits_since_the_last_release_are_named(works: Works, actions: GitHubActions) -> None:
    base = works.github.commits("ada-7")[0].sha
    works.github.push("pat", "ada-7", {"a.txt": "a"}, "feat: one\n\nbody [skip ci]")
    head = works.github.push("pat", "ada-7", {"b.txt": "b"}, "fix: two [skip ci]")
    compared = actions.commits("ada-7", base, head)
    assert compared is not None
    assert compared.total == 2
    assert [commit.title for commit in compared.commits] == ["feat: one", "fix: two [skip ci]"]
    assert compared.commits[1].parents == (compared.commits[0].sha,)
    first = actions.commits("ada-7", "", head)
    assert first is not None
    assert [commit.sha for commit in first.commits] == [head]
