"""Unity Catalog grants: read, changed and computed with inheritance."""

from typing import get_args

from playground.databricks.call import Call, Json, Route, strings
from playground.databricks.errors import catalog_error, invalid
from playground.databricks.privileges import (
    APPLICABLE,
    ENTITY,
    find,
    lineage,
    may_manage,
    require_manage,
    require_reach,
)
from playground.databricks.state import Principal, Securable, SecurableKind, World

BASE = "/api/2.1/unity-catalog"
KNOWN = {privilege for each in APPLICABLE.values() for privilege in each}
SMALLEST_PAGE = 150


def target(call: Call) -> Securable:
    """Return the securable of the path."""
    kind = call.path["securable_type"].upper()
    kind = "MODEL" if kind in ("FUNCTION", "REGISTERED_MODEL") else kind  # a model is a function
    for known in get_args(SecurableKind):
        if kind == known:
            return find(call.world, known, call.path["full_name"])
    raise invalid(f"SECURABLE_TYPE {kind} is not supported.")


def principal_named(world: World, name: str) -> Principal:
    """Return a principal by the name that grants use, or refuse; display names don't count."""
    found = world.named(name)
    if found is None:
        raise catalog_error(
            404, "PRINCIPAL_DOES_NOT_EXIST", f"Could not find principal with name {name}"
        )
    return found


def assignments(call: Call, securable: Securable) -> list[Json]:
    """Return the direct grants, of one principal if the query names it."""
    wanted = call.query.get("principal")
    if wanted:
        principal_named(call.world, wanted)
    readable = _readable(call, securable)
    known = (
        (call.world.by_id(id_), names)
        for id_, names in securable.grants.items()
        if readable is None or id_ in readable
    )
    return [
        {"principal": who.name, "privileges": sorted(names)}
        for who, names in known
        if who and names and wanted in (None, who.name)
    ]


def _readable(call: Call, securable: Securable) -> set[int] | None:
    """Return whose grants the caller may read: everybody's (None) or only its own."""
    if may_manage(call.world, call.caller, securable):
        return None
    return call.world.identities(call.caller)


def get(call: Call) -> Json:
    """Return direct grants, without inherited ones."""
    return _paged(call, assignments(call, target(call)))


def _paged(call: Call, items: list[Json]) -> Json:
    size = call.query.get("max_results", "0")
    if size.isdecimal() and 0 < int(size) < SMALLEST_PAGE:
        raise invalid(f"max_results must be 0 or at least {SMALLEST_PAGE}.")
    return call.paged("privilege_assignments", items, "max_results", 1000)


def change(call: Call) -> Json:
    """Add and remove privileges; one refused change refuses all."""
    securable = target(call)
    require_manage(call.world, call.caller, securable)
    require_reach(call.world, call.caller, securable)
    changes = call.objects("changes")
    plan = [
        (
            principal_named(call.world, str(each.get("principal", ""))),
            _privileges(securable, strings(each, "add")),
            _privileges(securable, strings(each, "remove")),
        )
        for each in changes
    ]
    for principal, added, removed in plan:
        after = (securable.grants.get(principal.id, set()) | added) - removed
        securable.grants[principal.id] = after
        if not after:
            del securable.grants[principal.id]
    if call.body.get("omit_permissions_in_response"):
        return {}
    return {"privilege_assignments": assignments(call, securable)}


def _privileges(securable: Securable, raw: list[str]) -> set[str]:
    """Return privileges under their own names; spaces are taken, underscores are answered."""
    names = {str(each).strip().upper().replace(" ", "_") for each in raw}
    for name in sorted(names):
        if name not in KNOWN:
            raise invalid(f"Privilege {name} is not a valid privilege.")
        if name not in APPLICABLE[securable.kind]:
            raise invalid(
                f"Privilege {name} is not applicable to this entity "
                f"[{securable.full_name}:{ENTITY[securable.kind]}]. If this seems unexpected, "
                "please check the privilege version of the metastore in use [1.0]."
            )
    return names


def effective(call: Call) -> Json:
    """Return grants with where each was inherited from."""
    securable, wanted = target(call), call.query.get("principal")
    if wanted:
        people = [principal_named(call.world, wanted)]
    else:
        ids = {id_ for each in lineage(call.world, securable) for id_ in each.grants}
        people = [each for id_ in sorted(ids) if (each := call.world.by_id(id_))]
    readable = _readable(call, securable)
    items = [
        {"principal": who.name, "privileges": found}
        for who in people
        if (readable is None or who.id in readable)
        and (found := _effective(call.world, who, securable))
    ]
    return _paged(call, items)


def _effective(world: World, who: Principal, securable: Securable) -> list[Json]:
    entries: list[Json] = []
    for privilege, level in _direct(world, who, securable):
        entry: Json = {"privilege": privilege}
        if level is not securable:
            entry |= {"inherited_from_type": level.kind, "inherited_from_name": level.full_name}
        if entry not in entries:
            entries.append(entry)
    return entries


def _direct(world: World, who: Principal, securable: Securable) -> list[tuple[str, Securable]]:
    """Grants to this very principal; the vendor's answer lists its groups on their own."""
    return [
        (privilege, level)
        for level in lineage(world, securable)
        for privilege in sorted(level.grants.get(who.id, ()))
    ]


ONE = "/{securable_type}/{full_name}"
ROUTES = (
    Route("GET", f"{BASE}/permissions{ONE}", get, "anyone", "workspace"),
    Route("PATCH", f"{BASE}/permissions{ONE}", change, "anyone", "workspace"),
    Route("GET", f"{BASE}/effective-permissions{ONE}", effective, "anyone", "workspace"),
)
