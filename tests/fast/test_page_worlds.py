from playground.page.address import Address
from playground.page.source import linked, source_view
from playground.page.worlds import title_of, words, world, world_name

BROWSE = Address("U0ADA", "source", "ada-7", path="src/main.py")


def test_flat_rows_become_a_table() -> None:
    html = world({"policies": [{"id": "p1", "users": ["ada", "rosa"]}, {"id": "p2", "users": []}]})
    assert html.count("<tr>") == 3
    assert "<td>ada, rosa</td>" in html
    assert '<span class="count">2</span>' in html


def test_deep_things_become_cards_that_fold() -> None:
    deep = {"name": "ada-7", "visibility": "private", "environments": [{"a": {"b": {"c": 1}}}]}
    html = world({"repositories": [deep, deep | {"name": "ada-8"}]})
    assert html.count("card-leaf") >= 2
    assert '<span class="tag state private">private</span>' in html
    assert "Environments: 1" in html


def test_things_of_several_kinds_stand_under_their_kind() -> None:
    rows = [
        {"kind": "catalog", "name": "gbx1_dev", "grants": {"ada": ["USE_CATALOG"]}},
        {"kind": "schema", "name": "gbx1_dev.ada", "grants": {}},
    ]
    html = world({"securables": rows})
    assert html.index("Catalog") < html.index("gbx1_dev") < html.index("Schema")
    assert "<b>ada</b> USE_CATALOG" in html


def test_what_one_came_for_comes_first() -> None:
    html = world({"teams": {"a": ["ada"]}, "repositories": [{"name": "ada-7", "x": {"y": {}}}]})
    assert html.index("Repositories") < html.index("Teams")


def test_yes_no_nothing_and_texts_are_readable() -> None:
    html = world({"runs": [{"id": "r", "ok": True, "left": None, "log": "one\n<b>two"}]})
    assert ">Yes<" in html
    assert ">—<" in html
    assert "<pre>one\n&lt;b&gt;two</pre>" in html


def test_worlds_are_called_as_people_write_them() -> None:
    assert [world_name(one) for one in ("github", "GitHub", "terraform")] == [
        "GitHub",
        "GitHub",
        "Terraform",
    ]


def test_keys_are_words() -> None:
    assert words("service_principals") == "Service principals"
    assert words("id") == "ID"
    assert title_of({"id": 4, "name": "ada"}) == "ada"
    assert title_of({"id": 0}) == "0"


def test_a_snapshot_of_any_shape_is_shown() -> None:
    odd = {
        "a": [],
        "b": {},
        "c": [[1, [2]], "x"],
        "d": [{"kind": "k"}, {}],
        "e": {"f": {"g": [{}]}},
    }
    html = world(odd)
    for name in ("A", "B", "C", "D", "E"):
        assert f"<h2>{name}" in html


def test_a_repository_s_files_lead_to_their_content() -> None:
    html = world(linked({"repositories": [{"name": "ada-7", "files": ["src/main.py"]}]}, "U0ADA"))
    assert f'<a href="{BROWSE}">src/main.py</a>' in html
    shown = source_view({"src/main.py": b"print('<b>')", "logo": b"\0"}, BROWSE)
    assert "print(&#x27;&lt;b&gt;&#x27;)" in shown
    assert 'aria-current="page"' in shown
    assert "1 bytes that are not text" in source_view(
        {"logo": b"\0"}, Address("U", "source", "r", path="logo")
    )
