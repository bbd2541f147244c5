"""Walks a template's folder as `databricks bundle init` does and renders paths and contents."""

import posixpath
import re
from collections.abc import Callable, Mapping
from pathlib import Path

from provisioning.adapters.bundle_templates import evaluator, paths, tree
from provisioning.adapters.bundle_templates.bugs import RefusedError, TemplateError
from provisioning.adapters.bundle_templates.bundle_functions import (
    BundleContext,
    Identities,
    bundle_functions,
)
from provisioning.adapters.bundle_templates.evaluator import LAZY
from provisioning.adapters.bundle_templates.functions import BUILTINS, Function
from provisioning.adapters.bundle_templates.parser import parse
from provisioning.adapters.bundle_templates.schema import SCHEMA_FILE, complete, read_schema
from provisioning.questions import Answer

Skip = Callable[[str], None]

SUFFIX = ".tmpl"
MAXIMUM_FILES = 500
MAXIMUM_BYTES = 5_000_000

_GLOB = re.compile(r"\\(?P<escaped>.)|\[(?P<negated>\^?)(?P<class>(?:\\.|[^\]\\])+)\]|(?P<plain>.)")


def render_bundle(
    folder: Path, given: Mapping[str, object], context: BundleContext
) -> dict[str, bytes]:
    """Return the files of a rendered template: safe relative paths to contents.

    Raises `UserError` for answers and `TemplateError` for templates that cannot be rendered.
    """
    source = Source(folder, context)
    return _Rendering(source, complete(source.schema, given, source.expand)).run()


class Source:
    """A template's folder, read: its schema and the definitions of its library."""

    def __init__(self, folder: Path, context: BundleContext) -> None:
        self.context = context
        self.schema = read_schema(folder)
        self.folder = source_folder(folder, self.schema.template_dir)
        self.names = frozenset(BUILTINS) | LAZY | frozenset(self.functions("", "", _no_skip))
        self.library = self._library()

    def functions(self, project: str, file: str, skip: Skip) -> dict[str, Function]:
        """Return the functions for a text that stands alone."""
        identities = Identities(self.context, project)
        return BUILTINS | bundle_functions(self.context, identities, file, skip)

    def expand(self, text: str, answers: Mapping[str, Answer]) -> str:
        """Render a text of the schema, e.g. a default, over the answers given so far."""
        if "{{" not in text:
            return text
        project = str(answers.get("project_name", ""))
        parsed = parse(SCHEMA_FILE, text, self.names)
        functions = self.functions(project, SCHEMA_FILE, _no_skip)
        return evaluator.render(parsed, self.library, functions, answers)

    def _library(self) -> dict[str, tree.Template]:
        known: dict[str, tree.Template] = {}
        for path in sorted((self.folder / "library").glob(f"*{SUFFIX}")):
            file = f"library/{path.name}"
            parsed = parse(file, _decoded(file, path.read_bytes()), self.names)
            for name, template in parsed.defined.items():
                if name not in known or not template.is_empty():
                    known[name] = template
        return known


def _no_skip(pattern: str) -> None:
    raise RefusedError(f"skip {pattern!r} belongs into a file of the template")


def source_folder(folder: Path, template_dir: str) -> Path:
    """Return where `template/` and `library/` lie: beside the schema or where it says."""
    source = (folder / template_dir).resolve()
    if not source.is_relative_to(folder.parent.resolve()):
        raise TemplateError(folder.name, 1, f"template_dir {template_dir!r} leads elsewhere")
    return source


class _Rendering:
    def __init__(self, source: Source, answers: Mapping[str, Answer]) -> None:
        self.source = source
        self.answers = answers
        self.identities = Identities(source.context, str(answers.get("project_name", "")))
        self.skipped: list[str] = []
        self.files: dict[str, bytes] = {}
        self.size = 0

    def run(self) -> dict[str, bytes]:
        """Render breadth first, so that a `skip` acts on everything below its own folder."""
        folders = [""]
        for folder in folders:
            if not folder or not self._is_skipped(self._text(folder, folder, folder)):
                folders.extend(self._folder(folder))
        kept = {path: data for path, data in self.files.items() if not self._is_skipped(path)}
        for path in kept:
            self._check_path(path)
        if pair := paths.collision(kept):
            raise TemplateError(pair[1], 1, f"collides with {pair[0]} where case does not matter")
        return dict(sorted(kept.items()))

    def _folder(self, folder: str) -> list[str]:
        below: list[str] = []
        for entry in sorted((self.source.folder / "template" / folder).iterdir()):
            place = posixpath.join(folder, entry.name)
            if entry.is_symlink() or not (entry.is_file() or entry.is_dir()):
                raise TemplateError(place, 1, "templates hold files and folders only, no links")
            if entry.is_dir():
                below.append(place)
            else:
                self._file(folder, place, entry)
        return below

    def _file(self, folder: str, place: str, entry: Path) -> None:
        data = entry.read_bytes()
        if place.endswith(SUFFIX):
            data = self._text(_decoded(place, data), place, folder).encode()
        path = self._text(place.removesuffix(SUFFIX), place, folder)
        self.size += len(data)
        if len(self.files) >= MAXIMUM_FILES or self.size > MAXIMUM_BYTES:
            raise TemplateError(
                place, 1, f"more than {MAXIMUM_FILES} files or {MAXIMUM_BYTES} bytes"
            )
        if path in self.files:
            raise TemplateError(place, 1, f"a second file renders to {path!r}")
        self.files[path] = data

    def _check_path(self, path: str) -> None:
        if why := paths.objection(path):
            raise TemplateError(self.source.folder.name, 1, f"the rendered path {path!r} {why}")

    # Text

    def _functions(self, file: str, folder: str) -> dict[str, Function]:
        def skip(pattern: str) -> None:
            raw = posixpath.normpath(posixpath.join(folder, pattern))
            self.skipped.append(self._text(raw, file, folder))

        return BUILTINS | bundle_functions(self.source.context, self.identities, file, skip)

    def _text(self, text: str, file: str, folder: str) -> str:
        if "{{" not in text:
            return text
        parsed = parse(file, text, self.source.names)
        functions = self._functions(file, folder)
        return evaluator.render(parsed, self.source.library, functions, self.answers)

    def _is_skipped(self, path: str) -> bool:
        return any(_glob(pattern).fullmatch(path) for pattern in self.skipped)


def _decoded(file: str, data: bytes) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError as broken:
        raise TemplateError(file, data.count(b"\n", 0, broken.start) + 1, "not UTF-8") from broken


def _glob(pattern: str) -> re.Pattern[str]:
    """Return Go's `path.Match` as a regular expression: `*` and `?` stop at slashes."""

    def piece(found: re.Match[str]) -> str:
        if found["class"]:
            negated = "^" if found["negated"] else ""
            inside = re.sub(r"[&~|\[]", lambda char: "\\" + char[0], found["class"])
            return f"[{negated}{inside}]"
        if found["escaped"]:
            return re.escape(found["escaped"])
        return {"*": "[^/]*", "?": "[^/]"}.get(found["plain"]) or re.escape(found["plain"])

    return re.compile(_GLOB.sub(piece, pattern), re.DOTALL)
