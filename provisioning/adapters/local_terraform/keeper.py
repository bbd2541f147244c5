"""Runs Terraform commands one after the other and writes down how they ended; a script by itself.

It is started detached, so that neither the death of the bot nor its restart touches a running
apply. It holds a lock on the job's folder for as long as it lives, leaves `started.json` before
each command and `ended.json` after the last. Whoever finds the lock taken or the job started does
nothing: so a job runs at most once, whoever is killed when. It runs as `python -I -S keeper.py
<folder>` and returns as soon as its detached half holds the lock; it imports nothing of ours.
"""

import contextlib
import fcntl
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import FrameType
from typing import Any, NoReturn

INTERRUPTED = 130
"""The status of a job that was interrupted before its last command, as shells have it."""


def identity(pid: int) -> dict[str, Any]:
    """Return what tells this process from a later one that gets the same number."""
    return {"pid": pid, "born": _birth(pid)}


def is_alive(process: dict[str, Any]) -> bool:
    """Tell whether the very process still runs (a zombie does not)."""
    return bool(process["born"]) and _birth(process["pid"]) == process["born"]


def _birth(pid: int) -> str:
    if not sys.platform.startswith("linux"):
        command = ["ps", "-o", "lstart=", "-p", str(pid)]
        return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return ""
    state, start_time = fields[0], fields[19]  # fields 3 and 22 of proc(5)
    return "" if state in "ZX" else start_time


class Keeper:
    """One job: a folder with `job.json`, which says what to run (`commands`) and where (`in`)."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._job: dict[str, Any] = json.loads((folder / "job.json").read_text())
        self._interrupted = False

    def run(self) -> None:
        """Run the commands in turn, until one fails or somebody interrupts; note the ending."""
        signal.signal(signal.SIGINT, self._note_interrupt)
        signal.signal(signal.SIGTERM, self._note_interrupt)
        began = time.monotonic()
        status = 0
        for command in self._job["commands"]:
            status = INTERRUPTED if self._interrupted else self._run_one(command)
            if status:
                break
        self._write("ended.json", {"status": status, "seconds": time.monotonic() - began})

    def _note_interrupt(self, _number: int, _frame: FrameType | None) -> None:
        self._interrupted = True

    def _run_one(self, command: list[str]) -> int:
        """Run a command; negative when a signal ended it. It waits until it has been noted."""
        may_go, go = os.pipe()
        child = os.fork()
        if not child:
            os.close(go)
            self._become(command, may_go)
        os.close(may_go)
        note = {"at": time.time(), "group": os.getpgrp(), "keeper": identity(os.getpid())}
        self._write("started.json", note | {"child": identity(child)})
        with contextlib.suppress(BrokenPipeError):
            os.write(go, b"!")
        os.close(go)
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])

    def _become(self, command: list[str], may_go: int) -> NoReturn:
        try:
            noted = os.read(may_go, 1)  # empty: the keeper died before it could note us
            if not noted or self._interrupted:
                os._exit(INTERRUPTED)
            os.chdir(self._job["in"])
            os.execv(command[0], command)
        except OSError as failure:
            os.write(2, f"cannot run {command[0]}: {failure.strerror}\n".encode())
        finally:
            os._exit(127)

    def _write(self, name: str, content: dict[str, Any]) -> None:
        draft = self._folder / f"{name}.draft"
        with draft.open("w") as file:
            json.dump(content, file)
            file.flush()
            os.fsync(file.fileno())
        draft.rename(self._folder / name)


def _take(folder: Path) -> bool:
    """Take the job's lock, kept until this process and its forks are gone; tell whether we may."""
    lock = os.open(folder / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return not (folder / "started.json").exists()


def main() -> None:
    """Take the job, detach, run it; do nothing when somebody has taken it."""
    os.umask(0o077)
    folder = Path(sys.argv[1])
    if not _take(folder) or os.fork():
        return
    events = os.open(folder / "events.jsonl", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.dup2(events, 1)
    os.dup2(events, 2)
    Keeper(folder).run()


if __name__ == "__main__":
    main()
