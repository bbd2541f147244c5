"""`databricks bundle …`: validate, plan, deploy, destroy, summary."""

import json
import sys
from argparse import Namespace
from pathlib import Path

from playground.databricks_cli import applying, artifacts, planning, state, wanted
from playground.databricks_cli.configuration import Bundle, read
from playground.databricks_cli.connection import MissingError
from playground.databricks_cli.failures import CliError
from playground.databricks_cli.kinds import KINDS
from playground.databricks_cli.planning import SUB, Action, Plan
from playground.databricks_cli.state import State
from playground.databricks_cli.trees import Tree

VERBS: tuple[Action, ...] = ("create", "recreate", "update", "delete")


def say(text: str) -> None:
    """Tell people how it goes; results go to stdout."""
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


def show(text: str) -> None:
    """Print a result."""
    sys.stdout.write(f"{text}\n")


def loaded(options: Namespace) -> Bundle:
    """Return the bundle that the options name; warnings are told."""
    bundle = read(Path.cwd(), vars(options))
    for warning in bundle.warnings:
        say(f"Warning: {warning}")
    if bundle.warnings and getattr(options, "strict", False):
        raise CliError("strict mode: warnings are treated as errors")
    return bundle


def validate(options: Namespace) -> None:
    """Check the configuration against the workspace."""
    bundle = loaded(options)
    wanted_names = planning.in_order(dict(_referring(bundle)))
    if options.output == "json":
        show(json.dumps(bundle.tree, indent=2))
        return
    show(_heading(bundle))
    count = len(bundle.warnings)
    say(f"{len(wanted_names)} resources")
    show(f"Found {count} warning{'s' * (count != 1)}" if count else "Validation OK!")


def _referring(bundle: Bundle) -> list[tuple[str, Tree]]:
    return [(f"{kind}.{key}", each) for (kind, key), each in bundle.resources.items()]


def _heading(bundle: Bundle) -> str:
    workspace = bundle.workspace
    lines = (
        f"Name: {bundle.tree['bundle']['name']}",
        f"Target: {bundle.tree['bundle']['target']}",
        "Workspace:",
        f"  Host: {workspace['host']}",
        f"  User: {bundle.me}",
        f"  Path: {workspace['root_path']}",
    )
    return "\n".join(lines) + "\n"


def plan(options: Namespace) -> None:
    """Print what a deployment would do."""
    bundle = loaded(options)
    made = _planned(bundle, state.read(bundle))[0]
    if options.output == "json":
        show(json.dumps(planning.as_json(made), indent=2))
        return
    for name, step in made.steps.items():
        if step.action != "skip":
            show(f"{step.action} {name}")
    show(f"{'' if not made.count(*VERBS) else chr(10)}{_counted(made)}")


def _planned(bundle: Bundle, held: State) -> tuple[Plan, wanted.Wheels]:
    wheels = artifacts.build(bundle, say)
    return planning.make(bundle, held, wanted.bodies(bundle, wheels)), wheels


def _counted(made: Plan) -> str:
    return (
        f"Plan: {made.count('create', 'recreate')} to add, {made.count('update')} to change, "
        f"{made.count('delete', 'recreate')} to delete, {made.count('skip')} unchanged"
    )


def deploy(options: Namespace) -> None:
    """Deploy; with `--plan` exactly what was planned before, or nothing."""
    bundle = loaded(options)
    wheels = artifacts.build(bundle, say)
    bodies = wanted.bodies(bundle, wheels)
    _make_state_folder(bundle)
    with state.locked(bundle, force=options.force_lock):
        held = state.read(bundle)
        made = _chosen(bundle, held, bodies, options)
        artifacts.upload(bundle, wheels, say)
        _write_metadata(bundle)
        applying.share_root(bundle)
        say("Deploying resources...")
        applying.apply(bundle, made, held)
        say("Updating deployment state...")
    say("Deployment complete!")


def _chosen(bundle: Bundle, held: State, bodies: dict[str, Tree], options: Namespace) -> Plan:
    if not options.plan:
        return planning.make(bundle, held, bodies)
    made = planning.from_file(Path(options.plan))
    applying.refuse_stale(made, held)
    return made


def _make_state_folder(bundle: Bundle) -> None:
    folder = bundle.workspace["state_path"]
    bundle.connection.ask("POST", "/api/2.0/workspace/mkdirs", {"path": folder})


def _write_metadata(bundle: Bundle) -> None:
    told = {
        "version": 1,
        "config": {
            "bundle": {name: bundle.tree["bundle"].get(name) for name in ("name", "git", "target")},
            "workspace": {"file_path": bundle.workspace["file_path"]},
        },
    }
    path = f"{bundle.workspace['state_path']}/metadata.json"
    bundle.connection.upload(path, json.dumps(told, indent=2).encode())


def destroy(options: Namespace) -> None:
    """Remove everything that was deployed."""
    bundle = loaded(options)
    if not _is_deployed(bundle):
        say("No active deployment found to destroy!")
        return
    if not options.auto_approve:
        raise CliError("please specify --auto-approve to skip interactive confirmation checks")
    _make_state_folder(bundle)
    with state.locked(bundle, force=options.force_lock):
        held = state.read(bundle)
        for name in held.resources:
            if not name.endswith(SUB):
                say(f"  delete resources.{name}")
        say(
            "All files and directories at the following location will be deleted: "
            f"{bundle.workspace['root_path']}"
        )
        applying.destroy(bundle, held, say)
    say("Destroy complete!")


def _is_deployed(bundle: Bundle) -> bool:
    path = bundle.workspace["root_path"]
    try:
        bundle.connection.ask("GET", "/api/2.0/workspace/get-status", path=path)
    except MissingError:
        return False
    return True


def summary(options: Namespace) -> None:
    """Show what is deployed, with ids and addresses."""
    bundle = loaded(options)
    held = state.read(bundle)
    tree: Tree = {**bundle.tree, "resources": {}}
    for (kind, key), resource in bundle.resources.items():
        known = held.resources.get(f"{kind}.{key}")
        shown = {**resource} | (
            {"id": known.id, "url": url(bundle, kind, known.id)}
            if known
            else {"modified_status": "created"}
        )
        tree["resources"].setdefault(kind, {})[key] = shown
    if options.output == "json":
        show(json.dumps(tree, indent=2))
        return
    show(_heading(bundle) + "Resources:")
    for kind, some in tree["resources"].items():
        show(f"  {kind.replace('_', ' ').title()}:")
        for key, each in some.items():
            name = each.get("name") or each.get("display_name")
            show(f"    {key}:\n      Name: {name}\n      URL:  {each.get('url', '(not deployed)')}")


def url(bundle: Bundle, kind: str, id_: str) -> str:
    """Return the address of a resource's page."""
    places = {
        "jobs": f"/jobs/{id_}",
        "pipelines": f"/pipelines/{id_}",
        "experiments": f"/ml/experiments/{id_}",
        "dashboards": f"/dashboardsv3/{id_}/published",
        "registered_models": f"/explore/data/models/{id_.replace('.', '/')}",
    }
    return bundle.connection.host + places.get(kind, "") if kind in KINDS else ""
