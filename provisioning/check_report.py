"""What a check of a project has found: as a table for people, as JSON for programs, as text.

Failures come first. What passed is counted, unless it has something to tell.
"""

import json
from datetime import datetime
from typing import Literal

from provisioning.ports import Finding
from provisioning.text import Frozen, Notice, Table, Text, bold, moment, plain, say

ROOM = 10_500
"""What the table's rows may take: Slack takes messages of about 13,200 characters of JSON."""
ROW = 400
"""What a row takes beside its words."""
LONGEST_CELL = 180
"""Characters of what is wrong, and of what to do, that a row shows; the file has them all."""

Result = Literal["failed", "could not be asked", "passed"]


class Report(Frozen):
    """The findings about one project; `under_way` says that a run is changing it just now."""

    project: str
    at: datetime
    findings: tuple[Finding, ...]
    under_way: bool = False

    @property
    def passed(self) -> bool:
        """Tell whether everything was asked, and is as it should be."""
        return all(finding.passed for finding in self.findings)

    def of(self, result: Result) -> tuple[Finding, ...]:
        """Return the findings with one result."""
        return tuple(finding for finding in self.findings if result_of(finding) == result)


def result_of(finding: Finding) -> Result:
    """Return how a check came out: what nobody could be asked about has not passed."""
    if finding.passed:
        return "passed"
    return "failed" if finding.asked else "could not be asked"


def headline(report: Report) -> str:
    """Say in one line how it came out."""
    failed, unasked = len(report.of("failed")), len(report.of("could not be asked"))
    passed = f"{len(report.of('passed'))} of {len(report.findings)} checks passed"
    parts = [f"{failed} failed"] if failed else []
    parts += [f"{unasked} could not be asked"] if unasked else []
    return ", ".join((passed, *parts))


def notice(report: Report) -> Notice:
    """Return the table for the person who asked."""
    said = headline(report)
    rows, left_out = _rows(report)
    return Notice(
        summary=f"Check of {report.project}: {said}",
        title=f"Check · {report.project}",
        body=(say(bold(said), " · ", moment(report.at)), *_remarks(report, left_out)),
        table=Table(header=("Check", "Result", "What to do"), rows=rows),
    )


def _rows(report: Report) -> tuple[tuple[tuple[Text, ...], ...], int]:
    """Return the rows, failures first, and how many failures had no place among them."""
    wrong = (*report.of("failed"), *report.of("could not be asked"))
    telling = [finding for finding in report.of("passed") if finding.detail]
    silent = len(report.of("passed")) - len(telling)
    shown, room = [], ROOM
    for finding in (*wrong, *telling):
        row = _row(finding)
        room -= ROW + sum(len(plain(cell)) for cell in row)
        if room < 0:
            break
        shown.append(row)
    rows = list(shown)
    if silent:
        others = "Everything else that was asked" if rows else "Everything that was asked"
        rows.append((say(others), say(f"{silent} passed"), say("")))
    return tuple(rows), max(len(wrong) - len(shown), 0)


def _row(finding: Finding) -> tuple[Text, ...]:
    result = result_of(finding)
    detail = f": {_cut(finding.detail)}" if finding.detail else ""
    told = say("passed", detail) if finding.passed else say(bold(result), detail)
    return say(_cut(finding.check)), told, say(_cut(finding.remedy))


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST_CELL else f"{text[: LONGEST_CELL - 1]}…"


def _remarks(report: Report, left_out: int) -> tuple[Text, ...]:
    remarks = []
    if left_out:
        remarks.append(say(f"{left_out} more are in the file of the same check with --json."))
    if report.under_way:
        remarks.append(say("A run is changing this project just now: check again at its end."))
    return tuple(remarks)


def as_json(report: Report) -> str:
    """Return everything for programs; `passed` is the one thing that CI has to look at."""
    told = {
        "project": report.project,
        "at": report.at.isoformat(),
        "passed": report.passed,
        "under_way": report.under_way,
        "checks": [
            {
                "check": finding.check,
                "result": result_of(finding).replace(" ", "_"),
                "detail": finding.detail,
                "remedy": finding.remedy,
            }
            for finding in report.findings
        ],
    }
    return json.dumps(told, indent=2, ensure_ascii=False) + "\n"


def as_text(report: Report) -> str:
    """Return what is wrong and what tells something, a line or two each, for a terminal."""
    lines = [f"{report.project}: {headline(report)}"]
    wrong = (*report.of("failed"), *report.of("could not be asked"))
    for finding in (*wrong, *(each for each in report.of("passed") if each.detail)):
        detail = f": {finding.detail}" if finding.detail else ""
        lines.append(f"  {result_of(finding)}  {finding.check}{detail}")
        lines += [f"      {finding.remedy}"] if finding.remedy else []
    return "\n".join(lines)
