"""What happens at the stand-in beside answering: runs, pull requests, webhooks."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from playground.github.auth import Actor
from playground.github.events import Events
from playground.github.news import News
from playground.github.payloads_runs import BOT
from playground.github.pull_desk import Merge, PullDesk
from playground.github.pulls import PullRequest
from playground.github.rules import RefChange
from playground.github.run_book import Book
from playground.github.webhooks import Webhooks
from playground.github.world import Json, Repository, World

DOWNLOADS_LAST = timedelta(minutes=1)


@dataclass(frozen=True)
class Download:
    """What a signed address gives out until it expires."""

    content: bytes
    kind: str
    until: datetime


def name_of(actor: Actor) -> str:
    """Return the login under which an actor's doings are known."""
    if actor.kind == "job":
        return "github-actions[bot]"
    return actor.login or BOT


class Hub:
    """Everything that follows from what people and programs do."""

    def __init__(
        self,
        world: World,
        problem: Callable[[str, Json], str | None],
        complain: Callable[[str], None],
        changed: Callable[[], None],
    ) -> None:
        self._world = world
        self._downloads: dict[str, Download] = {}
        self.webhooks = Webhooks(world, problem, complain)
        self.book = Book(world, News(world, self.webhooks), changed)
        self.events = Events(world, self.book, self.webhooks)
        self.pulls = PullDesk(world, self.events)

    def pushed(self, repo: Repository, change: RefChange, actor: Actor) -> None:
        """Follow a branch or tag that has moved; what a job's own token pushes starts nothing."""
        repo.pushed_at = repo.updated_at = self._world.now()
        login, starts = name_of(actor), actor.kind != "job"
        self.events.push(repo, change, login, starts=starts)
        self.pulls.branch_moved(repo, change, login)

    def merge(self, repo: Repository, pull: PullRequest, actor: Actor, how: Merge) -> None:
        """Merge a pull request, and follow its base branch."""
        change = self.pulls.merge(repo, pull, actor, name_of(actor), how)
        self.pushed(repo, change, actor)

    def offer(self, content: bytes, kind: str) -> str:
        """Return an address below the server's at which this is for a minute."""
        token = secrets.token_urlsafe(24)
        self._downloads[token] = Download(content, kind, self._world.clock.now() + DOWNLOADS_LAST)
        return f"{self._world.root}/_downloads/{token}"

    def download(self, token: str) -> Download | None:
        """Return what an address that hasn't expired gives out."""
        now = self._world.clock.now()
        self._downloads = {key: it for key, it in self._downloads.items() if it.until > now}
        return self._downloads.get(token)

    async def stop(self) -> None:
        """Give up runs and deliveries."""
        await self.book.stop()
        await self.webhooks.stop()
