"""The account as the playground's page shows it: plain JSON, no secret's value."""

from typing import Any

from playground.databricks.call import stamp
from playground.databricks.deployed_views import deployed
from playground.databricks.state import (
    Group,
    Principal,
    Securable,
    ServicePrincipal,
    Workspace,
    World,
)


def snapshot(world: World) -> dict[str, object]:
    """Return everything worth looking at."""
    return {
        "account_id": world.account_id,
        "service_principals": [_service_principal(p) for p in world.of_type(ServicePrincipal)],
        "groups": [
            {"id": group.id, "name": group.display_name, "members": _names(world, group.members)}
            for group in world.of_type(Group)
        ],
        "workspaces": [_workspace(world, each) for each in world.workspaces.values()],
        "securables": [_securable(world, each) for each in world.securables.values()],
        "rule_sets": [{"name": s.name, "rules": s.rules} for s in world.rule_sets.values()],
        "budget_policies": [
            {"id": each.policy_id, "name": each.name, "tags": each.tags}
            for each in world.budget_policies.values()
        ],
    }


def _names(world: World, ids: set[int]) -> list[str]:
    found: list[Principal] = [each for id_ in sorted(ids) if (each := world.by_id(id_))]
    return [each.display_name for each in found]


def _name(world: World, who: str) -> str:
    """Return a service principal's name for its application id, any other name as it is."""
    principals = world.of_type(ServicePrincipal)
    return next((one.display_name for one in principals if one.application_id == who), who)


def _named(world: World, held: dict[str, str]) -> dict[str, str]:
    """Return what is held by whom, with names; those who share one keep their ids beside it."""
    names = {who: _name(world, who) for who in held}
    shared = {name for name in names.values() if list(names.values()).count(name) > 1}
    return {
        f"{names[who]} {who}" if names[who] in shared else names[who]: level
        for who, level in held.items()
    }


def _service_principal(principal: ServicePrincipal) -> dict[str, object]:
    return {
        "id": principal.id,
        "application_id": principal.application_id,
        "name": principal.display_name,
        "active": principal.active,
        "secrets": [
            {"id": each.id, "created": stamp(each.created), "expires": stamp(each.expires)}
            for each in principal.secrets.values()
        ],
        "federation_policies": [
            {"id": p.policy_id, "issuer": p.issuer, "subject": p.subject, "audiences": p.audiences}
            for p in principal.policies.values()
        ],
    }


def _workspace(world: World, workspace: Workspace) -> dict[str, object]:
    return {
        "id": workspace.id,
        "name": workspace.name,
        "group": workspace.group,
        "stage": workspace.stage,
        "assignments": {
            name: level
            for id_, level in workspace.assignments.items()
            for name in _names(world, {id_})
        },
        "cluster_policies": [
            {"id": each.policy_id, "name": each.name, "users": _names(world, each.users)}
            for each in workspace.policies.values()
        ],
        "secret_scopes": [
            {"name": each.name, "keys": sorted(each.secrets), "acls": _named(world, each.acls)}
            for each in workspace.scopes.values()
        ],
    } | _deployed(world, workspace)


def _deployed(world: World, workspace: Workspace) -> dict[str, object]:
    """Return what is deployed, with names for creators and those who have access."""
    found = deployed(world, workspace)
    for kind in found.values():
        for each in kind:
            if isinstance(each, dict):
                _name_people(world, each)
    return found


def _name_people(world: World, shown: dict[str, Any]) -> None:
    for field in ("creator", "owner"):
        if field in shown:
            shown[field] = _name(world, shown[field])
    if "access" in shown:
        shown["access"] = _named(world, shown["access"])


def _securable(world: World, securable: Securable) -> dict[str, object]:
    return {
        "kind": securable.kind.lower(),
        "name": securable.full_name,
        "owner": _name(world, securable.owner),
        "grants": {
            who.display_name: sorted(privileges)
            for id_, privileges in securable.grants.items()
            if (who := world.by_id(id_))
        },
    }
