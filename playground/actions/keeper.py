"""Keeps one act: no process that a job started outlives the job, the playground or this file.

`python keeper.py <command …>`. "stop" is a byte on standard input; the end of standard input means
that the playground is gone. act gives every step a session of its own, so groups of processes are
no help: this process adopts whatever loses its parent and kills all its descendants in the end.
Every job starts one.
"""

import ctypes
import os
import select
import signal
import sys
from contextlib import suppress
from pathlib import Path
from typing import NoReturn

SET_DEATH_SIGNAL, SET_SUBREAPER = 1, 36
GRACE = 20.0
"""Seconds for steps that run after a cancellation, then everything is killed."""
LOOK = 0.02
PROCESSES = Path("/proc")


def process_control(option: int, value: int) -> None:
    """Call Linux's prctl; elsewhere nothing happens."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(option, value, 0, 0, 0)


def start(command: list[str]) -> int:
    """Start a command in a group of its own that dies with this process; return its id."""
    return os.fork() or become(command)


def become(command: list[str]) -> NoReturn:
    """Turn this process into the command."""
    process_control(SET_DEATH_SIGNAL, signal.SIGKILL)
    os.setpgid(0, 0)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.execv(command[0], command)


def descendants(root: int) -> set[int]:
    """Return the ids of every process below one."""
    parents: dict[int, int] = {}
    for file in PROCESSES.glob("[0-9]*/stat"):
        with suppress(OSError, IndexError):
            parents[int(file.parent.name)] = int(file.read_text().rpartition(")")[2].split()[1])
    found: set[int] = set()
    while more := {child for child, above in parents.items() if above in found | {root}} - found:
        found |= more
    return found


def reap() -> dict[int, int]:
    """Collect the children that have ended; return their statuses."""
    ended = {}
    with suppress(ChildProcessError):
        while (done := os.waitpid(-1, os.WNOHANG))[0]:
            ended[done[0]] = done[1]
    return ended


def send(process: int, number: int, *, group: bool = False) -> None:
    """Send a signal to a process (or its group) that may be gone."""
    with suppress(ProcessLookupError, PermissionError):
        (os.killpg if group else os.kill)(process, number)


def kill_all(child: int) -> None:
    """Kill everything that is left, until nothing is."""
    send(child, signal.SIGKILL, group=True)
    while left := descendants(os.getpid()):
        for process in left:
            send(process, signal.SIGKILL)
        reap()
        select.select([], [], [], LOOK)


def watch(child: int, woken: int) -> int:
    """Wait for the command; stop it when asked, kill everything when the playground is gone."""
    patience: float | None = None
    while True:
        ready = select.select([0, woken], [], [], patience)[0]
        if woken in ready:
            os.read(woken, 4096)
            status = reap().get(child)
            if status is not None:
                return os.waitstatus_to_exitcode(status)
        if not ready:
            return 1
        if 0 in ready:
            if not os.read(0, 1):
                return 1
            send(child, signal.SIGINT, group=True)
            patience = GRACE


def main() -> NoReturn:
    """Run the command and leave nothing behind."""
    process_control(SET_SUBREAPER, 1)
    woken, wakes = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
    signal.set_wakeup_fd(wakes, warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    child = start(sys.argv[1:])
    code = watch(child, woken)
    kill_all(child)
    os._exit(code if code >= 0 else 128 - code)


if __name__ == "__main__":
    main()
