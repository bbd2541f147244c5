"""A secret is replaced without a moment in which nothing logs in, and ages are known."""

from datetime import timedelta
from typing import Any, cast

import pytest
from secret_facts import PRODUCTION, RUN, Secrets, kept, policy, secretive

from playground.databricks.state import OAuthSecret
from playground.faults import Fault
from provisioning.errors import PermanentError, TemporaryError
from provisioning.key_ages import KeyAges
from provisioning.project import ProjectSpec
from provisioning.requesting import Requesting
from provisioning.rotation_parts import RotationParts
from provisioning.store import BusyError, Store
from provisioning.tables import OperationRow

__all__ = ["kept", "secretive"]
ROTATION = "run-rotation-1"
PUT = "PUT .*/environments/Production/secrets/"


def begin(store: Store, operation: str, kept: Secrets) -> None:
    """Begin a rotation of the project."""
    now, spec = kept.vendors.clock.now(), kept.project.spec
    row = OperationRow(
        id=operation,
        kind="rotate_keys",
        project=spec.name,
        phase="applying",
        request=spec.model_dump(mode="json"),
        requested_by="U0ADA",
        channel="C0",
        created_at=now,
    )
    store.operations.begin(row)


@pytest.fixture
def parts(kept: Secrets, store: Store) -> RotationParts:
    """Return the steps of a rotation of a project whose Production has a secret."""
    kept.provide(PRODUCTION)
    store.operations.end(RUN, "ready")
    begin(store, ROTATION, kept)
    kept.vendors.clock.advance(timedelta(days=30))
    return RotationParts(kept.parts)


@pytest.fixture
def kept_old(kept: Secrets, parts: RotationParts) -> str:
    """Return the id of the secret before the rotation."""
    del parts
    return kept.remembered()


def plant(kept: Secrets, number: int, age: timedelta) -> None:
    """Give Production's principal secrets that we don't know."""
    made = kept.vendors.clock.now() - age
    for each in range(number):
        secret = OAuthSecret(f"left-{each}", f"dose{each}", made, made + timedelta(days=90))
        kept.facts.principal().secrets[secret.id] = secret


def test_the_old_secret_logs_in_until_it_is_revoked(
    kept: Secrets, parts: RotationParts, kept_old: str
) -> None:
    parts.renew(ROTATION, PRODUCTION)
    at = parts.read_back(ROTATION, PRODUCTION)
    assert kept.vendors.clock.now() - at < timedelta(seconds=30)
    assert kept_old in kept.ids()
    assert kept.remembered() != kept_old
    parts.renew(ROTATION, PRODUCTION)
    assert len(kept.ids()) == 2
    assert parts.revoke(ROTATION, PRODUCTION) == 1
    assert parts.revoke(ROTATION, PRODUCTION) == 0
    assert kept.ids() == [kept.remembered()]
    assert kept.status() == 200


def test_what_makes_projects_leaves_a_secret_alone_that_deployments_may_hold(
    kept: Secrets, parts: RotationParts, kept_old: str
) -> None:
    parts.renew(ROTATION, PRODUCTION)
    plant(kept, 1, timedelta())
    kept.provide(PRODUCTION)
    assert kept.ids() == [kept_old, kept.remembered()]


def test_a_secret_that_does_not_log_in_is_retired_and_github_keeps_the_old_one(
    kept: Secrets, parts: RotationParts, kept_old: str
) -> None:
    before = kept.at_github()
    kept.facts.workspace().assignments.pop(kept.facts.principal().id)
    with pytest.raises(TemporaryError, match="does not log in to Production yet"):
        parts.renew(ROTATION, PRODUCTION)
    assert kept.ids() == [kept_old] == [kept.remembered()]
    assert kept.at_github() == before


def test_a_write_whose_answer_was_lost_keeps_both_and_the_next_try_a_third(
    kept: Secrets, parts: RotationParts, kept_old: str
) -> None:
    lost = Fault("github", "status", f"{PUT}DATABRICKS_TOKEN$", status=403, after_effect=True)
    kept.vendors.faults.add(lost)
    with pytest.raises(PermanentError):
        parts.renew(ROTATION, PRODUCTION)
    assert kept.status() == 200
    assert len(kept.ids()) == 2
    parts.renew(ROTATION, PRODUCTION)
    assert len(kept.ids()) == 3
    parts.read_back(ROTATION, PRODUCTION)
    assert parts.revoke(ROTATION, PRODUCTION) == 2
    assert kept.status() == 200
    assert kept_old not in kept.ids()


@pytest.mark.parametrize("number", [1, 4])
def test_leftovers_make_room_and_the_secret_in_use_never_does(
    kept: Secrets, parts: RotationParts, kept_old: str, number: int
) -> None:
    plant(kept, number, timedelta(days=10))
    parts.renew(ROTATION, PRODUCTION)
    assert len(kept.ids()) <= 5
    assert {kept_old, kept.remembered()} <= {*kept.ids()}
    parts.read_back(ROTATION, PRODUCTION)
    parts.revoke(ROTATION, PRODUCTION)
    assert kept.ids() == [kept.remembered()]


def test_what_github_never_got_makes_room_though_it_is_noted_as_given(
    kept: Secrets, parts: RotationParts, kept_old: str
) -> None:
    for _ in range(4):
        kept.vendors.faults.add(Fault("github", "status", f"{PUT}DATABRICKS_TOKEN$", status=403))
        with pytest.raises(PermanentError):
            parts.renew(ROTATION, PRODUCTION)
    assert len(kept.ids()) == 5
    with pytest.raises(PermanentError, match="as many as Databricks allows"):
        parts.renew(ROTATION, PRODUCTION)  # clocks may differ by as much
    kept.vendors.clock.advance(timedelta(minutes=2))
    parts.renew(ROTATION, PRODUCTION)
    assert {kept_old, kept.remembered()} <= {*kept.ids()}
    assert kept.status() == 200


def test_without_a_memory_nothing_is_taken_from_anybody(
    kept: Secrets, parts: RotationParts, kept_old: str
) -> None:
    plant(kept, 4, timedelta(days=60))
    kept.forget()
    before = kept.ids()
    with pytest.raises(PermanentError, match="Delete one at Databricks"):
        parts.renew(ROTATION, PRODUCTION)
    assert kept.ids() == before
    kept.facts.principal().secrets.pop("left-0")
    parts.renew(ROTATION, PRODUCTION)
    assert kept_old in kept.ids()
    assert kept.status() == 200


def test_what_github_does_not_show_yet_is_asked_for_again(
    kept: Secrets, parts: RotationParts
) -> None:
    held = kept.facts.environment().secrets
    before = {name: secret.updated_at for name, secret in held.items()}
    parts.renew(ROTATION, PRODUCTION)
    after = {name: secret.updated_at for name, secret in held.items()}
    for name, at in before.items():
        held[name].updated_at = at
    with pytest.raises(TemporaryError, match="does not show the new secrets"):
        parts.read_back(ROTATION, PRODUCTION)
    for name, at in after.items():
        held[name].updated_at = at
    parts.read_back(ROTATION, PRODUCTION)


def test_nothing_is_revoked_where_somebody_wrote_other_values_since(
    kept: Secrets, parts: RotationParts, kept_old: str
) -> None:
    parts.renew(ROTATION, PRODUCTION)
    parts.read_back(ROTATION, PRODUCTION)
    held = kept.facts.environment().secrets["DATABRICKS_TOKEN"]
    held.updated_at += timedelta(seconds=5)
    with pytest.raises(PermanentError, match="Somebody else has written"):
        parts.revoke(ROTATION, PRODUCTION)
    assert kept_old in kept.ids()
    kept.vendors.clock.advance(timedelta(minutes=2))
    parts.renew(ROTATION, PRODUCTION)
    parts.read_back(ROTATION, PRODUCTION)
    assert parts.revoke(ROTATION, PRODUCTION) == 2
    assert kept.status() == 200


class Begun:
    """Takes note of the operations that are begun."""

    def __init__(self) -> None:
        self.keys: dict[str, dict[str, Any]] = {}
        self.busy = False

    def begin(
        self, kind: str, spec: ProjectSpec, *, by: str, key: str, facts: dict[str, Any]
    ) -> None:
        """Begin one."""
        if self.busy:
            raise BusyError("run-other")
        assert (kind, by) == ("rotate_keys", "sciclops")
        self.keys[key] = {"project": spec.name, **facts["rotation"]}


def test_keys_that_are_due_are_rotated_automatically_and_once(kept: Secrets, store: Store) -> None:
    kept.provide()
    store.operations.end(RUN, "ready")
    name = kept.project.spec.name
    store.projects.become(name, "ready", {"outputs": kept.facts.outputs})
    rules = policy("secret").model_copy(update={"rotation": "automatic"})
    begun, clock = Begun(), kept.vendors.clock
    requesting = cast("Requesting", begun)
    ages = KeyAges(store, kept.vendors.workspaces, requesting, rules, clock)
    ages.sweep()
    assert begun.keys == {}
    owner, in_time = kept.project.spec.owners[0], clock.now() + timedelta(days=80)
    (seen,) = store.overview.keys_due(owner, in_time, 9)
    assert seen.key_of in [each.name for each in kept.environments()]
    assert seen.key_due_at is not None
    assert abs(seen.key_due_at - clock.now() - timedelta(days=76)) < timedelta(minutes=5)
    clock.advance(timedelta(days=77))
    begun.busy = True
    ages.sweep()
    begun.busy = False
    ages.sweep()
    assert begun.keys == {}  # Databricks is asked every few hours
    for _ in range(2):
        clock.advance(timedelta(hours=6))
        ages.sweep()
    (rotation,) = begun.keys.values()
    assert rotation["project"] == name
    assert rotation["environments"] == [each.name for each in kept.environments()]
    assert told(store, "keys-due") == set()
    clock.advance(timedelta(days=7))
    ages.sweep()
    assert told(store, "keys-due") == {*kept.project.spec.owners}


def told(store: Store, beginning: str) -> set[str]:
    """Return the ends of the keys of messages that we owe: whom they are for, or which they are."""
    rows = store.messages.owed()
    return {row.key.rpartition(":")[2] for row in rows if row.key.startswith(beginning)}


def test_the_platform_team_is_reminded_of_the_bots_own_old_secret(
    kept: Secrets, store: Store
) -> None:
    clock, nothing = kept.vendors.clock, cast("Requesting", Begun())
    ages = KeyAges(store, kept.vendors.workspaces, nothing, policy("oidc"), clock)
    databricks = kept.vendors.databricks
    (us,) = [
        each for each in databricks.principals if each.application_id == databricks.bot_client_id
    ]
    (ours,) = us.secrets.values()
    ours.created, ours.expires = clock.now(), clock.now() + timedelta(days=730)
    clock.advance(timedelta(days=89))
    ages.sweep()
    assert told(store, "own-key-due") == set()
    for times in ({"1"}, {"1"}, {"1", "2"}):
        clock.advance(timedelta(days=3))
        ages.sweep()
        assert told(store, "own-key-due") == times
