"""Each environment gets one OAuth secret that works, whatever was cut off when."""

from datetime import timedelta
from pathlib import Path

import pytest
from living_facts import Facts
from made_project import Project, vendors
from secret_facts import (
    PRODUCTION,
    RUN,
    SECRET_NAMES,
    Secrets,
    database_bytes,
    kept,
    policy,
    reserve,
    secretive,
)

from playground.databricks.state import OAuthSecret
from playground.faults import Fault
from provisioning.database import Database
from provisioning.errors import TemporaryError
from provisioning.operation import STARTER_WRITES
from provisioning.ports import Principal
from provisioning.store import Store

__all__ = ["kept", "secretive"]
PUT = "PUT .*/environments/Production/secrets/"
WRITES = 44
"""What Terraform writes to GitHub for one group, with a team and a person as reviewers."""
MINT = "POST .*/credentials/secrets"


def plant(kept: Secrets, number: int) -> None:
    """Give Production's principal secrets that somebody made by hand."""
    now = kept.vendors.clock.now()
    for each in range(number):
        made = OAuthSecret(f"by-hand-{each}", f"dose{each}", now, now + timedelta(days=30))
        kept.facts.principal().secrets[made.id] = made


def principal(kept: Secrets) -> Principal:
    """Return Production's principal, as the port calls it."""
    found = kept.facts.principal()
    (production,) = [each for each in kept.environments() if each.name == PRODUCTION]
    return Principal(environment=production, number=str(found.id), client_id=found.application_id)


def test_every_environment_gets_a_secret_that_logs_in_under_the_names_of_old(
    kept: Secrets, database: Database
) -> None:
    kept.provide()
    for environment in kept.environments():
        principal = kept.facts.principal(environment.name.lower())
        (secret,) = principal.secrets.values()
        there = kept.at_github(environment.name)
        assert set(there) == set(SECRET_NAMES)
        assert there["DATABRICKS_TOKEN"] == there["DATABRICKS_TOKEN_MT_SP"] == secret.value
        assert there["MGMT_CLIENT_ID"] == principal.application_id
        assert secret.expires - secret.created == timedelta(days=90)
        assert kept.status(environment.name) == 200
        assert kept.remembered(environment.name) == secret.id
        assert secret.value.encode() not in database_bytes(database)
        assert secret.id.encode() in database_bytes(database)
    assert kept.facts.github_failures() == []
    assert kept.facts.databricks_failures() == []


def test_again_changes_nothing(kept: Secrets) -> None:
    kept.provide()
    before = {
        each.name: (kept.ids(each.name), kept.at_github(each.name)) for each in kept.environments()
    }
    kept.provide()
    after = {
        each.name: (kept.ids(each.name), kept.at_github(each.name)) for each in kept.environments()
    }
    assert before == after


@pytest.mark.parametrize("written", range(6))
def test_a_crash_between_minting_and_writing_leads_to_a_fresh_secret_and_no_orphan(
    kept: Secrets, written: int
) -> None:
    kept.vendors.faults.add(Fault("github", "delay", PUT, times=written, seconds=0))
    if written == len(SECRET_NAMES):
        kept.provide(PRODUCTION)
        kept.forget()  # all is written, only the memory of it was lost
    else:
        kept.vendors.faults.add(Fault("github", "status", PUT, times=1, status=502))
        if written == 0:
            kept.vendors.faults.active.pop(0)
        with pytest.raises(TemporaryError):
            kept.provide(PRODUCTION)
        assert kept.remembered() == ""
    (orphan,) = kept.ids()
    kept.provide(PRODUCTION)
    (fresh,) = kept.ids()
    assert fresh != orphan
    assert kept.remembered() == fresh
    assert kept.status() == 200


def test_a_secret_whose_value_was_lost_on_the_way_is_removed(kept: Secrets) -> None:
    lost = Fault("databricks", "status", MINT, times=1, status=500, after_effect=True)
    kept.vendors.faults.add(lost)
    with pytest.raises(TemporaryError):
        kept.provide(PRODUCTION)
    kept.provide(PRODUCTION)
    assert kept.ids() == [kept.remembered()]
    assert kept.status() == 200


@pytest.mark.parametrize("number", [1, 4, 5])
def test_there_are_never_more_than_databricks_allows_and_one_in_the_end(
    kept: Secrets, number: int
) -> None:
    plant(kept, number)
    kept.provide(PRODUCTION)
    assert kept.ids() == [kept.remembered()]
    assert kept.status() == 200


def test_room_is_made_without_the_secret_that_github_has(kept: Secrets) -> None:
    kept.provide(PRODUCTION)
    known, before = kept.remembered(), kept.at_github()
    plant(kept, 4)
    kept.facts.environment().secrets.pop("MGMT_CLIENT_ID")
    kept.vendors.faults.add(Fault("github", "status", PUT, times=1, status=502))
    with pytest.raises(TemporaryError):
        kept.provide(PRODUCTION)
    assert known in kept.ids()  # what GitHub has still logs in
    assert kept.at_github()["DATABRICKS_TOKEN"] == before["DATABRICKS_TOKEN"]
    kept.provide(PRODUCTION)
    assert kept.ids() == [kept.remembered()]


def test_what_github_got_is_kept_though_the_step_that_wrote_it_was_cut_off(kept: Secrets) -> None:
    kept.provide(PRODUCTION)
    kept.facts.environment().secrets.clear()  # as if the environment was deleted and made anew
    last = len(SECRET_NAMES) - 1
    kept.vendors.faults.add(Fault("github", "delay", PUT, times=last, seconds=0))
    cut_off = Fault("github", "status", PUT, times=1, status=502, after_effect=True)
    kept.vendors.faults.add(cut_off)
    with pytest.raises(TemporaryError):
        kept.provide(PRODUCTION)
    assert set(kept.at_github()) == set(SECRET_NAMES)
    assert kept.status() == 200
    kept.provide(PRODUCTION)
    assert kept.ids() == [kept.remembered()]
    assert kept.status() == 200


def test_a_secret_that_does_not_log_in_is_retired_and_tried_later(kept: Secrets) -> None:
    assignment = kept.facts.workspace().assignments.pop(kept.facts.principal().id)
    with pytest.raises(TemporaryError, match="does not log in to Production yet") as refused:
        kept.provide(PRODUCTION)
    assert refused.value.__cause__ is None
    assert kept.ids() == []
    assert kept.at_github() == {}
    kept.facts.workspace().assignments[kept.facts.principal().id] = assignment
    kept.provide(PRODUCTION)
    assert kept.status() == 200


def test_what_somebody_removed_at_either_vendor_is_made_anew(kept: Secrets) -> None:
    kept.provide(PRODUCTION)
    kept.facts.environment().secrets.pop("DATABRICKS_TOKEN")
    kept.provide(PRODUCTION)
    assert kept.status() == 200
    kept.facts.principal().secrets.clear()
    kept.provide(PRODUCTION)
    assert kept.status() == 200


def test_an_expired_secret_is_replaced(kept: Secrets) -> None:
    kept.provide(PRODUCTION)
    (old,) = kept.ids()
    kept.vendors.clock.advance(timedelta(days=91))
    assert kept.status() != 200
    kept.provide(PRODUCTION)
    assert kept.ids() == [kept.remembered()] != [old]
    assert kept.status() == 200


def test_a_secret_that_may_live_longer_than_is_agreed_by_now_is_replaced(kept: Secrets) -> None:
    kept.provide(PRODUCTION)
    (old,) = kept.ids()
    shorter = policy("secret").model_copy(update={"secret_days": 30})
    type(kept)(kept.facts, kept.store, shorter).provide(PRODUCTION)
    assert kept.ids() == [kept.remembered()] != [old]
    (secret,) = kept.facts.principal().secrets.values()
    assert secret.expires - secret.created == timedelta(days=30)


def test_where_tokens_log_in_nobody_needs_a_secret(kept: Secrets) -> None:
    steps = kept.parts.run_steps
    by_token = type(kept)(kept.facts, steps.store, policy("oidc"))
    assert by_token.parts.needing(RUN) == ()
    assert kept.parts.needing(RUN) == (
        "Development",
        "Testing",
        "Staging",
        "Production",
        "Production-plan",
    )


def test_a_secret_shows_itself_to_nobody(kept: Secrets) -> None:
    kept.provide(PRODUCTION)
    value = kept.at_github()["DATABRICKS_TOKEN"]
    minted = kept.vendors.workspaces.mint_secret(principal(kept), timedelta(days=1))
    assert minted.value.get_secret_value() not in f"{minted!r} {minted.model_dump_json()}"
    assert value not in repr(kept.vendors.workspaces.secrets(principal(kept)))


def creating_requests(project: Project) -> int:
    """Return how many requests that create content GitHub has had of the App."""
    accounts = project.vendors.github._limits._accounts
    return sum(len(each.created) for name, each in accounts.items() if "installation" in name)


@pytest.mark.parametrize("authentication", ["oidc", "secret"])
def test_a_project_costs_no_more_writes_than_its_turn_is_given(
    tmp_path: Path, store: Store, authentication: str
) -> None:
    with vendors(tmp_path, authentication=authentication) as served:
        project = Project(served)
        planned = project.planned("one")
        project.applied("one")
        project.push()
        reserve(project, store)
        Secrets(Facts(project, project.outputs()), store, policy(authentication)).provide()
        by_terraform = sum(each.resource_type.startswith("github_") for each in planned.changes)
        secrets = served.context.secret_writes(project.spec)
        assert (by_terraform, secrets) == (WRITES, 25 if authentication == "secret" else 0)
        spent = creating_requests(project)
        assert by_terraform + secrets < spent <= by_terraform + STARTER_WRITES + secrets
