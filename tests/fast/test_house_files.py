"""Files stay small, are named for what they do, and name neither machines nor package hosts."""

import ast
import re
from collections.abc import Iterator

import pytest
from house import ROOT, dotted, files, name, python_files, text, tree

MOST_LINES = 399
VAGUE = ("manager", "handler", "helper", "util", "common", "misc")
HOSTS = [
    ".".join(parts)
    for parts in (
        ("pypi", "org"),
        ("pythonhosted", "org"),
        ("registry", "npmjs", "org"),
        ("registry", "terraform", "io"),
        ("releases", "hashicorp", "com"),
        ("proxy", "golang", "org"),
        ("crates", "io"),
        ("docker", "io"),
        ("ghcr", "io"),
        ("quay", "io"),
        ("deb", "debian", "org"),
        ("archive", "ubuntu", "com"),
    )
]
HOST = re.compile("|".join(rf"\b{re.escape(host)}\b" for host in HOSTS), re.IGNORECASE)
MACHINE = re.compile(r"(?<![\w.>:}/-])/(?:home|mnt|root|Users|work|workspace)/[a-z]")
WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z0-9]+")


def vague(label: str) -> bool:
    """Tell whether a module's or class's name hides what it does."""
    words = [word.lower().removesuffix("s") for word in WORD.findall(label)]
    return any(word in VAGUE for word in words)


def classes(module: ast.Module) -> Iterator[str]:
    """Return the names of the classes that a module defines."""
    return (node.name for node in ast.walk(module) if isinstance(node, ast.ClassDef))


def mentions(module: ast.Module, word: str) -> Iterator[int]:
    """Return the lines of code, comments apart, that have a word in a name or a text."""
    for node in ast.walk(module):
        said = ""
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            said = node.value
        elif isinstance(node, ast.Name | ast.Attribute):
            said = dotted(node)
        elif isinstance(node, ast.Import):
            said = " ".join(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            said = f"{node.module} {' '.join(alias.name for alias in node.names)}"
        elif isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            said = node.name
        if word in said.lower():
            yield getattr(node, "lineno", 1)


def test_files_stay_under_400_lines() -> None:
    lengths = {name(path): len(text(path).splitlines()) for path in python_files()}
    assert {path: lines for path, lines in lengths.items() if lines > MOST_LINES} == {}


def test_modules_are_named_for_what_they_do() -> None:
    modules = [path.relative_to(ROOT).with_suffix("") for path in python_files()]
    assert [str(module) for module in modules if any(map(vague, module.parts))] == []


def test_classes_are_named_for_what_they_do() -> None:
    named = {(name(path), one) for path in python_files() for one in classes(tree(path))}
    assert {(path, one) for path, one in named if vague(one)} == set()


@pytest.mark.parametrize("label", ["RunManager", "helpers", "string_utils", "HTTPHandler", "misc"])
def test_a_vague_name_is_noticed(label: str) -> None:
    assert vague(label)


@pytest.mark.parametrize("label", ["Command", "uncommon", "miscount", "rate_limits", "Handled"])
def test_a_plain_name_is_not_called_vague(label: str) -> None:
    assert not vague(label)


def test_no_file_names_a_host_that_serves_packages() -> None:
    found = {name(path): found[0] for path in files() if (found := HOST.search(text(path)))}
    assert found == {}


def test_no_file_names_a_path_of_somebodys_machine() -> None:
    found = {name(path): found[0] for path in files() if (found := MACHINE.search(text(path)))}
    assert found == {}


def test_named_hosts_and_paths_are_noticed() -> None:
    assert HOST.search(f"https://files.{HOSTS[1]}/packages")
    assert not HOST.search("https://docs.example.org/docker")
    for start in ("/ho" + "me/ada", "(/ro" + "ot/x", '"/Us' + "ers/ada"):
        assert MACHINE.search(start)


@pytest.mark.parametrize("package", ["bot", "commands", "provisioning"])
def test_the_bot_knows_no_stand_in_world(package: str) -> None:
    found = {
        (name(path), line)
        for path in python_files(package)
        for line in mentions(tree(path), "playground")
    }
    assert found == set()
    others = [path for path in files() if path.relative_to(ROOT).parts[0] == package]
    assert [name(path) for path in others if "playground" in text(path).lower()] == []


@pytest.mark.parametrize(
    "code",
    [
        "import playground.cast",
        "from playground import cast",
        "x = 'the playground'",
        "playground.x",
    ],
)
def test_a_mention_of_the_stand_in_world_is_noticed(code: str) -> None:
    assert list(mentions(ast.parse(code), "playground"))
