"""Whoever is killed when: no apply is lost, none runs twice, the ending told is the true one."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from terraform_workshop import Gate, InThread, Onlooker, Workshop
from waiting import wait_until

from provisioning.adapters.local_terraform import keeper
from provisioning.adapters.local_terraform.jobs import Job
from provisioning.errors import PermanentError, TemporaryError
from provisioning.runs import Counts, Outcome

HERE = Path(__file__).parent
EACH = 'module.work.terraform_data.each["{}"]'
MADE = {EACH.format("a"), EACH.format("b")}
GATED = "module.work.terraform_data.gate[0]"


@pytest.fixture
def workshop(tmp_path: Path) -> Workshop:
    return Workshop(tmp_path)


@pytest.fixture
def gate(workshop: Workshop) -> Iterator[Gate]:
    """A gate that lets everybody pass when the test is over, so that nobody waits for ever."""
    gate = Gate(workshop.folder)
    yield gate
    reader = os.open(gate.path, os.O_RDWR | os.O_NONBLOCK)
    os.write(reader, b"go\n" * 10)
    os.close(reader)


class Driver:
    """Another process that drives the engine."""

    def __init__(self, workshop: Workshop, action: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, str(HERE / "terraform_driver.py"), str(workshop.folder), action],
            env={
                "PATH": workshop.search_path,
                "PYTHONPATH": os.pathsep.join([str(HERE.parent.parent), str(HERE.parent)]),
            },
        )

    def kill(self) -> None:
        """Kill it as the kernel would."""
        self._process.kill()
        self._process.wait()


def begin_apply(workshop: Workshop, onlooker: Onlooker | None = None) -> InThread:
    watch = onlooker or Onlooker()
    return InThread(lambda: workshop.engine.apply("ada", "one", watch))


def prepared(workshop: Workshop, gate: Gate) -> None:
    workshop.prepare(gate=str(gate.path), command="true")
    workshop.planned()


def finish(workshop: Workshop) -> Outcome:
    return workshop.another_engine().apply("ada", "one", Onlooker())


def test_an_apply_outlives_the_bot_and_the_next_one_takes_it_over(
    workshop: Workshop, gate: Gate
) -> None:
    prepared(workshop, gate)
    driver = Driver(workshop, "apply")
    gate.wait_until_reached()
    driver.kill()
    adopted = InThread(lambda: finish(workshop))
    wait_until(lambda: keeper.is_alive(workshop.processes()["child"]))
    gate.open()
    outcome = adopted.result()
    assert (outcome.ending, outcome.counts) == ("succeeded", Counts(add=4))
    assert gate.passes() == 1


def test_an_apply_that_ended_while_nobody_looked_is_told_as_it_ended(
    workshop: Workshop, gate: Gate
) -> None:
    prepared(workshop, gate)
    driver = Driver(workshop, "apply")
    gate.wait_until_reached()
    driver.kill()
    child = workshop.processes()["child"]
    gate.open()
    wait_until(lambda: not keeper.is_alive(child))
    outcome = finish(workshop)
    assert (outcome.ending, outcome.counts) == ("succeeded", Counts(add=4))
    assert gate.passes() == 1


@pytest.mark.parametrize(
    "moment", ["", "job.json", "lock", "started.json", "ended.json", "scrubbed"]
)
def test_a_bot_killed_at_any_moment_of_an_apply_neither_loses_it_nor_runs_it_twice(
    workshop: Workshop, moment: str
) -> None:
    passes = workshop.folder / "passes"
    workshop.prepare(command=f"echo pass >> {passes}")
    workshop.planned()
    driver = Driver(workshop, "apply")
    wait_until((workshop.job("apply") / moment).exists, seconds=20)
    driver.kill()
    outcome = finish(workshop)
    assert (outcome.ending, outcome.counts) == ("succeeded", Counts(add=3))
    assert passes.read_text() == "pass\n"
    assert not list(workshop.data.rglob("*.tfplan"))


@pytest.mark.parametrize("moment", ["init-*", "plan/started.json", "plan.txt"])
def test_a_bot_killed_at_any_moment_of_a_plan_gets_the_plan_from_the_next_one(
    workshop: Workshop, moment: str
) -> None:
    workshop.prepare()
    run = workshop.job("")
    driver = Driver(workshop, "plan")
    wait_until(lambda: list(run.glob(moment)), seconds=20)
    driver.kill()
    plan = workshop.planned()
    assert plan.counts == Counts(add=2)
    assert "2 to add" in workshop.engine.describe("ada", "one")


def test_terraform_killed_alone_is_told_as_killed_and_what_it_made_is_known(
    workshop: Workshop, gate: Gate
) -> None:
    prepared(workshop, gate)
    apply = begin_apply(workshop)
    gate.wait_until_reached()
    os.kill(workshop.processes()["child"]["pid"], signal.SIGKILL)
    assert apply.result().ending == "killed"
    assert workshop.engine.started("ada") == {*MADE, GATED}
    assert workshop.engine.addresses("ada") >= MADE


def test_an_apply_killed_with_everything_around_it_is_finished_by_the_next_plan(
    workshop: Workshop, gate: Gate
) -> None:
    prepared(workshop, gate)
    confirmed = workshop.planned()
    apply = begin_apply(workshop)
    gate.wait_until_reached()
    os.killpg(workshop.processes()["group"], signal.SIGKILL)
    assert apply.result().ending == "killed"
    assert finish(workshop).ending == "killed"
    rest = workshop.planned(run="two")
    assert rest.counts == Counts(add=2)
    assert confirmed.covers(rest)


def test_an_apply_killed_before_it_made_anything_leaves_nothing_in_the_way(
    workshop: Workshop, gate: Gate
) -> None:
    """Terraform opens the state's file, empty, to lock it."""
    workshop.prepare(names=[], gate=str(gate.path))
    workshop.planned()
    apply = begin_apply(workshop)
    gate.wait_until_reached()
    os.killpg(workshop.processes()["group"], signal.SIGKILL)
    assert apply.result().ending == "killed"
    assert (workshop.data / "projects" / "ada" / "root" / "terraform.tfstate").read_bytes() == b""
    assert workshop.engine.addresses("ada") == frozenset()
    assert workshop.engine.outputs("ada") == {}
    assert workshop.engine.started("ada") == {GATED}
    assert workshop.planned(run="two").counts == Counts(add=1)


def test_what_a_killed_apply_made_without_recording_it_is_adopted(
    workshop: Workshop, gate: Gate
) -> None:
    """State in a database is written every 20 s: here it is lost outright."""
    prepared(workshop, gate)
    confirmed = workshop.planned()
    apply = begin_apply(workshop)
    gate.wait_until_reached()
    os.killpg(workshop.processes()["group"], signal.SIGKILL)
    apply.result()
    for state in (workshop.data / "projects" / "ada" / "root").glob("terraform.tfstate*"):
        state.unlink()
    lost = workshop.engine.started("ada") - workshop.engine.addresses("ada") - {GATED}
    assert lost == MADE
    # Whatever its id, `terraform_data` can be imported: it exists in the state only.
    adopted = {address: f"id of {address}" for address in sorted(lost)}
    workshop.prepare(adopt=adopted, gate=str(gate.path), command="true")
    rest = workshop.planned(run="two")
    assert rest.counts.adopt == 2
    assert rest.counts.add == 2
    assert confirmed.covers(rest)


def test_terraform_without_its_keeper_is_still_followed_to_its_end(
    workshop: Workshop, gate: Gate
) -> None:
    prepared(workshop, gate)
    apply = begin_apply(workshop)
    gate.wait_until_reached()
    processes = workshop.processes()
    os.kill(processes["keeper"]["pid"], signal.SIGKILL)
    wait_until(lambda: not keeper.is_alive(processes["keeper"]))
    job = Job(workshop.job("apply"), grace=1)
    assert job.state() == "running"
    gate.open()
    assert apply.result().ending == "killed"
    assert not keeper.is_alive(processes["child"])
    assert len(workshop.engine.addresses("ada")) == 4


def test_a_cancelled_apply_keeps_what_it_made_and_the_next_run_goes_on(
    workshop: Workshop, gate: Gate
) -> None:
    prepared(workshop, gate)
    onlooker = Onlooker()
    apply = begin_apply(workshop, onlooker)
    gate.wait_until_reached()
    onlooker.wish.set()
    outcome = apply.result()
    assert (outcome.ending, outcome.counts) == ("cancelled", Counts(add=2))
    assert workshop.engine.addresses("ada") >= {EACH.format("a"), EACH.format("b")}
    workshop.prepare()
    assert workshop.planned(run="two").counts.add == 0


def test_a_project_is_not_forgotten_while_terraform_works_on_it(
    workshop: Workshop, gate: Gate
) -> None:
    workshop.prepare(names=[], gate=str(gate.path))
    workshop.planned()
    apply = begin_apply(workshop)
    gate.wait_until_reached()
    assert workshop.engine.addresses("ada") == frozenset()
    with pytest.raises(PermanentError, match="still runs"):
        workshop.engine.forget("ada")
    gate.open()
    assert apply.result().ending == "succeeded"


def test_a_run_cancelled_before_it_starts_never_starts(workshop: Workshop) -> None:
    workshop.prepare()
    workshop.planned()
    onlooker = Onlooker()
    onlooker.wish.set()
    assert workshop.engine.apply("ada", "one", onlooker).ending == "cancelled"
    assert finish(workshop).ending == "cancelled"
    assert workshop.engine.plan("ada", "two", onlooker)[0].ending == "cancelled"
    assert workshop.engine.addresses("ada") == frozenset()


def test_a_process_number_that_was_given_away_again_is_not_taken_for_ours(
    workshop: Workshop, gate: Gate
) -> None:
    prepared(workshop, gate)
    apply = begin_apply(workshop)
    gate.wait_until_reached()
    os.killpg(workshop.processes()["group"], signal.SIGKILL)
    apply.result()
    started = workshop.job("apply") / "started.json"
    somebody = {"pid": os.getpid(), "born": "1"}
    started.write_text(json.dumps({"keeper": somebody, "child": somebody, "group": 0}))
    assert Job(workshop.job("apply"), grace=1).state() == "killed"


def shell(folder: Path, script: str, grace: timedelta = timedelta()) -> Job:
    """Start a shell script as a job that is not Terraform."""
    job = Job(folder / "job", grace.total_seconds())
    job.start([["/bin/sh", "-c", script]], folder, lambda: {"PATH": os.defpath})
    return job


def test_a_job_that_ignores_interrupts_is_killed_in_the_end(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    job = shell(tmp_path, "trap '' INT TERM; echo up; read line < fifo")
    wait_until(job.log)
    ending = job.follow(job.stop)
    assert (ending.state, ending.status) == ("killed", None)
    assert {path.name for path in job.folder.glob("interrupt-*")} == {
        "interrupt-1",
        "interrupt-2",
        "interrupt-3",
    }


def test_an_interrupt_is_sent_once_however_often_it_is_asked_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    waiting = "until read line <&3; do :; done"
    script = f"exec 3<>fifo; trap 'echo interrupted' INT; echo up; {waiting}; exit 4"
    job = shell(tmp_path, script, timedelta(minutes=5))
    wait_until(job.log)
    for _ in range(20):
        job.stop()
        Job(job.folder, 300).stop()
    wait_until(lambda: b"interrupted" in job.log())
    (tmp_path / "fifo").write_text("go\n")
    ending = job.follow(job.stop)
    assert (ending.state, ending.status, ending.interrupted) == ("ended", 4, True)
    assert job.log() == b"up\ninterrupted\n"


def test_a_job_is_started_once_however_often_it_is_asked_for(tmp_path: Path) -> None:
    job = shell(tmp_path, "echo once")
    for _ in range(3):
        shell(tmp_path, "echo twice").follow(lambda: None)
    assert job.follow(lambda: None).status == 0
    assert job.log() == b"once\n"


def test_a_job_stops_at_the_first_command_that_fails(tmp_path: Path) -> None:
    job = Job(tmp_path / "job", 1)
    commands = [["/bin/sh", "-c", f"echo {n}; exit {n}"] for n in (0, 3, 5)]
    job.start(commands, tmp_path, dict)
    assert job.follow(lambda: None).status == 3
    assert job.log() == b"0\n3\n"


def test_a_command_that_does_not_exist_ends_with_a_reason(tmp_path: Path) -> None:
    job = Job(tmp_path / "job", 1)
    job.start([["/nowhere/terraform"]], tmp_path, dict)
    assert job.follow(lambda: None).status == 127
    assert b"cannot run /nowhere/terraform" in job.log()


def test_a_job_whose_keeper_cannot_work_is_tried_again_later(tmp_path: Path) -> None:
    in_the_way = tmp_path / "job" / "events.jsonl"
    in_the_way.mkdir(parents=True)
    job = Job(tmp_path / "job", 1)
    with pytest.raises(TemporaryError, match=r"could not be started; nothing .* IsADirectory"):
        job.start([["/bin/true"]], tmp_path, dict)
    in_the_way.rmdir()
    job.start([["/bin/true"]], tmp_path, dict)
    assert job.follow(lambda: None).status == 0
