"""What was deployed, kept in the workspace; and the lock that one deployment at a time holds."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from uuid import uuid4

from playground.databricks_cli.configuration import Bundle
from playground.databricks_cli.failures import CliError
from playground.databricks_cli.trees import Tree
from provisioning.clock import SystemClock

VERSION = 1


@dataclass
class Deployed:
    """One resource that was deployed: its id, and the body that was sent last."""

    id: str
    body: Tree


@dataclass
class State:
    """All that was deployed, by `jobs.key`; `serial` grows with every deployment."""

    lineage: str = ""
    serial: int = 0
    resources: dict[str, Deployed] = field(default_factory=dict)


def path(bundle: Bundle) -> str:
    """Return where the state is kept."""
    return f"{bundle.workspace['state_path']}/resources.json"


def read(bundle: Bundle) -> State:
    """Return the state; an empty one if nothing was ever deployed."""
    content = bundle.connection.download(path(bundle))
    if content is None:
        return State()
    told = json.loads(content)
    known = told["state"].items()
    resources = {name: Deployed(each["__id__"], each["state"]) for name, each in known}
    return State(told["lineage"], told["serial"], resources)


def write(bundle: Bundle, state: State) -> None:
    """Keep a state, with the next serial."""
    state.lineage, state.serial = state.lineage or str(uuid4()), state.serial + 1
    told = {
        "state_version": VERSION,
        "lineage": state.lineage,
        "serial": state.serial,
        "state": {
            name: {"__id__": each.id, "state": each.body} for name, each in state.resources.items()
        },
    }
    bundle.connection.upload(path(bundle), json.dumps(told, indent=1).encode())


@contextmanager
def locked(bundle: Bundle, *, force: bool) -> Iterator[None]:
    """Hold the deployment lock; outside development only one deployment has it."""
    if not bundle.is_locked:
        yield
        return
    place = f"{bundle.workspace['state_path']}/deploy.lock"
    mine = {
        "ID": str(uuid4()),
        "AcquisitionTime": SystemClock().now().isoformat(),
        "IsForced": force,
        "User": bundle.me,
    }
    content = json.dumps(mine).encode()
    _acquire(bundle, place, content, force=force)
    try:
        yield
    finally:
        if bundle.connection.download(place) == content:
            bundle.connection.ask("POST", "/api/2.0/workspace/delete", {"path": place})


def _acquire(bundle: Bundle, place: str, content: bytes, *, force: bool) -> None:
    try:
        bundle.connection.upload(place, content, overwrite=force)
    except CliError as error:
        if "already exists" not in str(error):
            raise
        raise CliError(
            f"Failed to acquire deployment lock: {_holder(bundle, place)}. "
            "Use --force-lock to override"
        ) from error


def _holder(bundle: Bundle, place: str) -> str:
    told = json.loads(bundle.connection.download(place) or b"{}")
    forced = "force acquired" if told.get("IsForced") else "acquired"
    return f"deploy lock {forced} by {told.get('User')} at {told.get('AcquisitionTime')}"
