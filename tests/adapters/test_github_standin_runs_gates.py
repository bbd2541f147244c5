"""Gates at the stand-in GitHub: reviewers, the App's own rule, branches, timers, expiry."""

import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
import requests
from scripted_runner import Script, Works, working

from playground.github.calls import Refusal
from playground.github.runs import WorkflowRun
from playground.github.world import Secret

SCRIPTS = [Script("bundle / Build"), Script("bundle / Deploy Production", "Production")]
CUSTOM = {"protected_branches": False, "custom_branch_policies": True}


@pytest.fixture
def works(tmp_path: Path) -> Iterator[Works]:
    with working(tmp_path, SCRIPTS) as held:
        yield held


def test_a_gated_job_waits_for_a_reviewer_and_goes_on(works: Works) -> None:
    number = works.gated("rosa", "grace", prevent_self_review=True)
    run = works.wait(works.dispatch("pat"), "waiting")
    assert [(j.status, j.conclusion) for j in run.present_jobs] == [
        ("completed", "success"),
        ("waiting", None),
    ]
    (shown,) = works.pending(run)
    assert shown["environment"]["id"] == number
    assert [r["reviewer"]["login"] for r in shown["reviewers"]] == ["rosa", "grace"]
    can = {
        who: works.pending(run, who)[0]["current_user_can_approve"]
        for who in ("", "rosa", "pat", "ada")
    }
    assert can == {"": False, "rosa": True, "pat": False, "ada": False}
    decided = works.decide(run, "rosa")
    assert decided.status_code == 200
    assert decided.json()[0]["environment"] == "Production"
    works.wait(run, "completed")
    assert run.conclusion == "success"
    assert works.states() == [["pending", "queued", "in_progress", "success"]]
    (approval,) = works.call("GET", f"/actions/runs/{run.id}/approvals").json()
    assert (approval["user"]["login"], approval["state"], approval["comment"]) == (
        "rosa",
        "approved",
        "Seen.",
    )
    assert approval["environments"][0]["name"] == "Production"


def test_a_rejection_fails_the_run_and_says_so_in_the_log(works: Works) -> None:
    works.gated("rosa")
    run = works.wait(works.dispatch(), "waiting")
    assert works.decide(run, "rosa", "rejected").status_code == 200
    works.wait(run, "completed")
    job = run.present_jobs[1]
    assert (run.conclusion, job.conclusion) == ("failure", "failure")
    assert "was rejected" in job.log
    assert job.started_at is None
    assert works.states() == [["pending", "failure"]]


def test_only_a_person_decides_never_the_app(works: Works) -> None:
    works.gated("rosa")
    run = works.wait(works.dispatch(), "waiting")
    answer = works.decide(run, "")
    assert answer.status_code == 403
    assert answer.json()["message"] == "Resource not accessible by integration"
    assert works.decide(run, "sam").status_code == 404
    anonymous = works.call(
        "POST",
        f"/actions/runs/{run.id}/pending_deployments",
        {"environment_ids": [1], "state": "approved", "comment": ""},
        token="",
    )
    assert anonymous.status_code == 404
    del works.github.world.installation_permissions["deployments"]
    assert works.decide(run, "rosa").status_code == 403
    assert run.status == "waiting"


def test_whoever_is_not_listed_or_asked_themselves_gets_githubs_one_refusal(works: Works) -> None:
    works.gated("rosa", "pat", prevent_self_review=True)
    run = works.wait(works.dispatch("pat"), "waiting")
    works.refused(works.decide(run, "ada"))
    works.refused(works.decide(run, "pat"))
    works.refused(works.decide(run, "rosa", environment_ids=[1]))
    works.refused(works.decide(run, "rosa", environment_ids=[]))
    with pytest.raises(Refusal, match="Validation Failed"):
        works.github.review_deployment("pat", run.id, "Production", approved=True)
    assert run.reviews == []


def test_without_prevent_self_review_a_listed_requester_may(works: Works) -> None:
    works.gated("pat")
    run = works.wait(works.dispatch("pat"), "waiting")
    assert works.decide(run, "pat").status_code == 200
    works.wait(run, "completed")


def test_a_rerun_asks_again_and_knows_who_repeated_it(works: Works) -> None:
    works.gated("rosa", "pat", prevent_self_review=True)
    run = works.wait(works.dispatch("pat"), "waiting")
    assert works.decide(run, "rosa").status_code == 200
    works.wait(run, "completed")
    works.github.rerun("pat", run.id)
    works.wait(run, "waiting")
    works.refused(works.decide(run, "pat"))
    assert [r.attempt for r in run.reviews] == [1]
    assert works.decide(run, "rosa").status_code == 200
    works.wait(run, "completed")
    assert [r.attempt for r in run.reviews] == [1, 2]


def test_what_is_decided_is_not_decided_again(works: Works) -> None:
    works.gated("rosa", "grace")
    run = works.wait(works.dispatch(), "waiting")
    assert works.decide(run, "rosa").status_code == 200
    works.refused(works.decide(run, "grace", "rejected"))
    works.wait(run, "completed")
    works.refused(works.decide(run, "grace"))
    assert works.pending(run) == []
    assert len(run.reviews) == 1


def test_a_comment_and_a_known_state_are_asked_for(works: Works) -> None:
    works.gated("rosa")
    run = works.wait(works.dispatch(), "waiting")
    path = f"/actions/runs/{run.id}/pending_deployments"
    number = works.github.repos["ada-7"].environments["Production"].id
    for body in (
        {"environment_ids": [number], "state": "approved"},
        {"environment_ids": [number], "state": "perhaps", "comment": "x"},
        {"environment_ids": ["x"], "state": "approved", "comment": "x"},
    ):
        assert works.call("POST", path, body, **works.as_("rosa")).status_code == 422
    assert len(works.github.violations) == 3
    works.github.violations.clear()
    assert run.status == "waiting"


def test_twenty_who_decide_at_once_make_one_decision(works: Works) -> None:
    works.gated("rosa", "grace")
    run = works.wait(works.dispatch(), "waiting")
    token = {name: works.as_(name)["token"] for name in ("rosa", "grace")}
    statuses: list[int] = []
    env = works.github.repos["ada-7"].environments["Production"].id

    def click(number: int) -> None:
        name, state = (("rosa", "approved"), ("grace", "rejected"))[number % 2]
        answer = requests.post(
            f"{works.github.base_url}/repos/acme/ada-7/actions/runs/{run.id}/pending_deployments",
            json={"environment_ids": [env], "state": state, "comment": str(number)},
            headers={"Authorization": f"Bearer {token[name]}"},
            timeout=10,
        )
        statuses.append(answer.status_code)

    threads = [threading.Thread(target=click, args=(number,)) for number in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(statuses) == [200] + [422] * 19
    works.wait(run, "completed")
    assert len(run.reviews) == 1


def test_a_team_s_member_decides_on_github_s_own_page(works: Works) -> None:
    team = works.github.world.teams["ml-reviewers"]
    team.repositories[works.github.repos["ada-7"].id] = "pull"
    works.environment("Production", reviewers=[{"type": "Team", "id": team.id}])
    run = works.wait(works.dispatch(), "waiting")
    login = sorted(team.members)[0]
    assert works.pending(run, login)[0]["reviewers"][0]["type"] == "Team"
    works.github.review_deployment(login, run.id, "Production", approved=False, comment="No.")
    works.wait(run, "completed")
    assert (run.reviews[0].login, run.reviews[0].comment) == (login, "No.")


def test_a_reviewer_who_left_the_team_no_longer_decides(works: Works) -> None:
    team = works.github.world.teams["ml-reviewers"]
    team.repositories[works.github.repos["ada-7"].id] = "pull"
    works.environment("Production", reviewers=[{"type": "Team", "id": team.id}])
    run = works.wait(works.dispatch(), "waiting")
    login = sorted(team.members)[0]
    team.members.discard(login)
    works.refused(works.decide(run, login))


# Branches, timers, expiry, cancelling


def test_a_branch_the_environment_does_not_admit_is_refused_at_once(works: Works) -> None:
    works.gated("rosa", deployment_branch_policy=CUSTOM)
    policies = "/environments/Production/deployment-branch-policies"
    assert works.call("POST", policies, {"name": "main"}).status_code == 200
    works.github.push("pat", "ada-7", {"a.py": "1\n"}, "Work [skip ci]", "feature/x")
    run = works.github.dispatch("pat", "ada-7", "deploy.yml", {}, "feature/x")
    works.wait(run, "completed")
    job = run.present_jobs[1]
    assert (run.conclusion, job.conclusion) == ("failure", "failure")
    assert 'Branch "feature/x" is not allowed to deploy to Production' in job.log
    assert run.repo.deployments == {}
    works.wait(works.dispatch(), "waiting")
    works.call("POST", policies, {"name": "feature/*"})
    again = works.github.dispatch("pat", "ada-7", "deploy.yml", {}, "feature/x")
    works.wait(again, "waiting")


def test_a_pull_request_s_merge_is_admitted_by_its_own_pattern(works: Works) -> None:
    works.environment("Production", deployment_branch_policy=CUSTOM)
    works.github.push("pat", "ada-7", {"a.py": "1\n"}, "Work", "work")

    def opened() -> WorkflowRun:
        pull = works.github.open_pull_request("pat", "ada-7", "work", "Work")
        run: WorkflowRun = works.wait(works.github.runs("ada-7")[-1], "completed")
        works.github.close_pull_request("pat", "ada-7", pull.number)
        works.wait(works.github.runs("ada-7")[-1], "completed")
        return run

    assert opened().conclusion == "failure"
    policies = "/environments/Production/deployment-branch-policies"
    works.call("POST", policies, {"name": "refs/pull/*/merge"})
    assert opened().conclusion == "success"


def test_protected_branches_only(works: Works) -> None:
    policy = {"protected_branches": True, "custom_branch_policies": False}
    works.environment("Production", deployment_branch_policy=policy)
    assert works.wait(works.dispatch(), "completed").conclusion == "failure"
    body = {
        "name": "main",
        "target": "branch",
        "enforcement": "active",
        "conditions": {"ref_name": {"include": ["~DEFAULT_BRANCH"], "exclude": []}},
        "rules": [{"type": "deletion"}],
    }
    assert works.call("POST", "/rulesets", body).status_code == 201
    assert works.wait(works.dispatch(), "completed").conclusion == "success"


def test_the_wait_timer_follows_the_moved_clock(works: Works) -> None:
    works.environment("Production", wait_timer=10)
    run = works.wait(works.dispatch(), "waiting")
    (shown,) = works.pending(run)
    assert (shown["wait_timer"], shown["reviewers"]) == (10, [])
    assert shown["wait_timer_started_at"] is not None
    works.refused(works.decide(run, "pat"))
    works.standin.clock.advance(timedelta(minutes=9))
    assert len(works.pending(run)) == 1
    works.standin.clock.advance(timedelta(minutes=1))
    works.wait(run, "completed")
    assert run.conclusion == "success"


def test_an_approval_does_not_shorten_the_timer(works: Works) -> None:
    works.gated("rosa", wait_timer=10)
    run = works.wait(works.dispatch(), "waiting")
    assert works.decide(run, "rosa").status_code == 200
    assert run.status == "waiting"
    works.standin.clock.advance(timedelta(minutes=10))
    works.wait(run, "completed")


def test_after_thirty_days_a_waiting_job_fails(works: Works) -> None:
    works.gated("rosa")
    run = works.wait(works.dispatch(), "waiting")
    works.standin.clock.advance(timedelta(days=29, hours=23))
    assert len(works.pending(run)) == 1
    works.standin.clock.advance(timedelta(hours=1))
    works.refused(works.decide(run, "rosa"))
    works.wait(run, "completed")
    assert (run.conclusion, run.reviews) == ("failure", [])


def test_cancelling_ends_the_wait(works: Works) -> None:
    works.gated("rosa")
    run = works.wait(works.dispatch(), "waiting")
    assert works.call("POST", f"/actions/runs/{run.id}/cancel").status_code == 202
    works.wait(run, "completed")
    assert (run.conclusion, run.present_jobs[1].conclusion) == ("cancelled", "cancelled")
    works.refused(works.decide(run, "rosa"))


def test_secrets_are_there_only_past_the_gate(works: Works) -> None:
    works.gated("rosa")
    env = works.github.repos["ada-7"].environments["Production"]
    now = works.github.world.now()
    env.secrets["DATABRICKS_TOKEN"] = Secret(b"hidden", now, now)
    body = {"name": "DATABRICKS_HOST", "value": "https://x"}
    works.call("POST", "/environments/Production/variables", body)
    run = works.wait(works.dispatch(), "waiting")
    book = works.github.hub.book
    assert book.secrets(run, "Production") == {}
    assert book.variables(run, "production") == {"DATABRICKS_HOST": "https://x"}
    assert works.decide(run, "rosa").status_code == 200
    works.wait(run, "completed")
    assert works.runner.secrets["bundle / Deploy Production"] == {"DATABRICKS_TOKEN": "hidden"}
    assert book.secrets(run, "") == book.variables(run, "Elsewhere") == {}


def test_an_environment_that_a_workflow_names_is_made(works: Works) -> None:
    works.wait(works.dispatch(), "completed")
    assert works.call("GET", "/environments/Production").status_code == 200
    assert works.states() == [["queued", "in_progress", "success"]]
    works.wait(works.dispatch(), "completed")
    assert works.states()[0][-1] == "inactive"
