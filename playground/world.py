"""The whole playground in one event loop: the stand-ins, the provider process and the bot."""

import asyncio
import base64
import secrets
import threading
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal, TypeVar, cast

from bot.manifest import SCOPES
from playground.actions.runner import ActRunner
from playground.bot import BotProcess, free_port
from playground.cast import ORGANISATION
from playground.clock import SharedClock
from playground.databricks.server import Databricks
from playground.databricks_cli.bin_folder import write_bin
from playground.faults import Faults
from playground.github.limits import UNLIMITED, Limits
from playground.github.server import GitHub
from playground.settings_file import Addresses, Choices, settings_toml
from playground.slack.driver import Person, SlackDriver
from playground.slack.server import Slack
from playground.terraform.server import TerraformProviders

T = TypeVar("T")


class World:
    """Everything outside the bot, and the bot's process; `directory` holds all that is written.

    `limits` are GitHub's rate limits; each answer of a vendor takes `latency` seconds.
    """

    def __init__(
        self,
        directory: Path,
        choices: Choices | None = None,
        limits: Limits = UNLIMITED,
        latency: float = 0,
    ) -> None:
        self.directory = directory
        self.choices = choices or Choices()
        self._port = self.choices.port or free_port()
        self.clock = SharedClock(directory / "clock")
        self.faults = Faults(latency)
        self.github = GitHub(self.clock, self.faults, directory / "git", limits=limits)
        self.databricks = Databricks(self.clock, self.faults)
        commands = write_bin(directory / "commands")
        book = self.github.hub.book
        self.actions = ActRunner(self.github, book, directory / "actions", path=(commands,))
        self.github.runner = self.actions
        self.slack = Slack(
            self.clock,
            self.faults,
            mode=cast("Literal['socket', 'http']", self.choices.mode),
            request_url=f"http://127.0.0.1:{self._port}/slack/events",
            scopes=SCOPES,  # as if installed from our manifest
        )
        self.providers = TerraformProviders(
            self.clock,
            self.faults,
            github_app=(
                str(self.github.app_id),
                str(self.github.installation_id),
                self.github.app_private_key_pem,
            ),
            databricks_client=(self.databricks.bot_client_id, self.databricks.bot_client_secret),
        )
        self._webhook_secret = secrets.token_urlsafe(32)
        self._seal_key = base64.b64encode(secrets.token_bytes(32)).decode()
        self.bot = BotProcess(
            settings=self.directory / "sciclops.toml",
            clock=self.directory / "clock",
            log=self.directory / "bot.log",
            secrets=self.secrets(),
            port=self._port,
        )

    async def start(self) -> None:
        """Start the vendors and write the bot's settings; the bot itself is not started."""
        await self.github.start()
        if self.choices.webhooks:
            self.github.webhook_url = f"http://127.0.0.1:{self._port}/github/webhooks"
            self.github.webhook_secret = self._webhook_secret
        await self.databricks.start()
        slack_url = await self.slack.start()
        await self.providers.start()
        self._write_settings(slack_url)

    async def stop(self) -> None:
        """Stop everything."""
        await self.bot.stop()
        await self.providers.stop()
        await self.slack.stop()
        await self.databricks.stop()
        await self.github.stop()
        await self.actions.close()

    def secrets(self) -> dict[str, str]:
        """Return the bot's secrets, as it gets them: by environment."""
        return {
            "SCICLOPS__SLACK__BOT_TOKEN": "xoxb-playground",
            "SCICLOPS__SLACK__APP_TOKEN": "xapp-playground",
            "SCICLOPS__SLACK__SIGNING_SECRET": self.slack.signing_secret,
            "SCICLOPS__DATABRICKS__CLIENT_SECRET": self.databricks.bot_client_secret,
            "SCICLOPS__SECURITY__SEAL_KEYS": self._seal_key,
            **(
                {"SCICLOPS__GITHUB__WEBHOOK_SECRET": self._webhook_secret}
                if self.choices.webhooks
                else {}
            ),
        }

    def _write_settings(self, slack_url: str) -> None:
        pem = self.directory / "app.pem"
        pem.write_text(self.github.app_private_key_pem)
        pem.chmod(0o600)
        choices = Choices(**{**self.choices.__dict__, "port": self._port})
        workspaces = self.databricks.hosts
        at = Addresses(
            slack_api=f"{slack_url}/api/",
            github_api=self.github.base_url,
            oidc_issuer=self.github.oidc_issuer,
            account_host=self.databricks.account_host,
            hosts=workspaces,
            workspace_ids={key: self.databricks.workspace(*key).id for key in workspaces},
        )
        text = settings_toml(
            self.directory,
            at,
            choices,
            (self.github.app_id, self.github.installation_id),
            self.databricks.bot_client_id,
            self.providers.reattach,
        )
        (self.directory / "sciclops.toml").write_text(text)


class Playground:
    """A world in a thread of its own, for tests and tools that are not asynchronous."""

    def __init__(self, world: World) -> None:
        self.world = world
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="world", daemon=True)
        self._thread.start()
        self.run(world.start())
        self.chat = SlackDriver(world.slack, self._loop)

    def run(self, doing: Coroutine[Any, Any, T], timeout: float = 60) -> T:
        """Run a coroutine in the world's loop and return its result."""
        return asyncio.run_coroutine_threadsafe(doing, self._loop).result(timeout)

    def person(self, user: str) -> Person:
        """Return somebody to type and click as."""
        return self.chat.as_person(user)

    def close(self) -> None:
        """Stop the world and its loop."""
        self.run(self.world.stop())
        self.run(_end_of_tasks())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


async def _end_of_tasks() -> None:
    """Cancel what still waits in this loop, as `asyncio.run` would."""
    tasks = asyncio.all_tasks() - {asyncio.current_task()}
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


@contextmanager
def running(
    directory: Path,
    choices: Choices | None = None,
    limits: Limits = UNLIMITED,
    latency: float = 0,
) -> Iterator[Playground]:
    """Run a playground with its bot."""
    directory.mkdir(parents=True, exist_ok=True)
    playground = Playground(World(directory, choices, limits, latency))
    try:
        playground.run(playground.world.bot.start())
        yield playground
    finally:
        playground.close()


__all__ = ["ORGANISATION", "Choices", "Playground", "World", "running"]
