"""However odd what an app sends, Slack answers; it never breaks."""

import copy
from collections.abc import AsyncIterator, Iterator
from typing import Any

import aiohttp
import pytest
from slack_standin_app import CHANNEL, Running, form, plain, running_slack
from slack_standin_good_blocks import SDK_INPUTS, sdk_messages

from playground.cast import ADA
from playground.slack.blocks import message_problems, view_problems
from playground.slack.methods import FACTS

Path = tuple[str | int, ...]
ODD: list[Any] = [
    None,
    0,
    -1,
    1.5,
    True,
    "",
    "x",
    "\u202e\x00",
    [],
    [{}],
    [None],
    {},
    {"type": "x"},
]


def paths(value: Any, at: Path = ()) -> Iterator[Path]:
    pairs: list[tuple[str | int, Any]] = []
    if isinstance(value, dict):
        pairs = [*value.items()]
    elif isinstance(value, list):
        pairs = [*enumerate(value)]
    for key, inner in pairs:
        yield (*at, key)
        yield from paths(inner, (*at, key))


def replaced(value: Any, at: Path, by: Any) -> Any:
    changed = copy.deepcopy(value)
    inner = changed
    for key in at[:-1]:
        inner = inner[key]
    inner[at[-1]] = by
    return changed


def oddities(block: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for at in paths(block):
        for odd in ODD:
            yield replaced(block, at, odd)


@pytest.mark.parametrize("name", sdk_messages())
def test_no_message_breaks_the_check(name: str) -> None:
    refused = 0
    tried = [*oddities(sdk_messages()[name].to_dict())]
    for block in tried:
        problems = message_problems([block, block])
        assert all(one.startswith("[ERROR] ") for one in problems)
        refused += bool(problems)
    assert refused > len(tried) / 2


@pytest.mark.parametrize("name", SDK_INPUTS)
def test_no_form_breaks_the_check(name: str) -> None:
    view = form()
    element = SDK_INPUTS[name].to_dict()
    view["blocks"] = [{"type": "input", "label": plain("L"), "element": element}]
    tried = [*oddities(view)]
    refused = sum(bool(view_problems(one)) for one in tried)
    assert len(tried) / 2 < refused < len(tried)


@pytest.fixture
async def running() -> AsyncIterator[Running]:
    async with running_slack() as one:
        one.slack.limits.strict = False
        yield one


NAMES = (
    "channel",
    "user",
    "users",
    "ts",
    "timestamp",
    "text",
    "blocks",
    "view",
    "files",
    "metadata",
)
MORE = ("trigger_id", "view_id", "user_id", "limit", "cursor", "oldest", "email", "name", "length")
USUAL: dict[str, Any] = {"channel": CHANNEL, "user": ADA.slack, "text": "x", "filename": "a"}


async def test_every_method_answers_odd_arguments(running: Running) -> None:
    calls = 0
    async with aiohttp.ClientSession() as session:
        for method, facts in FACTS.items():
            token = "xapp-playground" if facts.app_token else "xoxb-playground"
            headers = {"Authorization": f"Bearer {token}"}
            url = f"{running.base_url}/api/{method}"
            for odd in ODD:
                given = USUAL | dict.fromkeys((*NAMES, *MORE), odd)
                fewer = USUAL | dict.fromkeys((*NAMES[3:], *MORE), odd)
                for body in (given, fewer, {"channel": odd}):
                    async with session.post(url, json=body, headers=headers) as response:
                        assert response.status == 200, (method, odd)
                        answer = await response.json()
                    assert answer["ok"] is True or answer["error"], (method, odd)
                    calls += 1
    assert calls == len(FACTS) * len(ODD) * 3
    assert len(running.slack.calls) == calls
