"""The workspace's tree of files and folders, with home folders."""

import re
from base64 import b64decode, b64encode
from pathlib import PurePosixPath

from playground.databricks.access import TYPES, folder_strength, home_of, node_id, require_path
from playground.databricks.call import Call, Json, Route, millis
from playground.databricks.deployed import Node, NodeKind
from playground.databricks.errors import api_error, invalid, missing

BASE = "/api/2.0/workspace"
FILES = "/api/2.0/workspace-files"
FIXED = ("/Users", "/Shared", "/Repos")
"""Folders that every workspace has; homes are below the first."""
SIZE_LIMIT = 500 * 2**20


def plain(raw: str) -> str:
    """Return a path without `/Workspace` before it and `/` behind; refuse what is none."""
    path = re.sub(r"^/?Workspace(?=/|$)", "", raw.rstrip("/"))
    path = path if path.startswith("/") or not path else f"/{path}"
    if ".." in path.split("/") or "//" in path:
        raise invalid(f"Path ({raw}) is not valid.")
    return path


def exists(call: Call, path: str) -> bool:
    """Tell whether a path leads to something; homes are there before anything is in them."""
    is_home = path.count("/") == 2 and home_of(call.world, path) is not None
    return path in ("", *FIXED) or path in call.workspace.nodes or is_home


def find(call: Call, raw: str, level: str) -> Node:
    """Return what is at a path on which the caller has at least `level`, or refuse."""
    path = plain(raw)
    if not exists(call, path):
        raise missing(f"Path ({raw}) doesn't exist.")
    require_path(call, path, level)
    return call.workspace.nodes.get(path) or _folder(call, path)


def _folder(call: Call, path: str) -> Node:
    """Return a folder that is there, noting it if nothing has noted it before."""
    node = Node(call.world.next_id(), path, "DIRECTORY", "", call.now, call.now)
    return call.workspace.nodes.setdefault(path, node)


def add(
    call: Call, path: str, kind: NodeKind, content: bytes = b"", facts: Json | None = None
) -> Node:
    """Add a node where nothing is; the folder must be there, and the caller may write in it."""
    parent = path.rpartition("/")[0]
    if not exists(call, parent):
        raise missing(f"The parent folder ({parent}) does not exist.")
    require_path(call, parent, "CAN_EDIT")
    if exists(call, path):
        raise api_error(400, "RESOURCE_ALREADY_EXISTS", f"Path ({path}) already exists.")
    me = call.caller.name
    node = Node(call.world.next_id(), path, kind, me, call.now, call.now, content, facts or {})
    call.workspace.nodes[path] = node
    if kind not in ("FILE", "DIRECTORY"):  # those are their folder's
        call.workspace.access[node_id(node)] = {me: "CAN_MANAGE"}
    return node


def remove(call: Call, node: Node) -> None:
    """Remove a node and everything below it."""
    below = [each for each in call.workspace.nodes if each.startswith(f"{node.path}/")]
    for path in (node.path, *below):
        gone = call.workspace.nodes.pop(path)
        call.workspace.access.pop(node_id(gone), None)


def described(node: Node) -> Json:
    """Return a node as the API writes it."""
    info: Json = {
        "path": node.path or "/",
        "object_type": node.kind,
        "object_id": node.object_id,
        "resource_id": str(node.facts.get("id", node.object_id)),
        "created_at": millis(node.created),
        "modified_at": millis(node.modified),
    }
    return info | ({"size": len(node.content)} if node.kind == "FILE" else {})


def make_folders(call: Call) -> Json:
    """Make a folder and those around it; it may exist."""
    path = plain(call.text("path"))
    steps = [*[str(each) for each in reversed(PurePosixPath(path).parents)][1:], path]
    for step in steps:
        found = call.workspace.nodes.get(step)
        if found and found.kind != "DIRECTORY":
            raise api_error(
                400, "RESOURCE_ALREADY_EXISTS", f"Path ({step}) exists and is no folder."
            )
        if not exists(call, step):
            add(call, step, "DIRECTORY")
    require_path(call, path, "CAN_READ")
    return {}


def status(call: Call) -> Json:
    """Describe what is at a path."""
    return described(find(call, call.asked("path"), "CAN_READ"))


def list_folder(call: Call) -> Json:
    """List what is in a folder."""
    node = find(call, call.asked("path"), "CAN_READ")
    inside = [
        described(each)
        for each in list(call.workspace.nodes.values())
        if each.path and each.path.rpartition("/")[0] == node.path
        if folder_strength(call, each.path) >= 0
    ]
    return {"objects": inside if node.kind == "DIRECTORY" else [described(node)]}


def write(call: Call, raw: str, content: bytes) -> Json:
    """Write a file, over another one only if the call says so."""
    path = plain(raw)
    if len(content) > SIZE_LIMIT:
        raise api_error(400, "MAX_READ_SIZE_EXCEEDED", "The file is larger than 500 MB.")
    found = call.workspace.nodes.get(path)
    if found is None:
        found = add(call, path, "FILE", content)
        return {"object_id": found.object_id}
    require_path(call, path, "CAN_EDIT")
    if not call.flag("overwrite") or found.kind != "FILE":
        raise api_error(409, "RESOURCE_ALREADY_EXISTS", f"Path ({path}) already exists.")
    found.content, found.modified = content, call.now
    return {"object_id": found.object_id}


def import_encoded(call: Call) -> Json:
    """Write a file that arrives in base64."""
    try:
        content = b64decode(call.optional_text("content"), validate=True)
    except ValueError as error:
        raise invalid("content must be base64.") from error
    return write(call, call.text("path"), content)


def import_raw(call: Call) -> Json:
    """Write a file that arrives as it is."""
    return write(call, call.path["path"], call.content)


def _content(call: Call, raw: str) -> bytes:
    node = find(call, raw, "CAN_READ")
    if node.kind == "DIRECTORY":
        raise invalid(f"Path ({raw}) is a folder.")
    return node.content


def export(call: Call) -> Json | bytes:
    """Return a file's content, in base64 unless it is downloaded."""
    content = _content(call, call.asked("path"))
    if call.flag("direct_download"):
        return content
    return {"content": b64encode(content).decode(), "file_type": "auto"}


def read(call: Call) -> bytes:
    """Return a file's content as it is."""
    return _content(call, call.path["path"])


def delete(call: Call) -> Json:
    """Delete a file, or a folder: one with something in it only recursively."""
    node = find(call, call.text("path"), "CAN_MANAGE")
    if node.path in ("", *FIXED) or (node.path.count("/") == 2 and not node.creator):
        raise invalid(f"Folder ({node.path}) is protected.")
    full = any(each.startswith(f"{node.path}/") for each in call.workspace.nodes)
    if full and not call.flag("recursive"):
        raise api_error(400, "DIRECTORY_NOT_EMPTY", f"Folder ({node.path}) is not empty")
    remove(call, node)
    return {}


def by_object_id(call: Call, object_id: str) -> Node | None:
    """Return a node by what access lists call it."""
    kinds = {f"/{name}/" for name in TYPES.values()}
    if not any(object_id.startswith(each) for each in kinds):
        return None
    found = call.workspace.nodes.values()
    return next((each for each in found if node_id(each) == object_id), None)


ROUTES = (
    Route("POST", f"{BASE}/mkdirs", make_folders, "anyone", "workspace"),
    Route("GET", f"{BASE}/get-status", status, "anyone", "workspace"),
    Route("GET", f"{BASE}/list", list_folder, "anyone", "workspace"),
    Route("GET", f"{BASE}/export", export, "anyone", "workspace"),
    Route("POST", f"{BASE}/import", import_encoded, "anyone", "workspace"),
    Route("POST", f"{BASE}/delete", delete, "anyone", "workspace"),
    Route("POST", f"{FILES}/import-file/{{path:.+}}", import_raw, "anyone", "workspace", raw=True),
    Route("GET", f"{FILES}/{{path:.+}}", read, "anyone", "workspace"),
)
