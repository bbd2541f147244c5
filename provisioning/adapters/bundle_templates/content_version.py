"""Which version of a template this is: its content, and the name that its makers give it."""

import hashlib
from pathlib import Path

from provisioning.adapters.bundle_templates.schema import SCHEMA_FILE
from provisioning.versions import TemplateVersion

VERSION_FILE = "VERSION"
RENDERED = ("library", "template")
"""The folders that a project comes from, beside the schema."""
SHORT = 8


def version_of(folder: Path) -> TemplateVersion:
    """Return a template's version; without a name of its own it is named by its content."""
    digest = hashlib.sha256()
    for path in [folder / SCHEMA_FILE, *_files(folder)]:
        name = path.relative_to(folder).as_posix()
        content = path.read_bytes()
        digest.update(f"{len(name)}:{name}:{len(content)}:".encode() + content)
    file = folder / VERSION_FILE
    name = file.read_text("utf-8").strip() if file.is_file() else ""
    found = digest.hexdigest()[:16]
    return TemplateVersion(name=name or found[:SHORT], digest=found)


def _files(folder: Path) -> list[Path]:
    found = (path for part in RENDERED for path in (folder / part).rglob("*"))
    return sorted(path for path in found if path.is_file())
