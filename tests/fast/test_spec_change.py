"""What a change changes: what is new and needs consent, what is refused, who decides meanwhile."""

from datetime import timedelta
from typing import Any, cast

import pytest
from rows import NOON, a_project, a_spec, an_operation

from provisioning import audit
from provisioning.board import read_operation
from provisioning.database import Database
from provisioning.delivery import Delivery
from provisioning.errors import UserError
from provisioning.feasibility import Feasibility
from provisioning.operation import Facts, FromGitHub, Operation
from provisioning.operation_kinds import left_standing
from provisioning.policy import Confirmer, Naming, Policy
from provisioning.ports import People
from provisioning.project import DataAccess, ProjectSpec, Reviewer
from provisioning.run_message import run_notice
from provisioning.runs import Action, Change, Counts, Plan
from provisioning.spec_change import (
    Difference,
    data_to_ask_for,
    differences,
    fingerprint,
    groups_objection,
    new_environments,
    with_changes,
)
from provisioning.store import Filter, Store
from provisioning.text import plain

CATALOGS = {
    "gbx1": {"development": "one_dev", "production": "one"},
    "gbx2": {"development": "two_dev", "production": "two"},
    "twin": {"development": "twin_dev", "production": "one"},
}
READ, WRITE = (DataAccess(securable="one.sales", level=level) for level in ("read", "write"))


PLANNED = {"planning": NOON}


def changed(spec: ProjectSpec, **parts: Any) -> ProjectSpec:
    """Return a specification with other parts."""
    return spec.model_copy(update=parts)


def a_change(phase: str = "waiting", before: ProjectSpec | None = None, **facts: Any) -> Operation:
    """Return a run that makes U-sam an owner, beside U-ada."""
    known = Facts(before=before or a_spec(), **facts)
    row = an_operation().model_dump() | {
        "kind": "change_project",
        "phase": phase,
        "version": 1,
        "attempt": 1,
        "spec": a_spec("ada-7", "U-ada", "U-sam"),
        "facts": known,
    }
    row.pop("request")
    return Operation.model_validate(row)


def a_plan(inputs: str = "i", **actions: Action) -> Plan:
    """Return a plan that does this to resources, by their names."""
    changes = tuple(
        Change(address=name, resource_type="t", action=action) for name, action in actions.items()
    )
    digest = f"{inputs}{sorted(actions.items())}"
    return Plan(
        digest=digest, inputs=inputs, counts=Counts(), changes=changes, seconds=1, terraform="1.9.0"
    )


def test_differences_are_told_part_by_part_and_another_order_is_none() -> None:
    before = changed(a_spec("ada-7", "U-ada", "U-grace"), workspace_groups=("gbx1", "gbx2"))
    after = changed(
        before,
        owners=("U-sam", "U-ada"),
        workspace_groups=("gbx2", "gbx1"),
        reviewers=(Reviewer(kind="team", name="ada"),),
        data_access=(READ,),
    )
    assert differences(before, after) == (
        Difference(part="owners", added=("U-sam",), removed=("U-grace",)),
        Difference(part="reviewers", added=("team ada",), removed=("user ada",)),
        Difference(part="data_access", added=("read one.sales",)),
    )
    assert differences(before, changed(before, owners=("U-grace", "U-ada"))) == ()
    assert fingerprint(before) == fingerprint(changed(before, owners=("U-grace", "U-ada")))
    assert fingerprint(before) != fingerprint(after)


def test_what_stays_keeps_its_place_and_the_rest_of_a_project_is_not_changed() -> None:
    before = a_spec("ada-7", "U-ada", "U-grace")
    wanted = changed(before, owners=("U-sam", "U-grace"), name="other", template="ml_workflow")
    assert with_changes(before, wanted) == changed(before, owners=("U-grace", "U-sam"))


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        (("gbx1", "gbx2"), ("gbx1", "gbx2", "twin"), ""),
        (("gbx1", "gbx2"), ("gbx2", "twin"), "gbx1 cannot be removed"),
        (("gbx1",), ("gbx1", "gbx2"), "would rename its environments"),
        (("gbx1",), ("gbx1",), ""),
    ],
)
def test_no_change_of_groups_destroys_an_environment(
    before: tuple[str, ...], after: tuple[str, ...], said: str
) -> None:
    spec = changed(a_spec(), workspace_groups=before)
    found = groups_objection(spec, changed(spec, workspace_groups=after))
    assert said in found
    assert bool(said) == bool(found)


def test_only_environments_of_a_new_group_are_new() -> None:
    before = changed(a_spec(), workspace_groups=("gbx1", "gbx2"))
    after = changed(before, workspace_groups=("gbx1", "gbx2", "twin"))
    new = [each.name for each in new_environments(before, after, Delivery())]
    assert len(new) == 5
    assert all(name.startswith("twin-") for name in new)
    assert "twin-Production-plan" in new
    assert new_environments(before, changed(before, owners=("U",)), Delivery()) == ()


@pytest.mark.parametrize(
    ("before", "after", "asked"),
    [
        ((), (READ,), (READ,)),
        ((READ,), (READ,), ()),
        ((READ,), (WRITE,), (WRITE,)),
        ((WRITE,), (READ,), ()),
        ((WRITE,), (), ()),
    ],
    ids=["new", "kept", "more", "less", "given back"],
)
def test_consent_is_needed_to_what_is_new(
    before: tuple[DataAccess, ...], after: tuple[DataAccess, ...], asked: tuple[DataAccess, ...]
) -> None:
    spec = changed(a_spec(), data_access=before)
    assert data_to_ask_for(spec, changed(spec, data_access=after), CATALOGS) == asked


def test_consent_is_needed_where_another_environment_gets_what_others_have() -> None:
    before = changed(a_spec(), workspace_groups=("gbx1", "gbx2"), data_access=(READ,))
    for group, asked in (("twin", (READ,)), ("gbx3", ())):
        after = changed(before, workspace_groups=("gbx1", "gbx2", group))
        assert data_to_ask_for(before, after, CATALOGS) == asked, group


def test_owners_decide_once_they_are_owners() -> None:
    assert a_change().in_force.owners == ("U-ada",)
    assert a_change("failed", touched=True).in_force.owners == ("U-ada",)
    assert a_change("failed", changed=True).in_force.owners == ("U-ada", "U-sam")


def a_policy(
    create: Confirmer, change: Confirmer | None = None, platform_group: str = ""
) -> Policy:
    """Return rules with these confirmers."""
    return Policy(
        naming=Naming(pattern=".*", explanation=""),
        workspace_groups={},
        catalogs=CATALOGS,
        data=(),
        confirm_create=create,
        confirm_change=change,
        confirmation_expires=timedelta(hours=1),
        platform_group=platform_group,
        users_group="",
        channel="",
        announcements="",
        sandbox_default=timedelta(days=1),
        sandbox_maximum=timedelta(days=1),
    )


class Everybody:
    """People who are all active."""

    def active(self, people: tuple[str, ...], at_most: int) -> tuple[str, ...]:
        return people[:at_most]

    def is_active(self, user: str) -> bool:
        return bool(user)


def may_own(before: ProjectSpec | None, *owners: str) -> str:
    """Return why U-ada may not ask for these owners, where a second person confirms changes."""
    policy = a_policy("requester", "second_person")
    nothing: Any = None
    people = cast("People", Everybody())
    checks = Feasibility(policy, nothing, people, nothing, nothing, nothing)
    return checks.owners(a_spec("ada-7", *owners), "U-ada", before)


def test_who_is_made_an_owner_is_not_the_second_person_who_confirms_it() -> None:
    assert "nobody else could" in may_own(a_spec(), "U-ada", "U-sam")
    assert may_own(a_spec("ada-7", "U-ada", "U-grace"), "U-ada") == ""
    assert may_own(None, "U-ada") == ""


def test_who_confirms_a_change_may_be_another_setting() -> None:
    policy = a_policy("nobody", platform_group="S-platform")
    assert policy.confirmer("change_project", a_spec()) == "nobody"
    stricter = policy.model_copy(update={"confirm_change": "platform"})
    assert stricter.confirmer("change_project", a_spec()) == "platform"
    assert stricter.confirmer("create_project", a_spec()) == "nobody"
    assert stricter.confirmers(a_spec(), "U-ada", "change_project") == ("S-platform",)


def test_what_a_run_leaves_is_told_truthfully() -> None:
    assert left_standing(a_change()) == "nothing was changed, and the project stays as it is"
    assert "specification before it is still in force" in left_standing(a_change(touched=True))
    assert "made and in force" in left_standing(a_change(touched=True, changed=True))
    assert not a_change("discarded", made=True).may_be_retried
    assert a_change("discarded", made=True, touched=True).may_be_retried
    for phase in ("discarded", "cancelled", "expired"):
        (said,) = (plain(line) for line in run_notice(a_change(phase)).body)
        assert said == "Nothing was changed, and the project stays as it is."


def test_the_message_says_what_changes_and_how_it_ended() -> None:
    notice = run_notice(a_change())
    shown = {fact.label: plain(fact.value) for fact in notice.facts}
    assert shown["Owners"] == "+ U-sam"
    assert "Managed group" not in shown
    assert notice.title == "ada-7 · Change · Waiting for confirmation"
    as_wanted = a_spec("ada-7", "U-ada", "U-sam")
    none = run_notice(a_change("unchanged", before=as_wanted, plan=a_plan(), finished=PLANNED))
    assert none.title == "ada-7 · Change · Nothing to change"
    assert {plain(fact.value) for fact in none.facts if fact.label == "Specification"} == {
        "unchanged"
    }
    assert [task.id for task in none.tasks] == ["planning"]
    assert {fact.label for fact in none.facts} >= {"Resources changed"}
    moved = run_notice(a_change("done", changed=True, files="moved"), "https://github.test/a/b")
    assert "open a pull request" in plain(moved.body[1])
    assert moved.body[1][1].target.startswith("https://github.test/a/b/compare/main...sciclops/")
    assert "/sciclops upgrade ada-7" in plain(run_notice(a_change("done", files="left")).body[1])
    assert len(run_notice(a_change("done", files="same")).body) == 1


def test_a_confirmed_plan_covers_what_is_left_of_it_and_nothing_more() -> None:
    confirmed = a_plan(new="create", other="update", old="delete", moved="replace")
    for left in (
        a_plan(),
        a_plan(other="update", old="delete"),
        a_plan(new="import", moved="create"),
    ):
        assert confirmed.covers(left)
    for more in (
        a_plan(inputs="others", new="create"),
        a_plan(new="delete"),
        a_plan(other="replace"),
        a_plan(other="delete"),
        a_plan(stranger="update"),
        a_plan(old="create"),
    ):
        assert not confirmed.covers(more)


def begun(store: Store, wanted: ProjectSpec, before: ProjectSpec | None = None) -> str:
    """Begin a change of a ready project; return the operation's id."""
    store.projects.reserve_and_begin(a_project(), an_operation())
    store.operations.end("op-1", "ready")
    store.projects.become("ada-7", "ready")
    row = an_operation("op-2", minute=1)
    row.kind, row.request = "change_project", wanted.model_dump(mode="json")
    row.facts = {"before": (before or a_spec()).model_dump(mode="json")}
    return store.operations.begin(row).id


def test_a_specification_is_taken_once_with_its_owners_and_audited(
    each_store: Store, each_database: Database
) -> None:
    wanted = a_spec("ada-7", "U-ada", "U-sam")
    operation = begun(each_store, wanted)
    for _ in range(2):
        row = each_store.projects.take_specification(operation, {"repository": {}})
        assert read_operation(row).in_force == wanted
    project = each_store.projects.get("ada-7")
    assert project is not None
    assert ProjectSpec.model_validate(project.spec) == wanted
    assert each_store.projects.page(Filter(owner="U-sam")).total == 1
    taken = [one for one in audit.history(each_database, "ada-7") if "took a spec" in one.what]
    assert [one.detail["changes"] for one in taken] == [
        [{"part": "owners", "added": ["U-sam"], "removed": []}]
    ]


def test_what_was_changed_otherwise_meanwhile_stays(store: Store) -> None:
    """An extension is not undone, and no change ends a project, or lets it live for ever."""
    earlier = NOON.date() - timedelta(days=1)
    operation = begun(store, changed(a_spec("ada-7", "U-sam"), sandbox_until=earlier))
    longer = changed(a_spec(), sandbox_until=NOON.date())
    store.projects.become("ada-7", "ready", {"spec": longer.model_dump(mode="json")})
    store.projects.take_specification(operation, {})
    project = store.projects.get("ada-7")
    assert project is not None
    assert ProjectSpec.model_validate(project.spec) == changed(longer, owners=("U-sam",))


@pytest.mark.parametrize("touched", [False, True])
def test_a_destruction_reaches_what_a_change_has_begun_to_add(
    store: Store, *, touched: bool
) -> None:
    operation = begun(store, changed(a_spec(), workspace_groups=("gbx1", "gbx2")))
    store.operations.end(operation, "failed", {"touched": touched})
    for kind in ("reconcile", "destroy_project"):
        row = an_operation(f"op-{kind}", minute=2)
        row.kind, row.request = kind, a_spec().model_dump(mode="json")
        reached = store.operations.begin(row).request["workspace_groups"]
        store.operations.end(row.id, "done")
        more = ["gbx2"] if touched and kind == "destroy_project" else []
        assert reached == ["gbx1", *more]


def test_a_discarded_change_from_github_says_what_the_file_says_wrongly() -> None:
    merge = FromGitHub(login="ada", url="https://github.test/a/b/pull/7", number=7)
    notice = run_notice(a_change("discarded", from_github=merge))
    said = " ".join(plain(line) for line in notice.body)
    assert "sciclops.yml says otherwise until that merge is reverted" in said
    assert "from GitHub, as ada: merge of #7" in plain(notice.facts[0].value)
    assert "sciclops.yml" not in str(run_notice(a_change("discarded")).body)


def test_a_change_of_what_is_not_so_any_more_is_refused(store: Store) -> None:
    with pytest.raises(UserError, match="was changed since you opened this form"):
        begun(store, a_spec("ada-7", "U-sam"), before=a_spec("ada-7", "U-grace"))
    assert [one.id for one in store.operations.of_project("ada-7")] == ["op-1"]
