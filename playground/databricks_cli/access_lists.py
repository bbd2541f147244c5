"""Access lists of resources: read, compared with what is wanted, set without losing the owner."""

from playground.databricks_cli.connection import Connection
from playground.databricks_cli.permissions import WHO
from playground.databricks_cli.trees import Tree

OWNED = ("jobs", "pipelines")


def direct(connection: Connection, kind: str, id_: str) -> Tree:
    """Return the level of everybody who has one of their own, by name."""
    found = connection.ask("GET", f"/api/2.0/permissions/{kind}/{id_}")
    return {
        _name(entry): level["permission_level"]
        for entry in found.get("access_control_list", [])
        for level in entry.get("all_permissions", [])
        if not level.get("inherited")
    }


def _name(entry: Tree) -> str:
    return str(next(entry[name] for name in WHO if entry.get(name)))


def changes(wanted: list[Tree], is_: Tree) -> Tree:
    """Return what differs; whoever made a thing keeps the rights of its maker."""
    want = {_name(entry): entry["permission_level"] for entry in wanted}
    differ = {who: level for who, level in want.items() if is_.get(who) not in (level, "IS_OWNER")}
    extra = [
        who
        for who, level in is_.items()
        if who not in want and level not in ("IS_OWNER", "CAN_MANAGE")
    ]
    found: Tree = {
        who: {"action": "update", "new": level, "remote": is_.get(who)}
        for who, level in differ.items()
    }
    return found | {who: {"action": "update", "new": None, "remote": is_[who]} for who in extra}


def set_list(connection: Connection, kind: str, id_: str, wanted: list[Tree], me: str) -> None:
    """Replace an access list; a job's or pipeline's owner stays, others keep who sets it."""
    top = "IS_OWNER" if kind in OWNED else "CAN_MANAGE"
    keeper = me
    if kind in OWNED:
        present = direct(connection, kind, id_)
        keeper = next((who for who, level in present.items() if level == "IS_OWNER"), me)
    field = "user_name" if "@" in keeper else "service_principal_name"
    entries = [each for each in wanted if _name(each) != keeper]
    entries.append({field: keeper, "permission_level": top})
    path = f"/api/2.0/permissions/{kind}/{id_}"
    connection.ask("PUT", path, {"access_control_list": entries})
