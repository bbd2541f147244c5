"""Runs that are cancelled, repeated, kept apart by groups or left behind."""

import asyncio
import signal
import sys
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from actions_workshop import Workshop, ends, log_of, workshop
from waiting import wait_until

from playground.actions import keeper

HEAD = "name: deploy\non: [push]\npermissions: {}\njobs:\n"
LONG = f"""{HEAD}\
  long:
    runs-on: ubuntu-latest
    steps:
      - name: Sleep
        run: |
          setsid sleep 321 &
          (trap '' INT TERM HUP; echo "child $BASHPID"; exec sleep 322) &
          echo "shell $$"
          sleep 323
      - name: Mourn
        if: cancelled()
        run: echo mourning
      - name: Never
        run: echo never
  after:
    needs: long
    runs-on: ubuntu-latest
    steps: [{{run: "true"}}]
  always:
    needs: long
    if: always()
    runs-on: ubuntu-latest
    steps: [{{run: echo tidied}}]
"""
GROUP = """\
name: deploy
on: [push]
permissions: {}
concurrency:
  group: bundle-${{ github.repository_id }}
  cancel-in-progress: false
jobs:
  deploy:
    runs-on: ubuntu-latest
    environment: Production
    steps: [{run: "true"}]
"""
JOB_GROUP = f"""{HEAD}\
  deploy:
    runs-on: ubuntu-latest
    environment: Production
    concurrency: {{group: "Deploy-${{{{ github.ref }}}}", cancel-in-progress: true}}
    steps: [{{run: "true"}}]
"""
FLAKY = f"""{HEAD}\
  build:
    runs-on: ubuntu-latest
    outputs: {{version: "${{{{ steps.v.outputs.version }}}}"}}
    steps:
      - id: v
        run: echo "version=$RANDOM-$GITHUB_RUN_ATTEMPT" >> $GITHUB_OUTPUT
  test:
    needs: build
    runs-on: ubuntu-latest
    steps:
      - env: {{VERSION: "${{{{ needs.build.outputs.version }}}}"}}
        run: echo "version $VERSION" && test "$GITHUB_RUN_ATTEMPT" = 2
  deploy:
    needs: test
    runs-on: ubuntu-latest
    steps: [{{run: "true"}}]
"""
LEGS = f"""{HEAD}\
  leg:
    runs-on: ubuntu-latest
    continue-on-error: ${{{{ matrix.weak }}}}
    strategy:
      fail-fast: false
      matrix:
        include: [{{n: 1, weak: false}}, {{n: 2, weak: false}}, {{n: 3, weak: false}}]
    steps: [{{run: "test ${{{{ matrix.n }}}} != 1"}}]
"""
NINE = HEAD + "".join(
    f"  job{n}:\n    runs-on: ubuntu-latest\n"
    + (f"    needs: job{n - 1}\n" if n > 1 else "")
    + "    steps: [{run: 'true'}]\n"
    for n in range(1, 10)
)


@pytest.fixture
async def shop(tmp_path: Path) -> AsyncIterator[Workshop]:
    async with workshop(tmp_path) as opened:
        yield opened


def commands() -> list[str]:
    """Return the command line of every process."""
    found = []
    for file in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            found.append(file.read_bytes().replace(b"\0", b" ").decode(errors="replace"))
        except OSError:
            continue
    return found


def asleep(*seconds: int) -> list[str]:
    """Return the sleepers of these lengths."""
    return [line for line in commands() if line.strip() in {f"sleep {n}" for n in seconds}]


async def until(condition: Callable[[], object]) -> None:
    """Wait for what no book tells of."""
    await asyncio.to_thread(wait_until, condition)


async def test_a_cancelled_run_ends_with_nothing_left_running(shop: Workshop) -> None:
    run = shop.begin(LONG)
    await shop.book.until_said(run, "shell ")
    run.cancelled = True
    await shop.runner.cancel(run)
    await shop.over()
    assert run.conclusion == "cancelled"
    assert ends(run) == {"long": "cancelled", "after": "skipped", "always": "success"}
    said = log_of(run, "long")
    assert "mourning" in said
    assert "never" not in said
    assert "The operation was canceled." in said
    assert asleep(321, 322, 323) == []


async def test_closing_the_playground_stops_what_runs(shop: Workshop) -> None:
    run = shop.begin(LONG.replace("sleep 32", "sleep 42"))
    await shop.book.until_said(run, "shell ")
    await until(lambda: len(asleep(421, 422, 423)) == 3)
    await shop.runner.close()
    await shop.over()
    assert asleep(421, 422, 423) == []


async def test_a_keeper_whose_playground_was_killed_leaves_nothing() -> None:
    script = "setsid sleep 521 & (trap '' INT TERM HUP; exec sleep 522) & sleep 523"
    parent = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        "import subprocess as s, sys; s.Popen(sys.argv[1:], stdin=s.PIPE).wait()",
        sys.executable,
        "-I",
        "-S",
        keeper.__file__,
        "/bin/sh",
        "-c",
        script,
    )
    await until(lambda: len(asleep(521, 522, 523)) == 3)
    parent.send_signal(signal.SIGKILL)
    await parent.wait()
    await until(lambda: not asleep(521, 522, 523))


async def test_one_run_is_in_a_group_and_the_latest_one_waits(shop: Workshop) -> None:
    shop.book.gated = {"Production"}
    first = shop.begin(GROUP)
    await shop.book.until(first, "deploy", "waiting")
    second = shop.begin(GROUP)
    third = shop.begin(GROUP)
    await until(lambda: second.status == "completed")
    assert (second.conclusion, second.present_jobs) == ("cancelled", [])
    assert third.present_jobs == []
    shop.book.decide("Production", approved=True)
    await shop.over()
    assert (first.conclusion, third.conclusion) == ("success", "success")


async def test_a_newcomer_cancels_the_job_in_its_group_where_that_is_asked(shop: Workshop) -> None:
    shop.book.gated = {"Production"}
    first = shop.begin(JOB_GROUP)
    await shop.book.until(first, "deploy", "waiting")
    second = shop.begin(JOB_GROUP)
    await shop.book.until(second, "deploy", "waiting")
    assert first.conclusion == "cancelled"
    shop.book.decide("Production", approved=True)
    await shop.over()
    assert second.conclusion == "success"


async def test_a_rerun_repeats_what_failed_and_what_needs_it(shop: Workshop) -> None:
    run = await shop.ended(FLAKY)
    assert ends(run) == {"build": "success", "test": "failure", "deploy": "skipped"}
    version = log_of(run, "test").partition("version ")[2].split()[0]
    run.attempt, run.status, run.only_jobs = 2, "queued", ("test",)
    shop.go(run)
    await shop.over()
    assert ends(run) == {"build": "success", "test": "success", "deploy": "success"}
    assert f"version {version}" in log_of(run, "test"), "the kept job's output"


async def test_legs_fail_for_themselves(shop: Workshop) -> None:
    run = await shop.ended(LEGS)
    assert ends(run) == {
        "leg (1, false)": "failure",
        "leg (2, false)": "success",
        "leg (3, false)": "success",
    }
    assert run.conclusion == "failure"


async def test_a_leg_that_fails_cancels_those_that_have_not_begun(shop: Workshop) -> None:
    run = await shop.ended(LEGS.replace("fail-fast: false", "max-parallel: 1"))
    assert ends(run) == {
        "leg (1, false)": "failure",
        "leg (2, false)": "cancelled",
        "leg (3, false)": "cancelled",
    }
    assert [name for name, status, _ in shop.book.told if status == "in_progress"] == [
        "leg (1, false)"
    ]
    assert run.conclusion == "failure"


async def test_a_weak_leg_spoils_nothing(shop: Workshop) -> None:
    run = await shop.ended(LEGS.replace("n: 1, weak: false", "n: 1, weak: true"))
    assert ends(run)["leg (1, true)"] == "failure"
    assert run.conclusion == "success"


async def test_jobs_that_are_too_many_wait_for_a_machine(shop: Workshop) -> None:
    shop.runner.crew.machines = asyncio.Semaphore(1)
    run = await shop.ended(LEGS.replace("!= 1", "!= 4"))
    working = [(status, name) for name, status, _ in shop.book.told if status != "queued"]
    assert [status for status, _ in working] == ["in_progress", "completed"] * 3
    assert run.conclusion == "success"


async def test_nine_jobs_in_a_row_take_a_few_seconds(shop: Workshop) -> None:
    start = time.monotonic()
    run = await shop.ended(NINE)
    assert run.conclusion == "success"
    assert time.monotonic() - start < 20


async def test_a_workflow_that_is_none_fails_the_run(shop: Workshop) -> None:
    run = await shop.ended("name: deploy\non: [push]\n")
    assert run.conclusion == "failure"
    assert "Invalid workflow file" in run.present_jobs[0].log
