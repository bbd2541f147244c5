"""Who may do what to which securable: Unity Catalog's privileges, inherited downward."""

from collections.abc import Iterator

from playground.databricks.errors import catalog_error, denied
from playground.databricks.state import Principal, Securable, SecurableKind, World

NOT_IN_ALL = {"MANAGE", "EXTERNAL_USE_SCHEMA", "EXTERNAL_USE_LOCATION"}
"""ALL_PRIVILEGES does not hold these."""
TABLE = {"SELECT", "MODIFY", "APPLY_TAG"}
MODEL = {"EXECUTE", "APPLY_TAG"}
VOLUME = {"READ_VOLUME", "WRITE_VOLUME", "APPLY_TAG"}
SCHEMA = (
    TABLE
    | VOLUME
    | {
        "USE_SCHEMA", "CREATE_TABLE", "CREATE_VOLUME", "CREATE_FUNCTION", "CREATE_MODEL",
        "CREATE_MATERIALIZED_VIEW", "EXECUTE", "REFRESH", "EXTERNAL_USE_SCHEMA",
    }
)  # fmt: skip
COMMON = {"ALL_PRIVILEGES", "MANAGE"}
APPLICABLE: dict[SecurableKind, set[str]] = {
    "METASTORE": {
        "CREATE_CATALOG", "CREATE_CONNECTION", "CREATE_EXTERNAL_LOCATION", "CREATE_PROVIDER",
        "CREATE_RECIPIENT", "CREATE_SHARE", "CREATE_STORAGE_CREDENTIAL", "MANAGE_ALLOWLIST",
        "CREATE_CLEAN_ROOM", "USE_MARKETPLACE_ASSETS", "USE_PROVIDER", "USE_RECIPIENT",
        "USE_SHARE", "SET_SHARE_PERMISSION", "CREATE_SERVICE_CREDENTIAL",
    },
    "CATALOG": SCHEMA | COMMON | {"USE_CATALOG", "CREATE_SCHEMA", "BROWSE"},
    "SCHEMA": SCHEMA | COMMON,
    "TABLE": TABLE | COMMON,
    "VOLUME": VOLUME | COMMON,
    "MODEL": MODEL | COMMON,
}  # fmt: skip
ENTITY = {
    "METASTORE": "METASTORE/METASTORE_STANDARD",
    "CATALOG": "CATALOG/CATALOG_STANDARD",
    "SCHEMA": "SCHEMA/SCHEMA_STANDARD",
    "TABLE": "TABLE/TABLE_DELTA",
    "VOLUME": "VOLUME/VOLUME_STANDARD",
    "MODEL": "FUNCTION/REGISTERED_MODEL",
}
PARENT: dict[SecurableKind, SecurableKind] = {
    "SCHEMA": "CATALOG",
    "TABLE": "SCHEMA",
    "VOLUME": "SCHEMA",
    "MODEL": "SCHEMA",
}


def find(world: World, kind: SecurableKind, full_name: str) -> Securable:
    """Return a securable, or refuse as the vendor does."""
    if kind == "METASTORE" and full_name == world.metastore.id:
        return world.metastore
    found = world.securables.get((kind, full_name.lower()))
    if found is None:
        word = kind.capitalize()
        raise catalog_error(404, f"{kind}_DOES_NOT_EXIST", f"{word} '{full_name}' does not exist.")
    return found


def lineage(world: World, securable: Securable) -> Iterator[Securable]:
    """Yield a securable and what contains it, nearest first (the metastore hands nothing down)."""
    yield securable
    while parent_kind := PARENT.get(securable.kind):
        securable = world.securables[(parent_kind, securable.parent_name)]
        yield securable


def owns(world: World, who: Principal, securable: Securable) -> bool:
    """Tell whether `who` owns a securable or what contains it, or administers the metastore."""
    names = {each.name for id_ in world.identities(who) if (each := world.by_id(id_))}
    owners = {each.owner for each in (*lineage(world, securable), world.metastore)}
    return bool(owners & names)


def held(world: World, who: Principal, securable: Securable) -> Iterator[tuple[str, Securable]]:
    """Yield each privilege with the securable that it was granted on, groups included."""
    ids = world.identities(who)
    for level in lineage(world, securable):
        for principal_id in level.grants.keys() & ids:
            for privilege in level.grants[principal_id]:
                yield privilege, level


def has(world: World, who: Principal, securable: Securable, privilege: str) -> bool:
    """Tell whether `who` may do what `privilege` names."""
    privileges = {name for name, _ in held(world, who, securable)}
    all_of_them = "ALL_PRIVILEGES" in privileges and privilege not in NOT_IN_ALL
    return privilege in privileges or all_of_them or owns(world, who, securable)


def require(world: World, who: Principal, securable: Securable, *privileges: str) -> None:
    """Refuse unless `who` has all of these privileges."""
    for privilege in privileges:
        if not has(world, who, securable, privilege):
            words, kind = privilege.replace("_", " "), securable.kind.capitalize()
            raise denied(f"User does not have {words} on {kind} '{securable.full_name}'.")


def require_reach(world: World, who: Principal, securable: Securable) -> None:
    """Refuse unless `who` may pass through what contains a securable."""
    for level in list(lineage(world, securable))[1:]:
        require(world, who, level, f"USE_{level.kind}")


def may_see(world: World, who: Principal, securable: Securable) -> bool:
    """Tell whether a securable is visible: owned, or any privilege on it or above it but BROWSE."""
    privileges = {name for name, _ in held(world, who, securable)}
    return owns(world, who, securable) or bool(privileges - {"BROWSE"})


def may_browse(world: World, who: Principal, securable: Securable) -> bool:
    """Tell whether `who` may at least know that a securable exists."""
    return any(held(world, who, securable)) or owns(world, who, securable)


def may_manage(world: World, who: Principal, securable: Securable) -> bool:
    """Tell whether `who` may change grants and drop: owners, and holders of MANAGE."""
    return has(world, who, securable, "MANAGE")


def require_manage(world: World, who: Principal, securable: Securable) -> None:
    """Refuse unless `who` may change grants on a securable and drop it."""
    if not may_manage(world, who, securable):
        kind = securable.kind.capitalize()
        raise denied(f"User does not have MANAGE on {kind} '{securable.full_name}'.")
