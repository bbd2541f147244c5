"""Terraform's locks: who holds one is told, a dead one hinders nobody and may be released."""

import fcntl
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from databases import PostgreSQL
from terraform_workshop import Gate, InThread, Onlooker, Workshop
from waiting import wait_until

from provisioning.adapters.local_terraform.state_locks import LocalStateLocks
from provisioning.adapters.local_terraform.toolbox import Installation
from provisioning.errors import TemporaryError, UserError
from provisioning.redaction import SecretRedactor

SOON = "1s"
NOTE = {"ID": "8e3f", "Operation": "OperationTypeApply", "Who": "eve@laptop", "Created": "noon"}
HOLD = """
import fcntl, sys
with open(sys.argv[1], "r+") as state:
    fcntl.lockf(state, fcntl.LOCK_EX)
    print("held", flush=True)
    sys.stdin.readline()
"""


@pytest.fixture
def workshop(tmp_path: Path) -> Workshop:
    return Workshop(tmp_path, options={"lock_patience": SOON})


@pytest.fixture
def gate(workshop: Workshop) -> Iterator[Gate]:
    gate = Gate(workshop.folder)
    yield gate
    reader = os.open(gate.path, os.O_RDWR | os.O_NONBLOCK)
    os.write(reader, b"go\n" * 10)
    os.close(reader)


def locks_of(workshop: Workshop, state_url: str = "") -> LocalStateLocks:
    return LocalStateLocks(
        Installation(
            data=workshop.data,
            modules=workshop.modules,
            redact=SecretRedactor(),
            state_url=state_url,
        )
    )


def root(workshop: Workshop) -> Path:
    return workshop.data / "projects" / "ada" / "root"


def leave_note(workshop: Workshop) -> Path:
    note = root(workshop) / ".terraform.tfstate.lock.info"
    note.write_text(json.dumps(NOTE))
    return note


@contextmanager
def somebody_holds(state: Path) -> Iterator[None]:
    """Let another process hold the lock that Terraform takes."""
    command = [sys.executable, "-c", HOLD, str(state)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == b"held\n"
        yield
        other.communicate(b"\n")


def apply_at(workshop: Workshop, gate: Gate) -> InThread:
    """Begin an apply and return while it holds the state."""
    workshop.prepare(gate=str(gate.path), command="true")
    workshop.planned()
    apply = InThread(lambda: workshop.engine.apply("ada", "one", Onlooker()))
    gate.wait_until_reached()
    return apply


def test_a_killed_workers_lock_frees_itself_and_its_note_may_be_removed(
    workshop: Workshop, gate: Gate
) -> None:
    locks = locks_of(workshop)
    apply = apply_at(workshop, gate)
    working = locks.find("ada")
    assert working is not None
    assert working.held_by == "the bot's own Terraform (apply of one)"
    with pytest.raises(UserError, match="the bot's own Terraform"):
        locks.release("ada", working.id)
    os.killpg(workshop.processes()["group"], signal.SIGKILL)
    assert apply.result().ending == "killed"
    left = locks.find("ada")
    assert left == working.model_copy(update={"held_by": ""}), "only the note is left"
    assert left.operation == "OperationTypeApply"
    assert workshop.planned(run="two").counts.add == 2
    assert locks.find("ada") is None, "who came after it cleared it away"


def test_a_note_that_was_left_is_removed_by_its_own_id_only(workshop: Workshop) -> None:
    workshop.make()
    locks = locks_of(workshop)
    note = leave_note(workshop)
    found = locks.find("ada")
    assert found is not None
    assert (found.id, found.who, found.created) == ("8e3f", "eve@laptop", "noon")
    locks.release("ada", "another")
    assert note.exists()
    locks.release("ada", "8e3f")
    assert not note.exists()
    assert locks.find("ada") is None
    locks.release("ada", "8e3f")


def test_who_is_kept_out_by_somebody_elses_process_is_told_who_it_is(workshop: Workshop) -> None:
    workshop.make()
    locks, note = locks_of(workshop), leave_note(workshop)
    with somebody_holds(root(workshop) / "terraform.tfstate"):
        outcome, plan = workshop.engine.plan("ada", "two", Onlooker())
        with pytest.raises(UserError, match="none of the bot's own"):
            locks.release("ada", "8e3f")
    assert plan is None
    (told,) = outcome.diagnostics
    assert told.summary == "Terraform's state is locked"
    for words in ("ID 8e3f", "Who: eve@laptop", "Created: noon", "/sciclops unlock ada"):
        assert words in told.detail
    assert note.exists()


def test_looking_at_a_lock_takes_it_from_nobody(workshop: Workshop) -> None:
    workshop.make()
    state = root(workshop) / "terraform.tfstate"
    assert locks_of(workshop).find("ada") is None
    with state.open("r+") as file:
        fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


def test_a_note_that_says_nothing_can_be_removed_all_the_same(workshop: Workshop) -> None:
    workshop.make()
    leave_note(workshop).write_text("{")
    found = locks_of(workshop).find("ada")
    assert found is not None
    locks_of(workshop).release("ada", found.id)
    assert locks_of(workshop).find("ada") is None


def test_in_postgresql_the_session_that_holds_the_state_is_named_and_ended(
    tmp_path: Path, postgresql: PostgreSQL
) -> None:
    url = f"{postgresql.new_database()}?sslmode=disable"
    workshop = Workshop(tmp_path, options={"lock_patience": SOON, "state_url": url})
    locks = locks_of(workshop, url)
    assert locks.find("ada") is None, "there are no tables yet"
    workshop.make()
    assert locks.find("ada") is None
    with psycopg.connect(url, autocommit=True) as other:
        taken = "SELECT pg_advisory_lock(id) FROM terraform_remote_state.states WHERE name = 'ada'"
        other.execute(taken)
        held = locks.find("ada")
        assert held is not None
        assert f"session {other.info.backend_pid}" in held.who
        outcome, _ = workshop.engine.plan("ada", "two", Onlooker())
        assert held.id in outcome.diagnostics[0].detail
        locks.release("ada", f"{other.info.backend_pid}@2020-01-01T00:00:00+00:00")
        assert locks.find("ada") == held, "another session that had the same number"
        locks.release("ada", held.id)
        with pytest.raises(psycopg.OperationalError):
            other.execute("SELECT 1")
    assert locks.find("ada") is None
    assert workshop.planned(run="three").changes == ()


def test_in_postgresql_a_killed_workers_lock_goes_with_its_connection(
    tmp_path: Path, postgresql: PostgreSQL
) -> None:
    url = f"{postgresql.new_database()}?sslmode=disable"
    workshop = Workshop(tmp_path, options={"state_url": url})
    locks, gate = locks_of(workshop, url), Gate(tmp_path)
    apply = apply_at(workshop, gate)
    working = locks.find("ada")
    assert working is not None
    assert working.held_by == "the bot's own Terraform (apply of one)"
    os.killpg(workshop.processes()["group"], signal.SIGKILL)
    assert apply.result().ending == "killed"
    wait_until(lambda: locks.find("ada") is None, seconds=20)
    assert workshop.planned(run="two").counts.add == 4, "it had stored nothing yet"


def test_a_server_that_is_away_is_a_matter_of_time(workshop: Workshop) -> None:
    away = "postgresql://sciclops@127.0.0.1:1/state?sslmode=disable"
    with pytest.raises(TemporaryError, match="nothing was released"):
        locks_of(workshop, away).find("ada")
