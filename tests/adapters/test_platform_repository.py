"""The platform repository: made as docs/connecting.md says, its tags moved as shown elsewhere."""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from documents import ROOT, read, tried
from github_standin import GIT_ENVIRONMENT, Standin, running

NAME = "sciclops-platform"
OURS = "sciclops-platform-two"
"""There is one already in the stand-in's organisation."""
GH = f"""#!{sys.executable}
import os, subprocess, sys
import requests

def send(method, path, body):
    login = {{"Authorization": "Bearer " + os.environ["GH_TOKEN"]}}
    answer = requests.request(method, os.environ["GH_API"] + path, json=body, headers=login)
    answer.raise_for_status()

match sys.argv[1:]:
    case ["repo", "create", name, "--private", "--clone"]:
        organisation, _, repository = name.partition("/")
        send("POST", "/orgs/" + organisation + "/repos", {{"name": repository, "private": True}})
        url = os.environ["GH_GIT"] + "/" + name + ".git"
        subprocess.run(["git", "clone", "--quiet", url], check=True)
    case ["api", "--method", method, path, "--field", field]:
        key, _, value = field.partition("=")
        send(method, "/" + path, {{key: value}})
    case _:
        sys.exit("unknown: " + " ".join(sys.argv))
"""
"""GitHub's own command line, as far as it is shown."""


@pytest.fixture
def world(tmp_path: Path) -> Iterator[Standin]:
    with running(tmp_path) as standin:
        yield standin
        assert standin.github.unknown_calls == []


def shell(world: Standin, block: str, folder: Path) -> None:
    """Run a block as somebody who has `gh`, logged in at the stand-in."""
    programs = world.directory / "programs"
    programs.mkdir(exist_ok=True)
    (programs / "gh").write_text(GH)
    (programs / "gh").chmod(0o755)
    token, root = world.github.installation_token(), urlsplit(world.github.root)
    login = {
        "GH_TOKEN": token,
        "GH_API": world.github.base_url,
        "GH_GIT": f"{root.scheme}://x-access-token:{token}@{root.netloc}",
        "SCICLOPS": str(ROOT),
    }
    path = f"{programs}:{GIT_ENVIRONMENT['PATH']}"
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", block],
        cwd=folder,
        env={**GIT_ENVIRONMENT, **login, "PATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def moving() -> str:
    """Return the command that moves the early ring's tag."""
    found = re.search(r"`(git push --force [^`]+)`", read("docs/deploy-workflow.md"))
    assert found is not None
    return found[1]


def test_the_platform_repository_is_made_as_shown_and_its_rings_move(world: Standin) -> None:
    shell(world, tried("make the platform repository").replace(NAME, OURS), world.directory)

    repository = world.github.repos[OURS]
    assert repository.actions_access == "organization"
    clone = world.directory / OURS
    shell(world, f"git tag --annotate --message 1.4.0 v1.4.0\n{moving()}", clone)
    tags = world.git("ls-remote", "--tags", str(repository.path)).stdout
    commit = world.git("rev-parse", "HEAD", cwd=clone).stdout.strip()
    assert [line.split() for line in tags.splitlines()] == [
        [commit, "refs/tags/v1"],
        [commit, "refs/tags/v1-early"],
    ]
    shown = world.git("show", "v1:.github/workflows/deploy-bundle.yml", cwd=clone).stdout
    assert shown == (ROOT / ".github/workflows/deploy-bundle.yml").read_text()
