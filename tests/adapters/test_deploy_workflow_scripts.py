"""The scripts inside the deploy workflow, each run by itself."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from deploy_workflow import COMMANDS, script

INPUTS = {"groups": "[]", "gated": '["production"]', "auth": "oidc", "run_jobs": "[]", "model": ""}
GIT = {"GIT_AUTHOR_NAME": "Ada", "GIT_AUTHOR_EMAIL": "ada@example.com"}
GIT |= {"GIT_COMMITTER_NAME": "Ada", "GIT_COMMITTER_EMAIL": "ada@example.com"}


def run(
    job: str, step: str, folder: Path, **given: str
) -> tuple[subprocess.CompletedProcess[str], dict[str, str]]:
    """Run a step's script in a folder; return it with the outputs it set."""
    outputs = folder.parent / "outputs"
    outputs.write_text("")
    done = subprocess.run(
        [sys.executable, "-c", script(job, step)],
        cwd=folder,
        env={
            "PATH": os.defpath,
            "HOME": str(folder.parent),
            "GITHUB_OUTPUT": str(outputs),
            **given,
        },
        capture_output=True,
        text=True,
        check=False,
    )
    return done, dict(line.split("=", 1) for line in outputs.read_text().splitlines())


class Repository:
    """A repository whose commits and tags a test makes."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir()
        self.git("init", "--quiet", "--initial-branch=main")

    def git(self, *arguments: str) -> None:
        """Run git."""
        environment = {"PATH": os.defpath, "HOME": str(self.folder), **GIT}
        subprocess.run(["git", *arguments], cwd=self.folder, env=environment, check=True)

    def commit(self, *messages: str) -> "Repository":
        """Make an empty commit for each message."""
        for message in messages:
            self.git("commit", "--quiet", "--allow-empty", "--message", message)
        return self

    def tag(self, *names: str) -> "Repository":
        """Put tags on the last commit."""
        for name in names:
            self.git("tag", name)
        return self

    def version(self, *, release: bool = True) -> dict[str, str]:
        """Return what the version's script says; what it complains of is under `stopped`."""
        given = {"RELEASE": json.dumps(release), "GITHUB_RUN_NUMBER": "42"}
        done, outputs = run("version", "Work out the version", self.folder, **given)
        return outputs if not done.returncode else {"stopped": done.stderr}


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    return Repository(tmp_path / "repository")


@pytest.mark.parametrize(
    ("messages", "version"),
    [
        (["fix: a"], "1.2.4"),
        (["anything at all"], "1.2.4"),
        (["feature: no such kind"], "1.2.4"),
        (["docs: how to feat: it"], "1.2.4"),
        (["fix: a", "feat: b", "fix: c"], "1.3.0"),
        (["feat(job): b"], "1.3.0"),
        (["fix!: a"], "2.0.0"),
        (["feat(job)!: a", "fix: b"], "2.0.0"),
        (["fix: a\n\nBREAKING CHANGE: all is new"], "2.0.0"),
        (["fix: a\n\nBREAKING-CHANGE: all is new"], "2.0.0"),
        (["fix: no BREAKING CHANGE: here"], "1.2.4"),
        (['fix: "$(id)"; `id`\n\n${{ github.token }}'], "1.2.4"),
    ],
)
def test_commits_since_the_last_release_decide_the_version(
    repository: Repository, messages: list[str], version: str
) -> None:
    repository.commit("feat!: long ago").tag("v1.2.3", "v1", "v9.9.9-rc1", "nightly")
    made = repository.commit(*messages).version()
    assert made == {"version": version, "tag": f"v{version}"}


def test_ten_comes_after_nine(repository: Repository) -> None:
    repository.commit("one").tag("v0.9.0").commit("two").tag("v0.10.0").commit("fix: three")
    assert repository.version()["version"] == "0.10.1"


def test_a_merged_branchs_commits_count(repository: Repository) -> None:
    repository.commit("one").tag("v0.1.0")
    repository.git("checkout", "--quiet", "-b", "idea")
    repository.commit("feat: idea")
    repository.git("checkout", "--quiet", "main")
    repository.commit("fix: meanwhile")
    repository.git("merge", "--quiet", "--no-ff", "--message", "Merge pull request #1", "idea")
    assert repository.version()["version"] == "0.2.0"


def test_a_released_commit_keeps_its_version_and_gets_no_tag(repository: Repository) -> None:
    assert repository.commit("one").tag("v0.1.0").version() == {"version": "0.1.0", "tag": ""}


def test_a_commit_inside_a_release_is_not_released(repository: Repository) -> None:
    repository.commit("one").tag("v0.1.0").commit("two", "three").tag("v0.2.0")
    repository.git("checkout", "--quiet", "HEAD~1")
    assert "v0.2.0 holds this commit already" in repository.version()["stopped"]


def test_a_tag_elsewhere_is_not_made_twice(repository: Repository) -> None:
    repository.commit("one").tag("v0.1.0")
    repository.git("checkout", "--quiet", "-b", "aside")
    repository.commit("aside").tag("v0.1.1")
    repository.git("checkout", "--quiet", "main")
    assert "v0.1.1 is on a commit outside" in repository.commit("fix: two").version()["stopped"]


@pytest.mark.parametrize(
    ("name", "content", "version"),
    [
        ("pyproject.toml", '[project]\nversion = "2.3.4"\n', "2.3.4"),
        ("setup.cfg", "[metadata]\nversion = 3.4.5\n", "3.4.5"),
        ("pyproject.toml", '[project]\ndynamic = ["version"]\n', "0.1.0"),
        ("README.md", "nothing", "0.1.0"),
    ],
)
def test_the_first_release_is_what_the_project_says(
    repository: Repository, name: str, content: str, version: str
) -> None:
    (repository.folder / name).write_text(content)
    assert repository.commit("feat: begin").version() == {"version": version, "tag": f"v{version}"}


def test_a_pull_request_gets_a_version_before_the_next_one(repository: Repository) -> None:
    made = repository.commit("one").tag("v0.1.0").commit("feat: two").version(release=False)
    assert made == {"version": "0.2.0.dev42", "tag": ""}


def test_only_the_projects_own_version_is_overwritten(tmp_path: Path) -> None:
    folder = tmp_path / "project"
    folder.mkdir()
    pyproject = (
        '[tool.x]\nversion = "9"\n[project]\nname = "a"\nversion="0.1.0"\n[tool.y]\nversion = "8"\n'
    )
    (folder / "pyproject.toml").write_text(pyproject)
    (folder / "setup.cfg").write_text("[metadata]\nversion = 0.1.0\n[options]\nversion = 7\n")
    done, _ = run("deploy_development", "Overwrite", folder, VERSION="1.2.3")
    assert done.returncode == 0, done.stderr
    assert (folder / "pyproject.toml").read_text() == pyproject.replace(
        'version="0.1.0"', 'version = "1.2.3"'
    )
    assert "version = 1.2.3\n[options]\nversion = 7" in (folder / "setup.cfg").read_text()


def decide(folder: Path, event: dict[str, Any] | None = None, **inputs: str) -> Any:
    """Return the outputs of Set Jobs to Run, or what it complains of."""
    path = folder / "event.json"
    path.write_text(json.dumps(event or {}))
    (folder / "work").mkdir(exist_ok=True)
    done, outputs = run(
        "jobs",
        "Decide",
        folder / "work",
        INPUTS=json.dumps(INPUTS | inputs),
        GITHUB_EVENT_PATH=str(path),
        GITHUB_REF="refs/heads/main",
        GITHUB_REPOSITORY="acme/proj",
    )
    return outputs if not done.returncode else done.stderr


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("groups", '["gbx1", "gbx1"]'),
        ("groups", '["$(id)"]'),
        ("groups", '["gbx1\\ngbx2"]'),
        ("groups", "gbx1"),
        ("groups", '{"gbx1": 1}'),
        ("groups", "[1]"),
        ("gated", '["development"]'),
        ("gated", '["Production"]'),
        ("run_jobs", '["a; id"]'),
        ("run_jobs", '["--help"]'),
        ("auth", "pat"),
        ("model", "${{ github.token }}"),
    ],
)
def test_an_impossible_input_is_refused(tmp_path: Path, name: str, value: str) -> None:
    assert f"{name}: " in decide(tmp_path, None, **{name: value})


@pytest.mark.parametrize("asked", [{"stage": "moon"}, {"action": "explode"}, {"stage": "a\nb=c"}])
def test_an_impossible_wish_is_refused(tmp_path: Path, asked: dict[str, str]) -> None:
    assert "is not possible" in decide(tmp_path, {"inputs": asked})


def test_another_name_of_the_default_branch_is_fine(tmp_path: Path) -> None:
    outcome = decide(tmp_path, {"repository": {"default_branch": "trunk"}})
    assert "Stages are deployed from trunk only" in outcome


def test_gates_are_planned_for_the_stages_asked_for(tmp_path: Path) -> None:
    gated = '["staging", "production"]'
    outcome = decide(tmp_path, {"inputs": {"stage": "staging"}}, gated=gated)
    assert (outcome["plan_staging"], outcome["plan_production"]) == ('["Staging"]', "[]")
    assert outcome["gated"] == '["Staging", "Production"]'


def plan(folder: Path, commit: str = "a" * 40) -> dict[str, Any]:
    """Return the plan that the workflow's script makes with the stand-in command."""
    tools, work = folder / "tools", folder / "work"
    tools.mkdir(exist_ok=True)
    work.mkdir(exist_ok=True)
    command = tools / "databricks"
    command.write_text(f"#!{sys.executable}\n{(COMMANDS / 'databricks').read_text()}")
    command.chmod(0o755)
    (work / "pyproject.toml").write_text('version = "0.1.0"\n')
    (work / "bundle.json").write_text(json.dumps({"jobs.daily": {"name": "Daily"}}))
    done, _ = run(
        "deploy_development",
        "Validate the bundle",
        work,
        PATH=f"{tools}:{os.defpath}",
        ENVIRONMENT="gbx1-Production",
        VERSION="1.0.0",
        GITHUB_SHA=commit,
        RUNNER_TEMP=str(folder),
        DATABRICKS_CLIENT_ID="sp",
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads((folder / "plan.json").read_text())
    return found


def test_two_looks_at_the_same_have_the_same_digest(tmp_path: Path) -> None:
    first = plan(tmp_path)
    assert plan(tmp_path) == first
    assert (first["environment"], first["target"]) == ("gbx1-Production", "gbx1-production")
    assert first["changes"] == [{"action": "create", "resource": "jobs.daily", "name": "Daily"}]


def test_another_commit_has_another_digest(tmp_path: Path) -> None:
    assert plan(tmp_path)["digest"] != plan(tmp_path, "b" * 40)["digest"]


def test_another_workspace_has_another_digest(tmp_path: Path) -> None:
    first = plan(tmp_path)
    there = {"resources": {"jobs.daily": {"name": "Meddled with"}, "jobs.old": {"name": "Old"}}}
    folder = "/Workspace/Users/sp/.bundle/proj/gbx1-production"
    (tmp_path / "tools" / "world.json").write_text(json.dumps({folder: there}))
    second = plan(tmp_path)
    assert second["digest"] != first["digest"]
    assert [(one["action"], one["resource"], one["name"]) for one in second["changes"]] == [
        ("update", "jobs.daily", "Daily"),
        ("delete", "jobs.old", "old"),
    ]
