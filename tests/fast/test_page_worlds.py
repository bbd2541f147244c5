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
    assert "git clone" not in html
    url = {"name": "ada-7", "files": [], "url": "http://127.0.0.1/acme/ada-7"}
    html = world(linked({"repositories": [url]}, "U0ADA"))
    assert '<a href="/as/U0ADA/source/ada-7">http://127.0.0.1/acme/ada-7</a>' in html
    shown = source_view({"src/main.py": b"print('<b>')", "logo": b"\0"}, BROWSE)
    assert "print(&#x27;&lt;b&gt;&#x27;)" in shown
    assert 'aria-current="page"' in shown
    assert "1 bytes that are not text" in source_view(
        {"logo": b"\0"}, Address("U", "source", "r", path="logo")
    )


def test_names_that_people_gave_keep_their_spelling() -> None:
    teams = {"data-science": "push", "platform": "maintain"}
    variables = {"DATABRICKS_HOST": "https://gbx1.example"}
    deep = {"rules": {"a": {"b": 1}}}
    card = {"name": "ada-7", "teams": teams, "variables": variables, **deep}
    html = world({"repositories": [card]})
    for name in (*teams, *variables):
        assert f"<dt>{name}</dt>" in html
    assert ">Teams<" in html


def test_environments_stand_in_the_order_of_the_stages_with_their_variables_in_sight() -> None:
    names = ["Testing", "Production", "Staging", "Development"]
    more = {"variables": {"HOST": "h", "POLICY": "p"}, "secrets": [], "reviewers": ["rosa"]}
    rules = {"wait": 0, "review": True, "policy": {"custom": True}, "patterns": ["main"]}
    environments = [{"name": name, **more, **rules} for name in names]
    html = world({"repositories": [{"name": "ada-7", "environments": environments}]})
    at = [html.index(f"<b>{one}</b>") for one in ("Development", "Testing", "Staging")]
    assert at == sorted(at)
    assert at[-1] < html.index("<b>Production</b>")
    assert html.count(" open>") == len(names) + 1
    assert html.count("<dt>HOST</dt>") == len(names)


def test_of_many_things_those_that_hold_nothing_are_folded_away() -> None:
    filler: dict[str, list[str]] = {f"team-{number:03}": [] for number in range(1, 131)}
    html = world({"teams": {"data-science": ["ada"], **filler, "mine": ["rosa"]}})
    shown, _, folded = html.partition("130 more with nothing in them")
    assert "data-science" in shown
    assert "mine" in shown
    assert "team-001" not in shown
    assert "team-130" in folded
    few = world({"teams": {"data-science": ["ada"], "team-001": []}})
    assert "more with nothing" not in few
