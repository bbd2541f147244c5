"""What the community hears for good: first releases and new versions, each once."""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, cast

from rows import a_project, an_operation
from test_deployment_board import a_board
from test_release import ADA, a_release
from test_workflow_run import START, a_run

from provisioning.adapters.bundle_templates.versions import TemplateVersions
from provisioning.errors import TemporaryError
from provisioning.release import Card, Comparison, Release
from provisioning.release_news import title_of
from provisioning.store import Store
from provisioning.store.news import Version
from provisioning.text import Notice, plain
from provisioning.version_news import VersionNews


class Shelf:
    """What has versions, as a test wants them."""

    def __init__(self, **versions: str) -> None:
        self.held: dict[str, str] | None = versions

    def versions(self) -> Mapping[str, Version]:
        """Return them, or fail as a vendor does."""
        if self.held is None:
            raise TemporaryError("GitHub did not answer")
        return {name: Version(id=f"id-{it}", name=it) for name, it in self.held.items()}


def told(store: Store) -> list[str]:
    """Return what was announced, in order."""
    rows = sorted(store.messages.owed(), key=lambda row: row.updated_at)
    notices = [Notice.model_validate(row.content) for row in rows]
    return [plain(line) for notice in notices for line in notice.body]


def test_the_first_start_tells_of_no_version_and_each_new_one_is_told_once(
    each_store: Store,
) -> None:
    templates, workflow = Shelf(job="a"), Shelf(v1="v1.0.0")
    news = VersionNews(each_store, templates, workflow, "C0COMMUNITY")
    news.sweep()
    news.sweep()
    assert told(each_store) == []
    templates.held = {"job": "b", "ml_workflow": "c"}
    with ThreadPoolExecutor(6) as pool:
        for swept in [pool.submit(news.sweep) for _ in range(6)]:
            swept.result()
    expected = [
        "New version of the template Job, b: new projects are made from it, /sciclops upgrade "
        "offers it to yours.",
        "New template ML workflow: /sciclops new offers it.",
    ]
    assert told(each_store) == expected
    workflow.held = {"v1": "v1.1.0"}
    news.sweep()
    expected.append(
        "New version of the deploy workflow: v1.1.0. Projects that call v1 run it from their next "
        "deployment on."
    )
    assert told(each_store) == expected
    templates.held, workflow.held = {"job": "a"}, {"v1": "v1.0.0"}
    news.sweep()
    assert told(each_store) == expected, "going back to an earlier version is no news"


def test_who_cannot_be_asked_holds_up_nobody_and_begins_in_silence(each_store: Store) -> None:
    templates, workflow = Shelf(job="a"), Shelf()
    workflow.held = None
    news = VersionNews(each_store, templates, workflow, "C0COMMUNITY")
    news.sweep()
    workflow.held, templates.held = {"v1": "v1.0.0"}, {"job": "b"}
    news.sweep()
    (only,) = told(each_store)
    assert "template Job" in only


def test_templates_change_with_what_they_render_and_not_with_their_tests(tmp_path: Path) -> None:
    folder = tmp_path / "job"
    for inner in ("template/a.tmpl", "answers/defaults.json", "databricks_template_schema.json"):
        (folder / inner).parent.mkdir(parents=True, exist_ok=True)
        (folder / inner).write_text("{}")

    class Folder:
        folder = tmp_path

        def names(self) -> tuple[str, ...]:
            return ("job",)

    def version() -> str:
        return TemplateVersions(cast("Any", Folder())).versions()["job"].id

    before = version()
    assert version() == before
    (folder / "answers/defaults.json").write_text('{"a": 1}')
    assert version() == before
    (folder / "template/a.tmpl").write_text("other")
    changed = version()
    assert changed != before
    (folder / "template/a.tmpl").rename(folder / "template/b.tmpl")
    assert version() not in (before, changed)


def test_the_first_production_release_is_told_as_such_once_in_a_projects_life(
    each_store: Store,
) -> None:
    store, board = each_store, a_board(each_store)
    store.projects.reserve_and_begin(a_project(), an_operation("op-1"))
    for run in (7, 8, 7, 8):
        followed = store.workflow_runs.see("ada-7", a_run(id=run, title="feat: more"))
        board.announce(followed, ("Production",))
    assert told(store) == [
        "First production release: ada-7 is in Production: feat: more",
        "ada-7 is in Production: feat: more",
    ]
    store.operations.end("op-1", "failed")
    store.projects.become("ada-7", "gone")
    store.projects.reserve_and_begin(a_project(), an_operation("op-2", minute=5))
    board.announce(store.workflow_runs.see("ada-7", a_run(id=9)), ("Production",))
    assert told(store)[2:] == ["First production release: ada-7 is in Production."]


def released(**card: Any) -> list[Release]:
    return [a_release(asked_at=START, deadline=START, card=Card(commit=ADA, **card))]


def test_a_release_is_announced_by_the_title_that_its_card_shows() -> None:
    merge = a_run(event="push", title="Merge pull request #1 from acme/feat-more")
    assert title_of(merge, released()) == ADA.title
    since = Comparison(base="b" * 40, total=12, commits=(ADA,))
    assert title_of(merge, released(since=since)) == f"{ADA.title} and 11 more commits"
    one = since.model_copy(update={"total": 1})
    assert title_of(merge, released(since=one)) == ADA.title
    assert title_of(merge, []) == ""
    assert title_of(a_run(event="push", title="feat: more"), []) == "feat: more"
    assert title_of(a_run(event="workflow_dispatch", title="deploy"), []) == ""


def test_who_dies_before_it_was_told_tells_of_the_first_release_all_the_same(
    each_store: Store,
) -> None:
    store, board = each_store, a_board(each_store)
    store.projects.reserve_and_begin(a_project(), an_operation("op-1"))
    assert store.news.first("first-release:op-1", "7")  # and no further
    for run in (8, 7):
        board.announce(store.workflow_runs.see("ada-7", a_run(id=run)), ("Production",))
    assert told(store) == [
        "ada-7 is in Production.",
        "First production release: ada-7 is in Production.",
    ]
