"""A test that skips without being on the list fails the run; in CI every skipped test does."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from house import ROOT
from skips import COMMITTED, promises

TESTS = """
import pytest

def test_runs():
    assert 1 + 1 == 2

def test_needs_a_browser():
    pytest.skip("no browser is installed")

def test_is_expected_to_fail():
    pytest.xfail("some day")
"""
BROWSER = "*test_needs_a_browser | no browser\n"
SOME_DAY = "*test_is_expected_to_fail | some day\n"


def run(folder: Path, listed: str, ci: str = "", workers: int = 0) -> tuple[int, str]:
    """Run the tests above with a list of their own; return the exit code and what was said."""
    plugin = (ROOT / "tests" / "skips.py").read_text()
    for name, content in {
        "skips.py": plugin,
        "skipped.txt": listed,
        "conftest.py": 'pytest_plugins = ["skips"]\n',
        "pytest.ini": "[pytest]\n",
        "test_some.py": TESTS,
    }.items():
        (folder / name).write_text(content)
    plugins = ["-p", "xdist", "-n", str(workers)] if workers else []
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *plugins, folder],
        cwd=folder,
        env={"PATH": os.defpath, "CI": ci, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


def test_listed_skips_pass(tmp_path: Path) -> None:
    code, said = run(tmp_path, BROWSER + SOME_DAY)
    assert (code, "1 passed, 1 skipped, 1 xfailed" in said) == (0, True), said


@pytest.mark.parametrize("workers", [0, 1])
def test_an_unlisted_skip_fails_the_run(tmp_path: Path, workers: int) -> None:
    code, said = run(tmp_path, SOME_DAY, workers=workers)
    assert code == 1, said
    assert "MAY NOT BE: test_some.py::test_needs_a_browser (Skipped: no browser" in said


def test_a_test_skipped_for_another_reason_fails_the_run(tmp_path: Path) -> None:
    code, said = run(tmp_path, BROWSER.replace("no browser", "no database") + SOME_DAY)
    assert code == 1, said


def test_an_expected_failure_counts_as_skipped(tmp_path: Path) -> None:
    code, said = run(tmp_path, BROWSER)
    assert code == 1, said
    assert "MAY NOT BE: test_some.py::test_is_expected_to_fail" in said


def test_in_ci_even_listed_skips_fail_the_run(tmp_path: Path) -> None:
    code, said = run(tmp_path, BROWSER + SOME_DAY, ci="true")
    assert code == 1, said


def test_a_list_without_reasons_is_refused() -> None:
    with pytest.raises(ValueError, match="gives no reason"):
        promises("tests/browser/*")


def test_the_committed_list_can_be_read() -> None:
    assert all(promise.tests and promise.reason for promise in promises(COMMITTED.read_text()))
