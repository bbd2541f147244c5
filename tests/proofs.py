"""Writes down what a long trial showed: commit, seed and figures."""

import subprocess
from collections.abc import Sequence
from pathlib import Path

PROOFS = Path(__file__).parent.parent / "docs" / "proofs"


def write_proof(
    name: str,
    title: str,
    seed: int,
    header: Sequence[str],
    rows: Sequence[Sequence[str]],
    trials: int = 0,
) -> None:
    """Write `docs/proofs/<name>.md`; each row is a trial unless a number of them is given."""
    made = f"Commit {_commit()}, seed {seed}, {trials or len(rows)} trials. Made by `make prove`."
    PROOFS.mkdir(parents=True, exist_ok=True)
    lines = [f"# {title}", "", made, "", *_table(header, rows), ""]
    (PROOFS / f"{name}.md").write_text("\n".join(lines))


def write_section(
    name: str,
    title: str,
    section: str,
    said: str,
    table: tuple[Sequence[str], Sequence[Sequence[str]]],
) -> None:
    """Write one section of `docs/proofs/<name>.md`; the others stay as they are.

    `table` is its header and its rows.
    """
    file = PROOFS / f"{name}.md"
    known = file.read_text() if file.exists() else ""
    parts = [part for part in known.split("\n## ")[1:] if part.partition("\n")[0] != section]
    made = f"Commit {_commit()}, {said}. Made by `make prove`."
    parts.append("\n".join([section, "", made, "", *_table(*table)]))
    PROOFS.mkdir(parents=True, exist_ok=True)
    sections = "".join(f"\n## {part.rstrip()}\n" for part in sorted(parts))
    file.write_text(f"# {title}\n{sections}")


def _commit() -> str:
    command = ["git", "rev-parse", "--short", "HEAD"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def _table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    return [
        f"| {' | '.join(header)} |",
        f"|{'|'.join('---' for _ in header)}|",
        *(f"| {' | '.join(row)} |" for row in rows),
    ]
