"""The left side: channels, the app, the world behind it, and whom to be."""

import re
from collections.abc import Sequence

from playground.page.address import Address, Kind
from playground.page.html import Html, classes, tag
from playground.page.messages import avatar
from playground.page.worlds import world_name
from playground.slack.entities import Channel, Member, Message
from playground.slack.state import State

BEHIND: tuple[tuple[Kind, str, str], ...] = (
    ("deliveries", "Deliveries", "⇄"),
    ("faults", "Faults and time", "⚡"),
)
MENTION = re.compile(r"(?:<@|<!subteam\^|'user(?:group)?_id': ')(\w+)")
"""A person's or a user group's id where a text or a block mentions them."""
WORLD_SIGNS = {"github": "⌥", "databricks": "◈", "terraform": "△"}


class Attention:
    """Remembers up to which message each person has read each channel."""

    def __init__(self) -> None:
        self._read: dict[tuple[str, str], float] = {}
        self._named: dict[tuple[str, str, int], frozenset[str]] = {}

    def read(self, user: str, channel: str, upto: str) -> None:
        """Note that a person has seen a channel's messages up to this one."""
        self._read[user, channel] = max(float(upto), self._read.get((user, channel), 0.0))

    def unread(self, state: State, user: str, channel: str) -> list[Message]:
        """Return what others have written there since, newest last."""
        since = self._read.get((user, channel), 0.0)
        fresh: list[Message] = []
        for one in reversed(state.messages):
            if float(one.ts) <= since:
                break
            if one.channel == channel and one.user != user and one.reader in (None, user):
                fresh.append(one)
        return fresh[::-1]

    def is_wanted(self, state: State, user: str) -> bool:
        """Return whether somebody wrote to this person alone, or named them, since they looked.

        Whoever names a user group names its members.
        """
        groups = {one.id for one in state.user_groups.values() if user in one.members}
        mine = [one for one in state.channels.values() if user in one.members]
        return any(
            one.reader is not None or channel.kind == "im" or self._names(one) & {user, *groups}
            for channel in mine
            for one in self.unread(state, user, channel.id)
        )

    def _names(self, message: Message) -> frozenset[str]:
        """Return the people and user groups that a message mentions; each version is read once."""
        key = (message.channel, message.ts, message.edits)
        if key not in self._named:
            found = MENTION.findall(message.text) + MENTION.findall(str(message.blocks))
            self._named[key] = frozenset(found)
        return self._named[key]


def sidebar(state: State, attention: Attention, at: Address, worlds: Sequence[str]) -> Html:
    """Return the sidebar for one viewer."""
    viewer = at.viewer
    places = [one for one in state.channels.values() if viewer in one.members]
    channels = [_channel(state, attention, at, one) for one in places if one.kind != "im"]
    home = Address(viewer, "home")
    direct = state.direct_messages(viewer)
    waiting = len(attention.unread(state, viewer, direct.id))
    on_app = at.kind == "home" or at.name == direct.id
    apps = [_entry(home, "S", "SciCLOps", here=on_app, count=waiting, sign_class="avatar bot")]
    behind = [_world(at, name) for name in worlds]
    behind += [_entry(Address(viewer, k), s, w, here=at.kind == k) for k, w, s in BEHIND]
    return tag(
        "div",
        tag("div", tag("b", "Acme"), tag("span", "SciCLOps playground"), class_="workspace"),
        _group("Channels", channels),
        _group("Apps", apps),
        _group("Behind the scenes", behind),
        _people(state, attention, at),
        class_="sidebar-inner",
    )


def _group(title: str, entries: Sequence[Html]) -> Html:
    heading = tag("h2", title)
    return tag("section", heading, tag("ul", [tag("li", entry) for entry in entries]))


def _channel(state: State, attention: Attention, at: Address, channel: Channel) -> Html:
    here = at.kind == "channel" and at.name == channel.id
    count = 0 if here else len(attention.unread(state, at.viewer, channel.id))
    sign = "🔒" if channel.kind == "private" else "#"
    return _entry(
        Address(at.viewer, "channel", channel.id), sign, channel.name, here=here, count=count
    )


def _world(at: Address, name: str) -> Html:
    here = at.kind == "world" and at.name == name
    sign = WORLD_SIGNS.get(name.lower(), "◇")
    return _entry(Address(at.viewer, "world", name), sign, world_name(name), here=here)


def _entry(
    to: Address, sign: str, words: str, *, here: bool, count: int = 0, sign_class: str = "sign"
) -> Html:
    badge = tag("span", count, class_="badge", aria_label=f"{count} unread") if count else None
    return tag(
        "a",
        tag("span", sign, class_=sign_class, aria_hidden="true"),
        tag("span", words, class_="name"),
        badge,
        href=str(to),
        class_=classes("entry", "unread" if count else ""),
        aria_current="page" if here else None,
    )


def _people(state: State, attention: Attention, at: Address) -> Html:
    people = [one for one in state.people.values() if not one.is_bot and not one.deleted]
    entries = [tag("li", _person(state, attention, at, one)) for one in people]
    hint = tag("p", "You see Slack as this person. Open a second window to be two at once.")
    heading = tag("h2", "View as", id="view-as")
    return tag(
        "section", heading, tag("ul", entries), hint, class_="people", aria_labelledby="view-as"
    )


def _person(state: State, attention: Attention, at: Address, member: Member) -> Html:
    place = Address(member.id, at.kind, at.name, at.thread)
    if at.kind == "channel" and member.id not in state.channels[at.name].members:
        place = Address(member.id, "home")
    here = member.id == at.viewer
    wanted = not here and attention.is_wanted(state, member.id)
    dot = tag("span", class_="dot", role="img", aria_label="has news") if wanted else None
    names = tag("span", tag("b", member.real_name), tag("small", member.title), class_="names")
    return tag(
        "a",
        avatar(member.id, member.real_name),
        names,
        dot,
        href=str(place),
        class_="person",
        aria_current="true" if here else None,
        data_person=member.id,
    )
