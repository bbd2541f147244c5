"""What a deployment would do, against what is in the workspace now."""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from playground.databricks_cli import access_lists
from playground.databricks_cli.configuration import Bundle
from playground.databricks_cli.failures import CliError
from playground.databricks_cli.kinds import KINDS, Kind, existing
from playground.databricks_cli.references import resolve, used
from playground.databricks_cli.state import State
from playground.databricks_cli.trees import Tree, differences

Action = Literal["create", "update", "recreate", "delete", "skip"]
SUB = ".permissions"


@dataclass
class Step:
    """What happens to one resource; `body` still refers to others by `${resources.…}`."""

    action: Action
    body: Tree = field(default_factory=dict)
    changes: Tree = field(default_factory=dict)
    needs: list[str] = field(default_factory=list)


@dataclass
class Plan:
    """Steps by `jobs.key`, for one state of the deployment."""

    lineage: str
    serial: int
    steps: dict[str, Step]

    def count(self, *actions: Action) -> int:
        """Return how many steps do one of these."""
        return sum(each.action in actions for each in self.steps.values())


def make(bundle: Bundle, state: State, wanted: dict[str, Tree]) -> Plan:
    """Return the plan that makes the workspace hold what is wanted and nothing else of ours."""
    steps: dict[str, Step] = {}
    for name in in_order(wanted):
        steps[name] = _step(bundle, state, name, wanted[name], steps)
        steps[name].needs = needed(name, wanted[name])
    for name in state.resources:
        if name not in wanted:
            steps[name] = Step("delete")
    return Plan(state.lineage, state.serial, steps)


def needed(name: str, body: Tree) -> list[str]:
    """Return the names of the resources that one refers to, or whose permissions it is."""
    found = {".".join(path.split(".")[1:3]) for path in used(body)}
    return sorted(found | ({name.removesuffix(SUB)} if name.endswith(SUB) else set()))


def in_order(bodies: dict[str, Tree]) -> list[str]:
    """Return names so that each comes after those that it needs."""
    ordered: list[str] = []
    waiting = sorted(bodies)
    while waiting:
        ready = [name for name in waiting if set(needed(name, bodies[name])) <= set(ordered)]
        if not ready:
            raise CliError(f"resources refer to each other: {', '.join(waiting)}")
        ordered.append(ready[0])
        waiting.remove(ready[0])
    return ordered


def _step(bundle: Bundle, state: State, name: str, body: Tree, before: dict[str, Step]) -> Step:
    if name not in state.resources:
        return Step("create", body)
    if name.endswith(SUB):
        return _permissions_step(bundle, state, name, body, before)
    kind, id_ = KINDS[name.split(".")[0]], state.resources[name].id
    remote = existing(bundle.connection, name.split(".")[0], id_)
    if remote is None:
        return Step("create", body)
    known = _filled_in(body, remote, kind)
    changes = _changes(state.resources[name].body, _with_ids(known, state, before), remote, kind)
    if not changes:
        return Step("skip", body)
    fixed = any(each.split(".")[0] in kind.fixed for each in changes)
    return Step("recreate" if fixed else "update", body, changes)


def _filled_in(body: Tree, remote: Tree, kind: Kind) -> Tree:
    """Return a body with what the workspace sets by itself where the bundle says nothing."""
    return {name: remote[name] for name in kind.filled if name in remote} | body


def _with_ids(body: Tree, state: State, before: dict[str, Step]) -> Tree:
    """Return a body with the ids of resources that stay; others are not known yet."""

    def find(path: str) -> Any:
        name = ".".join(path.split(".")[1:3])
        if before[name].action in ("create", "recreate"):
            raise KeyError(path)
        return state.resources[name].id

    found: Tree = resolve(body, find)
    return found


def _changes(old: Tree, new: Tree, remote: Tree, kind: Kind) -> Tree:
    """Return what differs, by path: as deployed last, as wanted, as it is in the workspace."""
    unread = {name: old[name] for name in kind.unread if name in old}
    present = {k: v for k, v in remote.items() if k not in kind.unread} | unread
    was = {path: before for path, (before, _) in differences(old, new).items()}
    return {
        path: {"action": "update", "old": was.get(path, wanted), "new": wanted, "remote": is_}
        for path, (is_, wanted) in differences(present, new).items()
    }


def _permissions_step(
    bundle: Bundle, state: State, name: str, body: Tree, before: dict[str, Step]
) -> Step:
    parent = name.removesuffix(SUB)
    if before[parent].action in ("create", "recreate"):
        return Step("create", body)
    kind = KINDS[parent.split(".")[0]]
    direct = access_lists.direct(bundle.connection, kind.access, state.resources[parent].id)
    changes = access_lists.changes(body["access_control_list"], direct)
    return Step("update", body, changes) if changes else Step("skip", body)


def as_json(plan: Plan) -> Tree:
    """Return a plan as `plan -o json` prints it."""
    return {
        "plan_version": 1,
        "lineage": plan.lineage,
        "serial": plan.serial,
        "plan": {f"resources.{name}": _entry(each) for name, each in plan.steps.items()},
    }


def _entry(step: Step) -> Tree:
    entry: Tree = {"action": step.action}
    if step.needs:
        entry["depends_on"] = [{"node": f"resources.{each}"} for each in step.needs]
    if step.action not in ("skip", "delete"):
        entry["new_state"] = {"value": step.body}
    return entry | ({"changes": step.changes} if step.changes else {})


def from_file(file: Path) -> Plan:
    """Read a plan that was printed before."""
    try:
        told = json.loads(file.read_text("utf-8"))
        steps = {str(k).removeprefix("resources."): _read_step(v) for k, v in told["plan"].items()}
        return Plan(str(told["lineage"]), int(told["serial"]), steps)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise CliError(f"failed to read the plan {file}: {error}") from error


def _read_step(entry: Tree) -> Step:
    needs = [str(each["node"]).removeprefix("resources.") for each in entry.get("depends_on", [])]
    body = entry.get("new_state", {}).get("value", {})
    return Step(entry["action"], body, entry.get("changes", {}), needs)
