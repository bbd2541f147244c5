"""New versions of templates and of the deploy workflow, told once for the whole installation."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Protocol

from provisioning.errors import SciclopsError
from provisioning.project import template_title
from provisioning.store import Message, Store
from provisioning.store.news import Novelty, Tell, Version
from provisioning.text import Notice, Span, Text, bold, code, say

log = logging.getLogger(__name__)

TEMPLATES, WORKFLOW = "template", "workflow"


class Versions(Protocol):
    """Something whose versions people want to hear of."""

    def versions(self) -> Mapping[str, Version]:
        """Return the present version of each by name; raises our errors if nobody can tell."""


@dataclass(frozen=True)
class VersionNews:
    """A sweep over what may have changed; doing it again changes nothing.

    `channel` is the community's. Every process looks, and our database settles who tells.
    """

    store: Store
    templates: Versions
    workflow: Versions
    channel: str

    def sweep(self) -> None:
        """Tell of what was never seen before; who cannot be asked now is asked the next time."""
        self._look(TEMPLATES, self.templates, self._of_templates)
        self._look(WORKFLOW, self.workflow, self._of_workflow)

    def _look(self, family: str, source: Versions, tell: Tell) -> None:
        try:
            versions = source.versions()
        except SciclopsError as error:
            log.info("could not look for a new %s: %s", family, error)
            return
        if self.store.news.see(family, versions, tell):
            self.store.messages.on_show()

    def _of_templates(self, novelties: tuple[Novelty, ...]) -> Message:
        lines = [_template(one) for one in novelties]
        many = "s" if len(novelties) > 1 else ""
        summary = f"New version{many} of project templates"
        return self._message(TEMPLATES, novelties, summary, *lines)

    def _of_workflow(self, novelties: tuple[Novelty, ...]) -> Message:
        lines = [_workflow(one) for one in novelties]
        return self._message(WORKFLOW, novelties, "New version of the deploy workflow", *lines)

    def _message(
        self, family: str, novelties: tuple[Novelty, ...], summary: str, *lines: Text
    ) -> Message:
        told = " ".join(f"{one.of}:{one.version.id}" for one in novelties)
        return Message(
            key=f"announce:{family}:{sha256(told.encode()).hexdigest()[:16]}",
            channel=self.channel,
            content=Notice(summary=summary, body=lines),
        )


def _template(novelty: Novelty) -> Text:
    title = template_title(novelty.of)
    if novelty.is_new:
        return say(bold("New template "), title, ": ", code("/sciclops new"), " offers it.")
    version: tuple[str | Span, ...] = (", ", code(novelty.version.name))
    return say(
        bold("New version "),
        "of the template ",
        bold(title),
        *version,
        ": new projects are made from it, ",
        code("/sciclops upgrade"),
        " offers it to yours.",
    )


def _workflow(novelty: Novelty) -> Text:
    return say(
        bold("New version "),
        "of the deploy workflow: ",
        code(novelty.version.name),
        ". Projects that call ",
        code(novelty.of),
        " run it from their next deployment on.",
    )
