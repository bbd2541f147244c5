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
    command = ["git", "rev-parse", "--short", "HEAD"]
    commit = subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    lines = [
        f"# {title}",
        "",
        f"Commit {commit}, seed {seed}, {trials or len(rows)} trials. Made by `make prove`.",
        "",
        f"| {' | '.join(header)} |",
        f"|{'|'.join('---' for _ in header)}|",
        *(f"| {' | '.join(row)} |" for row in rows),
        "",
    ]
    PROOFS.mkdir(parents=True, exist_ok=True)
    (PROOFS / f"{name}.md").write_text("\n".join(lines))
