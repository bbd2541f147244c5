"""Log lines: what each is about, in one format or the other, and no secret in any of them.

The bot's set-up changes the whole process, so that it is looked at in one of its own.
"""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any, Literal

import pytest

from bot.payloads import key_of
from provisioning.log_context import about, known

ROOT = Path(__file__).parents[2]
CANARY = "canary-4f1d9b7e2c"
TOKEN = "xoxb-123456789012-abcdefghij"
KEY = "-----BEGIN RSA PRIVATE KEY-----\nMIIEcanarycanarycanarycanarycanarycanary\n"
TALKATIVE = ("dbos", "slack_bolt.AsyncApp", "urllib3.util.retry", "asyncio", "bot.edge")
SCRIPT = """
import asyncio, logging, sys, threading, warnings
from bot import logs
from provisioning.log_context import about
from provisioning.redaction import SecretRedactor

canary, token, key = {canary!r}, {token!r}, {key!r}
logs.set_up(SecretRedactor([canary, key]), {form!r})
for name in {talkative!r}:
    logging.getLogger(name).warning("from %s with %s and %s", name, canary, token)
log = logging.getLogger("bot.edge")
with about(request="slash:1.2", project="ada-7"), about(operation="run-1"):
    log.info("about something")
log.info("about nothing")
log.info("two lines\\n2026-11-25 12:00:00 INFO forged %s", key)
log.info("does not fit: %s %s", canary)
class Broken:
    def __str__(self):
        raise RuntimeError(canary)
log.info("cannot be said: %s", Broken())
try:
    raise ValueError("with " + canary)
except ValueError:
    log.exception("caught")
def die():
    raise OSError("in a thread with " + canary)
thread = threading.Thread(target=die, name="dying")
thread.start()
thread.join()
warnings.warn("a warning with " + canary)
raise LookupError("at the end with " + canary)
"""


@pytest.fixture(scope="module", params=["text", "json"])
def form(request: pytest.FixtureRequest) -> str:
    """Return each format."""
    return str(request.param)


@pytest.fixture(scope="module")
def lines(form: Literal["text", "json"]) -> list[str]:
    """Return what a process writes that logs all kinds of things."""
    script = SCRIPT.format(canary=CANARY, token=TOKEN, key=KEY, talkative=TALKATIVE, form=form)
    ran = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False, cwd=ROOT
    )
    assert ran.returncode == 1, "by the error at its end"
    assert ran.stdout == ""
    return ran.stderr.splitlines()


def entry(lines: list[str], words: str) -> str:
    """Return the only line that says this."""
    (found,) = [line for line in lines if words in line]
    return found


def test_no_line_holds_a_secret(lines: list[str]) -> None:
    text = "\n".join(lines)
    assert CANARY not in text
    assert TOKEN not in text
    assert "MIIE" not in text
    assert text.count("[redacted]") >= 2 * len(TALKATIVE)


@pytest.mark.parametrize("name", TALKATIVE)
def test_libraries_write_into_the_same_log(lines: list[str], name: str) -> None:
    assert "[redacted]" in entry(lines, f"from {name} with")


def test_what_nobody_has_caught_is_in_the_log(lines: list[str]) -> None:
    text = "\n".join(lines)
    for words in ("with [redacted]", "in a thread with", "a warning with", "at the end with"):
        assert words in text, words
    assert "dying ended unexpectedly" in text
    assert "does not fit: %s %s (its values are left out: TypeError)" in text


def test_each_line_says_what_it_is_about(lines: list[str], form: str) -> None:
    about_something, about_nothing = entry(lines, "about something"), entry(lines, "about nothing")
    facts = {"request": "slash:1.2", "project": "ada-7", "operation": "run-1"}
    if form == "json":
        assert facts.items() <= json.loads(about_something).items()
        assert not facts.keys() & json.loads(about_nothing).keys()
    else:
        assert (
            "[request=slash:1.2 project=ada-7 operation=run-1] about something" in about_something
        )
        assert "MainThread about nothing" in about_nothing


def test_nothing_that_is_logged_looks_like_a_line_of_its_own(lines: list[str], form: str) -> None:
    if form == "json":
        entries: list[dict[str, Any]] = [json.loads(line) for line in lines]
        assert all({"time", "level", "logger", "message"} <= one.keys() for one in entries)
        assert "Traceback" in next(one for one in entries if one["message"] == "caught")["error"]
    else:
        begins = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3} [A-Z]+ |    ")
        assert [line for line in lines if not begins.match(line)] == []
        assert entry(lines, "INFO forged").startswith("    ")


def test_what_work_is_about_ends_with_it() -> None:
    with about(project="ada-7"):
        with about(operation="run-1", project=""):
            assert known() == {"project": "ada-7", "operation": "run-1"}
        assert known() == {"project": "ada-7"}
    assert known() == {}


@pytest.mark.parametrize(
    ("body", "key"),
    [
        ({"command": "/sciclops", "trigger_id": "1.2"}, "slash:1.2"),
        ({"type": "block_actions", "actions": [{"type": "button"}], "trigger_id": "3"}, "click:3"),
        ({"actions": [{"type": "plain_text_input"}], "view": {"id": "V1"}}, "view:V1"),
        ({"type": "view_submission", "view": {"id": "V2"}}, "view:V2"),
    ],
)
def test_a_payload_is_found_by_its_request(body: dict[str, Any], key: str) -> None:
    assert key_of(body) == key
