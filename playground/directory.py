"""What a playground needs for itself alone: a directory and a port, taken before one is emptied."""

import fcntl
import os
import shutil
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from provisioning.errors import UserError

MARK = ".sciclops-playground"
"""A file by which a playground's directory is known: nothing else is ever emptied."""
LOCK = ".sciclops-playground.lock"
"""Locked as long as the playground runs; it says where the page is."""
KEPT = (MARK, LOCK)


@contextmanager
def taken(directory: Path) -> Iterator[IO[str]]:
    """Hold a playground's directory, as it was left; the file given is for the page's address.

    Raises UserError if a playground runs there, or if it is somebody else's; neither is changed.
    """
    if directory.is_dir() and any(directory.iterdir()) and not (directory / MARK).exists():
        raise UserError(
            f"{directory} holds something that is not a playground's. Name another --directory."
        )
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        (directory / MARK).touch()
        lock = (directory / LOCK).open("a+")
    except OSError as error:
        raise UserError(f"{directory} can't be used: {error.strerror}.") from error
    with lock:
        _lock(lock, directory)
        lock.truncate(0)
        yield lock


def _lock(lock: IO[str], directory: Path) -> None:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        lock.seek(0)
        where = lock.read() or f"in {directory} (it is starting)"
        raise UserError(
            f"A playground already runs here, {where}. "
            "Open it, stop it, or choose --port and --directory."
        ) from None


def empty(directory: Path) -> None:
    """Delete what the last playground left in a directory that is taken."""
    for left in directory.iterdir():
        if left.name in KEPT:
            continue
        if left.is_dir() and not left.is_symlink():
            shutil.rmtree(left)
        else:
            left.unlink()


def door(port: int) -> socket.socket:
    """Return a listening loopback socket for the page; port 0 takes a free one."""
    try:
        return socket.create_server(("127.0.0.1", port))
    except OSError as error:
        raise UserError(
            f"Port {port} can't be used ({os.strerror(error.errno or 0)}): stop the program that "
            "has it, or choose another --port (0 takes a free one)."
        ) from error
