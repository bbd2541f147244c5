"""Does what a plan says, over the REST API, keeping the state as it goes."""

from typing import Any

from playground.databricks_cli import access_lists, state
from playground.databricks_cli.artifacts import Say
from playground.databricks_cli.configuration import Bundle
from playground.databricks_cli.connection import MissingError
from playground.databricks_cli.failures import CliError
from playground.databricks_cli.kinds import KINDS
from playground.databricks_cli.permissions import for_kind
from playground.databricks_cli.planning import SUB, Plan, Step
from playground.databricks_cli.references import resolve
from playground.databricks_cli.state import Deployed, State
from playground.databricks_cli.trees import Tree


def apply(bundle: Bundle, plan: Plan, held: State) -> None:
    """Do every step; the state is written whatever happens, so that nothing made is forgotten."""
    try:
        for name, step in plan.steps.items():
            if step.action == "delete":
                continue
            _do(bundle, name, step, held)
        for name in _last_first(plan, held):
            _delete(bundle, name, held)
    finally:
        state.write(bundle, held)


def _last_first(plan: Plan, held: State) -> list[str]:
    """Return what is deleted, what others need last."""
    gone = [name for name, step in plan.steps.items() if step.action == "delete"]
    bodies = {name: held.resources[name].body for name in gone if name in held.resources}
    kinds = list(KINDS)
    return sorted(bodies, key=lambda name: kinds.index(name.split(".")[0]), reverse=True)


def _do(bundle: Bundle, name: str, step: Step, held: State) -> None:
    body = _with_ids(step.body, held)
    if step.action == "skip":
        held.resources[name].body = body
    elif name.endswith(SUB):
        _set_permissions(bundle, name, body, held)
    else:
        _do_resource(bundle, name, Step(step.action, body), held)


def _do_resource(bundle: Bundle, name: str, step: Step, held: State) -> None:
    kind = KINDS[name.split(".")[0]]
    try:
        if step.action == "recreate":
            _delete(bundle, name, held)
        if step.action == "update":
            id_ = held.resources[name].id
            kind.change(bundle.connection, id_, step.body)
        else:
            id_ = kind.make(bundle.connection, step.body)
    except CliError as error:
        verb = {"update": "updating"}.get(step.action, "creating")
        raise CliError(f"cannot {step.action} resources.{name}: {verb} failed: {error}") from error
    held.resources[name] = Deployed(id_, step.body)


def _set_permissions(bundle: Bundle, name: str, body: Tree, held: State) -> None:
    parent = name.removesuffix(SUB)
    kind, id_ = KINDS[parent.split(".")[0]].access, held.resources[parent].id
    listed = body["access_control_list"]
    access_lists.set_list(bundle.connection, kind, id_, listed, bundle.me)
    held.resources[name] = Deployed(f"/{kind}/{id_}", body)


def _delete(bundle: Bundle, name: str, held: State) -> None:
    """Remove a resource; one that is gone already is fine."""
    gone = held.resources[name]
    try:
        if name.endswith(SUB):
            _take_permissions(bundle, name, held)
        else:
            KINDS[name.split(".")[0]].remove(bundle.connection, gone.id)
    except MissingError:
        pass
    except CliError as error:
        if "does not exist" not in str(error):
            raise CliError(f"cannot delete resources.{name}: {error}") from error
    held.resources.pop(name, None)


def _take_permissions(bundle: Bundle, name: str, held: State) -> None:
    """Leave a resource that stays to its owner; one that goes takes its access list along."""
    parent = name.removesuffix(SUB)
    if parent in held.resources:
        kind, id_ = KINDS[parent.split(".")[0]].access, held.resources[parent].id
        access_lists.set_list(bundle.connection, kind, id_, [], bundle.me)


def _with_ids(body: Tree, held: State) -> Tree:
    def find(path: str) -> Any:
        return held.resources[".".join(path.split(".")[1:3])].id

    found: Tree = resolve(body, find)
    return found


def share_root(bundle: Bundle) -> None:
    """Give those who may see the bundle its folder, too."""
    general = [dict(each) for each in bundle.tree.get("permissions") or []]
    if not general:
        return
    root = bundle.workspace["root_path"]
    bundle.connection.ask("POST", "/api/2.0/workspace/mkdirs", {"path": root})
    found = bundle.connection.ask("GET", "/api/2.0/workspace/get-status", path=root)
    path = f"/api/2.0/permissions/directories/{found['object_id']}"
    listed = for_kind("directories", [], general)
    bundle.connection.ask("PUT", path, {"access_control_list": listed})


def refuse_stale(plan: Plan, held: State) -> None:
    """Refuse a plan that was made for another state than the present one."""
    if (plan.lineage, plan.serial) != (held.lineage, held.serial):
        raise CliError(
            f"the plan was made for state {plan.serial} of {plan.lineage or 'no deployment'}, but "
            f"the state is at {held.serial} of {held.lineage or 'no deployment'}; make a new plan"
        )


def destroy(bundle: Bundle, held: State, say: Say) -> None:
    """Remove everything that was deployed, and the bundle's folder."""
    names = dict.fromkeys(held.resources, Step("delete"))
    plan = Plan(held.lineage, held.serial, names)
    try:
        for name in _last_first(plan, held):
            _delete(bundle, name, held)
    except CliError:
        state.write(bundle, held)
        raise
    say("Deleting files...")
    root = bundle.workspace["root_path"]
    bundle.connection.ask("POST", "/api/2.0/workspace/delete", {"path": root, "recursive": True})
