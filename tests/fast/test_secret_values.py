"""A value passes through to the vendors, whatever dies or fails on the way, and stays nowhere."""

import threading
from base64 import b64encode
from collections.abc import Callable, Collection, Iterator
from datetime import datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any, cast

import pytest
from pydantic import SecretStr
from rows import a_project, a_spec, an_operation
from test_deaths_at_first_deployments import DeathError, Mortal

from bot.installation import policy_of
from bot.settings import load
from provisioning.board import read_operation
from provisioning.clock import MovableClock
from provisioning.database import Database
from provisioning.desk import Desk
from provisioning.errors import PermanentError, TemporaryError, UserError
from provisioning.operation import Operation
from provisioning.operation_kinds import ADD_SECRET
from provisioning.project import STAGES, Environment
from provisioning.project_secrets import begun, environments_of, with_secret
from provisioning.requesting import Requesting
from provisioning.run_message import run_notice
from provisioning.secret_values import LONGEST_STORING, SecretValues
from provisioning.store import Store
from provisioning.text import plain

EXAMPLE = Path(__file__).parents[2] / "sciclops.example.toml"
NOBODY = cast("Any", None)
SPEC = with_secret(a_spec(), "KEY", STAGES)
VALUE, OTHER = SecretStr("plain-words-9f1c"), SecretStr("other-words-77ab")
ENCODED = b64encode(VALUE.get_secret_value().encode()).decode()
NUMBERS = count(1)
Before = Callable[[str], None]


class Vault:
    """A vendor's place for secrets; `before` and `after` hear of each environment written to."""

    def __init__(self, title: str, clock: MovableClock) -> None:
        self.title = title
        self.clock = clock
        self.held: dict[str, tuple[str, datetime]] = {}
        self.before: Before = lambda _: None
        self.after: Before = lambda _: None

    def put(self, project: str, environment: Environment, name: str, value: SecretStr) -> None:
        """Hold a value."""
        del project, name
        self.before(environment.name)
        self.held[environment.name] = value.get_secret_value(), self.clock.now()
        self.after(environment.name)

    def written(
        self, project: str, environment: Environment, names: Collection[str]
    ) -> dict[str, datetime]:
        """Return when the values were written."""
        del project
        found = self.held.get(environment.name)
        return dict.fromkeys(names, found[1]) if found else {}

    def remove(self, project: str, environment: Environment, name: str) -> None:
        """Forget a value."""
        del project, name
        self.held.pop(environment.name, None)


class Quiet:
    """An engine that starts nothing, and people of whom everybody is what they say."""

    def start(self, *words: str, **more: str) -> None:
        """Start nothing."""


def same(text: str) -> str:
    """Redact nothing."""
    return text


class Room:
    """A project with a secret, whose run waits for the value."""

    def __init__(self, database: Database, clock: MovableClock) -> None:
        self.clock = clock
        self.database = Mortal(database.url)
        self.store = Store(self.database, clock)
        policy = policy_of(load(EXAMPLE, {}))
        quiet = cast("Any", Quiet())
        desk = Desk(self.store, quiet, policy, NOBODY, clock, same)
        requesting = Requesting(self.store, quiet, policy, clock)
        self.vaults = Vault("Databricks", clock), Vault("GitHub", clock)
        self.values = SecretValues(
            self.store, desk, requesting, NOBODY, self.vaults, policy, clock, same
        )
        row = an_operation()
        row.kind, row.phase = ADD_SECRET.name, "entering"
        row.request = SPEC.model_dump(mode="json")
        row.created_at = clock.now()
        row.facts = begun("KEY", STAGES, environments_of(SPEC, STAGES))
        project = a_project(state="ready")
        project.spec = SPEC.model_dump(mode="json")
        self.store.projects.reserve_and_begin(project, row)

    def enter(self, value: SecretStr = VALUE, stages: tuple[str, ...] = STAGES) -> Operation:
        """Enter a value."""
        key = f"view:{next(NUMBERS)}"
        return self.values.put(SPEC, "KEY", stages, value, by="U-ada", key=key)

    def run(self) -> Operation:
        """Return the newest run as it stands."""
        return read_operation(self.store.operations.of_project("ada-7")[0])

    def offered(self) -> Operation:
        """Return it once the workflow has taken up what was begun only: nobody wrote anything."""
        self.store.operations.move(self.run().id, ["queued"], "entering", by="bot")
        return self.run()

    def says(self) -> str:
        """Return what the newest run's message says."""
        return " ".join(plain(line) for line in run_notice(self.run()).body)

    def held(self) -> list[dict[str, str]]:
        """Return what each vendor holds, by environment."""
        return [{n: value for n, (value, _) in vault.held.items()} for vault in self.vaults]


@pytest.fixture
def room(each_database: Database, clock: MovableClock) -> Iterator[Room]:
    """Return the room; the test runs once for each kind of database."""
    one = Room(each_database, clock)
    yield one
    one.database.close()


EVERYWHERE = {stage.capitalize(): VALUE.get_secret_value() for stage in STAGES}


def test_a_value_goes_everywhere_and_is_in_no_row(room: Room) -> None:
    assert room.enter().phase == "done"
    assert room.held() == [EVERYWHERE, EVERYWHERE]
    assert "KEY is stored in Development, Testing, Staging and Production" in room.says()
    trail = room.store.trail("ada-7")
    assert [e.what for e in trail.rows].count("wrote a secret's value") == len(STAGES)
    rows = [*room.store.operations.of_project("ada-7"), *room.store.messages.owed(), *trail.rows]
    assert VALUE.get_secret_value() not in str(rows)


def test_wherever_the_process_dies_the_value_is_asked_for_again_until_it_is_everywhere(
    room: Room,
) -> None:
    """The room is one for all deaths: each begins with another value to write."""
    died = 0
    for transactions in count():
        value = SecretStr(f"value-{transactions}")
        room.database.left = transactions
        try:
            room.enter(value)
        except DeathError:
            died += 1
        else:
            break
        room.database.left = 1000
        room.clock.advance(LONGEST_STORING)
        room.values.sweep()
        run = room.offered()
        assert run.phase in ("entering", "done")
        if run.phase == "entering" and run.facts.secret and run.facts.secret.trouble:
            assert "SciCLOps was stopped while it wrote" in room.says()
        room.enter(value)
        assert room.run().phase == "done"
        assert [set(held.values()) for held in room.held()] == [{f"value-{transactions}"}] * 2
    assert died > 2 * len(STAGES)


def die(where: str) -> Before:
    """Return what dies when an environment is written to."""

    def perhaps(environment: str) -> None:
        if environment == where:
            raise DeathError

    return perhaps


@pytest.mark.parametrize("vault", [0, 1])
@pytest.mark.parametrize("moment", ["before", "after"])
def test_a_death_at_a_vendor_says_which_environments_are_in_doubt(
    room: Room, vault: int, moment: str
) -> None:
    setattr(room.vaults[vault], moment, die("Testing"))
    with pytest.raises(DeathError):
        room.enter()
    assert room.run().phase == "storing"
    room.values.sweep()
    assert room.run().phase == "storing"
    room.clock.advance(LONGEST_STORING)
    room.values.sweep()
    run = room.run()
    assert run.phase == "entering"
    assert run.facts.secret is not None
    assert set(run.facts.secret.written) == {"Development"}
    assert "Testing, Staging and Production may have the new value in part" in room.says()
    assert "Enter the value again" in room.says()


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (
            PermanentError("Databricks refused to write it: no such scope."),
            "no such scope. Testing",
        ),
        (TemporaryError("GitHub did not answer"), "GitHub did not answer. Testing may have"),
        (TemporaryError(f"cannot store {VALUE.get_secret_value()}"), "cannot store [redacted]."),
        (TemporaryError(f"cannot store {ENCODED}"), "cannot store [redacted]"),
        (ValueError(f"bad value {VALUE.get_secret_value()}"), "Something unexpected happened"),
    ],
)
def test_what_a_vendor_refuses_is_told_without_the_value(
    room: Room, error: Exception, said: str, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(environment: str) -> None:
        if environment == "Testing":
            raise error

    room.vaults[1].before = refuse
    assert room.enter().phase == "entering"
    assert said in room.says()
    assert "Staging and Production kept what they had" in room.says()
    assert VALUE.get_secret_value() not in room.says() + caplog.text
    assert ENCODED not in room.says()
    assert ("storing a value broke off" in caplog.text) == isinstance(error, ValueError)
    room.vaults[1].before = lambda _: None
    assert room.enter().phase == "done"
    assert room.held() == [EVERYWHERE, EVERYWHERE]


def test_a_value_for_some_stages_leaves_the_others_waiting(room: Room) -> None:
    assert room.enter(VALUE, ("testing",)).phase == "entering"
    assert "Development, Staging and Production wait for a value" in room.says()
    (button,) = run_notice(room.run()).buttons
    assert button.words == ("secret", "set", "ada-7", "KEY")
    assert room.enter(OTHER, ("development", "staging", "production")).phase == "done"
    assert room.held()[0]["Testing"] == VALUE.get_secret_value()
    again = room.enter(OTHER, ("testing",))
    assert (again.kind, again.phase) == ("set_secret", "done")
    assert set(room.held()[1].values()) == {OTHER.get_secret_value()}


def test_of_two_who_enter_a_value_at_once_one_is_refused(room: Room) -> None:
    refused: list[str] = []

    def meanwhile(environment: str) -> None:
        if environment != "Staging":
            return
        try:
            room.enter(OTHER)
        except UserError as busy:
            refused.append(str(busy))

    room.vaults[0].before = meanwhile
    assert room.enter().phase == "done"
    assert len(refused) == 1
    assert "has a run under way (storing the value)" in refused[0]
    assert room.held() == [EVERYWHERE, EVERYWHERE]


def test_who_takes_too_long_is_given_up_and_stops(room: Room) -> None:
    def late(environment: str) -> None:
        if environment == "Testing":
            room.clock.advance(LONGEST_STORING)
            room.values.sweep()

    room.vaults[0].before = late
    run = room.enter()
    assert run.phase == "entering"
    assert "Staging" not in room.held()[0]
    room.vaults[0].before = lambda _: None
    assert room.enter(OTHER).phase == "done"
    assert set(room.held()[0].values()) == {OTHER.get_secret_value()}


def test_nobody_waits_for_ever_nor_for_a_secret_that_is_gone(room: Room) -> None:
    room.clock.advance(timedelta(hours=71))
    room.values.sweep()
    assert room.run().phase == "entering"
    room.clock.advance(timedelta(hours=2))
    room.values.sweep()
    assert room.run().phase == "expired"
    assert room.run().facts.decisions[-1].what == "Timed out, nobody entered a value in time"


def test_a_removed_secret_ends_the_run_that_waited_for_its_value(room: Room) -> None:
    room.store.secrets.keep("op-1", "KEY", ())
    room.values.sweep()
    assert room.run().phase == "cancelled"
    assert room.values.spec("ada-7").secrets == ()


def test_a_run_that_waits_for_a_value_is_in_nobodys_way(room: Room) -> None:
    assert room.store.operations.of_project("ada-7", active=True) == []
    another = an_operation("op-2", minute=1)
    another.kind, another.request = ADD_SECRET.name, SPEC.model_dump(mode="json")
    assert room.store.operations.begin(another).id == "op-2"
    with pytest.raises(UserError, match="has a run under way"):
        room.enter()


def test_many_who_enter_values_at_once_leave_one_value_everywhere(room: Room) -> None:
    answers: list[str] = []

    def enter(number: int) -> None:
        try:
            answers.append(room.enter(SecretStr(f"value-{number}")).phase)
        except UserError:
            answers.append("refused")

    threads = [threading.Thread(target=enter, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert len(answers) == len(threads)
    assert "done" in answers
    assert len({*room.held()[0].values(), *room.held()[1].values()}) == 1
