"""The walk through a template's folder, the helper functions and the `Templates` port."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import UUID, uuid5

import pytest

from provisioning.adapters.bundle_templates import (
    BundleContext,
    BundleTemplates,
    TemplateError,
    render_bundle,
)
from provisioning.errors import UserError

NAME = {"project_name": {"type": "string", "default": "ada"}}
SEED = UUID("a2c6f5d0-5d0f-4a35-9a5e-3c1a1f1b7c10")
Make = Callable[..., Path]


@pytest.fixture
def make(tmp_path: Path) -> Make:
    def make_template(
        files: dict[str, str], properties: dict[str, object] | None = None, **more: object
    ) -> Path:
        folder = tmp_path / "templates" / "demo"
        schema = {"properties": {**NAME, **(properties or {})}, **more}
        everything = {"databricks_template_schema.json": json.dumps(schema), **files}
        for path, text in everything.items():
            file = folder / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, "utf-8")
        return folder

    return make_template


def render(folder: Path, **answers: object) -> dict[str, str]:
    files = render_bundle(folder, answers, BundleContext(seed=SEED))
    return {path: data.decode() for path, data in files.items()}


def test_only_tmpl_files_are_rendered_but_the_paths_of_all_files_are(make: Make) -> None:
    folder = make(
        {
            "template/{{.project_name}}/a.yml.tmpl": "name: {{.project_name}}",
            "template/{{.project_name}}/{{.project_name}}.txt": "${{ github.ref }} {{.x}}",
        }
    )
    assert render(folder) == {
        "ada/a.yml": "name: ada",
        "ada/ada.txt": "${{ github.ref }} {{.x}}",
    }


def test_bytes_that_are_no_text_are_copied_as_they_are(make: Make) -> None:
    folder = make({"template/x.txt": "x"})
    (folder / "template/logo.png").write_bytes(b"\x89PNG\r\n\x1a\n\xff")
    assert render_bundle(folder, {}, BundleContext())["logo.png"] == b"\x89PNG\r\n\x1a\n\xff"


def test_library_definitions_are_known_in_contents_and_paths(make: Make) -> None:
    folder = make(
        {
            "library/names.tmpl": '{{define "package"}}{{.project_name}}_pkg{{end}}',
            'template/{{template "package" .}}/x.py.tmpl': 'import {{template "package" .}}',
        }
    )
    assert render(folder) == {"ada_pkg/x.py": "import ada_pkg"}


def test_a_definition_in_one_file_is_unknown_in_another(make: Make) -> None:
    folder = make(
        {"template/a.tmpl": '{{define "t"}}x{{end}}', "template/b.tmpl": '{{template "t"}}'}
    )
    with pytest.raises(TemplateError, match=r'template b.tmpl:1: template "t" not defined'):
        render(folder)


@pytest.mark.parametrize(
    ("pattern", "left"),
    [
        ("docs", {"a.txt", "src/b.py", "src/deep/c.py"}),
        ("src/*", {"a.txt", "docs/d.md"}),
        ("src/*.py", {"a.txt", "docs/d.md", "src/deep/c.py"}),
        ("*/deep", {"a.txt", "docs/d.md", "src/b.py"}),
        ("src/[a-c].py", {"a.txt", "docs/d.md", "src/deep/c.py"}),
        ("src/[^b].py", {"a.txt", "docs/d.md", "src/b.py", "src/deep/c.py"}),
        ("?.txt", {"docs/d.md", "src/b.py", "src/deep/c.py"}),
        ("{{.project_name}}.txt", {"a.txt", "docs/d.md", "src/b.py", "src/deep/c.py"}),
        ("./src/../a.txt", {"docs/d.md", "src/b.py", "src/deep/c.py"}),
    ],
)
def test_skip_drops_files_and_folders_relative_to_its_own_folder(
    make: Make, pattern: str, left: set[str]
) -> None:
    paths = ("a.txt", "docs/d.md", "src/b.py", "src/deep/c.py", "{{.project_name}}.txt")
    files = {f"template/sub/{path}": "x" for path in paths}
    folder = make({**files, "template/sub/00.tmpl": f"{{{{skip `{pattern}`}}}}{{{{skip `00`}}}}"})
    kept = {path.removeprefix("sub/") for path in render(folder)}
    always = set() if pattern == "{{.project_name}}.txt" else {"ada.txt"}
    assert kept == left | always


def test_skip_can_depend_on_an_answer(make: Make) -> None:
    folder = make(
        {
            "template/00.tmpl": '{{skip "00"}}{{if not .docs}}{{skip "docs"}}{{end}}',
            "template/docs/x.md": "x",
        },
        {"docs": {"type": "boolean", "default": True}},
    )
    assert render(folder) == {"docs/x.md": "x"}
    assert render(folder, docs=False) == {}


def test_identifiers_are_the_same_in_every_rendering_and_differ_otherwise(make: Make) -> None:
    text = "{{bundle_uuid}} {{bundle_uuid}} {{uuid}} {{uuid}} {{random_int 1000000}}"
    folder = make({"template/a.tmpl": text, "template/b.tmpl": text})
    first = render(folder)
    assert render(folder) == first
    bundle, again, one, two, number = first["a"].split()
    assert bundle == again == str(uuid5(SEED, "ada/bundle"))
    assert len({bundle, one, two, *first["b"].split()[2:4]}) == 5
    assert 0 <= int(number) < 1_000_000
    assert str(UUID(one)) == one
    assert set(render(folder, project_name="grace")["a"].split()).isdisjoint(first["a"].split())


def test_a_new_file_leaves_the_identifiers_of_others_alone(make: Make) -> None:
    before = render(make({"template/b.tmpl": "{{uuid}}"}))["b"]
    assert render(make({"template/a.tmpl": "{{uuid}}"}))["b"] == before


@pytest.mark.parametrize(
    "name",
    [
        "workspace_host",
        "user_name",
        "short_name",
        "default_catalog",
        "smallest_node_type",
        "is_service_principal",
    ],
)
def test_what_only_a_workspace_knows_comes_from_the_context_or_is_refused(
    make: Make, name: str
) -> None:
    folder = make({"template/a.tmpl": f"\n{{{{{name}}}}}"})
    with pytest.raises(TemplateError, match=rf"a.tmpl:2: .*{name}.*only where a workspace is"):
        render(folder)
    value = True if name == "is_service_principal" else "known"
    changes: dict[str, Any] = {name: value}
    files = render_bundle(folder, {}, replace(BundleContext(), **changes))
    assert files["a"].decode().strip() == str(value).replace("True", "true")


def test_fail_tells_the_person_what_the_author_wrote(make: Make) -> None:
    folder = make({"template/a.tmpl": '{{fail "no %s today" .project_name}}'})
    with pytest.raises(UserError, match="no ada today"):
        render(folder)


def test_path_separator_is_a_slash_everywhere(make: Make) -> None:
    assert render(make({"template/a.tmpl": "{{path_separator}}"})) == {"a": "/"}


def test_template_dir_shares_a_folder_between_templates_but_leads_nowhere_else(make: Make) -> None:
    folder = make({}, template_dir="../shared")
    shared = folder.parent / "shared/template"
    shared.mkdir(parents=True)
    (shared / "x.tmpl").write_text("{{.project_name}}")
    assert render(folder) == {"x": "ada"}
    with pytest.raises(TemplateError, match="leads elsewhere"):
        render(make({}, template_dir="../../.."))


def test_links_are_refused(make: Make, tmp_path: Path) -> None:
    folder = make({"template/a.txt": "x"})
    (tmp_path / "secret").write_text("secret")
    (folder / "template/link").symlink_to(tmp_path / "secret")
    with pytest.raises(TemplateError, match="no links"):
        render(folder)


def test_a_template_that_is_no_text_names_the_line(make: Make) -> None:
    folder = make({"template/a.txt": "x"})
    (folder / "template/b.tmpl").write_bytes(b"one\n\xff")
    with pytest.raises(TemplateError, match=r"b.tmpl:2: not UTF-8"):
        render(folder)


def test_number_and_size_of_files_are_limited(make: Make) -> None:
    with pytest.raises(TemplateError, match="more than 500 files"):
        render(make({f"template/{number}.txt": "" for number in range(501)}))


def test_the_size_of_all_files_is_limited(make: Make) -> None:
    with pytest.raises(TemplateError, match="5000000 bytes"):
        render(make({f"template/{number}.txt": "x" * 1_000_000 for number in range(6)}))


def test_the_port_offers_folders_with_a_schema_and_returns_repository_paths(make: Make) -> None:
    folder = make({"template/{{.project_name}}/x.tmpl": "{{.project_name}}"})
    (folder.parent / "notes").mkdir()
    templates = BundleTemplates(folder.parent)
    assert templates.names() == ("demo",)
    assert templates.render("demo", {"project_name": "grace"}) == {"x": b"grace"}


def test_the_port_refuses_files_beside_the_project(make: Make) -> None:
    templates = BundleTemplates(make({"template/x.txt": "x"}).parent)
    with pytest.raises(TemplateError, match=r"x.txt must lie in \{\{.project_name\}\}"):
        templates.render("demo", {"project_name": "ada"})


@pytest.mark.parametrize("name", ["nope", "../demo", "", "demo/template", "."])
def test_an_unknown_template_is_named_with_what_there_is(make: Make, name: str) -> None:
    templates = BundleTemplates(make({"template/x.txt": "x"}).parent)
    with pytest.raises(UserError, match="there are: demo") as refused:
        templates.render(name, {"project_name": "ada"})
    assert refused.value.field == "template"
