"""One task: what of the bundle it runs, and a process without secrets that runs it."""

import asyncio
import os
import signal
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from playground.databricks import task_process
from playground.databricks.call import Json
from playground.databricks.files import plain
from playground.databricks.state import Workspace
from playground.databricks.task_files import (
    CannotRunError,
    bundle_root,
    fixture,
    lay_out,
    libraries,
    scripts,
    unpack_wheels,
    write_order,
)

LONGEST = 300.0
"""Seconds that a task may take, whatever its own limit is."""
KEPT = 2 * 2**20
PATH = "/usr/bin:/bin"
Order = Callable[[Path], Path]
"""Lays a task out in an empty folder and returns the file that says what to do."""


@dataclass(frozen=True)
class Outcome:
    """How a task ended: what it printed, and why it failed."""

    output: str
    message: str
    succeeded: bool


def job_task(workspace: Workspace, settings: Json, task: Json) -> Order:
    """Return how to run a job's task; kinds of tasks that nothing here can run are refused."""
    wheel, script = task.get("python_wheel_task"), task.get("spark_python_task")
    root = bundle_root(settings)
    if wheel:
        return lambda folder: _wheel_task(workspace, root, (settings, task, wheel), folder)
    if script:
        return lambda folder: _script_task(workspace, root, (task, script), folder)
    kinds = [key for key in task if key.endswith("_task")]
    raise CannotRunError(f"{' and '.join(kinds) or 'a task without work'} cannot run here")


def _wheel_task(
    workspace: Workspace, root: str, told: tuple[Json, Json, Json], folder: Path
) -> Path:
    settings, task, wheel = told
    project = lay_out(workspace, root, folder)
    wheels = unpack_wheels(workspace, libraries(settings, task), folder)
    package, name = str(wheel["package_name"]), str(wheel["entry_point"])
    order = {
        "paths": wheels or [str(project / "src")],
        "scripts": {} if wheels else scripts(project),
        "package": package,
        "entry_point": name,
        "arguments": _arguments(wheel, fixture(project, str(task["task_key"]), name)),
    }
    return write_order(folder, order)


def _arguments(task: Json, sample: Path) -> list[str]:
    named = task.get("named_parameters") or {}
    given = [str(each) for each in task.get("parameters") or []]
    return [*given, *(f"--{key}={value}" for key, value in named.items()), f"--fixture={sample}"]


def _script_task(workspace: Workspace, root: str, told: tuple[Json, Json], folder: Path) -> Path:
    task, script = told
    project = lay_out(workspace, root, folder)
    inside = plain(str(script["python_file"])).removeprefix(f"{root}/files/")
    if not (project / inside).is_file():
        raise CannotRunError(f"{script['python_file']} does not exist")
    sample = fixture(project, str(task["task_key"]), Path(inside).stem)
    order = {
        "paths": [str((project / inside).parent), str(project / "src")],
        "file": str(project / inside),
        "arguments": _arguments(script, sample),
    }
    return write_order(folder, order)


def pipeline_task(workspace: Workspace, spec: Json) -> Order:
    """Return how to run a pipeline: by the script that its configuration names, else `main`."""
    root = bundle_root(spec)
    name = str((spec.get("configuration") or {}).get("fixture_entry_point", "main"))

    def lay(folder: Path) -> Path:
        project = lay_out(workspace, root, folder)
        known = scripts(project)
        if name not in known:
            raise CannotRunError(f"the project has no console script {name} to run on a fixture")
        inside = plain(str(spec.get("root_path") or f"{root}/files/src"))
        order = {
            "paths": [str(project / inside.removeprefix(f"{root}/files/")), str(project / "src")],
            "scripts": known,
            "package": known[name].partition(".")[0],
            "entry_point": name,
            "arguments": [f"--fixture={fixture(project, name)}"],
        }
        return write_order(folder, order)

    return lay


async def perform(order: Order, login: dict[str, str]) -> Outcome:
    """Run a task to its end in a process of its own, which sees its files and login only."""
    with tempfile.TemporaryDirectory(prefix="task-") as held:
        folder = Path(held)
        file = order(folder)
        environment = {"PATH": PATH, "HOME": held, "TMPDIR": held, "LANG": "C.UTF-8", **login}
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-I",
            "-W",
            "ignore",
            task_process.__file__,
            str(file),
            cwd=folder / "project",
            env=environment,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            printed, _ = await asyncio.wait_for(process.communicate(), LONGEST)
        except TimeoutError:
            return Outcome("", f"Timed out after {LONGEST:.0f} seconds", succeeded=False)
        finally:
            await _end(process)
    return _outcome(process.returncode, printed.decode(errors="replace")[-KEPT:])


async def _end(process: asyncio.subprocess.Process) -> None:
    if process.returncode is None:
        os.killpg(process.pid, signal.SIGKILL)
        await process.wait()


def _outcome(code: int | None, printed: str) -> Outcome:
    if code == 0:
        return Outcome(printed, "", succeeded=True)
    last = [line.strip() for line in printed.splitlines() if line.strip()]
    said = last[-1] if last else "no output"
    return Outcome(printed, f"{said} (exit code {code})", succeeded=False)
