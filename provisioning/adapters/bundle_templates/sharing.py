"""What all templates have in common lies once in `_shared/`, and as a copy in each template.

Copies, because `databricks bundle init` knows one folder only: each template must be whole. Files
are the same everywhere; questions of one name are, too, but for what a template may choose: the
form keeps an answer when somebody turns to another template, so it has to mean the same there.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from provisioning.adapters.bundle_templates.schema import SCHEMA_FILE

SHARED = "_shared"
BOT_ANSWERS_FILE = "bot_answers.json"
"""Questions that every template has, because the bot answers them."""
QUESTIONS_FILE = "questions.json"
"""Questions that are the same in every template that asks them."""
CHOSEN = ("default", "order")
"""What a template may say differently about a shared question."""

Properties = Mapping[str, dict[str, Any]]


def shared_copies(template: Path) -> dict[str, bytes]:
    """Return the files that a template should have of what is shared: path within it to content.

    Its schema is among them, in its own form where there is nothing to correct.
    """
    shared = template.parent / SHARED
    files = {
        path.relative_to(shared).as_posix(): path.read_bytes()
        for path in sorted(shared.rglob("*"))
        if path.is_file() and path.parent != shared
    }
    return files | {SCHEMA_FILE: _schema(template, shared)}


def share(template: Path) -> list[str]:
    """Bring what a template shares up to date; return the paths that were not."""
    stale = stale_copies(template)
    copies = shared_copies(template)
    for path in stale:
        (template / path).parent.mkdir(parents=True, exist_ok=True)
        (template / path).write_bytes(copies[path])
    return stale


def stale_copies(template: Path) -> list[str]:
    """Return the paths of what a template shares and has not, or has differently."""
    return [
        path
        for path, data in shared_copies(template).items()
        if not (template / path).is_file() or (template / path).read_bytes() != data
    ]


def _schema(template: Path, shared: Path) -> bytes:
    written = (template / SCHEMA_FILE).read_bytes()
    schema: dict[str, Any] = json.loads(written)
    own: Properties = schema.get("properties", {})
    wanted = dict(own)
    for name, about in _properties(shared / BOT_ANSWERS_FILE).items():
        wanted[name] = _merged(own.get(name, {}), about)
    for name, about in _properties(shared / QUESTIONS_FILE).items():
        if name in own:
            wanted[name] = _merged(own[name], about)
    if wanted == own:
        return written
    return (json.dumps({**schema, "properties": wanted}, indent=2) + "\n").encode()


def _properties(file: Path) -> Properties:
    found: Properties = json.loads(file.read_text("utf-8"))
    return found


def _merged(own: Mapping[str, Any], shared: Mapping[str, Any]) -> dict[str, Any]:
    return {**shared, **{key: own[key] for key in CHOSEN if key in own}}
