"""Terraform's command lines, built by python-terraform; the processes are ours.

Of that package (0.10.1) only `generate_cmd_string` is used: its asynchronous mode, its `destroy`
and its use from several threads don't work with current Terraform.
"""

import logging
from collections.abc import Sequence
from pathlib import Path

from python_terraform import IsFlagged
from python_terraform import Terraform as Upstream

LOCK_PATIENCE = "60s"
"""How long a command waits for the state, e.g. while an interrupted one still lets go of it."""

COMMON = {"json": IsFlagged, "no_color": IsFlagged, "input": False}


class CommandLine(Upstream):  # type: ignore[misc]  # python-terraform has no types
    """Builds argument lists for one binary; secrets never go into them."""

    def __init__(self, command: Sequence[str], lock_patience: str = LOCK_PATIENCE) -> None:
        # At DEBUG the package logs the values of variables.
        logging.getLogger("python_terraform").setLevel(logging.WARNING)
        super().__init__(terraform_bin_path=command[0])
        self._command = list(command)
        self._lock_patience = lock_patience

    def read_state_file(self, file_path: str | None = None) -> None:
        """Read nothing: the package would load the whole state, secrets included."""

    def init(self) -> list[str]:
        """Return the command that makes a folder ready: backend, modules, providers."""
        return self._build("init", **COMMON)

    def choose_workspace(self, name: str) -> list[str]:
        """Return the command that selects a workspace and creates it where there is none."""
        return self._build("workspace select", name, or_create=True, no_color=IsFlagged)

    def plan(
        self, out: Path, *, parallelism: int, destroy: bool, only: Sequence[str] = ()
    ) -> list[str]:
        """Return the command that saves a plan, of everything or of these addresses alone."""
        return self._build(
            "plan",
            **COMMON,
            out=str(out),
            parallelism=parallelism,
            lock_timeout=self._lock_patience,
            destroy=IsFlagged if destroy else None,
            target=list(only) or None,
        )

    def apply(self, plan: Path, *, parallelism: int) -> list[str]:
        """Return the command that applies a saved plan, without any further question."""
        options = {"parallelism": parallelism, "lock_timeout": self._lock_patience}
        return self._build("apply", str(plan), **COMMON, **options)

    def show(self, plan: Path, *, machine: bool) -> list[str]:
        """Return the command that prints a saved plan, for programs or for people."""
        return self._build(
            "show", str(plan), no_color=IsFlagged, json=IsFlagged if machine else None
        )

    def output(self) -> list[str]:
        """Return the command that prints the outputs as JSON, sensitive ones included."""
        return self._build("output", json=IsFlagged, no_color=IsFlagged)

    def state_list(self) -> list[str]:
        """Return the command that prints the addresses in the state."""
        return self._build("state list")

    def addresses_in(self, file: Path) -> list[str]:
        """Return the command that prints the addresses in a file with a state."""
        return self._build("state list", state=str(file))

    def drop_from(self, file: Path, addresses: Sequence[str], backup: Path) -> list[str]:
        """Return the command that takes these addresses out of a file with a state."""
        return self._build("state rm", *addresses, state=str(file), backup=str(backup))

    def push_state(self, file: Path) -> list[str]:
        """Return the command that stores a state, unless a newer one is there."""
        return self._build("state push", str(file), lock_timeout=self._lock_patience)

    def import_(self, address: str, identifier: str) -> list[str]:
        """Return the command that takes one existing thing into the state."""
        options = {"input": False, "no_color": IsFlagged, "lock_timeout": self._lock_patience}
        return self._build("import", address, identifier, **options)

    def note_dependencies(self) -> list[str]:
        """Return the command that changes the state alone: what depends on what, as configured."""
        options = {"input": False, "no_color": IsFlagged, "lock_timeout": self._lock_patience}
        return self._build("apply", refresh_only=IsFlagged, auto_approve=IsFlagged, **options)

    def list_workspaces(self) -> list[str]:
        """Return the command that prints the workspaces, the selected one with a star."""
        return self._build("workspace list")

    def delete_workspace(self, name: str) -> list[str]:
        """Return the command that deletes an empty workspace."""
        return self._build("workspace delete", name, no_color=IsFlagged)

    def version(self) -> list[str]:
        """Return the command that prints the version as JSON."""
        return self._build("version", json=IsFlagged)

    def _build(self, name: str, *arguments: str, **options: object) -> list[str]:
        _binary, *rest = self.generate_cmd_string(name, *arguments, **options)
        return [*self._command, *rest]
