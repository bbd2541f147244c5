"""What upgrades say: at GitHub, in a run's message, and about all projects."""

from rows import NOON, a_spec, an_operation

from provisioning.board import read_operation
from provisioning.fleet_message import fleet_notice, overview, progress
from provisioning.operation import Operation
from provisioning.pull_request_text import body_of, message_of, title_of
from provisioning.run_message import run_notice
from provisioning.text import Notice, plain
from provisioning.upgrade_tables import FleetRow
from provisioning.versions import Standing, TemplateVersion, Upgrade

VERSION = TemplateVersion(name="1.2.0", digest="d2")


def upgraded(phase: str = "done", **about: object) -> Operation:
    """Return an upgrade of a project."""
    row = an_operation()
    row.kind, row.phase = "upgrade_template", phase
    row.request = a_spec().model_dump(mode="json")
    upgrade = Upgrade.model_validate({"version": VERSION, "before": "1.1.0", **about})
    row.facts = {"upgrade": upgrade.model_dump(mode="json"), "origin": "run-1"}
    return read_operation(row)


def words(notice: Notice) -> str:
    """Return everything that a message says."""
    facts = [f"{fact.label}: {plain(fact.value)}" for fact in notice.facts]
    return "\n".join([notice.title, *map(plain, notice.body), *facts])


def test_a_pull_request_says_which_version_comes_after_which() -> None:
    assert title_of(upgraded()) == "Upgrade to version 1.2.0 of the template “Job”"
    assert "This project has version 1.1.0." in body_of(upgraded())
    assert "Git has merged it" in body_of(upgraded())
    assert "This project has" not in body_of(upgraded(before=""))
    assert message_of(upgraded()).endswith("\n\nsciclops:run-1")


def test_a_draft_names_the_files_and_how_to_merge_by_hand() -> None:
    body = body_of(upgraded(is_conflict=True, contested=("src/main.py", "a`\n## b`.md")))
    assert "* `src/main.py`\n* `a  ## b .md`" in body
    assert "git merge origin/sciclops/template" in body
    assert "Git has merged it" not in body
    many = body_of(upgraded(is_conflict=True, contested=tuple(f"f{n}" for n in range(45))))
    assert "* `f39`\n* and 5 more" in many
    assert "one has removed or renamed" in body_of(upgraded(is_conflict=True))


def test_a_run_s_message_says_what_is_left_to_do() -> None:
    said = words(run_notice(upgraded(pull=7, url="https://x/7")))
    assert "ada-7 · Upgrade · Done" in said
    assert "The new version is in pull request 7." in said
    assert "Version: 1.1.0 → 1.2.0" in said
    assert "Version: 1.2.0\n" in f"{words(run_notice(upgraded(before='1.2.0')))}\n"
    assert "There is nothing to merge" in words(run_notice(upgraded(needless=True)))
    torn = upgraded(pull=7, url="https://x/7", is_conflict=True, contested=("a.py", "b.py"))
    said = words(run_notice(torn))
    assert "Both you and the template have changed a.py, b.py. pull request 7 is a draft" in said
    assert "Nothing was changed on main" in said


def a_fleet(state: str, ring: int = 1) -> FleetRow:
    """Return an upgrade of all projects."""
    return FleetRow(
        id="fleet-1", state=state, ring=ring, requested_by="U-pat", channel="C-1", began_at=NOON
    )


def test_an_upgrade_of_all_shows_rings_and_who_needs_somebody() -> None:
    counts = {(0, "offered"): 2, (1, "failed"): 1, (1, "begun"): 1, (2, "waiting"): 9}
    many = tuple(f"p-{number}" for number in range(11))
    shown = fleet_notice(a_fleet("running"), counts, {"failed": ("p-1",), "conflicts": many})
    said = words(shown)
    assert "Failed: p-1" in said
    assert "p-9 and others" in said
    assert "Waiting: 9" in said
    rings = [(task.title, task.status, plain(task.output)) for task in shown.tasks]
    assert rings == [
        ("Canaries", "complete", "2 of 2"),
        ("Sandboxes", "in_progress", "1 of 2"),
        ("The rest", "pending", "0 of 9"),
    ]
    assert [button.label for button in shown.buttons] == ["Pause"]
    halted = fleet_notice(a_fleet("halted"), counts, {})
    assert [button.label for button in halted.buttons] == ["Try Again"]
    assert fleet_notice(a_fleet("done"), {}, {}).buttons == ()


def test_the_overview_counts_all_and_names_the_first() -> None:
    fleet = progress(a_fleet("paused"), {(0, "offered"): 2, (1, "begun"): 1, (2, "waiting"): 9})
    named: dict[Standing, tuple[str, ...]] = {"behind": ("a-1", "a-2")}
    shown = overview({"current": 180, "conflicts": 20, "behind": 3}, named, 7, fleet)
    said = words(shown)
    assert "180 of 203 projects are current" in said
    assert "Behind: a-1, a-2 and 1 more" in said
    assert "With older infrastructure: 7" in said
    assert "Failed: 0" in said
    assert "Upgrade of all: Paused · 2 of 12" in said
    labels = [button.label for button in shown.buttons]
    assert labels == ["Conflicts to resolve", "Behind"]
