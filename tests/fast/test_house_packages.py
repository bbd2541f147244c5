"""What is imported is declared, what is installed is pinned, and a wheel holds what it needs."""

import ast
import re
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path
from shutil import copyfile
from typing import Any

import pytest
from house import PRODUCT, ROOT, files, name, python_files, tree

PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())
EVERYTHING, PLAY = "requirements.lock", "requirements-play.lock"
OURS = {*PRODUCT, *(path.stem for path in python_files("tests", "benchmarks"))}
NAMESPACES = ("google.protobuf", "databricks.bundles", "databricks.sdk")
INSTALLED = packages_distributions()


def plain(requirement: str) -> str:
    """Return a distribution's name as package indexes compare it."""
    return re.sub(r"[-_.]+", "-", re.split(r"[\s\[<>=;!~]", requirement)[0]).lower()


def declared(*extras: str, groups: tuple[str, ...] = ()) -> set[str]:
    """Return the distributions that the project asks for."""
    project = PROJECT["project"]
    asked = [*project["dependencies"]]
    asked += [one for extra in extras for one in project["optional-dependencies"][extra]]
    asked += [one for group in groups for one in PROJECT["dependency-groups"][group]]
    return {plain(one) for one in asked if isinstance(one, str)}


def imported(module: ast.Module) -> Iterator[str]:
    """Return the modules that a module imports from elsewhere."""
    for node in ast.walk(module):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module


def foreign(*folders: str) -> set[str]:
    """Return the top packages of others that some folders import."""
    tops = {
        next((space for space in NAMESPACES if found.startswith(space)), found.partition(".")[0])
        for path in python_files(*folders)
        for found in imported(tree(path))
    }
    return tops - OURS - sys.stdlib_module_names


def undeclared(packages: set[str], allowed: set[str]) -> set[str]:
    """Return the packages that no declared distribution brings."""
    return {
        one
        for one in packages
        if one.replace(".", "-") not in allowed
        and not {plain(owner) for owner in INSTALLED.get(one.partition(".")[0], ())} & allowed
    }


def pinned(lock: str) -> dict[str, str]:
    """Return what a lock file pins; fails for a line that isn't a pin with hashes."""
    pins: dict[str, str] = {}
    for entry in re.split(r"\n(?=\S)", (ROOT / lock).read_text().strip()):
        found = re.match(r"([a-z0-9-]+)==(\S+)", entry)
        assert found, entry
        assert re.search(r"--hash=sha256:[0-9a-f]{64}", entry), found[1]
        pins[found[1]] = found[2]
    return pins


def test_the_bot_declares_what_it_imports() -> None:
    assert undeclared(foreign("bot", "commands", "provisioning"), declared("terraform")) == set()


def test_the_stand_ins_declare_what_they_import() -> None:
    assert undeclared(foreign("playground"), declared("playground")) == set()


def test_the_tests_declare_what_they_import() -> None:
    allowed = declared("playground", groups=("dev",))
    assert undeclared(foreign("tests", "benchmarks"), allowed) == set()


def test_an_undeclared_import_is_noticed() -> None:
    found = set(imported(ast.parse("import mako.template\nfrom aiohttp import web")))
    assert undeclared({one.partition(".")[0] for one in found}, declared()) == {"mako"}


@pytest.mark.parametrize("lock", [EVERYTHING, PLAY])
def test_every_pin_has_its_hashes_and_names_no_host(lock: str) -> None:
    assert {"setuptools", "uv"} <= set(pinned(lock))
    assert "://" not in (ROOT / lock).read_text()


def test_locks_pin_what_is_declared() -> None:
    playing = declared("terraform", "playground", groups=("build",))
    assert playing - set(pinned(PLAY)) == set()
    assert (playing | declared(groups=("dev",))) - set(pinned(EVERYTHING)) == set()


def test_playing_installs_a_part_of_everything() -> None:
    assert pinned(PLAY).items() <= pinned(EVERYTHING).items()
    assert {"hypothesis", "mypy", "playwright", "zizmor"} & set(pinned(PLAY)) == set()


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the unpacked wheel of a copy of the project."""
    source, built = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("built")
    for path in files():
        if path.relative_to(ROOT).parts[0] != "tests":
            copy = source / name(path)
            copy.parent.mkdir(parents=True, exist_ok=True)
            copyfile(path, copy)
    build = "from setuptools.build_meta import build_wheel; import sys; build_wheel(sys.argv[1])"
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", build, built],
        cwd=source,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    unpacked = tmp_path_factory.mktemp("wheel")
    with zipfile.ZipFile(next(built.glob("*.whl"))) as archive:
        archive.extractall(unpacked)
    return unpacked


def test_a_wheel_holds_every_file_of_the_packages(wheel: Path) -> None:
    packed = (*PRODUCT, "bundle_templates")
    ours = {name(path) for path in files() if path.relative_to(ROOT).parts[0] in packed}
    held = {path.relative_to(wheel).as_posix() for path in wheel.rglob("*") if path.is_file()}
    assert ours - held == set()
    assert {one for one in held - ours if ".dist-info/" not in one} == set()


def test_an_installed_bot_finds_its_templates_and_modules(wheel: Path, tmp_path: Path) -> None:
    ask = "from bot.vendors import MODULES, TEMPLATES; print(MODULES); print(TEMPLATES)"
    done = subprocess.run(
        [sys.executable, "-c", ask],
        cwd=tmp_path,
        env={"PYTHONPATH": str(wheel)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    modules, templates = map(Path, done.stdout.split())
    assert (modules, templates) == (wheel / "provisioning/terraform", wheel / "bundle_templates")
    assert (modules / "project" / "main.tf").is_file()
    assert (templates / "job" / "databricks_template_schema.json").is_file()
