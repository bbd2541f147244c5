"""Which version of each template is on offer, for the news."""

from collections.abc import Mapping
from functools import cached_property

from provisioning.adapters.bundle_templates.adapter import BundleTemplates
from provisioning.adapters.bundle_templates.content_version import version_of
from provisioning.store.news import Version


class TemplateVersions:
    """Implements `Versions`. The folders belong to the program: they are read once."""

    def __init__(self, templates: BundleTemplates) -> None:
        self._templates = templates

    def versions(self) -> Mapping[str, Version]:
        """Return the version of each template on offer."""
        return self._versions

    @cached_property
    def _versions(self) -> Mapping[str, Version]:
        folder = self._templates.folder
        found = {name: version_of(folder / name) for name in self._templates.names()}
        return {name: Version(id=one.digest, name=one.name) for name, one in found.items()}
