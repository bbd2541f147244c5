"""Workflow runs at the stand-in GitHub: what begins them, and how they are read."""

import io
import zipfile
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from github import GithubException
from github_standin import commit_on, element
from scripted_runner import DEPLOY, PATH, Script, Works, working
from waiting import wait_until

from playground.github.calls import Refusal

HELD = [Script("bundle / Build", held=True)]


@pytest.fixture
def works(tmp_path: Path) -> Iterator[Works]:
    with working(tmp_path) as held:
        yield held


def runs(works: Works, **query: str) -> list[Any]:
    question = "&".join(f"{name}={value}" for name, value in query.items())
    answer = works.call("GET", f"/actions/runs?{question}")
    assert answer.status_code == 200, answer.text
    found: list[Any] = answer.json()["workflow_runs"]
    return found


def test_pygithub_dispatches_and_learns_the_run_s_id(works: Works) -> None:
    repo = works.standin.app().get_repo("acme/ada-7")
    workflow = repo.get_workflow("deploy.yml")
    assert [w.name for w in repo.get_workflows()] == ["deploy"]
    run = workflow.create_dispatch("main", {"stage": "production"}, return_run_details=True)
    held = works.github.world.runs[run.id]
    works.wait(held, "completed")
    read = repo.get_workflow_run(run.id)
    assert (read.status, read.conclusion, read.event) == (
        "completed",
        "success",
        "workflow_dispatch",
    )
    assert read.head_branch == "main"
    assert read.actor.login == "sciclops-bot[bot]"
    assert works.run_json(held)["referenced_workflows"][0]["path"].endswith("deploy-bundle.yml@v1")
    assert held.inputs == {"stage": "production", "correlation": "", "really": "false"}
    jobs = list(read.jobs())
    assert [(job.name, job.conclusion) for job in jobs] == [("bundle / Build", "success")]
    assert [(s.number, s.name, s.conclusion) for s in jobs[0].steps] == [
        (1, "Say hello", "success")
    ]
    assert [r.id for r in workflow.get_runs()] == [run.id]


def test_a_dispatch_without_details_says_nothing(works: Works) -> None:
    path = "/actions/workflows/deploy.yml/dispatches"
    answer = works.call("POST", path, {"ref": "main"})
    assert (answer.status_code, answer.content) == (204, b"")
    assert works.github.runs("ada-7")[-1].inputs["stage"] == "production"


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"ref": "nowhere"}, "No ref found for: nowhere"),
        ({"ref": "main", "inputs": {"colour": "red"}}, 'Unexpected inputs provided: ["colour"]'),
        ({"ref": "main", "inputs": {"stage": "moon"}}, "not in the list of allowed values"),
        ({"ref": "main", "inputs": {"really": "perhaps"}}, "is not a boolean"),
    ],
)
def test_a_dispatch_that_the_workflow_does_not_take_is_refused(
    works: Works, body: object, message: str
) -> None:
    answer = works.call("POST", "/actions/workflows/deploy.yml/dispatches", body)
    assert answer.status_code == 422
    assert message in answer.json()["message"]
    assert works.github.runs("ada-7") == []


def test_a_required_input_and_the_trigger_itself_are_asked_for(works: Works) -> None:
    needs = "on: {workflow_dispatch: {inputs: {who: {required: true}}}}\njobs: {}\n"
    files = {".github/workflows/x.yml": needs, ".github/workflows/y.yml": "on: push\njobs: {}\n"}
    works.github.push("pat", "ada-7", files, "More workflows [skip ci]")
    for name, message in (
        ("x.yml", "Required input 'who' not provided"),
        ("y.yml", "Workflow does not have 'workflow_dispatch' trigger"),
    ):
        refused = works.call("POST", f"/actions/workflows/{name}/dispatches", {"ref": "main"})
        assert (refused.status_code, refused.json()["message"]) == (422, message)
    assert works.call("GET", "/actions/workflows/z.yml").status_code == 404


def test_who_may_not_write_may_not_dispatch(works: Works) -> None:
    path, body = "/actions/workflows/deploy.yml/dispatches", {"ref": "main"}
    assert works.call("POST", path, body, **works.as_("ada")).status_code == 403
    assert works.call("POST", path, body, **works.as_("sam")).status_code == 404
    with pytest.raises(Refusal):
        works.dispatch("ada")
    with pytest.raises(Refusal):
        works.dispatch("sam")
    works.github.world.installation_permissions["actions"] = "read"
    assert works.call("POST", path, body).status_code == 403


def test_switched_off_actions_start_nothing(works: Works) -> None:
    works.call("PUT", "/actions/permissions", {"enabled": False})
    with pytest.raises(Refusal, match="already exists"):
        works.github.push("pat", "ada-7", {"a.py": "1\n"}, "Change", "main/below")
    with pytest.raises(Refusal, match="disabled"):
        works.dispatch()
    works.github.push("pat", "ada-7", {"a.py": "1\n"}, "Change")
    assert works.github.runs("ada-7") == []


# Pushes


def test_a_push_with_git_starts_a_run_of_its_commit(works: Works) -> None:
    clone = works.standin.clone("ada-7", "pat")
    works.standin.commit(clone, "job.py", "print()\n")
    assert works.standin.git("push", "origin", "main", cwd=clone).returncode == 0
    (run,) = works.github.runs("ada-7")
    assert run.sha == works.github.commits("ada-7")[0].sha
    assert (run.event, run.ref, run.actor) == ("push", "refs/heads/main", "pat")
    assert run.title == "Change job.py"
    assert run.payload["head_commit"]["id"] == run.sha
    assert run.payload["repository"]["full_name"] == "acme/ada-7"


def test_a_push_by_the_app_starts_runs_too(works: Works) -> None:
    commit_on(works.standin.app().get_repo("acme/ada-7"), [element("api.py")])
    (run,) = works.github.runs("ada-7")
    assert run.actor == "sciclops-bot[bot]"


@pytest.mark.parametrize(
    "message",
    [
        "[skip ci] x",
        "x [ci skip]",
        "x\n\n[no ci]",
        "[skip actions]",
        "[actions skip]",
        "x\n\nskip-checks: true",
    ],
)
def test_a_commit_may_ask_for_no_runs(works: Works, message: str) -> None:
    works.github.push("pat", "ada-7", {"a.py": "1\n"}, message)
    assert works.github.runs("ada-7") == []


def test_branches_and_paths_choose_what_starts(works: Works) -> None:
    filters = {
        "ignored": "{branches-ignore: ['release/**']}",
        "paths": "{paths: ['src/**', '!src/*.md']}",
        "tags": "{tags: ['v*']}",
        "named": "{branches: ['release/*', 'ma?in']}",
    }
    files = {
        f".github/workflows/{name}.yml": f"on: {{push: {on}}}\njobs: {{}}\n"
        for name, on in filters.items()
    }
    works.github.push("pat", "ada-7", files, "Filters [skip ci]")

    def started(files: dict[str, str], branch: str) -> set[str]:
        before = len(works.github.runs("ada-7"))
        works.github.push("pat", "ada-7", files, "Change", branch)
        fresh = works.github.runs("ada-7")[before:]
        return {run.workflow.rpartition("/")[2].removesuffix(".yml") for run in fresh}

    assert started({"src/a.py": "1\n"}, "main") == {"deploy", "ignored", "paths", "named"}
    assert started({"src/a.md": "1\n"}, "main") == {"deploy", "ignored", "named"}
    assert started({"src/b.py": "1\n"}, "release/1") == {"paths", "named"}
    assert started({"x": "1\n"}, "release/2/1") == set()
    sha = works.github.commits("ada-7")[0].sha
    before = len(works.github.runs("ada-7"))
    works.call("POST", "/git/refs", {"ref": "refs/tags/v1", "sha": sha})
    fresh = {run.workflow for run in works.github.runs("ada-7")[before:]}
    assert fresh == {".github/workflows/tags.yml", ".github/workflows/paths.yml"}
    works.call("DELETE", "/git/refs/tags/v1")
    assert len(works.github.runs("ada-7")) == before + 2


def test_an_archived_repository_starts_nothing(works: Works) -> None:
    run = works.wait(works.dispatch(), "completed")
    works.call("PATCH", "", {"archived": True})
    refused = works.call("POST", f"/actions/runs/{run.id}/rerun")
    assert (refused.status_code, "archived" in refused.json()["message"]) == (403, True)
    with pytest.raises(Refusal, match="archived"):
        works.dispatch()


def test_without_a_runner_runs_wait_for_one(works: Works) -> None:
    runner, works.github.runner = works.github.runner, None
    run = works.dispatch()
    assert run.status == "queued"
    works.github.runner = runner
    works.wait(run, "completed")
    assert works.runner.runs == [(run.id, 1)]


# Reading


def test_runs_are_filtered_as_github_filters_them(works: Works) -> None:
    works.github.push("pat", "ada-7", {"a.py": "1\n"}, "Change")
    pushed = works.wait(works.github.runs("ada-7")[-1], "completed")
    works.standin.clock.advance(timedelta(days=2))
    asked = works.wait(works.dispatch(), "completed")
    day = asked.created_at.date().isoformat()
    earlier = pushed.created_at.date().isoformat()
    moment = asked.created_at.strftime("%Y-%m-%dT%H:%M:%SZ")
    chosen = {
        ("event", "push"): [pushed.id],
        ("event", "workflow_dispatch"): [asked.id],
        ("branch", "main"): [asked.id, pushed.id],
        ("branch", "other"): [],
        ("status", "success"): [asked.id, pushed.id],
        ("status", "waiting"): [],
        ("head_sha", pushed.sha): [asked.id, pushed.id],
        ("actor", "grace"): [],
        ("created", day): [asked.id],
        ("created", f">={moment}"): [asked.id],
        ("created", f"<{moment}"): [pushed.id],
        ("created", f"{earlier}..{day}"): [asked.id, pushed.id],
        ("created", f"*..{earlier}"): [pushed.id],
    }
    for (name, value), expected in chosen.items():
        assert [r["id"] for r in runs(works, **{name: value})] == expected, (name, value)
    assert works.call("GET", "/actions/runs?created=soon").status_code == 422
    assert (
        works.call("GET", "/actions/workflows/deploy.yml/runs?event=push").json()["total_count"]
        == 1
    )


def test_runs_come_in_pages(works: Works) -> None:
    for _ in range(3):
        works.wait(works.dispatch(), "completed")
    page = works.call("GET", "/actions/runs?per_page=2")
    assert page.json()["total_count"] == 3
    assert [r["run_number"] for r in page.json()["workflow_runs"]] == [3, 2]
    assert 'rel="next"' in page.headers["Link"]


def test_an_unchanged_run_is_304_and_free(works: Works) -> None:
    run = works.wait(works.dispatch(), "completed")
    read = works.standin.app().get_repo("acme/ada-7").get_workflow_run(run.id)
    assert read.status == "completed"
    assert read.update() is False


def test_what_is_not_there_is_404(works: Works) -> None:
    run = works.wait(works.dispatch(), "completed")
    for path in (
        "/actions/runs/1",
        "/actions/jobs/1",
        "/actions/artifacts/1",
        f"/actions/runs/{run.id}/attempts/2",
        "/actions/runs/x",
    ):
        assert works.call("GET", path).status_code == 404, path
    works.github.unknown_calls.clear()
    works.standin.new_repo("other")
    other = works.standin.call("GET", f"/repos/acme/other/actions/runs/{run.id}")
    assert other.status_code == 404


def test_a_job_s_log_is_at_a_signed_address_for_a_minute(tmp_path: Path) -> None:
    with working(tmp_path, HELD) as works:
        run = works.dispatch()
        wait_until(lambda: run.present_jobs and run.present_jobs[0].log)
        path = f"/actions/jobs/{run.present_jobs[0].id}/logs"
        assert works.call("GET", path).status_code == 404
        works.soon(works.runner.go_on.set)
        works.wait(run, "completed")
        sent = works.call("GET", path)
        assert sent.status_code == 302
        log = works.standin.session.get(sent.headers["Location"], timeout=10)
        assert log.headers["Content-Type"].startswith("text/plain")
        assert log.text.endswith("Z hello from bundle / Build\n")
        works.standin.clock.advance(timedelta(minutes=1))
        assert works.standin.session.get(sent.headers["Location"], timeout=10).status_code == 403


def test_an_artifact_is_downloaded_until_it_expires(works: Works) -> None:
    run = works.wait(works.dispatch(), "completed")
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("plan.json", "{}")
    book = works.github.hub.book
    works.soon(lambda: book.add_artifact(run, "plan-Production", packed.getvalue()))
    with pytest.raises(ValueError, match="already exists"):
        works.soon(lambda: book.add_artifact(run, "plan-Production", b""))
    (artifact,) = (
        works.standin.app().get_repo("acme/ada-7").get_workflow_run(run.id).get_artifacts()
    )
    assert (artifact.name, artifact.expired) == ("plan-Production", False)
    none = works.call("GET", f"/actions/runs/{run.id}/artifacts?name=other")
    assert none.json()["total_count"] == 0
    path = f"/actions/artifacts/{artifact.id}"
    sent = works.call("GET", f"{path}/zip")
    content = works.standin.session.get(sent.headers["Location"], timeout=10).content
    assert zipfile.ZipFile(io.BytesIO(content)).read("plan.json") == b"{}"
    assert works.call("GET", f"{path}/tar").status_code == 404
    works.standin.clock.advance(timedelta(days=90))
    assert works.call("GET", path).json()["expired"] is True
    assert works.call("GET", f"{path}/zip").status_code == 410


def test_the_title_is_what_the_workflow_says(works: Works) -> None:
    works.runner.title = "deploy c-7"
    run = works.wait(works.dispatch(correlation="c-7"), "completed")
    assert works.run_json(run)["display_title"] == "deploy c-7"


def test_a_workflow_that_cannot_be_read_is_a_failed_run(works: Works) -> None:
    for number, text in enumerate(("on: [\n", "on: push\n", "- jobs\n")):
        works.github.push("pat", "ada-7", {".github/workflows/bad.yml": text}, f"Bad {number}")
        run = works.github.runs("ada-7")[-2]
        assert (run.workflow, run.conclusion) == (".github/workflows/bad.yml", "failure")
        assert works.run_json(run)["name"] == ".github/workflows/bad.yml"
    path = "/actions/workflows/bad.yml/dispatches"
    assert works.call("POST", path, {"ref": "main"}).status_code == 422


def test_only_files_right_in_the_folder_are_workflows(works: Works) -> None:
    files = {
        ".github/workflows/notes.txt": "on: push\njobs: {}\n",
        ".github/workflows/deep/x.yml": DEPLOY,
        ".github/workflows/word.yaml": "on: push\njobs: {}\n",
        ".github/workflows/list.yml": "name: A list\non: [push]\njobs: {}\n",
    }
    works.github.push("pat", "ada-7", files, "Files")
    assert {run.workflow for run in works.github.runs("ada-7")} == {
        PATH,
        ".github/workflows/list.yml",
        ".github/workflows/word.yaml",
    }
    shown = works.call("GET", "/actions/workflows").json()["workflows"]
    assert [w["name"] for w in shown] == ["deploy", "A list", ".github/workflows/word.yaml"]


def test_pygithub_refuses_what_the_stand_in_refuses(works: Works) -> None:
    workflow = works.standin.app().get_repo("acme/ada-7").get_workflow("deploy.yml")
    with pytest.raises(GithubException, match="allowed values"):
        workflow.create_dispatch("main", {"stage": "moon"}, throw=True)
