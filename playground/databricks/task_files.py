"""What a task runs on: the files and wheels of its bundle, laid out in a folder of its own."""

import json
import tomllib
import zipfile
from collections.abc import Iterator
from fnmatch import fnmatch
from io import BytesIO
from pathlib import Path

from playground.databricks.call import Json
from playground.databricks.files import plain
from playground.databricks.state import Workspace


class CannotRunError(Exception):
    """A task that has nothing to run here; the message says why."""


def bundle_root(settings: Json) -> str:
    """Return the root folder of the bundle that deployed a job or pipeline."""
    deployment = settings.get("deployment") or {}
    metadata = plain(str(deployment.get("metadata_file_path", "")))
    if not metadata.endswith("/state/metadata.json"):
        raise CannotRunError("only what a bundle deployed runs here: it brings code and fixtures")
    return metadata.removesuffix("/state/metadata.json")


def lay_out(workspace: Workspace, root: str, folder: Path) -> Path:
    """Write the bundle's uploaded files below `folder` and return where they are."""
    project = folder / "project"
    project.mkdir()
    prefix = f"{root}/files/"
    for path, node in workspace.nodes.items():
        if node.kind == "FILE" and path.startswith(prefix):
            file = project / path.removeprefix(prefix)
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(node.content)
    return project


def unpack_wheels(workspace: Workspace, wanted: list[str], folder: Path) -> list[str]:
    """Unpack wheels of the workspace below `folder`; return the folders to import from."""
    unpacked: list[str] = []
    for number, path in enumerate(_wheels(workspace, wanted)):
        target = folder / f"wheel-{number}"
        try:
            with zipfile.ZipFile(BytesIO(workspace.nodes[path].content)) as archive:
                archive.extractall(target)
        except zipfile.BadZipFile as error:
            raise CannotRunError(f"{path} is no wheel") from error
        unpacked.append(str(target))
    return unpacked


def _wheels(workspace: Workspace, wanted: list[str]) -> Iterator[str]:
    for pattern in map(plain, wanted):
        found = [path for path in workspace.nodes if fnmatch(path, pattern)]
        if not found:
            raise CannotRunError(f"Library installation failed: {pattern} does not exist")
        yield from found


def libraries(settings: Json, task: Json) -> list[str]:
    """Return the wheels that a task asks for, by its libraries or its environment."""
    named = [str(each["whl"]) for each in task.get("libraries") or [] if each.get("whl")]
    for environment in settings.get("environments") or []:
        if environment["environment_key"] == task.get("environment_key"):
            spec = environment.get("spec") or {}
            named += [str(each) for each in spec.get("dependencies") or []]
    return [each for each in named if each.endswith(".whl")]


def fixture(project: Path, *names: str) -> Path:
    """Return what `--fixture` is for a task: its own file, else the only one, else the folder."""
    folder = project / "fixtures"
    files = sorted(each for each in folder.glob("*") if each.is_file()) if folder.is_dir() else []
    if not files:
        raise CannotRunError("the bundle brings no fixtures/ to run on")
    for name in names:
        own = [each for each in files if each.stem == name]
        if own:
            return own[0]
    return files[0] if len(files) == 1 else folder


def scripts(project: Path) -> dict[str, str]:
    """Return the console scripts that the project's own pyproject.toml names."""
    try:
        told = tomllib.loads((project / "pyproject.toml").read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    found = (told.get("project") or {}).get("scripts") or {}
    return {str(name): str(value) for name, value in found.items()}


def write_order(folder: Path, order: Json) -> Path:
    """Write what the task's process is to do; return the file."""
    file = folder / "task.json"
    file.write_text(json.dumps(order), "utf-8")
    return file
