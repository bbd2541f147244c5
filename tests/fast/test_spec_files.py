"""What follows from merges of `sciclops.yml`: each once, in order, now or later."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, cast

import pytest
from rows import NOON, a_project, a_spec, an_operation

from provisioning.errors import TemporaryError
from provisioning.feasibility import UNCHECKED
from provisioning.linking import Linking
from provisioning.operation import CHANGE, operation_id
from provisioning.owners import Owners
from provisioning.policy import Naming, Policy
from provisioning.ports import People
from provisioning.project import ProjectSpec
from provisioning.requesting import Requesting
from provisioning.spec_file import Problem, written
from provisioning.spec_file_ports import Merge, Proposed
from provisioning.spec_files import RULES, SpecificationFiles
from provisioning.store import Store
from provisioning.tables import OperationRow
from provisioning.text import Notice, plain

SPEC = a_spec("ada-7", "U-ada", "U-grace")
POLICY = Policy(
    naming=Naming(pattern=".*", explanation=""),
    workspace_groups={},
    catalogs={},
    data=(),
    confirm_create="requester",
    confirmation_expires=timedelta(hours=1),
    platform_group="",
    users_group="",
    channel="C-runs",
    announcements="",
    sandbox_default=timedelta(days=1),
    sandbox_maximum=timedelta(days=1),
)
"""Nobody is asked twice here."""


class Somebody:
    """People of whom one has left, and accounts that are called like them."""

    def is_active(self, user: str) -> bool:
        return user != "U-gone"

    def is_among(self, user: str, people: tuple[str, ...]) -> bool:
        return user in people

    def person_of(self, login: str) -> str | None:
        return f"U-{login}" if login != "nobody" else None


@dataclass
class Repository:
    """A repository whose history is a list of merges."""

    merges: list[Merge] = field(default_factory=list)
    proposals: dict[int, tuple[bytes, bytes]] = field(default_factory=dict)
    reports: list[tuple[str, str, tuple[Problem, ...]]] = field(default_factory=list)

    def of(self, project: str) -> list[Merge]:
        """Return the history of the one project that there is."""
        assert project == SPEC.name
        return self.merges

    def merge(self, content: bytes, login: str = "ada", author: str = "") -> Merge:
        """Add a merge to the history."""
        number = len(self.merges)
        made = Merge(
            commit=f"c{number}",
            merged=f"m{number}",
            content=content,
            login=login,
            author=author or login,
            number=number if login else 0,
            url=f"https://github.test/{number}",
        )
        self.merges.append(made)
        return made

    def newest(self, project: str) -> str:
        return self.of(project)[-1].commit

    def next_merge(self, project: str, after: str) -> Merge | None:
        merges = self.of(project)
        commits = [one.commit for one in merges]
        rest = merges[commits.index(after) + 1 :] if after in commits else merges
        return rest[0] if rest else None

    def open_pulls(self, project: str) -> tuple[Proposed, ...]:
        assert self.of(project)
        return tuple(
            Proposed(number=number, head=f"h{number}", author="ada") for number in self.proposals
        )

    def proposal(self, project: str, pull: Proposed) -> tuple[bytes | None, bytes | None]:
        assert self.of(project)
        return self.proposals[pull.number]

    def report(self, project: str, head: str, summary: str, problems: Sequence[Problem]) -> None:
        assert self.of(project)
        self.reports.append((head, summary, tuple(problems)))


@dataclass
class Beginning:
    """Begins operations as the database settles it."""

    store: Store

    def begin(
        self, kind: str, spec: ProjectSpec, *, by: str, key: str, facts: Mapping[str, Any]
    ) -> None:
        request = spec.model_dump(mode="json")
        self.store.operations.begin(
            OperationRow(
                id=operation_id(key),
                kind=kind,
                project=spec.name,
                phase="queued",
                request=request,
                facts=dict(facts),
                requested_by=by,
                channel="C-runs",
                created_at=NOON,
            )
        )


def _number(row: OperationRow) -> int:
    """Return which merge began a change."""
    return int(row.facts["from_github"]["number"])


@dataclass
class Office:
    """The files with all that they need; `unsaid` is what stands in the way."""

    store: Store
    github: Repository = field(default_factory=Repository)
    unsaid: dict[str, str] = field(default_factory=dict)

    def look(self) -> None:
        """Look once."""
        somebody = Somebody()
        SpecificationFiles(
            self.store,
            self.github,
            cast("Requesting", Beginning(self.store)),
            Owners(self.store, cast("People", somebody), POLICY),
            cast("Linking", somebody),
            self.objections,
        ).look("ada-7")

    def objections(self, before: ProjectSpec, wanted: ProjectSpec, who: str) -> Mapping[str, str]:
        """Return what stands in the way."""
        assert before != wanted, who
        return self.unsaid

    def begun(self) -> list[str]:
        """Return who began changes, newest last."""
        rows = self.store.operations.of_project("ada-7")
        changes = [row for row in rows if row.kind == CHANGE]
        return [row.requested_by for row in sorted(changes, key=_number)]

    def end(self) -> None:
        """Make the change that is under way so."""
        for row in self.store.operations.of_project("ada-7", active=True):
            self.store.projects.become("ada-7", "ready", {"spec": row.request})
            self.store.operations.end(row.id, "done")

    def said(self, merge: Merge) -> str:
        """Return what is said of a merge."""
        row = self.store.messages.get(f"specification:ada-7:{merge.merged}")
        if row is None:
            return ""
        return " ".join(plain(line) for line in Notice.model_validate(row.content).body)


@pytest.fixture
def office(store: Store) -> Office:
    """Return a project that is ready, and whose starter code was seen."""
    store.projects.reserve_and_begin(a_project(owners=SPEC.owners), an_operation())
    store.operations.end("op-1", "ready")
    store.projects.become("ada-7", "ready")
    office = Office(store)
    office.github.merge(written(SPEC), login="")
    office.look()
    assert office.begun() == []
    return office


def changed(**parts: Any) -> bytes:
    """Return the file of the project with other parts."""
    return written(SPEC.model_copy(update=parts))


def test_each_merge_is_begun_once_in_order_by_who_merged_it(office: Office) -> None:
    first = office.github.merge(changed(github_team="one"))
    second = office.github.merge(changed(github_team="one", managed_group="two"), login="grace")
    for _ in range(3):
        office.look()
    assert office.begun() == ["U-ada"]
    assert "has begun a change" in office.said(first)
    assert "has a run under way" in office.said(second)
    office.end()
    for _ in range(3):
        office.look()
    assert office.begun() == ["U-ada", "U-grace"]
    assert "has begun a change" in office.said(second)
    office.end()
    office.look()
    present = office.store.projects.get("ada-7")
    assert present is not None
    assert (present.spec["github_team"], present.spec["managed_group"]) == ("one", "two")
    assert office.begun() == ["U-ada", "U-grace"]


def test_a_crash_after_the_beginning_neither_repeats_it_nor_says_that_it_waits(
    office: Office,
) -> None:
    known = office.store.memos.get("specification:ada-7")
    assert known is not None
    merge = office.github.merge(changed(github_team="one"))
    office.look()
    office.store.memos.set("specification:ada-7", known)
    office.look()
    assert office.begun() == ["U-ada"]
    assert "has begun a change" in office.said(merge)


def test_a_vendor_that_does_not_answer_refuses_nothing(office: Office) -> None:
    merge = office.github.merge(changed(github_team="one"))
    office.unsaid["github_team"] = f"{UNCHECKED}: GitHub is away. Please try again."
    with pytest.raises(TemporaryError):
        office.look()
    assert office.said(merge) == ""
    office.unsaid.clear()
    office.look()
    assert "has begun a change" in office.said(merge)


@pytest.mark.parametrize(
    ("login", "author", "why"),
    [
        ("", "", "It came without a pull request"),
        ("nobody", "", "Nobody has linked the GitHub account nobody"),
        ("gone", "", "Only full members of this workspace"),
        ("sam", "", "only an owner of the project"),
        ("ada", "sam", "Nobody makes themselves an owner"),
    ],
)
def test_who_may_not_change_a_project_begins_nothing(
    office: Office, login: str, author: str, why: str
) -> None:
    merge = office.github.merge(changed(owners=(*SPEC.owners, "U-sam")), login, author)
    office.look()
    assert why in office.said(merge)
    assert "was refused, and nothing was changed" in office.said(merge)
    assert office.begun() == []
    office.github.merge(written(SPEC))
    office.look()
    assert office.begun() == []


def test_a_proposal_is_reported_on_once_and_again_where_it_could_not_be_checked(
    office: Office,
) -> None:
    office.github.proposals[7] = written(SPEC), changed(github_team="one")
    office.unsaid["github_team"] = f"{UNCHECKED}: GitHub is away. Please try again."
    with pytest.raises(TemporaryError):
        office.look()
    assert office.github.reports == []
    office.unsaid["github_team"] = "GitHub has no team “one”."
    for _ in range(2):
        office.look()
    line = changed(github_team="one").decode().splitlines().index("github_team: one") + 1
    problem = Problem(line=line, what="GitHub has no team “one”.")
    assert office.github.reports == [("h7", RULES, (problem,))]
