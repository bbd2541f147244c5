"""Who may do what to a workspace's objects: levels per principal, inherited from folders."""

from collections.abc import Iterator

from playground.databricks.call import Call
from playground.databricks.deployed import Node
from playground.databricks.errors import denied
from playground.databricks.state import Principal, ServicePrincipal, User, Workspace, World

EVERYONE_HERE = "users"
LEVELS: dict[str, tuple[str, ...]] = {
    "jobs": ("CAN_VIEW", "CAN_MANAGE_RUN", "CAN_MANAGE", "IS_OWNER"),
    "pipelines": ("CAN_VIEW", "CAN_RUN", "CAN_MANAGE", "IS_OWNER"),
    "serving-endpoints": ("CAN_VIEW", "CAN_QUERY", "CAN_MANAGE"),
    "dashboards": ("CAN_READ", "CAN_RUN", "CAN_EDIT", "CAN_MANAGE"),
    "experiments": ("CAN_READ", "CAN_EDIT", "CAN_MANAGE"),
    "directories": ("CAN_READ", "CAN_RUN", "CAN_EDIT", "CAN_MANAGE"),
    "files": ("CAN_READ", "CAN_RUN", "CAN_EDIT", "CAN_MANAGE"),
}
"""From the weakest to the strongest, by the type of object."""
TYPES = {
    "DIRECTORY": "directories",
    "FILE": "files",
    "DASHBOARD": "dashboards",
    "MLFLOW_EXPERIMENT": "experiments",
}
"""What access lists call the kinds of nodes."""


def names(world: World, who: Principal) -> set[str]:
    """Return the names under which access lists may mean `who`."""
    known = (world.by_id(each) for each in world.identities(who))
    return {EVERYONE_HERE} | {each.name for each in known if each}


def node_id(node: Node) -> str:
    """Return what access lists call a node."""
    return f"/{TYPES[node.kind]}/{node.facts.get('id', node.object_id)}"


def lineage(workspace: Workspace, path: str) -> Iterator[Node]:
    """Yield what is at a path and the folders around it, nearest first."""
    while path:
        if path in workspace.nodes:
            yield workspace.nodes[path]
        path = path.rpartition("/")[0]


def home_of(world: World, path: str) -> Principal | None:
    """Return whose home folder a path is in."""
    parts = path.split("/")
    if len(parts) < 3 or parts[1] != "Users":
        return None
    found = world.named(parts[2])
    return found if isinstance(found, User | ServicePrincipal) else None


def strength(call: Call, object_id: str, who: Principal | None = None) -> int:
    """Return how strong the caller's (or another's) own level on an object is; -1 for none."""
    kind = object_id.split("/")[1]
    given = call.workspace.access.get(object_id, {})
    mine = given.keys() & names(call.world, who or call.caller)
    manager = LEVELS[kind].index("CAN_MANAGE")
    admin = call.world.level_in(call.workspace, who or call.caller) == "ADMIN"
    return max([LEVELS[kind].index(given[each]) for each in mine] + [manager if admin else -1])


def folder_strength(call: Call, path: str) -> int:
    """Return the strongest level that the caller has on a path or a folder around it, else -1."""
    if call.is_workspace_admin or home_of(call.world, path) is call.caller:
        return LEVELS["directories"].index("CAN_MANAGE")
    if path.startswith("/Shared"):
        return LEVELS["directories"].index("CAN_MANAGE")
    found = [-1]
    for node in lineage(call.workspace, path):
        object_id = node_id(node)
        own = strength(call, object_id)
        if own >= 0:
            level = LEVELS[object_id.split("/")[1]][own]
            found.append(LEVELS["directories"].index(level))
    return max(found)


def allows(call: Call, object_id: str, level: str) -> bool:
    """Tell whether the caller has at least `level` on an object that is in no folder."""
    kind = object_id.split("/")[1]
    return strength(call, object_id) >= LEVELS[kind].index(level)


def require(call: Call, object_id: str, level: str) -> None:
    """Refuse unless the caller has at least `level` on an object that is in no folder."""
    if not allows(call, object_id, level):
        kind = object_id.split("/")[1]
        enough = LEVELS[kind][LEVELS[kind].index(level) :]
        raise denied(
            f"{call.caller.name} does not have {' or '.join(enough)} permissions on {object_id}. "
            "Please contact the owner or an administrator for access."
        )


def require_path(call: Call, path: str, level: str) -> None:
    """Refuse unless the caller has at least `level` on a path."""
    if folder_strength(call, path) < LEVELS["directories"].index(level):
        raise denied(
            f"{call.caller.name} does not have {level} permissions on '{path}'. "
            "Please contact the owner or an administrator for access."
        )
