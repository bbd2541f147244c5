"""The `Templates` port on a folder of bundle templates: one folder is one template."""

from collections.abc import Mapping
from pathlib import Path

from provisioning.adapters.bundle_templates import schema
from provisioning.adapters.bundle_templates.bugs import TemplateError
from provisioning.adapters.bundle_templates.bundle_functions import BundleContext
from provisioning.adapters.bundle_templates.content_version import version_of
from provisioning.adapters.bundle_templates.rendering import Source, render_bundle
from provisioning.errors import UserError
from provisioning.questions import Answer, Question
from provisioning.versions import TemplateVersion


class BundleTemplates:
    """Offers every folder that has a schema file. Safe to use from many threads: it only reads."""

    def __init__(self, folder: Path, context: BundleContext | None = None) -> None:
        self.folder = folder
        self.context = context or BundleContext()

    def names(self) -> tuple[str, ...]:
        """Return the templates on offer."""
        return tuple(
            sorted(path.parent.name for path in self.folder.glob(f"*/{schema.SCHEMA_FILE}"))
        )

    def questions(
        self, template: str, answers: Mapping[str, Answer] | None = None
    ) -> tuple[Question, ...]:
        """Return what the form asks, given the answers so far (they can make questions needless).

        What the bot answers itself is left out: `schema.BOT_ANSWERS`.
        """
        source = self._source(template)
        given = {**self.context.answers, **(answers or {})}
        return schema.questions(source.schema, given, source.expand)

    def check(self, template: str, answers: Mapping[str, object]) -> None:
        """Raise `UserError`, whose `field` is the question, unless the answers will do."""
        source = self._source(template)
        schema.refuse_unknown(source.schema, answers)
        schema.complete(source.schema, {**self.context.answers, **answers}, source.expand)

    def render(self, template: str, answers: Mapping[str, object]) -> dict[str, bytes]:
        """Return the files of the repository: what lies in the template's `{{.project_name}}`."""
        given = {**self.context.answers, **answers}
        rendered = render_bundle(self._template(template), given, self.context)
        top = f"{answers.get('project_name', '')}/"
        outside = next((path for path in rendered if not path.startswith(top)), None)
        if top == "/" or outside is not None:
            raise TemplateError(
                template, 1, f"{outside or 'every file'} must lie in {{{{.project_name}}}}"
            )
        return {path.removeprefix(top): data for path, data in rendered.items()}

    def version(self, template: str) -> TemplateVersion:
        """Return which version of a template is on offer."""
        return version_of(self._template(template))

    def _source(self, template: str) -> Source:
        return Source(self._template(template), self.context)

    def _template(self, name: str) -> Path:
        if name not in self.names():
            offer = ", ".join(self.names()) or "none"
            raise UserError(f"there is no template {name!r}; there are: {offer}", field="template")
        return self.folder / name
