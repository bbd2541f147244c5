"""The resident provider process: it lives, dies, comes back, is asked to misbehave."""

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
from terraform_root import Json
from terraform_world import TerraformWorld, Workbench, binaries

from playground.faults import Fault, Faults
from playground.terraform.server import ProvidersDeadError, TerraformProviders
from provisioning.clock import MovableClock

SECRET = "canary-of-the-app"
DEADLINE = 20


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[Workbench]:
    world = TerraformWorld(tmp_path)
    await world.start()
    yield Workbench(world, tmp_path, next(iter(binaries().values())))
    await world.stop()


def scopes(world: TerraformWorld, *names: str) -> Json:
    """Return a root with secret scopes in the development workspace."""
    made = {name: {"provider": "databricks.dev", "name": name} for name in names}
    return world.scratch(resource={"databricks_secret_scope": made})


def made_scopes(world: TerraformWorld) -> set[str]:
    return set(world.databricks.workspace("gbx1", "development").scopes)


async def ended(pid: int) -> bool:
    """Wait until a process that isn't our child has ended, up to the deadline."""
    try:
        watched = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    over = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.add_reader(watched, over.set)
    try:
        async with asyncio.timeout(DEADLINE):
            return await over.wait()
    finally:
        loop.remove_reader(watched)
        os.close(watched)


async def test_failures_come_as_often_as_asked_and_leave_no_trace(bench: Workbench) -> None:
    world = bench.world
    world.providers.fail("databricks_secret_scope", 1, "the vendor is on holiday")
    refused = await bench.apply(scopes(world, "one"))
    assert (refused.code, made_scopes(world)) == (1, set())
    assert "the vendor is on holiday" in refused.errors()
    assert (await bench.applied(scopes(world, "one"))).counts() == (1, 0, 0)


async def test_a_failure_after_the_effect_leaves_what_terraform_does_not_know(
    bench: Workbench,
) -> None:
    world = bench.world
    world.providers.fail("*", 1, "connection reset", after_effect=True)
    refused = await bench.apply(scopes(world, "lost"))
    assert (refused.code, made_scopes(world)) == (1, {"lost"})
    again = await bench.apply(scopes(world, "lost"))
    assert "Scope lost already exists" in again.errors()
    imports = [{"to": "databricks_secret_scope.lost", "id": "lost"}]
    adopted = await bench.applied({**scopes(world, "lost"), "import": imports})
    assert adopted.counts() == (0, 0, 0)


async def test_faults_of_the_door_strike_and_cleared_ones_do_not(bench: Workbench) -> None:
    world = bench.world
    world.faults.add(Fault("terraform", "status", "APPLY databricks_secret_scope", status=503))
    refused = await bench.apply(scopes(world, "door"))
    assert "injected fault: status 503" in refused.errors()
    assert (world.faults.struck, world.faults.active) == (1, [])
    world.providers.fail("*", 9, "never")
    world.providers.delay("*", 3600)
    world.providers.clear()
    assert (await bench.applied(scopes(world, "door"))).counts() == (1, 0, 0)


async def test_a_delay_holds_an_apply_up(bench: Workbench) -> None:
    world = bench.world
    planned = await bench.plan(scopes(world, "slow"))
    assert planned.code == 0
    world.providers.delay("databricks_secret_scope", 0.5)
    loop = asyncio.get_running_loop()
    began = loop.time()
    assert (await bench.run("apply", "-json", "plan")).code == 0
    assert loop.time() - began >= 0.5


async def test_a_killed_process_comes_back_where_it_was_and_the_apply_is_finished(
    bench: Workbench,
) -> None:
    world = bench.world
    where = json.loads(world.providers.reattach)
    planned = await bench.plan(scopes(world, "a", "b", "c"))
    assert planned.code == 0
    world.providers.delay("*", 30)
    applying = asyncio.create_task(bench.run("apply", "-json", "plan"))
    async with asyncio.timeout(DEADLINE):
        await world.providers.applying.wait()
    os.kill(world.providers.pid, signal.SIGKILL)
    failed = await applying
    assert failed.code == 1
    assert "Plugin did not respond" in failed.errors()
    world.providers.clear()
    await world.providers.start()
    back = json.loads(world.providers.reattach)
    assert [each["Addr"] for each in back.values()] == [each["Addr"] for each in where.values()]
    assert (await bench.applied(scopes(world, "a", "b", "c"))).counts() == (3, 0, 0)
    assert made_scopes(world) == {"a", "b", "c"}


async def test_logins_follow_a_clock_that_is_moved(bench: Workbench) -> None:
    world = bench.world
    world.clock.advance(timedelta(days=40))
    resource = {"github_repository": {"r": {"name": "later"}}}
    assert (await bench.applied(world.scratch(resource=resource))).counts() == (1, 0, 0)


async def test_several_terraforms_share_the_process(bench: Workbench) -> None:
    world = bench.world
    benches = []
    for number in range(4):
        directory = bench.directory / f"share{number}"
        directory.mkdir()
        benches.append(Workbench(world, directory, bench.binary))
    roots = [scopes(world, f"s{number}", f"t{number}") for number in range(4)]
    done = await asyncio.gather(
        *(one.applied(root) for one, root in zip(benches, roots, strict=True))
    )
    assert [each.counts() for each in done] == [(2, 0, 0)] * 4
    assert len(made_scopes(world)) == 8


async def test_cancelling_one_terraform_harms_no_other(bench: Workbench) -> None:
    world = bench.world
    other = Workbench(world, bench.directory / "other", bench.binary)
    other.directory.mkdir()
    names = [f"many-{number:02}" for number in range(30)]
    assert (await bench.plan(scopes(world, *names))).code == 0
    assert (await other.plan(scopes(world, "other"))).code == 0
    world.providers.delay("*", 1)
    cancelled = asyncio.create_task(bench.run("apply", "-json", "plan"))
    async with asyncio.timeout(DEADLINE):
        await world.providers.applying.wait()
    assert bench.process is not None
    bench.process.send_signal(signal.SIGINT)
    assert (await other.run("apply", "-json", "plan")).code == 0
    stopped = await cancelled
    assert stopped.code == 1
    assert "execution halted" in stopped.errors()
    assert "other" in made_scopes(world)
    known = (await bench.run("state", "list")).text.splitlines()
    assert len(known) == len(made_scopes(world) - {"other"}) < len(names)


async def test_credentials_are_in_no_argv_and_no_environment() -> None:
    providers = TerraformProviders(
        MovableClock(), Faults(), github_app=("1", "2", SECRET), databricks_client=("a", SECRET)
    )
    await providers.start()
    process = Path(f"/proc/{providers.pid}")
    seen = (process / "cmdline").read_bytes() + (process / "environ").read_bytes()
    await providers.stop()
    assert b"playground.terraform" in seen
    assert SECRET.encode() not in seen
    assert SECRET not in providers.__repr__()


async def test_the_process_dies_with_the_one_that_started_it() -> None:
    program = (
        "import asyncio, os, signal\n"
        "from playground.faults import Faults\n"
        "from playground.terraform.server import TerraformProviders\n"
        "from provisioning.clock import SystemClock\n"
        "async def main():\n"
        "    providers = TerraformProviders(SystemClock(), Faults(),\n"
        "        github_app=('1', '2', 'x'), databricks_client=('a', 'b'))\n"
        "    await providers.start()\n"
        "    print(providers.pid, flush=True)\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
        "asyncio.run(main())\n"
    )
    parent = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        program,
        stdout=asyncio.subprocess.PIPE,
        cwd=Path(__file__).parents[2],
    )
    out, _ = await parent.communicate()
    assert parent.returncode == -signal.SIGKILL
    assert await ended(int(out))


async def test_a_process_that_was_not_started_has_no_pid() -> None:
    providers = TerraformProviders(
        MovableClock(), Faults(), github_app=("1", "2", "x"), databricks_client=("a", "b")
    )
    with pytest.raises(ProvidersDeadError, match="was not started"):
        _ = providers.pid
    await providers.stop()
