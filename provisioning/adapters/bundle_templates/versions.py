"""Which version of each template is on offer: told by the content of its folder."""

from collections.abc import Mapping
from functools import cached_property
from hashlib import sha256
from pathlib import Path

from provisioning.adapters.bundle_templates.adapter import BundleTemplates
from provisioning.store.news import Version

NOT_RENDERED = ("answers", "expected")
"""Folders that only tests read."""
DIGITS = 8


class TemplateVersions:
    """Implements `Versions`. The folders belong to the program: they are read once."""

    def __init__(self, templates: BundleTemplates) -> None:
        self._templates = templates

    def versions(self) -> Mapping[str, Version]:
        """Return the version of each template on offer."""
        return self._versions

    @cached_property
    def _versions(self) -> Mapping[str, Version]:
        digests = {name: digest(self._templates.folder / name) for name in self._templates.names()}
        return {name: Version(id=told, name=told[:DIGITS]) for name, told in digests.items()}


def digest(folder: Path) -> str:
    """Return what tells one state of a template from all others."""
    found = sha256()
    for path in sorted(folder.rglob("*")):
        inner = path.relative_to(folder)
        if path.is_file() and inner.parts[0] not in NOT_RENDERED:
            content = sha256(path.read_bytes()).hexdigest()
            found.update(f"{inner.as_posix()} {content}\n".encode())
    return found.hexdigest()
