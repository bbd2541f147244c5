"""Permissions and `run_as` of a bundle, as each kind of resource has them."""

from playground.databricks_cli.failures import CliError
from playground.databricks_cli.trees import Tree

WHO = ("user_name", "group_name", "service_principal_name")
LEVELS: dict[str, dict[str, str]] = {
    "jobs": {"CAN_RUN": "CAN_MANAGE_RUN"},
    "pipelines": {},
    "experiments": {"CAN_VIEW": "CAN_READ", "CAN_RUN": ""},
    "dashboards": {"CAN_VIEW": "CAN_READ", "CAN_RUN": "CAN_RUN"},
    "directories": {"CAN_VIEW": "CAN_READ", "CAN_RUN": "CAN_RUN"},
}
"""What a level of the whole bundle is called for a kind; an empty name means it has none."""
GENERAL = ("CAN_MANAGE", "CAN_VIEW", "CAN_RUN")
NO_RUN_AS = ("model_serving_endpoints", "quality_monitors", "apps")


def checked(tree: Tree) -> list[Tree]:
    """Return the bundle's own permissions, or refuse them."""
    entries = tree.get("permissions") or []
    for entry in entries:
        if entry.get("level") not in GENERAL:
            raise CliError(
                f"invalid permission: {entry.get('level')}, allowed values: [{', '.join(GENERAL)}]"
            )
        if len([name for name in WHO if entry.get(name)]) != 1:
            raise CliError(
                "permissions: exactly one of user_name, group_name and "
                "service_principal_name must be set"
            )
    return [dict(each) for each in entries]


def for_kind(kind: str, own: list[Tree], general: list[Tree]) -> list[Tree]:
    """Return the access list that a resource is to have: its own entries before the bundle's."""
    if kind not in LEVELS:
        return []
    translated = [_entry(e, LEVELS[kind].get(str(e["level"]), str(e["level"]))) for e in general]
    listed = [_entry(each, str(each["level"])) for each in own] + translated
    chosen: dict[str, Tree] = {}
    for entry in listed:
        if entry["permission_level"]:
            chosen.setdefault(_who(entry), entry)
    return sorted(chosen.values(), key=_who)


def _entry(entry: Tree, level: str) -> Tree:
    return {name: entry[name] for name in WHO if entry.get(name)} | {"permission_level": level}


def _who(entry: Tree) -> str:
    return next(f"{name}:{entry[name]}" for name in WHO if entry.get(name))


def check_run_as(tree: Tree) -> None:
    """Refuse a `run_as` that names nobody, or somebody else where a kind cannot run so."""
    run_as = tree.get("run_as")
    if run_as is None:
        return
    names = [run_as.get(name) for name in ("user_name", "service_principal_name")]
    if len([each for each in names if each]) != 1:
        raise CliError(
            "run_as section must specify exactly one identity: user_name or service_principal_name"
        )
    me = tree["workspace"]["current_user"]["userName"]
    held = [kind for kind in NO_RUN_AS if (tree.get("resources") or {}).get(kind)]
    if me not in names and held:
        raise CliError(
            f"{held[0]} do not support a setting a run_as user that is different from "
            f"the owner.\nCurrent identity: {me}. Run as identity: "
            f"{next(each for each in names if each)}"
        )
