"""Composition objects: text, options, confirmation dialogs, and rich text."""

from typing import Any

from playground.slack.block_kit.rules import (
    Check,
    Problem,
    Problems,
    any_of,
    boolean,
    choice,
    exactly_one_of,
    integer,
    items,
    pattern,
    shape,
    string,
    tagged,
)

LONGEST_ID = 255
LONGEST_URL = 3000


def plain(most: int, least: int = 1) -> Check:
    """Accept a plain_text object."""
    return tagged({"plain_text": _text(most, least, "emoji")})


def formatted(most: int, least: int = 1) -> Check:
    """Accept a plain_text or mrkdwn object."""
    kinds = {"plain_text": _text(most, least, "emoji"), "mrkdwn": _text(most, least, "verbatim")}
    return tagged(kinds)


def _text(most: int, least: int, flag: str) -> Check:
    return shape({"text": string(most, least)}, {flag: boolean})


url = string(LONGEST_URL)
some_id = string(LONGEST_ID)
date = pattern(r"\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])", "a date in the format YYYY-MM-DD")
time = pattern(r"([01]\d|2[0-3]):[0-5]\d", "a time in the format HH:mm")

confirm = shape(
    {"title": plain(100), "text": formatted(300), "confirm": plain(30), "deny": plain(30)},
    {"style": choice("primary", "danger")},
)
slack_file = shape({}, {"id": string(), "url": url}, exactly_one_of("id", "url"))
dispatch_config = shape(
    {"trigger_actions_on": items(choice("on_enter_pressed", "on_character_entered"), 2)}
)
conversation_filter = shape(
    {},
    {
        "include": items(choice("im", "mpim", "private", "public"), 4),
        "exclude_external_shared_channels": boolean,
        "exclude_bot_users": boolean,
    },
    any_of("include", "exclude_external_shared_channels", "exclude_bot_users"),
)


def option(text: Check | None = None, **more: Check) -> Check:
    """Accept one option of a menu."""
    return shape(
        {"text": text or plain(75), "value": string(150)}, {"description": plain(75), **more}
    )


def option_group(most: int = 100) -> Check:
    """Accept a labelled group of options."""
    return shape({"label": plain(75), "options": items(option(), most)})


def initials_are_offered(value: Any, at: str) -> Problems:
    """Check that the options chosen at first are exact copies of offered ones."""
    groups = value.get("option_groups", [])
    offered = [*value.get("options", []), *(one for group in groups for one in group["options"])]
    chosen = value.get("initial_options", [])
    if "initial_option" in value:
        chosen = [*chosen, value["initial_option"]]
    wanted = {_identity(one) for one in chosen}
    if not wanted <= {_identity(one) for one in offered}:
        name = "initial_option" if "initial_option" in value else "initial_options"
        yield Problem(f"{at}/{name}", "must match exactly with an option from options")


def _identity(one: Any) -> tuple[str, str]:
    return (one["value"], one["text"]["text"])


def values_differ(value: Any, at: str) -> Problems:
    """Check that no two options have the same value."""
    seen = [one["value"] for one in value.get("options", [])]
    if len(set(seen)) < len(seen):
        yield Problem(f"{at}/options", "option values must be unique")


# Rich text ----------------------------------------------------------------------------------

_style = shape(
    {},
    dict.fromkeys(
        (
            "bold",
            "italic",
            "strike",
            "code",
            "underline",
            "highlight",
            "client_highlight",
            "unlink",
        ),
        boolean,
    ),
)
_styled = {"style": _style}


def _timestamp(value: Any, at: str) -> Problems:
    # The reference says integer, Slack's own SDK sends the digits as text.
    if not (isinstance(value, str) and value.isdigit()):
        yield from integer(0)(value, at)


_inline = tagged(
    {
        "text": shape({"text": string()}, _styled),
        "link": shape({"url": url}, {"text": string(), "unsafe": boolean, **_styled}),
        "emoji": shape({"name": string()}, {"unicode": string(), "skin_tone": integer(1, 6)}),
        "user": shape({"user_id": string()}, _styled),
        "channel": shape({"channel_id": string()}, _styled),
        "usergroup": shape({"usergroup_id": string()}, _styled),
        "team": shape({"team_id": string()}, _styled),
        "broadcast": shape({"range": choice("here", "channel", "everyone")}, _styled),
        "color": shape({"value": string()}),
        "date": shape(
            {"timestamp": _timestamp, "format": string()},
            {"url": url, "fallback": string(), **_styled},
        ),
    }
)
_section = shape({"elements": items(_inline, least=0)})
_framed = {"border": integer(0, 1)}
rich_text_parts = tagged(
    {
        "rich_text_section": _section,
        "rich_text_quote": shape({"elements": items(_inline, least=0)}, _framed),
        "rich_text_preformatted": shape(
            {"elements": items(_inline, least=0)}, {**_framed, "language": string()}
        ),
        "rich_text_list": shape(
            {
                "style": choice("bullet", "ordered"),
                "elements": items(tagged({"rich_text_section": _section}), least=0),
            },
            {"indent": integer(0, 8), "offset": integer(0), **_framed},
        ),
    }
)
_rich_text = shape({"elements": items(rich_text_parts, least=0)}, {"block_id": some_id})
rich_text = tagged({"rich_text": _rich_text})
