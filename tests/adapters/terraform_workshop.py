"""A Terraform engine with modules that need no provider, and applies that wait at a gate.

The module makes one built-in resource for each name; then, if a gate is given, one that tells that
it was reached and waits until the gate (a FIFO) is opened; then a last one. Each run of the gate's
command leaves a line in `<gate>.passes`, so that tests can count how often it ran.
"""

import json
import os
import shutil
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from waiting import wait_until

from provisioning.adapters.local_terraform.engine import LocalTerraform
from provisioning.adapters.local_terraform.toolbox import Installation
from provisioning.redaction import SecretRedactor
from provisioning.runs import Outcome, Plan, Progress

MODULE = """
variable "names" { type = list(string) }
variable "gate" { type = string }
variable "command" { type = string }

resource "terraform_data" "each" {
  for_each = toset(var.names)
  input    = each.key
}

resource "terraform_data" "gate" {
  count      = var.gate == "" ? 0 : 1
  input      = var.gate
  depends_on = [terraform_data.each]

  provisioner "local-exec" {
    command = "echo pass >> ${self.input}.passes; read line < ${self.input}"
  }
}

resource "terraform_data" "last" {
  count      = var.command == "" ? 0 : 1
  input      = var.command
  depends_on = [terraform_data.gate]

  provisioner "local-exec" {
    command = self.input
  }
}

output "names" { value = [for each in terraform_data.each : each.output] }
"""
VARIABLES: dict[str, Any] = {
    "names": {"type": "list(string)"},
    "gate": {"type": "string", "default": ""},
    "command": {"type": "string", "default": ""},
    "password": {"type": "string", "default": "", "sensitive": True},
}
CALL = {name: f"${{var.{name}}}" for name in ("names", "gate", "command")}
ROOT: dict[str, Any] = {
    "variable": VARIABLES,
    "module": {"work": {"source": "./modules", **CALL}},
    "output": {
        "names": {"value": "${module.work.names}"},
        "password": {"value": "${var.password}", "sensitive": True},
    },
}


class Onlooker:
    """A watch that remembers what it was told and cancels when its wish is set."""

    def __init__(self) -> None:
        self.told: list[Progress] = []
        self.wish = threading.Event()

    def progress(self, progress: Progress) -> None:
        self.told.append(progress)

    def cancelled(self) -> bool:
        return self.wish.is_set()


class Gate:
    """Holds an apply until it is opened."""

    def __init__(self, folder: Path, name: str = "gate") -> None:
        self.path = folder / name
        os.mkfifo(self.path, 0o600)
        self._passes = Path(f"{self.path}.passes")

    def passes(self) -> int:
        """Return how often an apply has come to the gate."""
        return len(self._passes.read_text().splitlines()) if self._passes.exists() else 0

    def wait_until_reached(self) -> None:
        """Return when an apply waits at the gate."""
        wait_until(self.passes, seconds=20)

    def open(self) -> None:
        """Let whoever waits there go on."""
        with self.path.open("w") as gate:
            gate.write("go\n")


@dataclass
class Workshop:
    """A folder with modules, data and engines on it."""

    folder: Path
    engine: LocalTerraform = field(init=False)
    search_path: str = os.getenv("PATH", os.defpath)
    options: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.modules = self.folder / "modules"
        self.modules.mkdir(exist_ok=True)
        (self.modules / "main.tf").write_text(MODULE)
        self.data = self.folder / "data"
        self.engine = self.another_engine()

    def another_engine(self, **options: Any) -> LocalTerraform:
        """Return an engine as a later process would have it."""
        merged: dict[str, Any] = {
            "search_path": self.search_path,
            "grace": timedelta(seconds=30),
            "redact": SecretRedactor(),
            **self.options,
            **options,
        }
        return LocalTerraform(Installation(data=self.data, modules=self.modules, **merged))

    def prepare(
        self, project: str = "ada", adopt: Mapping[str, str] | None = None, **variables: Any
    ) -> None:
        """Write a project's root."""
        self.engine.prepare(project, root_files(adopt or {}, **variables))

    def make(self, project: str = "ada", run: str = "one", **variables: Any) -> Plan:
        """Prepare, plan and apply; return the plan."""
        self.prepare(project, **variables)
        plan = self.planned(project, run)
        assert self.engine.apply(project, run, Onlooker()).ending == "succeeded"
        return plan

    def planned(self, project: str = "ada", run: str = "one", *, destroy: bool = False) -> Plan:
        """Plan; return the plan."""
        outcome, plan = self.engine.plan(project, run, Onlooker(), destroy=destroy)
        assert plan is not None, outcome
        return plan

    def job(self, job: str, project: str = "ada", run: str = "one") -> Path:
        """Return the folder of a job."""
        return self.data / "projects" / project / "runs" / run / job

    def processes(self, job: str = "apply") -> dict[str, Any]:
        """Return who runs a job: keeper, child and their process group."""
        found: dict[str, Any] = json.loads((self.job(job) / "started.json").read_text())
        return found


def root_files(adopt: Mapping[str, str], **variables: Any) -> dict[str, str]:
    """Return the files of a root that calls the module."""
    root = dict(ROOT)
    if adopt:
        root["import"] = [{"to": to, "id": found} for to, found in adopt.items()]
    values = {"names": ["a", "b"], **variables}
    return {"main.tf.json": json.dumps(root), "terraform.tfvars.json": json.dumps(values)}


class InThread:
    """A call that runs beside the test; `result` waits for it."""

    def __init__(self, call: Callable[[], Outcome]) -> None:
        self._result: list[Outcome] = []
        self._thread = threading.Thread(target=lambda: self._result.append(call()), daemon=True)
        self._thread.start()

    def result(self) -> Outcome:
        """Return what the call returned."""
        self._thread.join(timeout=40)
        assert self._result, "the call has not returned, or has raised"
        return self._result[0]


def path_without_terraform(folder: Path) -> str:
    """Return a search path that holds a shell and nothing else."""
    tools = folder / "tools"
    tools.mkdir()
    shell = shutil.which("sh")
    assert shell
    (tools / "sh").symlink_to(shell)
    return str(tools)
