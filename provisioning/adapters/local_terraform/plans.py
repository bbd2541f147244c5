"""What a saved plan means: its digest, its inputs, its changes. Pure: JSON in, values out."""

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from provisioning.errors import PermanentError
from provisioning.runs import Action, Change

KEY = re.compile(r'\["(?:[^"\\]|\\.)*"\]|\[\d+\]')
"""An instance key in an address: `["Production"]` or `[0]`."""

ACTIONS: dict[tuple[str, ...], Action] = {
    ("no-op",): "no-op",
    ("read",): "read",
    ("create",): "create",
    ("update",): "update",
    ("delete",): "delete",
    ("delete", "create"): "replace",
    ("create", "delete"): "replace",
}


def changes(shown: Mapping[str, Any]) -> tuple[Change, ...]:
    """Return what the plan (`terraform show -json`) does, without what it leaves alone."""
    found = (
        Change(address=each["address"], resource_type=each["type"], action=_action(each))
        for each in shown.get("resource_changes", ())
    )
    return tuple(change for change in found if change.action != "no-op")


def drifted(shown: Mapping[str, Any]) -> tuple[str, ...]:
    """Return what was changed outside Terraform and would be changed back.

    Changes of the modules or of the request are none, and neither are attributes that vendors set.
    """
    elsewhere = {each["address"] for each in shown.get("resource_drift", ())}
    undone = (change for change in changes(shown) if change.action not in ("read", "import"))
    return tuple(sorted(change.address for change in undone if change.address in elsewhere))


def digest(shown: Mapping[str, Any]) -> str:
    """Return a SHA-256 over every change: address, actions, planned values, what is unknown.

    Two plans that would do the same have the same digest, whatever the order, the time and the
    prior values; sensitive values enter as their hash.
    """
    acting = (each for each in shown.get("resource_changes", ()) if _action(each) != "no-op")
    essence = sorted((_essence(each) for each in acting), key=_canonical)
    return fingerprint(essence)


def inputs_digest(root: Mapping[str, str], terraform: str, provider_lock: str, modules: str) -> str:
    """Return a SHA-256 over what a plan was made from.

    `import` blocks are left out: adopting what an interrupted apply made changes no intention.
    """
    files = {name: _without_imports(text) for name, text in root.items()}
    return fingerprint([files, terraform, provider_lock, modules])


def fingerprint(value: Any) -> str:
    """Return a SHA-256 over a value's canonical JSON."""
    return hashlib.sha256(_canonical(value).encode()).hexdigest()


def is_managed(address: str) -> bool:
    """Tell whether an address is a resource's, not a data source's."""
    parts = KEY.sub("", address).split(".")
    is_data = parts[-3:-2] == ["data"] and parts[-4:-3] != ["module"]
    return len(parts) > 1 and not is_data


def _action(each: Mapping[str, Any]) -> Action:
    change = each["change"]
    actions = tuple(change["actions"])
    if actions not in ACTIONS:
        raise PermanentError(
            f"Terraform plans to {' and '.join(actions)} {each['address']}, which this bot does "
            "not know; nothing has been changed. Call the platform team"
        )
    action = ACTIONS[actions]
    return "import" if action == "no-op" and change.get("importing") else action


def _essence(each: Mapping[str, Any]) -> dict[str, Any]:
    change = each["change"]
    return {
        "address": each["address"],
        "deposed": each.get("deposed", ""),
        "actions": change["actions"],
        "after": _mask(change.get("after"), change.get("after_sensitive")),
        "unknown": change.get("after_unknown"),
        "importing": (change.get("importing") or {}).get("id", ""),
    }


def _mask(value: Any, sensitive: Any) -> Any:
    """Return the value with every part that is marked sensitive replaced by its hash."""
    if sensitive is True:
        return {"sha256": fingerprint(value)}
    if isinstance(value, dict) and isinstance(sensitive, dict):
        return {key: _mask(part, sensitive.get(key)) for key, part in value.items()}
    if isinstance(value, list) and isinstance(sensitive, list):
        return [_mask(part, mark) for part, mark in zip(value, _padded(sensitive), strict=False)]
    return value


def _padded(marks: list[Any]) -> Iterator[Any]:
    yield from marks
    while True:
        yield None


def _without_imports(text: str) -> Any:
    content = json.loads(text)
    return {key: part for key, part in content.items() if key != "import"}


def _canonical(value: Any) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
