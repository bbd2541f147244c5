"""The Slack app's manifest asks for exactly what the code registers, calls and needs."""

import ast
import copy
import json
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

import jsonschema
import pytest
import yaml
from house import ROOT, dotted, python_files, tree
from referencing import Registry, Resource
from slack_sdk.web.async_client import AsyncWebClient

from bot.app import COMMAND, EVENTS
from bot.manifest import SCOPES, manifest
from provisioning.errors import UserError

URL = "https://bot.example.com"
DATA = ROOT / "tests" / "data"
SCOPES_OF = json.loads((DATA / "slack_method_scopes.json").read_text())
SOCKET, HTTP = manifest("socket"), manifest("http", URL)
Manifest = dict[str, Any]

SEVERAL_CALLS = {"files_upload_v2": ("files.getUploadURLExternal", "files.completeUploadExternal")}
CONVERSATIONS = {
    "conversations.history": ("channels", "groups", "im"),
    "conversations.info": ("channels", "groups"),
    "conversations.open": ("im",),
    "conversations.replies": ("channels", "groups"),
}
"""The kinds of conversation that we ask these methods about; each kind has a scope of its own."""


@cache
def published(schema: str) -> Any:
    """Return one of Slack's schemas."""
    return json.loads((DATA / "slack_manifest" / schema).read_text())


def schema_problems(one: Manifest) -> list[str]:
    """Return what Slack's own schemas find wrong."""
    major = published("manifest.schema.json")
    referenced = [
        (branch["$ref"], Resource.from_contents(published(branch["$ref"].partition("/v0.5.0/")[2])))
        for choice in major["oneOf"]
        for branch in choice["allOf"]
        if "$ref" in branch
    ]
    registry: Registry[Any] = Registry().with_resources(referenced)
    validator = jsonschema.Draft7Validator(major, registry=registry)
    return [error.message for error in validator.iter_errors(one)]


def registration_problems(one: Manifest) -> list[str]:
    """Return where the manifest and the code's listeners differ."""
    settings, features = one["settings"], one["features"]
    declared = {entry["command"] for entry in features.get("slash_commands", ())}
    escaped = all(entry.get("should_escape") for entry in features.get("slash_commands", ()))
    expected = {
        "commands": declared == {COMMAND},
        "mentions arrive as ids": escaped,
        "events": settings.get("event_subscriptions", {}).get("bot_events") == list(EVENTS),
        "interactivity": settings.get("interactivity", {}).get("is_enabled") is True,
        "home tab": features.get("app_home", {}).get("home_tab_enabled") is True,
        "scopes": set(one["oauth_config"]["scopes"]["bot"]) == needed_scopes(),
    }
    return [what for what, holds in expected.items() if not holds]


def address_problems(one: Manifest) -> list[str]:
    """Return which request URLs are missing over HTTP, or given in Socket Mode."""
    settings = one["settings"]
    addresses = [entry.get("url") for entry in one["features"].get("slash_commands", ())] + [
        settings.get("event_subscriptions", {}).get("request_url"),
        settings.get("interactivity", {}).get("request_url"),
        settings.get("interactivity", {}).get("message_menu_options_url"),
    ]
    if settings["socket_mode_enabled"]:
        return [f"not called: {address}" for address in addresses if address]
    return [f"not served: {address}" for address in addresses if address not in served()]


@cache
def served() -> set[str]:
    """Return the addresses at which the bot takes POST requests."""
    calls = (
        node
        for path in python_files("bot")
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Call) and dotted(node.func).endswith(".add_post")
    )
    return {URL + path for call in calls for path in [literal(call.args[0])] if path}


def literal(node: ast.expr) -> str:
    """Return a text that is written out."""
    return str(node.value) if isinstance(node, ast.Constant) else ""


def web_api_calls(module: ast.Module) -> Iterator[str]:
    """Return the Web API methods that a module calls, by Slack's names."""
    ours = {method.replace(".", "_"): method for method in SCOPES_OF}
    for node in ast.walk(module):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            called = node.func.attr
            if called == "api_call":
                yield literal(node.args[0])
            elif called in SEVERAL_CALLS:
                yield from SEVERAL_CALLS[called]
            elif "_" in called.strip("_") and hasattr(AsyncWebClient, called):
                yield ours.get(called, f"unknown: {called}")


@cache
def called_methods() -> set[str]:
    """Return every Web API method that the bot calls."""
    return {method for path in python_files("bot") for method in web_api_calls(tree(path))}


def scopes_for(method: str) -> set[str]:
    """Return the scopes that a method needs for the conversations that we have."""
    kinds = CONVERSATIONS.get(method)
    scopes = set(SCOPES_OF[method])
    return {one for one in scopes if one.partition(":")[0] in kinds} if kinds else scopes


def needed_scopes() -> set[str]:
    """Return the scopes of all methods that are called, and the one for slash commands."""
    return {"commands"}.union(*(scopes_for(method) for method in called_methods()))


def problems(one: Manifest) -> list[str]:
    """Return everything that is wrong with a manifest."""
    return schema_problems(one) or registration_problems(one) + address_problems(one)


@pytest.mark.parametrize("one", [SOCKET, HTTP], ids=["socket", "http"])
def test_the_manifest_is_what_slack_and_the_code_expect(one: Manifest) -> None:
    assert problems(one) == []


def test_the_file_is_the_socket_mode_manifest() -> None:
    assert yaml.safe_load((ROOT / "manifest.yml").read_text()) == SOCKET


def test_the_scopes_of_every_called_method_are_known() -> None:
    assert called_methods() - set(SCOPES_OF) == set()
    assert {"chat.postMessage", "chat.update", "views.open"} <= called_methods()


def test_scopes_are_those_needed_and_no_more() -> None:
    assert set(SCOPES) == needed_scopes()
    assert list(SCOPES) == sorted(set(SCOPES))


def test_every_conversation_that_is_asked_about_has_a_scope() -> None:
    for method in called_methods() & {one for one in SCOPES_OF if one.startswith("conversations")}:
        assert len(scopes_for(method)) == len(CONVERSATIONS[method]), method


@pytest.mark.parametrize(
    ("code", "found"),
    [
        ("await self._client.chat_postMessage(text='x')", ["chat.postMessage"]),
        ("client.reactions_add()", ["reactions.add"]),
        ("web.api_call('pins.add')", ["pins.add"]),
        ("client.admin_apps_approve()", ["unknown: admin_apps_approve"]),
        ("client.files_upload_v2()", list(SEVERAL_CALLS["files_upload_v2"])),
        ("chat_postMessage()\nworkflow.started_at()", []),
    ],
)
def test_calls_of_the_web_api_are_found(code: str, found: list[str]) -> None:
    assert list(web_api_calls(ast.parse(code))) == found


def change(*path: str | int, to: object = None) -> Callable[[Manifest], None]:
    """Return a mutation that sets one place, or removes it."""

    def mutate(one: Any) -> None:
        for step in path[:-1]:
            one = one[step]
        if to is None:
            del one[path[-1]]
        else:
            one[path[-1]] = to

    return mutate


SLASH = ("features", "slash_commands", 0)
BOT_SCOPES = ("oauth_config", "scopes", "bot")
BAD_ANYWHERE = {
    "name too long": change("display_information", "name", to="x" * 36),
    "no name": change("display_information", "name"),
    "description too long": change("display_information", "description", to="x" * 141),
    "long description too short": change("display_information", "long_description", to="x"),
    "unknown key": change("settings", "socket_mode", to=True),
    "another command": change(*SLASH, "command", to="/other"),
    "command without slash": change(*SLASH, "command", to="sciclops"),
    "no command": change("features", "slash_commands"),
    "mentions as names": change(*SLASH, "should_escape", to=False),
    "unknown event": change("settings", "event_subscriptions", "bot_events", to=["home_opened"]),
    "event missing": change("settings", "event_subscriptions", "bot_events", to=[]),
    "interactivity off": change("settings", "interactivity", "is_enabled", to=False),
    "no home tab": change("features", "app_home", "home_tab_enabled", to=False),
    "scope missing": change(*BOT_SCOPES, to=[one for one in SCOPES if one != "commands"]),
    "scope misspelt": change(*BOT_SCOPES, to=[*SCOPES[1:], "channel:history"]),
    "scope too many": change(*BOT_SCOPES, to=[*SCOPES, "chat:write.public"]),
}
BAD_OVER_HTTP = {
    "command without address": change(*SLASH, "url"),
    "events without address": change("settings", "event_subscriptions", "request_url"),
    "clicks without address": change("settings", "interactivity", "request_url"),
    "options without address": change("settings", "interactivity", "message_menu_options_url"),
    "wrong address": change("settings", "interactivity", "request_url", to=f"{URL}/slack"),
    "no address at all": change(*SLASH, "url", to="bot.example.com"),
    "socket mode too": change("settings", "socket_mode_enabled", to=True),
}


def mutated(one: Manifest, mutate: Callable[[Manifest], None]) -> Manifest:
    """Return a changed copy."""
    changed = copy.deepcopy(one)
    mutate(changed)
    return changed


@pytest.mark.parametrize("what", BAD_ANYWHERE)
@pytest.mark.parametrize("one", [SOCKET, HTTP], ids=["socket", "http"])
def test_a_mistake_in_a_manifest_is_caught(one: Manifest, what: str) -> None:
    assert problems(mutated(one, BAD_ANYWHERE[what]))


@pytest.mark.parametrize("what", BAD_OVER_HTTP)
def test_a_mistake_in_the_http_manifest_is_caught(what: str) -> None:
    assert problems(mutated(HTTP, BAD_OVER_HTTP[what]))


def test_socket_mode_needs_no_addresses() -> None:
    assert problems(mutated(SOCKET, change("settings", "socket_mode_enabled", to=False)))
    assert URL not in json.dumps(SOCKET)


@pytest.mark.parametrize("url", ["", "http://bot.example.com", "bot.example.com", "https://"])
def test_http_needs_a_public_https_address(url: str) -> None:
    with pytest.raises(UserError, match="--url"):
        manifest("http", url)


def test_another_mode_is_refused() -> None:
    with pytest.raises(UserError, match="--mode rtm"):
        manifest("rtm")


def test_a_slash_at_the_end_of_the_address_changes_nothing() -> None:
    assert manifest("http", f"{URL}/") == HTTP
