"""Projects' specifications in their repositories: who merged what, and checks on pull requests.

Sources: docs.github.com/rest/commits/commits, /rest/checks/runs (at most 50 annotations each time).
"""

import base64
from collections.abc import Sequence
from typing import Any

from provisioning.adapters.github.connection import Connection
from provisioning.adapters.github.protection_rule import repository_path
from provisioning.spec_file import FILE, Problem
from provisioning.spec_file_ports import Merge, Proposed

CHECK = "sciclops/specification"
MAIN = "main"
MOST_COMMITS = 30
MOST_ANNOTATIONS = 50
LONGEST_TITLE = 200

Json = Any


class GitHubSpecFiles:
    """Implements the port `SpecFiles`; safe for several threads."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def newest(self, project: str) -> str:
        """Return the newest commit of `main` that changed the file; empty if none ever did."""
        with self._connection.doing(f"look for changes of {FILE} in {project}"):
            commits = self._commits(project)
        return str(commits[0]["sha"]) if commits else ""

    def next_merge(self, project: str, after: str) -> Merge | None:
        """Return the first change of the file that came after a commit, or after nothing."""
        with self._connection.doing(f"read the changes of {FILE} in {project}"):
            shas = [str(one["sha"]) for one in self._commits(project)]
            new = shas[: shas.index(after)] if after in shas else shas
            return self._merge(project, new[-1]) if new else None

    def _commits(self, project: str) -> list[Json]:
        asked = f"sha={MAIN}&path={FILE}&per_page={MOST_COMMITS}"
        return self._connection.get_again(f"{self._path(project)}/commits?{asked}") or []

    def _merge(self, project: str, commit: str) -> Merge:
        number = self._pull_that_brought(project, commit)
        if not number:
            content = self._content(project, commit)
            return Merge(commit=commit, merged=commit, content=content)
        pull = self._connection.get(f"{self._path(project)}/pulls/{number}")
        merged = str(pull["merge_commit_sha"])
        return Merge(
            commit=commit,
            merged=merged,
            content=self._content(project, merged),
            login=(pull["merged_by"] or {}).get("login", ""),
            author=(pull["user"] or {}).get("login", ""),
            number=number,
            url=pull["html_url"],
        )

    def _pull_that_brought(self, project: str, commit: str) -> int:
        pulls = self._connection.get(f"{self._path(project)}/commits/{commit}/pulls") or []
        found = [one for one in pulls if one["merged_at"] and one["base"]["ref"] == MAIN]
        return int(found[0]["number"]) if found else 0

    def open_pulls(self, project: str) -> tuple[Proposed, ...]:
        """Return the open pull requests to `main`; asked again, unchanged ones cost nothing."""
        asked = f"state=open&base={MAIN}&sort=created&direction=desc&per_page=50"
        with self._connection.doing(f"list pull requests of {project}"):
            found = self._connection.get_again(f"{self._path(project)}/pulls?{asked}") or []
        return tuple(
            Proposed(
                number=one["number"],
                head=one["head"]["sha"],
                author=(one["user"] or {}).get("login", ""),
            )
            for one in found
        )

    def proposal(self, project: str, pull: Proposed) -> tuple[bytes | None, bytes | None] | None:
        """Return what the file says where a pull request branched off, and what it would say."""
        with self._connection.doing(f"read {FILE} of pull request {pull.number} of {project}"):
            where = f"{self._path(project)}/compare/{MAIN}...{pull.head}?per_page=1"
            compared = self._connection.get(where)
            if compared is None:
                return None
            before = self._content(project, str(compared["merge_base_commit"]["sha"]))
            after = self._content(project, pull.head)
        return None if before == after else (before, after)

    def _content(self, project: str, commit: str) -> bytes | None:
        found = self._connection.get(f"{self._path(project)}/contents/{FILE}?ref={commit}")
        if not isinstance(found, dict) or found.get("type") != "file":
            return None
        if found.get("encoding") == "none":  # GitHub sends no more than 1 MB here
            return b"#" * int(found["size"])
        return base64.b64decode(found["content"])

    def report(self, project: str, head: str, summary: str, problems: Sequence[Problem]) -> None:
        """Show a check on a commit: failed where there are problems, each beside its line."""
        first = problems[0].what if problems else "This may be merged"
        wanted = {
            "name": CHECK,
            "head_sha": head,
            "status": "completed",
            "conclusion": "failure" if problems else "success",
            "output": {
                "title": first[:LONGEST_TITLE],
                "summary": summary,
                "annotations": [_annotation(one) for one in problems[:MOST_ANNOTATIONS]],
            },
        }
        with self._connection.doing(f"report on {FILE} in {project}"):
            self._connection.write("POST", f"{self._path(project)}/check-runs", wanted)

    def _path(self, project: str) -> str:
        return repository_path(self._connection, project)


def _annotation(problem: Problem) -> Json:
    return {
        "path": FILE,
        "start_line": problem.line,
        "end_line": problem.line,
        "annotation_level": "failure",
        "message": problem.what,
    }
