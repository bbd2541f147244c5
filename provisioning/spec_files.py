"""Specifications that people change in repositories: checked when proposed, begun when merged.

Level-triggered: a look compares what GitHub has with what was seen last, so it may happen twice,
late or after a crash. Merges are taken one after another, each once: by its commit.
"""

import logging
import threading
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from provisioning.errors import SciclopsError, TemporaryError, UserError
from provisioning.feasibility import UNCHECKED
from provisioning.linking import Linking
from provisioning.living import ready, require_quiet
from provisioning.operation import CHANGE, FromGitHub, operation_id
from provisioning.owners import Owners
from provisioning.project import ProjectSpec
from provisioning.requesting import Requesting
from provisioning.spec_change import differences
from provisioning.spec_file import (
    FILE,
    Problem,
    SpecFile,
    UnreadableError,
    proposed,
    read,
    refusals,
)
from provisioning.spec_file_ports import Merge, Proposed, SpecFiles
from provisioning.store import Filter, Followed, Message, Store
from provisioning.text import Notice, Span, Text, bold, code, link, person, say

log = logging.getLogger(__name__)

PERIOD = timedelta(seconds=30)
PROJECTS_AT_ONCE = 5
"""So many projects are looked at each half minute: most looks follow from a workflow run."""
MERGES_AT_ONCE = 10
TURN = "specification.page"
RULES = (
    "Whoever merges this must be an owner of the project, with their GitHub account linked: "
    "/sciclops link in Slack. The merge begins the same as /sciclops change: a plan comes first, "
    "and whoever confirms changes there confirms this one."
)
STALE = "Until it is reverted, the file says what is not so."

Objections = Callable[[ProjectSpec, ProjectSpec, str], Mapping[str, str]]
"""What stands in the way of a change by somebody, part to sentence: the rule of `change`."""


class LaterError(Exception):
    """A merge has to wait; it is looked at again."""


@dataclass(frozen=True)
class SpecificationFiles:
    """Looks at one project, or at those whose turn it is."""

    store: Store
    files: SpecFiles
    requesting: Requesting
    owners: Owners
    linking: Linking
    objections: Objections
    _turns: dict[str, threading.Lock] = field(default_factory=lambda: defaultdict(threading.Lock))

    def sweep(self) -> None:
        """Look at some projects, the next ones at the next time."""
        page = (self.store.memos.get(TURN) or {}).get("page", 0)
        found = self.store.projects.page(Filter(), number=page, size=PROJECTS_AT_ONCE)
        for project in found.rows:
            try:
                self.look(project.name)
            except SciclopsError as error:
                log.info("could not look at %s of %s: %s", FILE, project.name, error)
                if isinstance(error, TemporaryError) and error.after:
                    return  # GitHub wants to be left alone
        is_last = (page + 1) * PROJECTS_AT_ONCE >= found.total
        self.store.memos.set(TURN, {"page": 0 if is_last else page + 1})

    def seen(self, followed: Followed) -> None:
        """Look where a new workflow run tells of a push; a sweep does so again if that fails."""
        if followed.looks or followed.run.event not in ("push", "pull_request"):
            return
        try:
            self.look(followed.project)
        except SciclopsError as error:
            log.info("could not look at %s of %s: %s", FILE, followed.project, error)

    def look(self, project: str) -> None:
        """Take what was merged, check what is proposed; nothing for who is not ready."""
        row = self.store.projects.get(project)
        if row is None or row.state != "ready":
            return
        with self._turns[project]:
            self._take_merges(project)
            self._check_all(project)

    # ------------------------------------------------------------------ proposals

    def _check_all(self, project: str) -> None:
        """Check each open pull request, once for each commit on its branch."""
        key = f"specification-checks:{project}"
        known = self.store.memos.get(key) or {}
        pulls = {str(one.number): one for one in self.files.open_pulls(project)}
        checked = {number: head for number, head in known.items() if number in pulls}
        for number, pull in pulls.items():
            if checked.get(number) != pull.head:
                self._check(project, pull)
                checked[number] = pull.head
                self.store.memos.set(key, checked)
        if not pulls and known:
            self.store.memos.drop(key)

    def _check(self, project: str, pull: Proposed) -> None:
        contents = self.files.proposal(project, pull)
        if contents is None:
            return
        author = self.linking.person_of(pull.author) or ""
        problems = self._problems(self._present(project), *contents, author)
        self.files.report(project, pull.head, RULES, problems)

    def _problems(
        self, present: ProjectSpec, before: bytes | None, after: bytes | None, author: str
    ) -> tuple[Problem, ...]:
        """Return what a file must not say, line by line."""
        try:
            said = _read(after, present)
        except UnreadableError as unreadable:
            return unreadable.problems
        wanted = proposed(present, _specification(before, present), said.spec)
        return tuple(
            Problem(line=said.line(part), what=sentence)
            for part, sentence in self._refused(present, wanted, author).items()
        )

    def _refused(self, present: ProjectSpec, wanted: ProjectSpec, author: str) -> Mapping[str, str]:
        if not differences(present, wanted):
            return {}
        if refused := refusals(present, wanted, author):
            return refused
        found = self.objections(present, wanted, author)
        if unknown := [one for one in found.values() if one.startswith(UNCHECKED)]:
            raise TemporaryError(" ".join(unknown))
        return found

    # ------------------------------------------------------------------ merges

    def _take_merges(self, project: str) -> None:
        for _ in range(MERGES_AT_ONCE):
            known = self.store.memos.get(_seen(project)) or {}
            if self.files.newest(project) == known.get("commit", ""):
                return
            merge = self.files.next_merge(project, known.get("commit", ""))
            if merge is None:
                return
            try:
                self._take(project, merge, known.get("content"))
            except LaterError:
                return
            content = None if merge.content is None else merge.content.decode("utf-8", "replace")
            self.store.memos.set(_seen(project), {"commit": merge.commit, "content": content})

    def _take(self, project: str, merge: Merge, before: str | None) -> None:
        """Begin what a merge asks for, or say why not; raises `LaterError` if it has to wait."""
        present = self._present(project)
        try:
            said = _read(merge.content, present)
        except UnreadableError as unreadable:
            self._tell(project, merge, "refused", *(one.what for one in unreadable.problems))
            return
        old = _specification(None if before is None else before.encode(), present)
        wanted = proposed(present, old, said.spec)
        if not differences(present, wanted):
            return
        if not merge.login and before is None:
            return  # that is what we pushed ourselves
        if not merge.login:
            why = "It came without a pull request, so nobody knows who wants it."
            self._tell(project, merge, "refused", why)
            return
        by = self.linking.person_of(merge.login)
        if by is None:
            why = (
                f"Nobody has linked the GitHub account {merge.login}. Type /sciclops link; then "
                f"type /sciclops change {project}, or merge it anew."
            )
            self._tell(project, merge, "refused", why)
            return
        self._begin(project, merge, wanted, by)

    def _begin(self, project: str, merge: Merge, wanted: ProjectSpec, by: str) -> None:
        """Begin the change, as if it was asked for in Slack."""
        present = self._present(project)
        key = f"specification:{project}:{merge.merged}"
        if self.store.operations.get(operation_id(key)):
            return  # a crash kept us from noting it
        try:
            self._require_right(present, by)
        except UserError as unable:
            self._tell(project, merge, "refused", str(unable), by=by)
            return
        try:
            ready(self.store, project)
            require_quiet(self.store, project)
        except UserError as busy:
            self._wait(project, merge, str(busy), by)
        author = self.linking.person_of(merge.author) or ""
        refused = refusals(present, wanted, author) or self._refused(present, wanted, by)
        if refused:
            self._tell(project, merge, "refused", *refused.values(), by=by)
            return
        source = FromGitHub(login=merge.login, url=merge.url, number=merge.number)
        facts = {
            "before": present.model_dump(mode="json"),
            "from_github": source.model_dump(mode="json"),
        }
        try:
            self.requesting.begin(CHANGE, wanted, by=by, key=key, facts=facts)
        except UserError as busy:
            self._wait(project, merge, str(busy), by)
        self._tell(project, merge, "begun", "Its plan comes first.", by=by)

    def _require_right(self, present: ProjectSpec, by: str) -> None:
        """Refuse who could not type `change` either; raises `UserError`."""
        people, policy = self.owners.people, self.owners.policy
        if not people.is_active(by):
            raise UserError("Only full members of this workspace may use SciCLOps.")
        groups = (policy.users_group, policy.platform_group)
        if policy.users_group and not people.is_among(by, groups):
            raise UserError("They are not in the group of people who may use SciCLOps.")
        self.owners.require(present, by, "change", "can change it")

    def _wait(self, project: str, merge: Merge, why: str, by: str) -> None:
        self._tell(project, merge, "waiting", why, "It is begun once that is over.", by=by)
        raise LaterError

    def _present(self, project: str) -> ProjectSpec:
        return ProjectSpec.model_validate(ready(self.store, project).spec)

    def _tell(self, project: str, merge: Merge, state: str, *why: str, by: str = "") -> None:
        """Say what becomes of a merge: one message for each, which follows."""
        outcome = {
            "refused": "was refused, and nothing was changed.",
            "waiting": "waits.",
            "begun": "has begun a change.",
        }[state]
        which = link(f"#{merge.number}", merge.url) if merge.url else code(merge.commit[:12])
        who: tuple[str | Span, ...] = (" by ", _person(by, merge.login)) if merge.login else ()
        head = say("The merge of ", which, *who, " into ", code(FILE), f" of {project} {outcome}")
        body: list[Text] = [head, *(say(sentence) for sentence in why)]
        if state == "refused":
            body.append(say(STALE))
        notice = Notice(
            summary=f"{FILE} of {project}: a merge {outcome}",
            title="",
            body=tuple(body),
        )
        key = f"specification:{project}:{merge.merged}"
        self.store.messages.show(
            Message(key=key, channel=self.owners.policy.channel, content=notice)
        )
        self.store.messages.on_show()


def _person(by: str, login: str) -> Span:
    return person(by) if by else bold(login)


def _seen(project: str) -> str:
    return f"specification:{project}"


def _read(content: bytes | None, present: ProjectSpec) -> SpecFile:
    if content is None:
        what = f"{FILE} is removed: it has to stay, in the root of the repository."
        raise UnreadableError(Problem(line=1, what=what))
    return read(content, present)


def _specification(content: bytes | None, present: ProjectSpec) -> ProjectSpec | None:
    """Return what a file said, if it was readable."""
    try:
        return _read(content, present).spec
    except UnreadableError:
        return None
