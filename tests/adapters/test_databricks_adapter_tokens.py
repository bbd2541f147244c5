"""The adapter's tokens: renewed in time, replaced when refused, and nobody waits long for one."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from made_project import VendorWorld

from playground.databricks.state import ServicePrincipal
from playground.faults import Fault, Kind
from provisioning.adapters.databricks import DatabricksWorkspaces
from provisioning.errors import PermanentError, TemporaryError

GROUP = "aad-data-science"
LOGIN = "POST .*/oidc/.*token"
PATIENCE = 1
QUICK_SECONDS = 10
"""A call gives up after its patience or little more; the rest is for a busy machine. Sixteen calls
that wait one after the other take longer."""


@pytest.fixture
def logins(served: VendorWorld) -> Callable[[], int]:
    """Return how often the adapter has logged in."""
    counted = Fault("databricks", "delay", LOGIN, times=999, seconds=0)
    served.faults.add(counted)
    return lambda: 999 - counted.times


@pytest.fixture
def impatient(served: VendorWorld) -> DatabricksWorkspaces:
    """Return an adapter that soon gives up."""
    return DatabricksWorkspaces(served.another_accounts(patience=PATIENCE), served.context)


def exists(served: VendorWorld) -> bool:
    return served.workspaces.group_exists(GROUP, "gbx1")


def revoke(served: VendorWorld) -> None:
    served.databricks.world.tokens.clear()


def bot(served: VendorWorld) -> ServicePrincipal:
    found = served.databricks.world.named(served.databricks.bot_client_id)
    assert isinstance(found, ServicePrincipal)
    return found


def test_a_token_is_shared_and_renewed_before_it_expires(
    served: VendorWorld, logins: Callable[[], int]
) -> None:
    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(lambda _: exists(served), range(32)))
    assert logins() == 1
    served.clock.advance(timedelta(minutes=54))
    assert exists(served)
    assert logins() == 1
    served.clock.advance(timedelta(minutes=2))
    assert exists(served)
    assert logins() == 2


def test_hours_later_the_bot_still_works(served: VendorWorld) -> None:
    assert exists(served)
    for _ in range(3):
        served.clock.advance(timedelta(hours=2))
        assert exists(served)


def test_a_token_that_was_revoked_is_replaced_and_nothing_is_done_twice(
    served: VendorWorld, logins: Callable[[], int]
) -> None:
    assert exists(served)
    revoke(served)
    assert exists(served)
    revoke(served)
    made = served.accounts.account("gbx1").service_principals_v2.create(display_name="ada-7")
    named = [one.id for one in served.databricks.principals if one.display_name == "ada-7"]
    assert [str(number) for number in named] == [made.id]
    assert logins() == 3


def test_a_token_that_is_refused_with_401_is_replaced(served: VendorWorld) -> None:
    assert exists(served)
    served.faults.add(Fault("databricks", "status", "GET .*/Groups", status=401))
    assert exists(served)


def test_all_threads_share_the_new_token(served: VendorWorld, logins: Callable[[], int]) -> None:
    assert exists(served)
    revoke(served)
    with ThreadPoolExecutor(16) as pool:
        assert all(pool.map(lambda _: exists(served), range(32)))
    assert logins() == 2


def test_what_is_refused_with_a_new_token_as_well_is_refused(
    served: VendorWorld, logins: Callable[[], int]
) -> None:
    assert exists(served)
    served.faults.add(Fault("databricks", "status", "GET .*/Groups", times=99, status=401))
    with pytest.raises(PermanentError, match="does not let the bot find the group"):
        exists(served)
    assert logins() == 2


def test_nobody_logs_in_anew_for_a_missing_right(
    served: VendorWorld, logins: Callable[[], int]
) -> None:
    assert exists(served)
    bot(served).roles.clear()
    with pytest.raises(PermanentError, match="Only a account admin"):
        exists(served)
    assert logins() == 1


def test_a_secret_that_was_withdrawn_is_a_matter_for_the_platform_team(
    served: VendorWorld,
) -> None:
    assert exists(served)
    bot(served).secrets.clear()
    revoke(served)
    with pytest.raises(PermanentError, match="could not log in to Databricks"):
        exists(served)


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_login_service_in_trouble_may_work_later(served: VendorWorld, status: int) -> None:
    fault = served.faults.add(Fault("databricks", "status", LOGIN, times=99, status=status))
    with pytest.raises(TemporaryError, match="could not find the group"):
        exists(served)
    served.faults.active.remove(fault)
    assert exists(served)


@pytest.mark.parametrize("path", ["databricks-config", "oauth-authorization-server"])
def test_a_host_that_is_no_databricks_is_a_matter_for_the_platform_team(
    served: VendorWorld, path: str
) -> None:
    served.faults.add(Fault("databricks", "status", f"GET .*/{path}", times=99, status=404))
    if path == "databricks-config":  # older hosts don't describe themselves: that is no trouble
        assert exists(served)
        return
    with pytest.raises(PermanentError, match="could not log in to Databricks"):
        exists(served)


@pytest.mark.parametrize(
    ("kind", "known"), [("drop", True), ("delay", False)], ids=["known", "first-contact"]
)
def test_a_silent_databricks_is_given_up_soon_and_found_again(
    served: VendorWorld, impatient: DatabricksWorkspaces, kind: Kind, *, known: bool
) -> None:
    assert not known or impatient.group_exists(GROUP, "gbx1")
    served.faults.add(Fault("databricks", kind, times=999, seconds=PATIENCE + 1))
    began = time.monotonic()
    with pytest.raises(TemporaryError, match="did not answer"):
        impatient.group_exists(GROUP, "gbx1")
    assert time.monotonic() - began < QUICK_SECONDS
    served.faults.clear()
    assert impatient.group_exists(GROUP, "gbx1")


def test_nobody_waits_long_for_a_login_that_is_not_answered(
    served: VendorWorld, impatient: DatabricksWorkspaces
) -> None:
    assert impatient.group_exists(GROUP, "gbx1")
    revoke(served)
    served.faults.add(Fault("databricks", "delay", LOGIN, times=999, seconds=PATIENCE + 1))

    def told(_: int) -> float:
        began = time.monotonic()
        with pytest.raises(TemporaryError, match="did not answer"):
            impatient.group_exists(GROUP, "gbx1")
        return time.monotonic() - began

    with ThreadPoolExecutor(16) as pool:
        assert max(pool.map(told, range(16))) < QUICK_SECONDS


def test_an_answer_has_ten_seconds(served: VendorWorld) -> None:
    config = served.accounts.account("gbx1").config
    assert (config.http_timeout_seconds, config.retry_timeout_seconds) == (10, 10)
