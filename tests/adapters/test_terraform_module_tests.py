"""The tests that are shipped with the modules: they run without the bot and without a vendor."""

import asyncio
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from terraform_world import MODULES, TerraformWorld, Workbench, binaries

MODULE = MODULES / "identity"


@pytest_asyncio.fixture
async def world(tmp_path: Path) -> AsyncIterator[TerraformWorld]:
    made = TerraformWorld(tmp_path / "world")
    await made.start()
    yield made
    await made.stop()


@pytest.fixture
def bench(world: TerraformWorld, tmp_path: Path) -> Workbench:
    folder = shutil.copytree(MODULE, tmp_path / "module")
    return Workbench(world, folder, next(iter(binaries().values())))


@pytest.mark.asyncio
async def test_the_shipped_tests_pass_and_notice_a_weaker_gate(bench: Workbench) -> None:
    begun = await bench.run("init", "-no-color")
    assert begun.code == 0, begun.text
    asked = sum(bench.world.faults.requests.values())
    good = await bench.run("test", "-no-color")
    assert good.code == 0, good.text
    assert "5 passed, 0 failed" in good.text
    await asyncio.to_thread(weaken, bench.directory / "main.tf")
    bad = await bench.run("test", "-no-color")
    assert bad.code == 1
    assert "Somebody could release a deployment of their own." in bad.text
    assert sum(bench.world.faults.requests.values()) == asked, "no vendor was asked"


def weaken(module: Path) -> None:
    """Let administrators pass the gate."""
    text = module.read_text()
    assert "can_admins_bypass   = false" in text
    module.write_text(text.replace("can_admins_bypass   = false", "can_admins_bypass   = true"))
