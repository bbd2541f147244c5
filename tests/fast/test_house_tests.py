"""Tests assert something about the real thing: nothing is patched, and nobody sleeps."""

import ast
import re
from collections.abc import Iterator

import pytest
from house import PRODUCT, dotted, name, python_files, tree

Function = ast.FunctionDef | ast.AsyncFunctionDef
ASSERTING = {"expect", "pytest.fail", "pytest.raises", "pytest.warns"}
PATCHING = re.compile(r"(^|\.)(mock|monkeypatch\.setattr|monkeypatch\.setitem)(\.|$)")
SLEEPING = {"time.sleep", "asyncio.sleep"}


def functions(module: ast.AST) -> Iterator[Function]:
    """Return every function below a node."""
    return (node for node in ast.walk(module) if isinstance(node, Function))


def called(function: ast.AST) -> set[str]:
    """Return the names that a function calls, with and without what is before the last dot."""
    names = {dotted(node.func) for node in ast.walk(function) if isinstance(node, ast.Call)}
    return names | {full.rpartition(".")[2] for full in names}


def asserts(function: ast.AST) -> bool:
    """Tell whether a function itself can fail a test; `assert True` cannot."""
    said = [node for node in ast.walk(function) if isinstance(node, ast.Assert)]
    raised = [
        node
        for node in ast.walk(function)
        if isinstance(node, ast.Raise) and node.exc and "AssertionError" in ast.unparse(node.exc)
    ]
    real = [node for node in said if not isinstance(node.test, ast.Constant)]
    return bool(real or raised or called(function) & ASSERTING)


def asserting(known: list[Function]) -> set[str]:
    """Return the names of functions that assert, themselves or through what they call."""
    found = {function.name for function in known if asserts(function)}
    calls = {function.name: called(function) for function in known}
    while more := {one for one in calls if one not in found and calls[one] & found}:
        found |= more
    return found


def silent(modules: dict[str, ast.Module]) -> set[tuple[str, str]]:
    """Return the tests that can never fail."""
    known = [function for module in modules.values() for function in functions(module)]
    supporting = [function for function in known if not function.name.startswith("test_")]
    enough = asserting(supporting)
    return {
        (path, function.name)
        for path, module in modules.items()
        for function in functions(module)
        if function.name.startswith("test_")
        and not asserts(function)
        and not called(function) & enough
    }


def uses(module: ast.Module) -> Iterator[str]:
    """Return every dotted name that a module uses or imports."""
    for node in ast.walk(module):
        if isinstance(node, ast.Attribute | ast.Name):
            yield dotted(node)
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def test_every_test_can_fail() -> None:
    tests = {name(path): tree(path) for path in python_files("tests")}
    assert silent(tests) == set()


@pytest.mark.parametrize("body", ["run()", "assert True", "assert 'x'", "result = 1"])
def test_a_test_that_cannot_fail_is_noticed(body: str) -> None:
    module = ast.parse(f"def run(): ...\ndef test_it():\n    {body}")
    assert silent({"x.py": module}) == {("x.py", "test_it")}


@pytest.mark.parametrize("body", ["assert run()", "deep()", "raise AssertionError", "expect(1)"])
def test_a_test_that_can_fail_is_left_alone(body: str) -> None:
    module = ast.parse(
        f"def run():\n    assert x\ndef deep():\n    run()\ndef test_it():\n    {body}"
    )
    assert silent({"x.py": module}) == set()


def test_nothing_is_patched() -> None:
    found = {
        (name(path), used)
        for path in python_files()
        for used in uses(tree(path))
        if PATCHING.search(used)
    }
    assert found == set()


@pytest.mark.parametrize(
    "code",
    ["from unittest import mock", "import unittest.mock", "monkeypatch.setattr(a, 'b', 1)"],
)
def test_patching_is_noticed(code: str) -> None:
    assert any(PATCHING.search(used) for used in uses(ast.parse(code)))


def test_no_test_sleeps() -> None:
    found = {
        (name(path), used)
        for path in python_files("tests")
        for used in uses(tree(path))
        if used in SLEEPING
    }
    assert found == set()


def test_the_product_never_blocks_on_time() -> None:
    found = {name(path) for path in python_files(*PRODUCT) if "time.sleep" in set(uses(tree(path)))}
    assert found == set()
