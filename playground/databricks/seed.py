"""The account as the playground finds it: the cast's people, groups, workspaces and data."""

import json
import secrets
from datetime import datetime, timedelta
from uuid import NAMESPACE_DNS, uuid4, uuid5

from playground import cast
from playground.databricks.policy_rules import FAMILIES
from playground.databricks.state import (
    ACCOUNT_ADMIN,
    ACCOUNT_USERS,
    ClusterPolicy,
    Group,
    OAuthSecret,
    Securable,
    SecurableKind,
    ServicePrincipal,
    User,
    Workspace,
    World,
)

BOT_NAME = "sciclops-bot"
FIRST_WORKSPACE_ID = 6_100_000_000_000_011
MORE_GROUPS = 130
PLATFORM, DATA_OWNERS = "aad-platform", "aad-data-owners"
BOT_PRIVILEGES = {"USE_CATALOG", "USE_SCHEMA", "CREATE_SCHEMA", "MANAGE"}
"""MANAGE alone reaches nothing: the vendor asks for USE on what contains an object as well."""


def seeded(now: datetime) -> tuple[World, ServicePrincipal]:
    """Return the account and the bot's own service principal."""
    long_ago = now - timedelta(days=400)
    store = Securable(
        "METASTORE", "acme", PLATFORM, long_ago, cast.PAT.email,
        str(uuid5(NAMESPACE_DNS, "metastore.acme.example")), long_ago, cast.PAT.email,
    )  # fmt: skip
    world = World(cast.DATABRICKS_ACCOUNT_ID, store, Group(1, ACCOUNT_USERS))
    _people(world)
    bot = _bot(world, now)
    for number, (group, stage) in enumerate((g, s) for g in cast.GROUPS for s in cast.STAGES):
        workspace = Workspace(
            FIRST_WORKSPACE_ID + 37 * number, f"acme-{group}-{stage}", group, stage, long_ago
        )
        _furnish(world, workspace, bot)
        _data(world, group, stage, bot)
    return world, bot


def _people(world: World) -> None:
    users: dict[str, User] = {}
    for person in cast.PEOPLE:
        user = User(world.next_id(), person.name, not person.deactivated, user_name=person.email)
        users[person.email] = user
        world.principals[user.id] = user
    for name, people in cast.DATABRICKS_GROUPS.items():
        _add_group(world, name, {users[each.email].id for each in people})
    for number in range(1, MORE_GROUPS + 1):
        _add_group(world, f"aad-team-{number:03}", set())
    users[cast.PAT.email].roles.add(ACCOUNT_ADMIN)


def _add_group(world: World, name: str, members: set[int]) -> None:
    external_id = str(uuid5(NAMESPACE_DNS, f"{name}.acme.example"))
    group = Group(world.next_id(), name, external_id=external_id, members=members)
    world.principals[group.id] = group


def _bot(world: World, now: datetime) -> ServicePrincipal:
    bot = ServicePrincipal(world.next_id(), BOT_NAME, application_id=str(uuid4()))
    value = f"dose{secrets.token_hex(16)}"
    secret = OAuthSecret(str(uuid4()), value, now, now + timedelta(days=730))
    bot.secrets[secret.id] = secret
    bot.roles.add(ACCOUNT_ADMIN)
    world.principals[bot.id] = bot
    return bot


def _furnish(world: World, workspace: Workspace, bot: ServicePrincipal) -> None:
    """Everybody of the cast's groups may enter, the platform team and the bot administer."""
    world.workspaces[workspace.id] = workspace
    for name in cast.DATABRICKS_GROUPS:
        group = world.named(name)
        if group:
            workspace.assignments[group.id] = "ADMIN" if name == PLATFORM else "USER"
    workspace.assignments[bot.id] = "ADMIN"
    _default_policies(workspace)


def _default_policies(workspace: Workspace) -> None:
    for family_id, (name, description, _) in FAMILIES.items():
        policy = ClusterPolicy(
            uuid5(NAMESPACE_DNS, f"{family_id}.{workspace.id}").hex[:16].upper(),
            name, workspace.created, "", description=description, family_id=family_id,
            is_default=True,
        )  # fmt: skip
        policy.definition = json.dumps(FAMILIES[family_id][2])
        workspace.policies[policy.policy_id] = policy


def _data(world: World, group: str, stage: str, bot: ServicePrincipal) -> None:
    catalog = _add(world, "CATALOG", cast.catalog(group, stage), PLATFORM)
    catalog.grants[bot.id] = set(BOT_PRIVILEGES)
    catalog.grants[world.everybody.id] = {"BROWSE"}
    if stage != "production":
        return
    for schema, tables in cast.SHARED_DATA.items():
        schema_name = f"{catalog.full_name}.{schema}"
        _add(world, "SCHEMA", schema_name, DATA_OWNERS)
        for table in tables:
            _add(world, "TABLE", f"{schema_name}.{table}", DATA_OWNERS)


def _add(world: World, kind: SecurableKind, full_name: str, owner: str) -> Securable:
    created = world.metastore.created
    securable = Securable(
        kind, full_name, owner, created, cast.PAT.email,
        str(uuid5(NAMESPACE_DNS, full_name)), created, cast.PAT.email,
    )  # fmt: skip
    world.securables[(kind, full_name)] = securable
    return securable
