"""What each kind of resource is in the workspace: made, read, changed, removed over REST."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from playground.databricks_cli.connection import Connection, MissingError
from playground.databricks_cli.trees import Tree

JOBS, PIPELINES = "/api/2.2/jobs", "/api/2.0/pipelines"
MODELS, EXPERIMENTS = "/api/2.1/unity-catalog/models", "/api/2.0/mlflow/experiments"
DASHBOARDS = "/api/2.0/lakeview/dashboards"


@dataclass(frozen=True)
class Kind:
    """One kind; `make` returns the id. A change of a `fixed` field needs a new object.

    `unread` fields cannot be read back: they are compared with what was deployed last. `filled`
    fields are the workspace's own where the bundle says nothing.
    """

    make: Callable[[Connection, Tree], str]
    read: Callable[[Connection, str], Tree]
    change: Callable[[Connection, str, Tree], object]
    remove: Callable[[Connection, str], object]
    access: str = ""
    fixed: tuple[str, ...] = ()
    unread: tuple[str, ...] = ()
    filled: tuple[str, ...] = ()


def _make_model(connection: Connection, wanted: Tree) -> str:
    return str(connection.ask("POST", MODELS, wanted)["full_name"])


def _read_model(connection: Connection, id_: str) -> Tree:
    found = connection.ask("GET", f"{MODELS}/{id_}")
    names = ("name", "catalog_name", "schema_name", "comment")
    return {name: found[name] for name in names if found.get(name)}


def _change_model(connection: Connection, id_: str, wanted: Tree) -> object:
    return connection.ask("PATCH", f"{MODELS}/{id_}", {"comment": wanted.get("comment", "")})


def _make_experiment(connection: Connection, wanted: Tree) -> str:
    return str(connection.ask("POST", f"{EXPERIMENTS}/create", wanted)["experiment_id"])


def _read_experiment(connection: Connection, id_: str) -> Tree:
    found = connection.ask("GET", f"{EXPERIMENTS}/get", experiment_id=id_)["experiment"]
    name = str(found["name"])
    read: Tree = {"name": name if name.startswith("/Workspace") else f"/Workspace{name}"}
    return read | ({"tags": found["tags"]} if found.get("tags") else {})


def _change_experiment(connection: Connection, id_: str, wanted: Tree) -> None:
    body = {"experiment_id": id_, "new_name": wanted["name"]}
    connection.ask("POST", f"{EXPERIMENTS}/update", body)
    for tag in wanted.get("tags") or []:
        connection.ask("POST", f"{EXPERIMENTS}/set-experiment-tag", {"experiment_id": id_, **tag})


PLACED = ("dataset_catalog", "dataset_schema")


def _draft(wanted: Tree) -> tuple[Tree, dict[str, Any]]:
    """Return the body and the query of a dashboard's draft."""
    body = {name: each for name, each in wanted.items() if name not in PLACED}
    body.pop("embed_credentials", None)
    return body, {name: wanted[name] for name in PLACED if wanted.get(name)}


def _make_dashboard(connection: Connection, wanted: Tree) -> str:
    connection.ask("POST", "/api/2.0/workspace/mkdirs", {"path": wanted["parent_path"]})
    body, query = _draft(wanted)
    id_ = str(connection.ask("POST", DASHBOARDS, body, **query)["dashboard_id"])
    _publish(connection, id_, wanted)
    return id_


def _publish(connection: Connection, id_: str, wanted: Tree) -> None:
    body = {"embed_credentials": bool(wanted.get("embed_credentials"))}
    body |= {"warehouse_id": wanted["warehouse_id"]} if wanted.get("warehouse_id") else {}
    connection.ask("POST", f"{DASHBOARDS}/{id_}/published", body)


def _read_dashboard(connection: Connection, id_: str) -> Tree:
    found = connection.ask("GET", f"{DASHBOARDS}/{id_}")
    if found.get("lifecycle_state") == "TRASHED":
        raise MissingError(f"dashboard {id_} is in the trash")
    names = ("display_name", "parent_path", "serialized_dashboard", "warehouse_id")
    return {name: found[name] for name in names if found.get(name)}


def _change_dashboard(connection: Connection, id_: str, wanted: Tree) -> None:
    body, query = _draft(wanted)
    body.pop("parent_path", None)
    connection.ask("PATCH", f"{DASHBOARDS}/{id_}", body, **query)
    _publish(connection, id_, wanted)


KINDS = {
    "registered_models": Kind(
        make=_make_model,
        read=_read_model,
        change=_change_model,
        remove=lambda connection, id_: connection.ask("DELETE", f"{MODELS}/{id_}"),
        fixed=("name", "catalog_name", "schema_name"),
    ),
    "experiments": Kind(
        make=_make_experiment,
        read=_read_experiment,
        change=_change_experiment,
        remove=lambda connection, id_: connection.ask(
            "POST", f"{EXPERIMENTS}/delete", {"experiment_id": id_}
        ),
        access="experiments",
    ),
    "pipelines": Kind(
        make=lambda connection, wanted: str(
            connection.ask("POST", PIPELINES, wanted)["pipeline_id"]
        ),
        read=lambda connection, id_: {
            k: v
            for k, v in connection.ask("GET", f"{PIPELINES}/{id_}")["spec"].items()
            if k != "id"
        },
        change=lambda connection, id_, wanted: connection.ask("PUT", f"{PIPELINES}/{id_}", wanted),
        remove=lambda connection, id_: connection.ask("DELETE", f"{PIPELINES}/{id_}"),
        access="pipelines",
        fixed=("catalog", "storage", "ingestion_definition"),
    ),
    "jobs": Kind(
        make=lambda connection, wanted: str(
            connection.ask("POST", f"{JOBS}/create", wanted)["job_id"]
        ),
        read=lambda connection, id_: dict(
            connection.ask("GET", f"{JOBS}/get", job_id=id_)["settings"]
        ),
        change=lambda connection, id_, wanted: connection.ask(
            "POST", f"{JOBS}/reset", {"job_id": int(id_), "new_settings": wanted}
        ),
        remove=lambda connection, id_: connection.ask(
            "POST", f"{JOBS}/delete", {"job_id": int(id_)}
        ),
        access="jobs",
        filled=("format", "max_concurrent_runs"),
    ),
    "dashboards": Kind(
        make=_make_dashboard,
        read=_read_dashboard,
        change=_change_dashboard,
        remove=lambda connection, id_: connection.ask("DELETE", f"{DASHBOARDS}/{id_}"),
        access="dashboards",
        fixed=("parent_path",),
        unread=(*PLACED, "embed_credentials"),
    ),
}


def existing(connection: Connection, kind: str, id_: str) -> Tree | None:
    """Return a resource as it is in the workspace, None if it is gone."""
    try:
        return KINDS[kind].read(connection, id_)
    except MissingError:
        return None
    except Exception as error:
        if f"Job {id_} does not exist" in str(error):  # the jobs API says so with 400
            return None
        raise
