"""Rows of figures, and how they are taken from this machine."""

import os
import statistics
from collections.abc import Iterator
from pathlib import Path

ROWS: list[tuple[str, str]] = []


def say(what: str, figure: str) -> None:
    """Print a row at once, and keep it for the end."""
    ROWS.append((what, figure))
    print(f"{what:<64} {figure}", flush=True)


def percentiles(milliseconds: list[float]) -> str:
    """Return p50 and p99."""
    ordered = sorted(milliseconds)
    p99 = ordered[min(len(ordered) - 1, int(len(ordered) * 0.99))]
    return f"p50 {statistics.median(ordered):6.1f} ms   p99 {p99:6.1f} ms"


def seconds(amount: float) -> str:
    """Return seconds for the table."""
    return f"{amount:5.1f} s"


def cpu_seconds(pid: int) -> float:
    """Return a process's processor time so far (proc(5), fields 14 and 15)."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def status(pid: int) -> Iterator[tuple[str, str]]:
    """Return what the kernel says of a process."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        name, _, value = line.partition(":")
        yield name, value.strip()
