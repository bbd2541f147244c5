"""`sciclops play` as people run it: in a terminal, twice, and with a port that is taken."""

import asyncio
import os
import signal
import socket
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from playground.directory import LOCK, MARK, door, empty, taken
from provisioning.errors import UserError

SCICLOPS = Path(sys.executable).with_name("sciclops")
START_SECONDS = 90


async def playing(directory: Path, port: str = "0") -> Process:
    """Start `sciclops play` as a terminal does: as the leader of a process group of its own."""
    return await asyncio.create_subprocess_exec(
        SCICLOPS,
        "play",
        "--port",
        port,
        "--directory",
        directory,
        stdout=PIPE,
        stderr=PIPE,
        start_new_session=True,
    )


async def refused(directory: Path, port: str = "0") -> str:
    """Return what it says when it does not start."""
    process = await playing(directory, port)
    async with asyncio.timeout(START_SECONDS):
        _, errors = await process.communicate()
    assert process.returncode == 2
    return errors.decode()


@pytest.fixture
async def running(tmp_path: Path) -> AsyncIterator[Process]:
    process = await playing(tmp_path / "play")
    assert process.stdout is not None
    async with asyncio.timeout(START_SECONDS):
        while b"Ctrl+C" not in (line := await process.stdout.readline()):
            assert line, "it ended before it was ready"
    yield process
    if process.returncode is None:
        process.terminate()
        await process.communicate()


def below(pid: int) -> set[int]:
    """Return all processes that a process has started, and theirs."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return {int(one) for one in children} | {two for one in children for two in below(int(one))}


async def test_a_second_start_leaves_the_first_alone_and_ctrl_c_ends_it_cleanly(
    running: Process, tmp_path: Path
) -> None:
    before = sorted((tmp_path / "play").rglob("*"))
    said = await refused(tmp_path / "play")
    assert said.startswith("A playground already runs here, at http://127.0.0.1:")
    assert said.endswith("Open it, stop it, or choose --port and --directory.\n")
    assert set(before) <= set((tmp_path / "play").rglob("*"))
    others = below(running.pid)
    assert len(others) >= 2
    os.killpg(running.pid, signal.SIGINT)
    async with asyncio.timeout(START_SECONDS):
        _, errors = await running.communicate()
    assert (running.returncode, errors.decode()) == (0, "")
    assert [pid for pid in others if Path(f"/proc/{pid}").exists()] == []


async def test_ctrl_c_ends_a_start_cleanly_too(tmp_path: Path) -> None:
    process = await playing(tmp_path / "play")
    assert process.stdout is not None
    async with asyncio.timeout(START_SECONDS):
        while b"Starting" not in await process.stdout.readline():
            assert not process.stdout.at_eof()
        os.killpg(process.pid, signal.SIGINT)
        _, errors = await process.communicate()
    assert (process.returncode, errors.decode()) == (0, "")


async def test_a_port_that_another_program_has_costs_nothing(tmp_path: Path) -> None:
    keep = tmp_path / "database"
    (tmp_path / MARK).touch()
    keep.touch()
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        said = await refused(tmp_path, str(port))
    assert said.startswith(f"Port {port} can't be used (Address already in use): ")
    assert said.count("\n") == 1
    assert keep.exists()


async def test_a_port_that_cannot_be_is_refused_in_words(tmp_path: Path) -> None:
    said = await refused(tmp_path, "70000")
    assert "65535" in said
    assert "Traceback" not in said


def test_a_directory_is_one_playground_s_at_a_time(tmp_path: Path) -> None:
    with taken(tmp_path) as note:
        note.write("at http://127.0.0.1:1")
        note.flush()
        with pytest.raises(UserError, match=r"here, at http://127.0.0.1:1\."), taken(tmp_path):
            pass
    with taken(tmp_path) as note:
        assert note.read() == ""


def test_what_is_not_a_playground_s_is_never_taken(tmp_path: Path) -> None:
    (tmp_path / "thesis").touch()
    with pytest.raises(UserError, match="Name another --directory"), taken(tmp_path):
        pass
    assert [one.name for one in tmp_path.iterdir()] == ["thesis"]


def test_emptying_keeps_the_mark_and_the_lock_and_follows_no_link(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "thesis").touch()
    with taken(tmp_path / "play"):
        (tmp_path / "play" / "git").mkdir()
        (tmp_path / "play" / "git" / "HEAD").touch()
        (tmp_path / "play" / "link").symlink_to(outside)
        empty(tmp_path / "play")
    assert {one.name for one in (tmp_path / "play").iterdir()} == {MARK, LOCK}
    assert (outside / "thesis").exists()


def test_a_free_port_is_found() -> None:
    with door(0) as listening:
        assert listening.getsockname()[1] > 0
