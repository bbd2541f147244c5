"""A rendering stays in its directory, whatever names are rendered."""

import json
import tempfile
from contextlib import suppress
from pathlib import Path, PurePosixPath, PureWindowsPath

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from provisioning.adapters.bundle_templates import BundleContext, TemplateError, render_bundle
from provisioning.adapters.bundle_templates.paths import collision, objection

HARMLESS = (
    "a", "src/a.py", ".github/workflows/x.yml", ".gitignore", "a b/c d.txt", "grüße/日本.md", "..a",
    "a..b", "con_.txt", "console", "x.tar.gz", "nul1",
)  # fmt: skip
HARMFUL = (
    "", "/", "/etc/passwd", "../x", "a/../../x", "a/..", ".", "./a", "a//b", "a/", "//a", "a\0b",
    "a\nb", "a\\b", "..\\x", "C:/x", "c:x", "con", "CON.txt", "a/Nul", "com1.log", "LPT9", "com¹",
    "aux/x", "a./b", "a.", "a ", " a", "a/ b", "~x|y", "a*", "a?", 'a"', "<a>", ".git",
    ".GIT/config", ".git/hooks/post-checkout", "git~1", "a/.Git", "a\u200bb", "\u202egnp.exe",
    ".g\u200cit", "a\u00a0", "x" * 201, "/".join(["abcdefghi"] * 101), "．ｇｉｔ", "a\u2028b",
    "\ufeffa",
)  # fmt: skip


@pytest.mark.parametrize("path", HARMLESS)
def test_ordinary_paths_are_fine(path: str) -> None:
    assert objection(path) == ""


@pytest.mark.parametrize("path", HARMFUL)
def test_harmful_paths_are_refused_with_a_reason(path: str) -> None:
    assert objection(path)


@pytest.mark.parametrize(
    "paths",
    [("a", "A"), ("a/x", "A/x"), ("a/x", "A/y"), ("a", "a/b"), ("a/b", "a"), ("é", "e\u0301"),
     ("straße", "STRASSE"), ("a/b/c", "a/B/d"), ("ﬁle", "file")],
)  # fmt: skip
def test_paths_that_cannot_live_together_are_found(paths: tuple[str, str]) -> None:
    assert collision(paths) is not None


def test_paths_that_can_live_together_are_left_alone() -> None:
    assert collision(["a/b", "a/c", "ab", "b/a/c", "b/a/d", "a.b", "b/x"]) is None


def template(folder: Path, path: str) -> Path:
    source = folder / "demo"
    (source / "template" / path).parent.mkdir(parents=True)
    (source / "template" / path).write_text("x")
    properties = {"name": {"type": "string"}, "other": {"type": "string", "default": "o"}}
    (source / "databricks_template_schema.json").write_text(json.dumps({"properties": properties}))
    return source


def rendered_or_refused(source: Path, name: str) -> dict[str, bytes]:
    """Return the files; none where the path was refused, which must say so."""
    with suppress(TemplateError):
        return render_bundle(source, {"name": name}, BundleContext())
    with pytest.raises(TemplateError, match="the rendered path"):
        render_bundle(source, {"name": name}, BundleContext())
    return {}


NAMES = st.text(
    st.sampled_from("./\\:~ ab\u200b\u202eA") | st.characters(exclude_categories=("Cs", "Cc")),
    max_size=12,
)


@settings(max_examples=200, deadline=None)
@given(NAMES)
@example("")
@example("..")
@example("../../../../etc/cron.d/x")
@example("/etc/passwd")
@example("a/../..")
@example("{{.other}}")
def test_whatever_a_name_is_nothing_is_rendered_outside(name: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        source = template(Path(folder), "{{.name}}/{{.name}}.txt")
        rendered = rendered_or_refused(source, name)
        base = Path(folder) / "out"
        for path in rendered:
            assert path == f"{name}/{name}.txt"
            assert (base / path).resolve().is_relative_to(base.resolve())
            assert (base / path).resolve() != base.resolve()
            assert ".." not in PureWindowsPath(path).parts
            assert not PureWindowsPath(path).is_absolute()
            assert str(PurePosixPath(path)) == path


def test_an_empty_name_does_not_write_to_the_root(tmp_path: Path) -> None:
    source = template(tmp_path, "{{.name}}/x.txt")
    with pytest.raises(TemplateError, match=r"the rendered path '/x\.txt' is absolute"):
        render_bundle(source, {"name": ""}, BundleContext())


def test_two_files_that_render_to_one_path_are_refused(tmp_path: Path) -> None:
    source = template(tmp_path, "{{.name}}.txt")
    (source / "template/same.txt").write_text("y")
    with pytest.raises(TemplateError, match=r"a second file renders to 'same.txt'"):
        render_bundle(source, {"name": "same"}, BundleContext())


def test_files_that_differ_in_case_only_are_refused(tmp_path: Path) -> None:
    source = template(tmp_path, "{{.name}}.txt")
    (source / "template/same.txt").write_text("y")
    with pytest.raises(TemplateError, match=r"collides with"):
        render_bundle(source, {"name": "SAME"}, BundleContext())
