"""What stands where: the parts of the page at an address, as its viewer sees them now."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, tzinfo

from playground.faults import Faults
from playground.github.server import GitHub
from playground.page.address import Address
from playground.page.html import Html, join, tag
from playground.page.lab import Control, deliveries_view, faults_view
from playground.page.messages import Drawn, Listed, message_list, readable_size, thread_list
from playground.page.modals import home, modal
from playground.page.reader import Follow, Reader, nowhere
from playground.page.repository import repository_view
from playground.page.shell import Hints, Region
from playground.page.sidebar import Attention, sidebar
from playground.page.source import Clone, Source, linked, no_clone, source_view
from playground.page.worlds import world, world_name
from playground.slack.entities import Channel, File
from playground.slack.workspace import Workspace
from provisioning.clock import Clock

Snapshot = Callable[[], Mapping[str, object]]
MOST_MESSAGES = 120
SHOWN_OF_FILE = 400_000
ABOUT = {"terraform": "Terraform is real; what you see is read from the files of its runs, live"}
"""What a world's page says of itself where it is no stand-in's."""
HINTS: Hints = (
    ("/sciclops new", "Start a project: a form, then a plan to confirm"),
    ("/sciclops list", "See the projects there are"),
    ("/sciclops status", "See how one project is doing"),
    ("/sciclops help", "See everything that can be said"),
)


@dataclass
class Scene:
    """Everything that the page shows."""

    workspace: Workspace
    clock: Clock
    faults: Faults
    worlds: Mapping[str, Snapshot] = field(default_factory=dict)
    controls: Mapping[str, Control] = field(default_factory=dict)
    hints: Hints = HINTS
    zone: tzinfo | None = None
    follow: Follow = nowhere
    source: Source | None = None
    github: GitHub | None = None
    clone: Clone = no_clone
    attention: Attention = field(default_factory=Attention)
    drawn: Drawn = field(default_factory=Drawn)

    def reader(self, viewer: str) -> Reader:
        """Return how ids and moments look to a person."""
        workspace, now = self.workspace, self.clock.now()
        local = now.astimezone().tzinfo or UTC
        return Reader(
            viewer,
            {one.id: one.real_name for one in workspace.people.values()},
            {one.id: one.name for one in workspace.channels.values() if one.kind != "im"},
            {one.id: one.handle for one in workspace.user_groups.values()},
            now,
            self.zone or local,
            self.follow,
        )

    def exists(self, at: Address) -> bool:
        """Return whether the viewer is a person here and may see what the address names."""
        person = self.workspace.people.get(at.viewer)
        if person is None or person.is_bot or person.deleted:
            return False
        if at.kind == "channel":
            channel = self.workspace.channels.get(at.name)
            return channel is not None and at.viewer in channel.members
        if at.kind == "world":
            return at.name in self.worlds
        if at.kind in ("source", "repository"):
            return self.files(at.name) is not None
        return at.kind != "file" or self.file(at.viewer, at.name) is not None

    def files(self, repository: str) -> Mapping[str, bytes] | None:
        """Return a repository's files, or None if there is no such repository."""
        try:
            return self.source(repository) if self.source else None
        except LookupError:
            return None

    def file(self, viewer: str, file_id: str) -> File | None:
        """Return a file that has been shared where this person is, or None."""
        for one in self.workspace.messages:
            channel = self.workspace.channels[one.channel]
            if viewer in channel.members and one.reader in (None, viewer):
                for file in one.files:
                    if file.id == file_id:
                        return file
        return None

    def title(self, at: Address) -> str:
        """Return the title of the browser's tab."""
        if at.kind == "channel":
            return _channel_name(self.workspace.channels[at.name])
        if at.kind in ("source", "repository"):
            return at.name
        return world_name(at.name) if at.kind == "world" else at.kind.title()

    def regions(self, at: Address) -> dict[str, Region]:
        """Return every part of the page, by name."""
        reader = self.reader(at.viewer)
        parts: dict[str, Region] = _DRAW[at.kind](self, at, reader)
        side = sidebar(self.workspace, self.attention, at, list(self.worlds))
        return {"sidebar": side, **parts, "modal": modal(self.workspace.views(at.viewer), reader)}


def _channel(scene: Scene, at: Address, reader: Reader) -> dict[str, Region]:
    channel = scene.workspace.channels[at.name]
    found = scene.workspace.visible_messages(at.viewer, at.name)
    if found:
        scene.attention.read(at.viewer, at.name, scene.workspace.messages[-1].ts)
    listed = message_list(scene.workspace, found[-MOST_MESSAGES:], reader, at.name, scene.drawn)
    intro: Listed = [("intro", _intro(scene, channel, at, reader))]
    if (earlier := len(found) - MOST_MESSAGES) > 0:
        words = f"{earlier} earlier messages are not shown."
        intro.append(("earlier", tag("p", words, class_="day", id="earlier")))
    parts: dict[str, Region] = {
        "header": _channel_head(channel, at, reader),
        "messages": intro + listed,
    }
    if at.thread:
        replies = scene.workspace.thread(at.name, at.thread, at.viewer)
        parts["thread"] = thread_list(replies, reader, scene.drawn)
    return parts


def _channel_name(channel: Channel) -> str:
    return "SciCLOps" if channel.kind == "im" else f"#{channel.name}"


def _channel_head(channel: Channel, at: Address, reader: Reader) -> Html:
    if channel.kind == "im":
        return _app_head(Address(at.viewer, "home"), at, at)
    count = tag("span", f"{len(channel.members)} members", class_="muted")
    return join([tag("h1", _channel_name(channel)), count, _me(reader)])


def _app_head(home_at: Address, direct: Address, here: Address) -> Html:
    tabs = [
        tag("a", label, href=str(to), aria_current="page" if to == here else None)
        for label, to in (("Home", home_at), ("Messages", direct))
    ]
    return join([tag("h1", "SciCLOps"), tag("div", tabs, class_="tabs")])


def _me(reader: Reader) -> Html:
    me = reader.people.get(reader.viewer, reader.viewer)
    return tag("span", "You are ", tag("b", me), class_="me-note")


def _intro(scene: Scene, channel: Channel, at: Address, reader: Reader) -> Html:
    """Return what stands above the first message: where one is, and what to do first."""
    if channel.kind == "im":
        words = tag("p", "What SciCLOps tells you, and nobody else, arrives here.")
        return tag("div", tag("h2", "SciCLOps"), words, class_="intro", id="intro")
    if channel.name != "sciclops":
        words = tag("p", f"This is the beginning of #{channel.name}.")
        return tag("div", tag("h2", f"#{channel.name}"), words, class_="intro", id="intro")
    first, about = scene.hints[0] if scene.hints else ("/sciclops help", "")
    start = tag(
        "button",
        "Type ",
        tag("code", first),
        type="button",
        class_="button primary",
        data_type_words=first,
    )
    name = reader.people.get(at.viewer, "").split(" ")[0]
    steps = [
        tag("li", tag("b", "Ask. "), "Type ", tag("code", first), " and fill in the form."),
        tag("li", tag("b", "Confirm. "), "Read the plan that comes back, then confirm it."),
        tag(
            "li",
            tag("b", "Look behind. "),
            "The repository, the principals and the Terraform run "
            "are on the left, under Behind the scenes.",
        ),
    ]
    return tag(
        "section",
        tag("h2", f"Welcome, {name}. A Databricks project is one command away."),
        tag(
            "p",
            "The bot, Terraform and git here are real; Slack, GitHub and Databricks are stand-ins "
            "on this machine. Nothing you do leaves it.",
        ),
        tag("ol", steps),
        tag(
            "div",
            start,
            tag(
                "span",
                "Some answers need someone else: change who you are under View as.",
                class_="muted",
            ),
            class_="intro-row",
        ),
        class_="intro landing",
        id="intro",
        aria_label=about or "Welcome",
    )


def _home(scene: Scene, at: Address, reader: Reader) -> dict[str, Region]:
    direct = Address(at.viewer, "channel", scene.workspace.direct_messages(at.viewer).id)
    content = home(scene.workspace.home(at.viewer), reader)
    return {"header": _app_head(at, direct, at), "content": content}


def _world(scene: Scene, at: Address, _reader: Reader) -> dict[str, Region]:
    about = ABOUT.get(at.name.lower(), "what the stand-in says of itself, live")
    head = join([tag("h1", world_name(at.name)), tag("span", about, class_="muted")])
    snapshot = scene.worlds[at.name]()
    shown = linked(snapshot, at.viewer, scene.clone) if scene.source else snapshot
    inner = tag("div", world(shown), class_="world")
    return {"header": head, "content": inner}


def _faults(scene: Scene, _at: Address, _reader: Reader) -> dict[str, Region]:
    content = faults_view(scene.faults, scene.clock, scene.controls)
    return {"header": tag("h1", "Faults and time"), "content": tag("div", content, class_="world")}


def _deliveries(scene: Scene, _at: Address, reader: Reader) -> dict[str, Region]:
    again = tag(
        "button",
        "Deliver the Last One Again",
        type="button",
        class_="button small",
        data_lab="redeliver",
    )
    about = tag("span", "what Slack sent to the app, and how it was acknowledged", class_="muted")
    head = join([tag("h1", "Deliveries"), about, again])
    return {"header": head, "entries": deliveries_view(scene.workspace.deliveries, reader)}


def _source(scene: Scene, at: Address, _reader: Reader) -> dict[str, Region]:
    content = source_view(scene.files(at.name) or {}, at)
    return {"header": _repository_head(scene, at), "content": content}


def _repository(scene: Scene, at: Address, reader: Reader) -> dict[str, Region]:
    if scene.github is None:
        return {"header": _repository_head(scene, at), "content": tag("p", "There is no GitHub.")}
    content = repository_view(scene.github, at, reader)
    return {"header": _repository_head(scene, at), "content": content}


def _repository_head(scene: Scene, at: Address) -> Html:
    world_of_it = next((one for one in scene.worlds if one.lower() == "github"), "github")
    away = Address(at.viewer, "world", world_of_it)
    back = tag("a", "‹ GitHub", href=str(away), class_="button small")
    places = (
        (Address(at.viewer, "source", at.name), "Files"),
        (Address(at.viewer, "repository", at.name), "Pull requests and runs"),
    )
    tabs = [
        tag("a", words, href=str(to), aria_current="page" if to.kind == at.kind else None)
        for to, words in places
    ]
    return join([back, tag("h1", at.name), tag("div", tabs, class_="tabs")])


def _file(scene: Scene, at: Address, _reader: Reader) -> dict[str, Region]:
    file = scene.file(at.viewer, at.name)
    if file is None:
        return {"header": tag("h1", "No such file"), "content": tag("p", "It is gone.")}
    back = Address(at.viewer, "channel", file.channel, file.thread_ts)
    away = tag("a", "‹ Back", href=str(back), class_="button small")
    keep = tag("a", "Download", href=f"{at}/download", download=file.name, class_="button small")
    size = tag("span", readable_size(file.size), class_="muted")
    shown = file.content.decode("utf-8", "replace")[:SHOWN_OF_FILE]
    content = tag("pre", shown, class_="whole-file", tabindex="0")
    return {
        "header": join([away, tag("h1", file.title or file.name), size, keep]),
        "content": content,
    }


_DRAW: Mapping[str, Callable[[Scene, Address, Reader], dict[str, Region]]] = {
    "channel": _channel,
    "home": _home,
    "world": _world,
    "faults": _faults,
    "deliveries": _deliveries,
    "file": _file,
    "source": _source,
    "repository": _repository,
}
