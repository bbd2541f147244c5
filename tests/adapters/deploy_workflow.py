"""Runs the real deploy workflow with act, on a small project and stand-ins for what it calls."""

import json
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import yaml
from house import ROOT
from ruamel.yaml import YAML

WORKFLOW = ROOT / ".github" / "workflows" / "deploy-bundle.yml"
LOCAL = ROOT / "playground" / "actions" / "local"
COMMANDS = Path(__file__).parent / "data"
TOKEN = "ghs_plantedtokenplantedtokenplanted00"
PLATFORM = "acme/sciclops-platform"

CALLER = """\
name: deploy
on:
  push:
    branches: [main]
  pull_request:
    types: [opened, synchronize, reopened, closed]
  workflow_dispatch:
    inputs:
      stage:
        type: choice
        options: [development, testing, staging, production]
        default: production
      action: {type: choice, options: [deploy, destroy], default: deploy}
      correlation: {type: string, default: ""}
permissions: {}
jobs:
  bundle:
    permissions:
      contents: write
      id-token: write
    uses: acme/sciclops-platform/.github/workflows/deploy-bundle.yml@v1
"""
PROJECT = {
    "pyproject.toml": """\
[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"
[project]
name = "proj"
version = "0.1.0"
[tool.hatch.build.targets.wheel]
packages = ["src/proj"]
""",
    "setup.cfg": "[metadata]\nname = proj\nversion = 0.1.0\n",
    "src/proj/__init__.py": '"""Nothing."""\n',
    "tests/test_proj.py": "def test_it():\n    assert True\n",
    "bundle.json": json.dumps(
        {
            "jobs.daily": {"name": "Daily $(id) job"},
            "jobs.train": {"name": "Train"},
            "registered_models.model": {"name": "model"},
        }
    ),
}


def document() -> dict[str, Any]:
    """Return the workflow with its aliases resolved, as GitHub reads it."""
    loaded: dict[str, Any] = YAML(typ="safe").load(WORKFLOW.read_text())
    copied: dict[str, Any] = json.loads(json.dumps(loaded))
    return copied


def script(job: str, step: str) -> str:
    """Return what a step of the workflow runs."""
    steps = document()["jobs"][job]["steps"]
    return next(str(one["run"]) for one in steps if one["name"].startswith(step))


def mapped() -> dict[str, Any]:
    """Return the workflow as act can run it: it knows no variables or secrets of environments."""
    workflow = document()
    for name, job in workflow["jobs"].items():
        where = str(job.get("environment", "")).replace("${{", "").replace("}}", "").strip()
        if where.endswith("-plan"):
            where = f"format('{{0}}-plan', {where.removesuffix('-plan').strip()})"
        workflow["jobs"][name] = _mapped(job, where)
    return workflow


def _mapped(value: Any, where: str) -> Any:
    if isinstance(value, dict):
        return {key: _mapped(one, where) for key, one in value.items()}
    if isinstance(value, list):
        return [_mapped(one, where) for one in value]
    if isinstance(value, str):
        for context in ("vars", "secrets"):
            parts = value.split(f"{context}.DATABRICKS_")
            head = f"{context}[format('{{0}}__DATABRICKS_"
            value = parts[0] + "".join(head + _closed(part, where) for part in parts[1:])
        value = value.replace(
            "secrets.MGMT_CLIENT_ID", f"secrets[format('{{0}}__MGMT_CLIENT_ID', {where})]"
        )
    return value


def _closed(part: str, where: str) -> str:
    end = next(position for position, one in enumerate(part) if not (one.isalnum() or one == "_"))
    return f"{part[:end]}', {where})]{part[end:]}"


class Artifacts(ThreadingHTTPServer):
    """Keeps what jobs upload; a name is taken once in an attempt."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _ArtifactRequest)
        self.content: dict[str, bytes] = {}

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class _ArtifactRequest(BaseHTTPRequestHandler):
    server: Artifacts

    def do_PUT(self) -> None:
        content = self.rfile.read(int(self.headers["Content-Length"]))
        taken = self.path in self.server.content
        if not taken:
            self.server.content[self.path] = content
        self._answer(409 if taken else 201)

    def do_GET(self) -> None:
        content = self.server.content.get(self.path)
        self._answer(404 if content is None else 200, content or b"")

    def _answer(self, status: int, content: bytes = b"") -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Say nothing."""


@contextmanager
def artifacts() -> Iterator[Artifacts]:
    """Serve artifacts on the loopback."""
    server = Artifacts()
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@dataclass
class Outcome:
    """What a run did. `jobs`: results by name, in the order in which the jobs ended."""

    jobs: dict[str, str] = field(default_factory=dict)
    logs: dict[str, str] = field(default_factory=dict)
    everything: str = ""

    @property
    def names(self) -> list[str]:
        return list(self.jobs)


class Workshop:
    """A project's repository, its origin, and the machine its jobs run on."""

    def __init__(self, folder: Path, url: str, **inputs: str) -> None:
        self.folder, self.url = folder, url
        self.home, self.tools = folder / "home", folder / "tools"
        self.origin = folder / "github.com" / "acme" / "proj"
        self.project = folder / "project"
        self.values: dict[str, str] = {}
        self.secrets: dict[str, str] = {"GITHUB_TOKEN": TOKEN}
        self.number = 0
        self._set_up_machine()
        self._set_up_platform()
        secret = "    secrets: inherit\n" if inputs.get("auth") == "secret" else ""
        given = "".join(f"      {key}: '{value}'\n" for key, value in inputs.items())
        caller = CALLER + (f"    with:\n{given}" if given else "") + secret
        self._set_up_project({**PROJECT, ".github/workflows/deploy.yml": caller})

    def _set_up_machine(self) -> None:
        self.tools.mkdir(parents=True)
        self.home.mkdir()
        for name in ("databricks", "uv"):
            command = self.tools / name
            text = (COMMANDS / name).read_text()
            command.write_text(f"#!{sys.executable}\n{text}")
            command.chmod(0o755)
        for name in ("python", "python3"):
            (self.tools / name).symlink_to(sys.executable)
        (self.home / ".gitconfig").write_text(
            f'[url "file://{self.folder}/github.com/"]\n  insteadOf = https://github.com/\n'
            "[user]\n  name = Ada\n  email = ada@example.com\n[advice]\n  detachedHead = false\n"
        )

    def _set_up_platform(self) -> None:
        workflows = self.folder / "platform" / ".github" / "workflows"
        workflows.mkdir(parents=True)
        (workflows / WORKFLOW.name).write_text(yaml.safe_dump(mapped(), sort_keys=False))

    def _set_up_project(self, files: Mapping[str, str]) -> None:
        self.origin.mkdir(parents=True)
        self.git("init", "--quiet", "--bare", "--initial-branch=main", str(self.origin))
        self.git("init", "--quiet", "--initial-branch=main", str(self.project))
        self.git("remote", "add", "origin", "https://github.com/acme/proj")
        self.commit("chore: start", files)

    def git(self, *arguments: str) -> str:
        """Run git in the project."""
        where = self.project if self.project.exists() else self.folder
        done = subprocess.run(
            ["git", *arguments],
            cwd=where,
            env={"PATH": "/usr/bin:/bin", "HOME": str(self.home)},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def commit(self, message: str, files: Mapping[str, str], push: str = "main") -> str:
        """Commit files and push them to a ref; return the commit."""
        for name, content in files.items():
            path = self.project / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content)
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "--message", message)
        self.git("push", "--quiet", "--force", "origin", f"HEAD:{push}")
        return self.git("rev-parse", "HEAD")

    def tags(self) -> dict[str, str]:
        """Return the origin's tags with their commits."""
        listed = self.git("ls-remote", "--tags", "origin").splitlines()
        return {line.split("refs/tags/")[1]: line.split()[0] for line in listed}

    def world(self) -> dict[str, Any]:
        """Return what was deployed, by the folder of its state."""
        path = self.tools / "world.json"
        found: dict[str, Any] = json.loads(path.read_text()) if path.exists() else {}
        return found

    def calls(self) -> list[dict[str, Any]]:
        """Return the calls of `databricks`, with what each had in its environment."""
        path = self.tools / "calls.jsonl"
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []

    def arm(self, trap: str, content: str = "") -> None:
        """Let the command fail or meddle from now on."""
        (self.tools / trap).write_text(content)

    def disarm(self, trap: str) -> None:
        """End what `arm` began."""
        (self.tools / trap).unlink()

    def know(self, environment: str, *, secret: bool = False) -> None:
        """Give an environment its variables, or its secrets, as Terraform and the bot would."""
        principal = f"sp-{environment}"
        values = {"DATABRICKS_CLIENT_ID": principal, "DATABRICKS_ACCOUNT_ID": "account-1"}
        values["DATABRICKS_HOST"] = "" if secret else f"https://{environment}.example.com"
        values["DATABRICKS_JOB_CLUSTER_POLICY_ID"] = "" if secret else f"policy-{environment}"
        if environment.endswith("-plan"):
            values["DATABRICKS_DEPLOYER_ID"] = principal.removesuffix("-plan")
        elif "Production" in environment:
            values["DATABRICKS_PLANNER_ID"] = f"{principal}-plan"
        self.values |= {f"{environment}__{key}": value for key, value in values.items()}
        if secret:
            self.secrets |= {
                f"{environment}__DATABRICKS_HOST": f"https://{environment}.secret.example.com",
                f"{environment}__DATABRICKS_JOB_CLUSTER_POLICY_ID": f"secret-policy-{environment}",
                f"{environment}__DATABRICKS_TOKEN": f"dose-{environment}",
                f"{environment}__DATABRICKS_TOKEN_MT_SP": f"tagging-{environment}",
                f"{environment}__MGMT_CLIENT_ID": f"tagger-{environment}",
            }

    def run(self, event: str, payload: dict[str, Any] | None = None) -> Outcome:
        """Let act run the caller's workflow for an event at the project's present commit."""
        self.number += 1
        sent = {"repository": {"default_branch": "main", "full_name": "acme/proj"}}
        path = self.folder / "event.json"
        path.write_text(json.dumps({"ref": "refs/heads/main", **sent, **(payload or {})}))
        # The form with one `KEY=value` a line allows no hyphen in a name.
        secrets = self.folder / "secrets.yml"
        secrets.write_text(yaml.safe_dump(self.secrets))
        done = subprocess.run(
            [Path(sys.executable).with_name("act"), event, *self._flags(path, secrets)],
            cwd=self.project,
            env={
                "PATH": f"{self.tools}:/usr/bin:/bin",
                "HOME": str(self.home),
                "SCICLOPS_ARTIFACTS_URL": self.url,
            },
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        shutil.rmtree(self.home / ".cache", ignore_errors=True)
        return _read(done.stdout + done.stderr)

    def _flags(self, event: Path, secrets: Path) -> list[str]:
        flags = ["--json", "-P", "ubuntu-latest=-self-hosted", "--no-cache-server"]
        # Two jobs at once write the same maps of act, which then dies ("concurrent map writes").
        flags += ["--concurrent-jobs", "1"]
        flags += ["--no-skip-checkout", "-W", ".github/workflows/deploy.yml", "-e", str(event)]
        flags += ["--secret-file", str(secrets), "--env", f"GITHUB_RUN_ID={self.number}"]
        flags += ["--env", f"GITHUB_RUN_NUMBER={self.number}", "--env", "GITHUB_RUN_ATTEMPT=1"]
        for key, value in self.values.items():
            flags += ["--var", f"{key}={value}"]
        steps = [step for job in document()["jobs"].values() for step in job["steps"]]
        for action in sorted({str(step["uses"]) for step in steps if "uses" in step}):
            flags += ["--local-repository", f"{action}={LOCAL / action.partition('@')[0]}"]
        return [*flags, "--local-repository", f"{PLATFORM}@v1={self.folder / 'platform'}"]


def _read(output: str) -> Outcome:
    assert "\nfatal error: " not in output, f"act itself died: {output[-3000:]}"
    outcome = Outcome(everything=output)
    for line in output.splitlines():
        entry = json.loads(line) if line.startswith("{") else {}
        if not str(entry.get("job", "")).startswith("bundle/"):
            continue
        name = entry["job"].strip().removeprefix("bundle/deploy-bundle/")
        if entry.get("matrix"):
            name = re.sub(r"-\d+$", "", name)
        if "jobResult" in entry:
            outcome.jobs[name] = entry["jobResult"]
        if entry.get("raw_output"):
            outcome.logs[name] = outcome.logs.get(name, "") + entry["msg"]
    return outcome
