"""The bot's Terraform runs as the playground shows them: read from the files they leave on disk."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

COMMANDS = ("plan", "adopt", "apply")
LOG_LINES = 400

Json = dict[str, Any]


def snapshot(directory: Path) -> Json:
    """Return every run below the engine's data directory, newest first, as plain JSON."""
    folders = sorted(
        directory.glob("projects/*/runs/*"), key=lambda run: run.stat().st_mtime, reverse=True
    )
    return {"runs": [_run(folder) for folder in folders]}


def _run(folder: Path) -> Json:
    return {
        "name": f"{folder.parts[-3]}, {folder.name}",
        "project": folder.parts[-3],
        "commands": [
            _command(folder / name, name) for name in COMMANDS if (folder / name).exists()
        ],
    }


def _command(folder: Path, name: str) -> Json:
    events = list(_events(folder / "events.jsonl"))
    counts: Json = next(
        (event["changes"] for event in reversed(events) if event.get("type") == "change_summary"),
        {},
    )
    ended = _read(folder / "ended.json")
    return {
        "name": f"terraform {name}",
        "state": "running" if not ended else "succeeded" if ended["status"] == 0 else "failed",
        "add": counts.get("add", 0),
        "change": counts.get("change", 0),
        "remove": counts.get("remove", 0),
        "seconds": round(ended.get("seconds", 0), 1),
        "log": "\n".join(str(event.get("@message", "")) for event in events[-LOG_LINES:]),
    }


def _events(file: Path) -> Iterator[Json]:
    if not file.exists():
        return
    for line in file.read_text(errors="replace").splitlines():
        try:
            event = json.loads(line)
        except ValueError:
            continue  # the last line may be half written
        if isinstance(event, dict):
            yield event


def _read(file: Path) -> Json:
    try:
        found: Json = json.loads(file.read_text())
    except (OSError, ValueError):
        return {}
    return found
