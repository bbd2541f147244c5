"""A skipped test is a promise: those of a run have to be in `tests/skipped.txt`, none in CI.

A line of the file is a pattern of test ids, a bar, and words of the reason for skipping them.
"""

import os
from collections.abc import Generator
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path

import pytest

COMMITTED = Path(__file__).parent / "skipped.txt"


@dataclass(frozen=True)
class Promise:
    """Tests that may be skipped for a reason."""

    tests: str
    reason: str

    def covers(self, test: str, reason: str) -> bool:
        """Tell whether a skipped test was to be expected."""
        return fnmatchcase(test, self.tests) and self.reason in reason


def promises(lines: str) -> tuple[Promise, ...]:
    """Return what a list says; raises ValueError for a line without a reason."""
    said = []
    for line in lines.splitlines():
        tests, bar, reason = (part.strip() for part in line.partition("|"))
        if tests and not tests.startswith("#"):
            if not (bar and reason):
                raise ValueError(f"skipped.txt: {line!r} gives no reason")
            said.append(Promise(tests, reason))
    return tuple(said)


@dataclass(eq=False)
class Skips:
    """The pytest plugin: notes what is skipped and fails the run for what may not be."""

    allowed: tuple[Promise, ...]
    skipped: dict[str, str] = field(default_factory=dict)

    def unexpected(self) -> dict[str, str]:
        """Return the tests that were skipped against the list, with the reasons."""
        return {
            test: reason
            for test, reason in self.skipped.items()
            if not any(promise.covers(test, reason) for promise in self.allowed)
        }

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Note a test that was skipped, or that was expected to fail."""
        if report.skipped:
            self.skipped[report.nodeid] = _reason(report.longrepr)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Note a whole module that was skipped."""
        if report.skipped:
            self.skipped[report.nodeid] = _reason(report.longrepr)

    @pytest.hookimpl(wrapper=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> Generator[None, None, None]:
        """Fail the run if a test was skipped that may not be."""
        if self.unexpected() and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED
        yield

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Name the tests that may not be skipped."""
        for test, reason in self.unexpected().items():
            terminalreporter.write_line(f"SKIPPED, BUT MAY NOT BE: {test} ({reason})", red=True)


def pytest_configure(config: pytest.Config) -> None:
    """Take part in every run; in CI nothing may be skipped."""
    in_ci = os.getenv("CI") == "true"
    allowed = () if in_ci else promises(COMMITTED.read_text())
    config.pluginmanager.register(Skips(allowed), "skips-of-the-house")


def _reason(longrepr: object) -> str:
    return str(longrepr[2]) if isinstance(longrepr, tuple) else str(longrepr)
