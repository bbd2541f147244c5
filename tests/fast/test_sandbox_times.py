"""Warnings come once each, whoever sweeps and however often, and in the end a sandbox goes."""

from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from pathlib import Path
from typing import Any, cast

import pytest
from rows import a_project, a_spec, an_operation

from bot.installation import policy_of
from bot.settings import load
from provisioning import audit
from provisioning.clock import MovableClock
from provisioning.database import Database
from provisioning.errors import UserError
from provisioning.extending import UNTIL, Extending
from provisioning.operation import DESTROY
from provisioning.operation_kinds import CREATE_PROJECT, KINDS, Kind
from provisioning.requesting import Requesting
from provisioning.sandbox import end_of
from provisioning.sandbox_times import SandboxTimes
from provisioning.store import ChangedError, Message, Store
from provisioning.tables import MessageRow, OperationRow
from provisioning.text import Notice, plain

POLICY = policy_of(load(Path(__file__).parents[2] / "sciclops.example.toml", {}))
PLATFORM = "U-pat"
PROCESSES = 3
SECOND, DAY = timedelta(seconds=1), timedelta(days=1)


class Starts:
    """An engine that starts nothing, and knows what it was to start."""

    def __init__(self) -> None:
        self.started: list[tuple[str, str]] = []

    def start(self, workflow: str, operation: str, **more: str) -> None:
        """Note what is started."""
        del more
        self.started.append((workflow, operation))


class Staff:
    """People: one of them is the platform team."""

    def is_among(self, user: str, people: tuple[str, ...]) -> bool:
        """Tell whether somebody is named, or is the platform team, which is."""
        return user in people or (user == PLATFORM and POLICY.platform_group in people)


class Process:
    """One of several bots on one database."""

    def __init__(self, database: Database, clock: MovableClock) -> None:
        self.database = Database(database.url)
        self.store = Store(self.database, clock)
        self.engine = Starts()
        requesting = Requesting(self.store, cast("Any", self.engine), POLICY, clock)
        self.times = SandboxTimes(self.store, requesting, clock)
        self.extending = Extending(self.store, cast("Any", Staff()), POLICY, clock)
        self.requesting = requesting


class Sandboxes:
    """One sandbox of 30 days, owned by Ada and Grace, and the bots that look after it."""

    def __init__(self, database: Database, clock: MovableClock) -> None:
        self.clock = clock
        self.database = database
        self.processes = [Process(database, clock) for _ in range(PROCESSES)]
        self.bot = self.processes[0]
        self.until = clock.now().date() + 30 * DAY
        project, operation = a_project(owners=("U-ada", "U-grace")), an_operation()
        project.spec |= {"sandbox_until": self.until.isoformat()}
        project.created_at = operation.created_at = clock.now()
        operation.phase, operation.ended_at = "ready", clock.now()
        store = self.bot.store
        run = Message(key="run:op-1", channel="C-runs", content=Notice(summary="ready"))
        store.projects.reserve_and_begin(project, operation, [run])
        store.projects.become("ada-7", "ready")
        self.arrived()

    def arrived(self) -> None:
        """Have Slack take everything that is owed."""
        for row in self.bot.store.messages.owed():
            self.bot.store.messages.mark_sent(row.key, row.wanted, f"{row.key}.ts")

    def move(self, before: timedelta, until: date | None = None) -> None:
        """Move time to so long before the end, a second later."""
        to = end_of(until or self.until) - before + SECOND
        self.clock.advance(to - self.clock.now())

    def sweep(self) -> None:
        """Have every process sweep, twice, all of them at once."""
        with ThreadPoolExecutor(PROCESSES) as pool:
            for swept in [pool.submit(one.times.sweep) for one in 2 * self.processes]:
                swept.result()

    def told(self) -> list[tuple[str, str]]:
        """Return what was said since: in which thread, and the notification."""
        owed = self.bot.store.messages.owed()
        self.arrived()
        return [(row.thread_of, row.content["summary"]) for row in owed]

    def message(self, key: str) -> MessageRow:
        """Return a message by the end of its key."""
        row = self.bot.store.messages.get(f"run:op-1:{key}")
        assert row is not None
        return row

    def words(self, key: str) -> str:
        """Return what a message says."""
        return " ".join(
            plain(line) for line in Notice.model_validate(self.message(key).content).body
        )

    def runs(self) -> list[OperationRow]:
        """Return the destructions, whatever became of them."""
        runs = self.bot.store.operations.of_project("ada-7")
        return [run for run in runs if run.kind == DESTROY]


@pytest.fixture
def sandbox(database: Database, clock: MovableClock) -> Iterator[Sandboxes]:
    """Return a sandbox."""
    one = Sandboxes(database, clock)
    yield one
    for process in one.processes:
        process.database.close()


@pytest.fixture(autouse=True)
def _destruction() -> Iterator[None]:
    """Let operations of that kind exist, whatever they do."""
    before: Mapping[str, Kind] = dict(KINDS)
    kind = CREATE_PROJECT.model_copy(update={"name": DESTROY, "title": "Destroy"})
    KINDS[DESTROY] = kind
    yield
    KINDS.clear()
    KINDS.update(before)


def warned(left: str) -> list[tuple[str, str]]:
    """Return what is told when so much time is left."""
    return [("run:op-1", f"Sandbox ada-7 ends in {left}: extend it, or let it go")]


def test_three_warnings_come_once_each_with_three_processes(sandbox: Sandboxes) -> None:
    sandbox.sweep()
    assert sandbox.told() == []
    for before, left in ((7 * DAY, "7 days"), (DAY, "1 day"), (timedelta(hours=1), "1 hour")):
        sandbox.move(before)
        sandbox.sweep()
        assert sandbox.told() == warned(left)
        sandbox.clock.advance(timedelta(minutes=30))
        sandbox.sweep()
        assert sandbox.told() == []


def test_after_an_absence_only_the_most_urgent_warning_comes(sandbox: Sandboxes) -> None:
    sandbox.move(timedelta(hours=5))
    sandbox.sweep()
    assert sandbox.told() == warned("5 hours")


def test_a_warning_names_the_owners_and_the_moment_and_offers_two_buttons(
    sandbox: Sandboxes,
) -> None:
    sandbox.move(7 * DAY)
    sandbox.sweep()
    row = sandbox.message(f"ends:{sandbox.until}:7d")
    notice = Notice.model_validate(row.content)
    spans = notice.body[0]
    assert [span.target for span in spans if span.style == "person"] == ["U-ada", "U-grace"]
    assert [span.target for span in spans if span.style == "moment"] == [
        end_of(sandbox.until).isoformat()
    ]
    assert [(one.label, one.words) for one in notice.buttons] == [
        ("Extend", ("extend", "ada-7")),
        ("Destroy Now", ("destroy", "ada-7")),
    ]


def test_a_warning_comes_into_the_channel_where_the_projects_message_is_not(
    sandbox: Sandboxes,
) -> None:
    key = "run:op-1"
    sandbox.bot.store.messages.show(
        Message(key=key, channel="C-runs", content=Notice(summary="edited"))
    )
    sandbox.bot.store.messages.mark_sent(key, 2, "")
    sandbox.move(7 * DAY)
    sandbox.sweep()
    assert [thread for thread, _ in sandbox.told()] == [""]


def test_after_an_extension_warnings_begin_again_and_old_ones_lose_their_buttons(
    sandbox: Sandboxes,
) -> None:
    sandbox.move(7 * DAY)
    sandbox.sweep()
    sandbox.arrived()
    until = sandbox.until + 30 * DAY
    for process in 2 * sandbox.processes:
        assert process.extending.extend("ada-7", until, by="U-grace").extensions == 1
    old = f"ends:{sandbox.until}:7d"
    assert sandbox.message(old).content["buttons"] == []
    assert "Extended by U-grace" in sandbox.words(old)
    sandbox.arrived()
    sandbox.move(DAY)
    sandbox.sweep()
    assert sandbox.told() == []
    for before, left in ((7 * DAY, "7 days"), (timedelta(hours=1), "1 hour")):
        sandbox.move(before, until)
        sandbox.sweep()
        assert sandbox.told() == warned(left)


def test_an_extension_is_in_the_specification_and_in_the_audit_trail(sandbox: Sandboxes) -> None:
    until = sandbox.until + DAY
    sandbox.bot.extending.extend("ada-7", until, by="U-ada")
    project = sandbox.bot.store.projects.get("ada-7")
    assert project is not None
    assert project.spec["sandbox_until"] == until.isoformat()
    entry = audit.history(sandbox.database, "ada-7")[-1]
    assert (entry.who, entry.what) == ("U-ada", "extended the sandbox")
    assert entry.detail == {"from": sandbox.until.isoformat(), "until": until.isoformat()}
    assert audit.verify(sandbox.database, "ada-7") is None


def test_after_three_extensions_only_the_platform_team_goes_on(sandbox: Sandboxes) -> None:
    extend = sandbox.bot.extending.extend
    for number in range(1, 4):
        extend("ada-7", sandbox.until + number * DAY, by="U-ada")
    with pytest.raises(UserError, match="extended 3 times already; now only the platform team"):
        extend("ada-7", sandbox.until + 4 * DAY, by="U-ada")
    assert extend("ada-7", sandbox.until + 4 * DAY, by=PLATFORM).extensions == 4
    with pytest.raises(UserError, match="At most 90 days from today") as refusal:
        extend("ada-7", sandbox.until + 61 * DAY, by=PLATFORM)
    assert refusal.value.field == UNTIL


def test_strangers_extend_nothing_and_that_is_noted(sandbox: Sandboxes) -> None:
    with pytest.raises(UserError, match="only an owner of the project or the platform team"):
        sandbox.bot.extending.find("ada-7", "U-sam")
    assert audit.history(sandbox.database, "ada-7")[-1].who == "U-sam"


def test_a_lasting_project_has_nothing_to_extend(sandbox: Sandboxes) -> None:
    sandbox.bot.store.projects.become("ada-7", "ready", {"spec": a_spec().model_dump(mode="json")})
    with pytest.raises(UserError, match="ada-7 is no sandbox: it has no end date"):
        sandbox.bot.extending.extend("ada-7", sandbox.until, by="U-ada")
    sandbox.move(-DAY)
    sandbox.sweep()
    assert (sandbox.told(), sandbox.runs()) == ([], [])


def test_once_the_end_has_passed_its_destruction_begins_once(sandbox: Sandboxes) -> None:
    sandbox.move(timedelta(hours=1))
    sandbox.sweep()
    sandbox.arrived()
    sandbox.move(timedelta())
    sandbox.sweep()
    (run,) = sandbox.runs()
    assert (run.requested_by, run.facts["origin"]) == (audit.US, "op-1")
    started = {one for process in sandbox.processes for one in process.engine.started}
    assert started == {(f"{DESTROY}.plan", run.id)}
    assert "The end has come." in sandbox.words(f"ends:{sandbox.until}:1h")
    assert sandbox.message(f"ends:{sandbox.until}:1h").content["buttons"] == []
    over = "Sandbox ada-7 has ended and is being destroyed"
    assert [one for one in sandbox.told() if one[1] == over] == [("run:op-1", over)]
    for process in sandbox.processes:
        with pytest.raises(UserError, match="ada-7 is being destroyed"):
            process.extending.find("ada-7", "U-ada")
    sandbox.bot.store.operations.end(run.id, "failed")
    sandbox.clock.advance(DAY)
    sandbox.sweep()
    assert sandbox.runs() == [sandbox.bot.store.operations.get(run.id)]


def test_a_busy_project_is_destroyed_as_soon_as_it_is_free(sandbox: Sandboxes) -> None:
    begin = sandbox.bot.requesting.begin
    spec = sandbox.bot.extending.find("ada-7", "U-ada").spec
    other = begin(DESTROY, spec, by="U-ada", key="by hand", facts={})
    sandbox.move(timedelta())
    sandbox.sweep()
    assert [run.id for run in sandbox.runs()] == [other.id]
    sandbox.bot.store.operations.end(other.id, "cancelled")
    sandbox.sweep()
    assert len(sandbox.runs()) == 2


def test_what_is_being_destroyed_is_warned_of_no_more(sandbox: Sandboxes) -> None:
    spec = sandbox.bot.extending.find("ada-7", "U-ada").spec
    sandbox.bot.requesting.begin(DESTROY, spec, by="U-ada", key="by hand", facts={})
    sandbox.arrived()
    sandbox.move(DAY)
    sandbox.sweep()
    assert sandbox.told() == []


def test_what_was_extended_this_very_moment_is_not_destroyed(sandbox: Sandboxes) -> None:
    seen = sandbox.bot.extending.find("ada-7", "U-ada")
    sandbox.bot.extending.extend("ada-7", sandbox.until + DAY, by="U-ada")
    begin = sandbox.bot.requesting.begin
    with pytest.raises(ChangedError):
        begin(DESTROY, seen.spec, by=audit.US, key="expired", facts={}, unchanged=True)
    assert sandbox.runs() == []


def test_what_is_gone_is_neither_warned_of_nor_destroyed(sandbox: Sandboxes) -> None:
    sandbox.bot.store.projects.become("ada-7", "gone")
    sandbox.move(timedelta())
    sandbox.sweep()
    assert (sandbox.told(), sandbox.runs()) == ([], [])


def test_sandboxes_that_end_are_found_on_both_databases(
    each_store: Store, clock: MovableClock
) -> None:
    today = clock.now().date()
    for number, days in enumerate((None, -1, 7, 8)):
        project = a_project(f"ada-{number}")
        until = None if days is None else (today + days * DAY).isoformat()
        project.spec |= {"sandbox_until": until}
        each_store.projects.reserve_and_begin(project, an_operation(f"op-{number}", project.name))
    found = each_store.sandboxes.ending(today + 7 * DAY)
    assert [one.project for one in found] == ["ada-1", "ada-2"]
    again = each_store.sandboxes.extend(
        found[0], today + DAY, by="U-ada", warnings="run:op-1:ends:", settle=lambda notice: notice
    )
    assert again is not None
    assert (again.until, again.extensions) == (today + DAY, 1)
    assert (
        each_store.sandboxes.extend(
            found[0], today + DAY, by="U-ada", warnings="run", settle=lambda notice: notice
        )
        is None
    )
