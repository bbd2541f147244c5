"""Who may destroy what, what a confirmed destruction covers, and what its message says."""

from datetime import date
from pathlib import Path
from typing import Any

import pytest
from rows import NOON, a_project, a_spec, an_operation

from bot.installation import policy_of
from bot.settings import load
from provisioning.errors import UserError
from provisioning.losses import client_ids, schemas_of
from provisioning.operation import CREATE, DESTROY, Facts, Operation, Undeployment
from provisioning.owners import may as owners_may
from provisioning.policy import may_confirm, needs_another, nobody_confirms
from provisioning.project import DataAccess, ProjectSpec
from provisioning.run_message import run_notice
from provisioning.runs import Change, Counts, Outcome, Plan
from provisioning.store import Store
from provisioning.text import OURSELVES, plain
from provisioning.verdicts import Allowed, Refused

POLICY = policy_of(load(Path(__file__).parents[2] / "sciclops.example.toml", {}))
FOREVER = a_spec("ada-7", "U-ada", "U-grace")
SANDBOX = FOREVER.model_copy(update={"sandbox_until": date(2026, 12, 24)})


def a_run(phase: str, **facts: Any) -> Operation:
    """Return a destruction that stands in a phase."""
    return Operation.model_validate(
        {
            "id": "run-1",
            "kind": DESTROY,
            "project": "ada-7",
            "phase": phase,
            "version": 1,
            "attempt": 1,
            "spec": FOREVER,
            "facts": Facts.model_validate({"made": True, "origin": "run-0", **facts}),
            "requested_by": "U-ada",
            "channel": "C-runs",
            "created_at": NOON,
        }
    )


def a_plan(*changes: tuple[str, str], inputs: str = "i", digest: str = "d") -> Plan:
    """Return a plan that does these to addresses."""
    made = tuple(
        Change.model_validate({"action": action, "address": address, "resource_type": "t"})
        for action, address in changes
    )
    counts = Counts(remove=sum(action == "delete" for action, _ in changes))
    return Plan(
        digest=digest, inputs=inputs, counts=counts, changes=made, seconds=1, terraform="1.9"
    )


def test_owners_and_the_platform_team_may_ask_and_nobody_else() -> None:
    owners = ("U-ada", "U-grace")
    assert owners_may(who="U-grace", owners=owners, platform=False) == Allowed()
    assert owners_may(who="U-pat", owners=owners, platform=True) == Allowed()
    refused = owners_may(who="U-sam", owners=owners, platform=False)
    assert isinstance(refused, Refused)


def test_a_sandbox_needs_the_typed_name_only_and_everything_else_somebody_else() -> None:
    assert POLICY.confirmer(DESTROY, SANDBOX) == "nobody"
    assert POLICY.confirmers(SANDBOX, "U-ada", DESTROY) == ()
    assert POLICY.confirmer(DESTROY, FOREVER) == "second_person"
    assert POLICY.confirmers(FOREVER, "U-ada", DESTROY)[0] == "U-grace"
    assert POLICY.confirmer(CREATE, FOREVER) == "requester"


def test_a_sandbox_that_ends_by_itself_is_confirmed_by_people_only() -> None:
    strict = POLICY.model_copy(update={"confirm_destroy_sandbox": "requester"})
    assert OURSELVES not in strict.confirmers(SANDBOX, OURSELVES, DESTROY)
    assert set(SANDBOX.owners) <= set(strict.confirmers(SANDBOX, OURSELVES, DESTROY))


@pytest.mark.parametrize("confirmer", ["nobody", "requester", "platform", "second_person"])
def test_nobody_confirms_their_own_destruction_of_production(confirmer: Any) -> None:
    asked = {"who": "U-ada", "requested_by": "U-ada", "owners": ("U-ada",), "platform": True}
    alone: Any = asked | {"needs_another": needs_another(DESTROY, FOREVER)}
    verdict = may_confirm(confirmer, **alone)
    assert isinstance(verdict, Refused)
    assert "their own destruction" in verdict.why
    assert not needs_another(DESTROY, SANDBOX)
    assert not needs_another(CREATE, FOREVER)


def test_who_is_alone_in_the_platform_team_is_told_before_anything_begins() -> None:
    able: Any = {"able": ("U-pat",), "requested_by": "U-pat"}
    assert nobody_confirms("platform", **able) == ""
    assert "nobody active" in nobody_confirms("platform", **able, needs_another=True)


def test_a_confirmed_destruction_covers_what_is_left_of_it_and_nothing_else() -> None:
    confirmed = a_plan(("delete", "a"), ("delete", "b"), ("delete", "c"))
    rest = a_plan(("delete", "b"), ("no-op", "x"), digest="e")
    assert confirmed.covers(rest)
    assert confirmed.covers(a_plan(digest="e"))
    assert not confirmed.covers(a_plan(("delete", "d"), digest="e"))
    assert not confirmed.covers(a_plan(("create", "a"), digest="e"))
    assert not confirmed.covers(a_plan(("replace", "a"), digest="e"))
    assert not confirmed.covers(a_plan(("delete", "a"), digest="e", inputs="j"))


def test_a_confirmed_creation_covers_no_removal() -> None:
    confirmed = a_plan(("create", "a"), ("update", "b"))
    for action in ("delete", "replace"):
        assert not confirmed.covers(a_plan((action, "a"), digest="e"))


def test_the_message_says_destroy_and_never_offers_a_clean_up() -> None:
    waiting = run_notice(a_run("waiting", plan=a_plan(("delete", "a"))))
    assert waiting.title == "ada-7 · Destroy · Waiting for confirmation"
    failed = run_notice(a_run("failed", unmade=True))
    assert [button.label for button in failed.buttons] == ["Retry"]
    done = run_notice(a_run("done", unmade=True))
    assert done.title.endswith("Destroyed")
    assert "Nothing of the project is left" in plain(done.body[0])
    assert done.buttons == ()


def test_a_stop_half_way_says_that_something_is_gone() -> None:
    half = run_notice(a_run("cancelled", undeploying_in=1))
    assert plain(half.body[0]) == "What was removed is gone; Retry removes the rest."
    early = run_notice(a_run("discarded"))
    assert "the project stays as it is" in plain(early.body[0])


def test_its_steps_say_which_stages_are_removed_and_how_much_was_destroyed() -> None:
    done = [
        Undeployment(stage="production", run=1, done=True),
        Undeployment(stage="testing", run=2),
    ]
    run = a_run("undeploying", undeployments=done, workflow_run="https://github.com/acme/ada-7/1")
    step = next(task for task in run_notice(run).tasks if task.id == "undeploying")
    assert plain(step.output) == "removed from Production · workflow run"
    applied = Outcome(ending="succeeded", counts=Counts(remove=106))
    run = a_run("verifying", applied=applied, finished={"applying": NOON})
    step = next(task for task in run_notice(run).tasks if task.id == "applying")
    assert plain(step.output) == "0 added, 0 changed, 106 destroyed"


@pytest.mark.parametrize("state", ["going", "gone"])
def test_nothing_begins_on_what_is_going_or_gone(each_store: Store, state: str) -> None:
    each_store.projects.reserve_and_begin(a_project(), an_operation())
    each_store.operations.end("op-1", "ready")
    each_store.projects.become("ada-7", state)
    with pytest.raises(UserError, match="destroyed"):
        each_store.operations.begin(an_operation("op-2", minute=1))


def test_who_was_granted_its_data_is_found(each_store: Store) -> None:
    schemas = schemas_of(FOREVER, POLICY.catalogs)
    assert schemas[0] == "gbx1_dev.ada_7"
    for name, securable in (
        ("reads-table", "gbx1_prod.ada_7.sales"),
        ("reads-schema", "gbx1_prod.ada_7"),
        ("reads-other", "gbx1_prod.ada_77"),
        ("reads-nothing", ""),
    ):
        row = a_project(name)
        access = (DataAccess(securable=securable, level="read"),) if securable else ()
        spec: ProjectSpec = a_spec(name).model_copy(update={"data_access": access})
        row.spec = spec.model_dump(mode="json")
        each_store.projects.reserve_and_begin(row, an_operation(f"op-{name}", name))
    assert each_store.projects.granted(schemas) == ("reads-schema", "reads-table")


def test_the_logins_of_a_projects_principals_are_in_its_outputs() -> None:
    outputs = {"environments": {"Staging": {"client_id": "c-1"}, "Testing": {"client_id": "c-2"}}}
    assert client_ids(outputs) == {"c-1", "c-2"}
    assert client_ids({}) == frozenset()
