"""Planted secrets appear nowhere: not in what is stored, shown, logged or passed as an argument.

Where workflows log in with secrets, those that the bot has minted are among them.
"""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from conversation import DESCRIPTION, RUN_SECONDS, Conversation
from giving_secrets import enter

from playground.faults import Fault
from playground.slack.reading import text_of
from playground.world import Choices

COMMENTED = "ghp_" + "Zk3v" * 9
FAILING = "dapi" + "0f1e2d3c" * 4
ANSWERED = "xoxb-" + "123456789012-" * 2 + "AbCdEfGhIjKlMnOpQrStUvWx"
TYPED = "ghs_" + "Qw7e" * 9
OWN = "no-shape-tells-this-apart-4c81"
LEAKED = "nor-does-this-one-9d72"
CONTROL = "this-control-is-found"


@pytest.fixture(scope="module", params=["oidc", "secret"])
def choices(request: pytest.FixtureRequest) -> Choices:
    """Return a playground for each way in which workflows log in."""
    return Choices(edit_seconds=0.2, authentication=request.param)


def minted(talk: Conversation) -> dict[str, str]:
    """Return the OAuth secrets of the project's principals, by the name of their environment."""
    principals = talk.world.databricks.principals
    return {
        each.display_name.removeprefix(f"{talk.name}-"): secret.value
        for each in principals
        if each.display_name.startswith(f"{talk.name}-")
        for secret in each.secrets.values()
    }


def assert_github_has_them(talk: Conversation) -> None:
    """Fail unless what is looked for everywhere is what GitHub has, and nothing else."""
    environments = talk.world.github.repos[talk.name].environments
    held = {
        name.lower(): env.secrets["DATABRICKS_TOKEN"].value.decode()
        for name, env in environments.items()
        if env.secrets
    }
    assert held == minted(talk)
    expected = environments if talk.world.choices.authentication == "secret" else ()
    assert set(held) == {name.lower() for name in expected}


def secrets(talk: Conversation) -> dict[str, str]:
    """Return every secret that the bot holds or was given, by what it is."""
    key = talk.world.github.app_private_key_pem.splitlines()
    return {
        **talk.world.secrets(),
        **minted(talk),
        "the App's key": key[len(key) // 2],
        "in a comment": COMMENTED,
        "in a provider's error": FAILING,
        "in an answer": ANSWERED,
        "in a command": TYPED,
        "of the project's own": OWN,
        "behind a name": LEAKED,
    }


def holders(directory: Path, words: str) -> list[str]:
    """Return the files below a directory that hold some words."""
    wanted = words.encode()
    files = [one for one in directory.rglob("*") if one.is_file() and not one.is_symlink()]
    return [str(one.relative_to(directory)) for one in files if wanted in one.read_bytes()]


def said(talk: Conversation) -> str:
    """Return everything that Slack was told."""
    workspace = talk.world.slack.workspace
    messages = [text_of(one) + str(one.blocks) + str(one.metadata) for one in workspace.messages]
    files = [one.content.decode() for one in workspace.files.values()]
    return "\n".join([*messages, *files])


def command_lines() -> Iterator[str]:
    """Return the arguments of every process that may be looked at."""
    for process in Path("/proc").glob("[0-9]*"):
        try:
            yield (process / "cmdline").read_bytes().replace(b"\0", b" ").decode()
        except OSError:
            continue


class Watcher(threading.Thread):
    """Reads all arguments again and again until it is told to stop."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.seen: set[str] = set()
        self.enough = threading.Event()

    def run(self) -> None:
        """Read until told to stop."""
        while not self.enough.wait(0.05):
            self.seen.update(command_lines())


def plant(talk: Conversation) -> None:
    """Put secrets, and beside them a control, everywhere somebody could put one."""
    talk.ada.type(f"/sciclops list {TYPED}")
    talk.told(talk.ada, "No project matches “[redacted]”.")
    talk.fill()
    talk.ada.fill({DESCRIPTION: f"Counts with {ANSWERED}"})
    errors = talk.ada.submit()
    assert errors is not None
    assert "looks like a secret" in errors[DESCRIPTION]
    talk.ada.fill({DESCRIPTION: f"Counts. {CONTROL}"})
    assert talk.ada.submit() is None
    talk.run_message("Waiting for confirmation")
    talk.press("Add Comment", talk.rosa)
    talk.view_says("Never paste a secret here", talk.rosa)
    talk.rosa.fill({"comment": f"My token is {COMMENTED}. {CONTROL}"})
    assert talk.rosa.submit() is None
    talk.says("My token is [redacted]")


def fail_and_finish(talk: Conversation) -> str:
    """Apply, with a secret in an error, then to the end; return all arguments seen meanwhile."""
    watcher = Watcher()
    watcher.start()
    error = f"403 for Authorization: Bearer {FAILING}. {CONTROL}"
    talk.world.providers.fail("databricks_schema", 1, error)
    talk.press("Confirm & Apply")
    assert "[redacted]" in text_of(talk.run_message("Failed"))
    talk.press("Retry")
    talk.run_message("Ready in")
    talk.file("apply-log-")
    watcher.enough.set()
    watcher.join(RUN_SECONDS)
    return "\n".join(watcher.seen)


def check(talk: Conversation) -> None:
    """Check the project, which passes; where there are keys, their age is told."""
    talk.ada.type(f"/sciclops check {talk.name}")
    result = text_of(talk.told(talk.ada, f"Check · {talk.name}"))
    keys = talk.world.choices.authentication == "secret"
    assert "failed" not in result
    assert ("Production: key's age" in result) == keys
    assert ("valid for" in result) == keys


def enter_own(talk: Conversation) -> None:
    """Give the project a secret of its own while Databricks is slow, and fails at first."""
    talk.ada.type(f"/sciclops secret add {talk.name} OWN {LEAKED}")
    talk.told(talk.ada, "consider it leaked")
    talk.ada.type(f"/sciclops secret add {talk.name} OWN")
    talk.view_says("Add secret")
    assert talk.ada.submit() is None
    talk.press("Confirm & Apply")
    put = "POST .*/secrets/put"
    talk.world.faults.add(Fault("databricks", "status", put, times=1, status=403))
    for state in ("The value was not stored everywhere", f"{talk.name} · Secret · Done"):
        enter(talk, OWN)
        talk.ada.wait_for_message(state, timeout=RUN_SECONDS)
        talk.world.faults.add(Fault("databricks", "delay", put, times=1, seconds=2))
    environments = talk.world.github.repos[talk.name].environments
    assert environments["Production"].secrets["OWN"].value.decode() == OWN
    scope = talk.world.databricks.workspace("gbx1", "testing").scopes[f"{talk.name}-testing.OWN"]
    assert scope.secrets["OWN"].value.decode() == OWN


def test_no_secret_is_anywhere(talk: Conversation) -> None:
    plant(talk)
    arguments = fail_and_finish(talk)
    assert_github_has_them(talk)
    check(talk)
    enter_own(talk)
    bot = talk.world.directory / "bot"
    log, everything = talk.world.bot.log.read_text(), said(talk)
    for what, secret in secrets(talk).items():
        assert holders(bot, secret) == [], what
        assert secret not in log, what
        assert secret not in everything, what
        assert secret not in arguments, what
    assert list(bot.rglob("*.tfplan")) == []
    assert_the_search_works(bot, everything, arguments)


def assert_the_search_works(bot: Path, everything: str, arguments: str) -> None:
    """Fail unless the same search finds the control that was planted beside the secrets."""
    found = holders(bot, CONTROL)
    assert any("sciclops.sqlite" in name for name in found), found
    assert any("terraform" in name for name in found), found
    assert CONTROL in everything
    assert " apply " in arguments
