"""Versions: what is noted of each project, how all stand, and upgrades of all, ring by ring."""

from datetime import timedelta
from pathlib import Path

from rows import NOON, a_project, a_spec, an_operation

from provisioning.adapters.bundle_templates.content_version import version_of
from provisioning.board import read_operation
from provisioning.operation import Trouble
from provisioning.rings import ending_of, next_ring, ring_of
from provisioning.store import Store
from provisioning.upgrade_tables import FleetMemberRow, FleetRow
from provisioning.versions import TemplateVersion, Upgrade

ONE, TWO = (TemplateVersion(name=f"{number}.0.0", digest=f"digest-{number}") for number in (1, 2))
LATER = NOON + timedelta(days=36500)
PRESENT = {"job": TWO.digest}


def make(each_store: Store, *names: str) -> None:
    """Make projects of the first version."""
    for name in names:
        each_store.projects.reserve_and_begin(a_project(name), an_operation(f"op-{name}", name))
        each_store.projects.become(name, "ready")
        each_store.versions.made(name, "job", ONE, f"first-{name}")
        each_store.versions.applied(name, "modules")


def offer(pull: int = 7, *, conflict: bool = False) -> Upgrade:
    """Return an offer of the second version."""
    return Upgrade(version=TWO, commit="second", pull=pull, url="https://x/7", is_conflict=conflict)


def test_each_project_stands_in_one_way(each_store: Store) -> None:
    make(each_store, "behind", "failed", "waits", "torn", "takes", "has")
    each_store.versions.failed("failed", "GitHub is away")
    each_store.versions.offered("waits", offer())
    each_store.versions.offered("torn", offer(conflict=True))
    each_store.versions.offered("takes", offer())
    assert each_store.versions.ended("takes", 7, "merged", taken=True)
    each_store.versions.has("has", offer())
    each_store.projects.reserve_and_begin(a_project("young"), an_operation("op-young", "young"))
    assert each_store.versions.counts(PRESENT) == {
        "behind": 1,
        "failed": 1,
        "waiting": 1,
        "conflicts": 1,
        "current": 2,
    }
    found = each_store.versions.standing(PRESENT, ("current", "failed"), limit=9)
    assert [project.name for project, _ in found] == ["failed", "has", "takes"]
    assert [
        one.name for one, _ in each_store.versions.standing(PRESENT, ("current",), limit=1)
    ] == ["has"]
    assert each_store.versions.with_other_modules("modules") == 0
    assert each_store.versions.with_other_modules("newer") == 6


def test_a_project_of_which_nothing_is_known_is_behind(each_store: Store) -> None:
    each_store.projects.reserve_and_begin(a_project("old"), an_operation("op-old", "old"))
    each_store.projects.become("old", "ready")
    assert each_store.versions.counts(PRESENT) == {"behind": 1}
    assert each_store.versions.with_other_modules("modules") == 1
    each_store.versions.offered("old", offer())
    assert each_store.versions.counts(PRESENT) == {"waiting": 1}


def test_only_the_pull_request_that_is_open_ends_and_once(each_store: Store) -> None:
    make(each_store, "ada-7")
    each_store.versions.offered("ada-7", offer(8))
    assert each_store.versions.ended("ada-7", 7, "merged", taken=True) is None
    row = each_store.versions.ended("ada-7", 8, "merged", taken=True)
    assert row is not None
    assert (row.version_name, row.commit) == ("2.0.0", "second")
    assert each_store.versions.ended("ada-7", 8, "closed", taken=False) is None
    notes = [row.what for row in each_store.trail("ada-7").rows]
    assert notes.count("main has a version of the template") == 1


def test_a_merge_that_lacks_the_version_is_no_upgrade(each_store: Store) -> None:
    make(each_store, "ada-7")
    each_store.versions.offered("ada-7", offer(conflict=True))
    each_store.versions.ended("ada-7", 7, "merged", taken=False)
    assert each_store.versions.get("ada-7").version_name == "1.0.0"
    assert each_store.versions.counts(PRESENT) == {"behind": 1}


def test_whoever_takes_a_name_again_begins_with_no_history(each_store: Store) -> None:
    make(each_store, "ada-7")
    each_store.versions.offered("ada-7", offer(conflict=True))
    each_store.versions.applied("ada-7", "newer")
    each_store.versions.made("ada-7", "job", TWO, "another")
    row = each_store.versions.get("ada-7")
    assert (row.pull, row.pull_state, row.version, row.modules) == (0, "", TWO.digest, "newer")


def test_each_open_pull_request_is_looked_at_in_its_turn(each_store: Store) -> None:
    make(each_store, "a-1", "a-2", "a-3")
    for name in ("a-1", "a-2", "a-3"):
        each_store.versions.offered(name, offer())
    looked = [[row.project for row in each_store.versions.to_look_at(LATER, 2)] for _ in range(3)]
    assert looked == [["a-1", "a-2"], ["a-3", "a-1"], ["a-2", "a-3"]]


def test_a_template_s_version_is_its_content(tmp_path: Path) -> None:
    (tmp_path / "template").mkdir()
    (tmp_path / "databricks_template_schema.json").write_text("{}")
    (tmp_path / "template" / "a").write_text("1")
    first = version_of(tmp_path)
    assert first.name == first.digest[:8]
    (tmp_path / "answers.json").write_text("no part of it")
    assert version_of(tmp_path) == first
    (tmp_path / "VERSION").write_text("1.2.0\n")
    assert version_of(tmp_path) == TemplateVersion(name="1.2.0", digest=first.digest)
    (tmp_path / "template" / "a").write_text("2")
    assert version_of(tmp_path).digest != first.digest


# ---------------------------------------------------------------------- all projects


def begin(each_store: Store, *rings: int) -> FleetRow:
    """Begin an upgrade of all: one project for each given ring."""
    fleet = FleetRow(
        id="fleet-1", state="running", requested_by="U-pat", channel="C-1", began_at=NOON
    )
    members = [
        FleetMemberRow(fleet="fleet-1", project=f"p-{number}", ring=ring)
        for number, ring in enumerate(rings)
    ]
    return each_store.fleets.begin(fleet, members)


def test_there_is_one_upgrade_of_all_at_a_time(each_store: Store) -> None:
    begin(each_store, 0, 1)
    other = FleetRow(id="fleet-2", state="running", requested_by="U", channel="C", began_at=NOON)
    assert each_store.fleets.begin(other, []).id == "fleet-1"
    each_store.fleets.move("fleet-1", ["running"], "done")
    assert each_store.fleets.begin(other, []).id == "fleet-2"


def test_so_many_are_under_way_and_none_begins_while_paused(each_store: Store) -> None:
    begin(each_store, 0, 0, 0)
    assert each_store.fleets.claim("fleet-1", "p-0", 2)
    assert each_store.fleets.claim("fleet-1", "p-0", 2) is None
    assert each_store.fleets.move("fleet-1", ["running"], "paused")
    assert each_store.fleets.claim("fleet-1", "p-1", 2) is None
    assert each_store.fleets.move("fleet-1", ["running"], "paused") is None
    assert each_store.fleets.move("fleet-1", ["paused"], "running")
    assert each_store.fleets.claim("fleet-1", "p-1", 2)
    assert each_store.fleets.claim("fleet-1", "p-2", 2) is None


def test_what_is_resumed_after_too_many_failures_tries_those_again(each_store: Store) -> None:
    begin(each_store, 0, 0)
    member = each_store.fleets.claim("fleet-1", "p-0", 2)
    assert member
    assert each_store.fleets.settle(member, "failed", "why")
    assert each_store.fleets.settle(member, "offered") is None
    each_store.fleets.move("fleet-1", ["running"], "halted", "too many")
    each_store.fleets.move("fleet-1", ["halted"], "running")
    assert each_store.fleets.counts("fleet-1") == {(0, "waiting"): 2}
    again = each_store.fleets.claim("fleet-1", "p-0", 2)
    assert again
    assert again.attempt == 2


def test_rings_are_canaries_then_sandboxes_then_the_rest() -> None:
    sandbox = a_spec("box").model_copy(update={"sandbox_until": NOON.date()})
    assert [ring_of(one, ("box-2",)) for one in (a_spec("box-2"), sandbox, a_spec("ada-7"))] == [
        0,
        1,
        2,
    ]
    assert next_ring(0, {0: 1, 2: 5}) == 0
    assert next_ring(0, {2: 5}) == 2
    assert next_ring(2, {1: 5}) is None


def test_a_member_ends_as_its_operation_does() -> None:
    stored = an_operation()
    stored.request, stored.phase = a_spec().model_dump(mode="json"), "done"
    done = read_operation(stored)

    def after(**facts: object) -> tuple[str, str]:
        return ending_of(done.model_copy(update={"facts": done.facts.model_copy(update=facts)}))

    assert after(upgrade=offer())[0] == "offered"
    assert after(upgrade=offer(conflict=True))[0] == "conflicts"
    assert after(upgrade=Upgrade(needless=True))[0] == "current"
    trouble = Trouble(step="Offering", what="GitHub is away")
    failed = done.model_copy(
        update={"phase": "failed", "facts": done.facts.model_copy(update={"trouble": trouble})}
    )
    assert ending_of(failed) == ("failed", "GitHub is away")
