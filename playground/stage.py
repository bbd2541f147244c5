"""The page of a world: what is on it, and the buttons that act on the bot's process."""

from playground import terraform_runs
from playground.cast import ORGANISATION, PEOPLE
from playground.crash import POINTS, Crash
from playground.github.server import GitHub
from playground.page.lab import Control
from playground.page.server import Page
from playground.world import World


def page_of(world: World) -> Page:
    """Return the page, not yet started."""
    runs = world.directory / "bot" / "terraform"
    return Page(
        world.slack.workspace,
        {
            "GitHub": world.github.snapshot,
            "Databricks": world.databricks.snapshot,
            "Terraform": lambda: terraform_runs.snapshot(runs),
        },
        world.faults,
        world.clock,
        controls=controls(world),
        source=world.github.files,
        github=world.github,
        follow=lambda address: source_of(world, address),
        clone=Clones(world.github).address,
    )


def source_of(world: World, address: str) -> str | None:
    """Return the page's own place for an address at the stand-in GitHub, if there is one."""
    start = f"{world.github.root}/{ORGANISATION}/"
    name, _, rest = address.removeprefix(start).partition("/")
    if not address.startswith(start) or name not in world.github.repos:
        return None
    is_about_runs = rest.split("/")[0] in ("actions", "pull", "pulls")
    return f"{'repository' if is_about_runs else 'source'}/{name}"


class Clones:
    """Where people clone from, each with one token of their own for all the pages they look at."""

    def __init__(self, github: GitHub) -> None:
        self._github = github
        self._known: dict[tuple[str, str], str] = {}

    def address(self, viewer: str, repository: str) -> str | None:
        """Return an address that holds a token (a playground's), or None for who may not see."""
        login = next((one.github for one in PEOPLE if one.slack == viewer), "")
        found = self._github.repos.get(repository)
        if found is None or self._github.world.role_of(login, found) is None:
            return None
        if (login, repository) not in self._known:
            self._known[login, repository] = self._github.clone_url(repository, login)
        return self._known[login, repository]


def controls(world: World) -> dict[str, Control]:
    """Return the buttons that act on the bot's process."""
    crash = Crash(world.bot)
    return {
        "kill": Control("Kill the Bot", crash.kill, "SIGKILL, then a fresh start.", danger=True),
        "crash": Control(
            "Crash at a Step",
            crash.arm,
            "Killed right there, then started again.",
            asks="Point, e.g. “after apply 0” or “before push starter code”",
            choices=POINTS,
            danger=True,
            offered=lambda: not crash.armed,
        ),
        "disarm": Control(
            "Disarm",
            crash.disarm,
            status=lambda: f"Armed: the bot will be killed {crash.armed}, and started again.",
            offered=lambda: bool(crash.armed),
        ),
    }
