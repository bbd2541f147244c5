"""Tokens are renewed once, whoever needs them; what cannot be renewed is told, once and clearly."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from multiprocessing.queues import Queue
from multiprocessing.synchronize import Barrier
from pathlib import Path
from typing import Any

import pytest
from databases import KINDS, opened
from engine_bench import PROCESSES
from linking_office import ADA, GRACE, KEY, ROSA, SHIFT, Office, Staff, linking_at
from made_project import VendorWorld
from pydantic import SecretStr

from playground.faults import Fault
from playground.github.world import User
from provisioning import audit
from provisioning.clock import MovableClock
from provisioning.database import Database
from provisioning.errors import PermanentError, TemporaryError, UserError
from provisioning.linking import Linking
from provisioning.store.identities import chain
from provisioning.user_tokens import LEASE

OTHER_KEY = b"o" * 32


@pytest.fixture
def office(served: VendorWorld, each_database: Database) -> Office:
    office = Office(served, each_database)
    office.link(ADA, "ada")
    return office


def slow() -> Fault:
    """Return a delay of what renews tokens; its `times` tell how often GitHub was asked."""
    return Fault("github", "delay", "POST .*/oauth/access_token", times=99, seconds=0.3)


def refresh_token(office: Office) -> SecretStr:
    """Return Ada's refresh token, as the one who renews it does."""
    row = office.linking.identity_of(ADA)
    assert row is not None
    return office.opened(row)[1]


def test_a_token_is_used_until_shortly_before_it_expires_and_then_renewed(office: Office) -> None:
    first = office.linking.token_of(ADA)
    office.clock.advance(timedelta(hours=7, minutes=50))
    assert office.linking.token_of(ADA) == first
    assert office.flow.renewals == 0
    office.clock.advance(timedelta(minutes=6))
    second = office.linking.token_of(ADA)
    assert second != first
    assert office.flow.renewals == 1
    assert office.whose(first) is None
    assert office.whose(second) == "ada"
    office.clock.advance(SHIFT)
    assert office.whose(office.linking.token_of(ADA)) == "ada"


def test_of_many_threads_one_renews_and_all_get_its_token(office: Office) -> None:
    office.clock.advance(SHIFT)
    asked = slow()
    office.served.faults.add(asked)
    with ThreadPoolExecutor(8) as pool:
        tokens = list(pool.map(office.linking.token_of, [ADA] * 8))
    assert (asked.times, office.flow.renewals) == (98, 1), "GitHub was asked once"
    assert office.broken(ADA) == []
    assert {office.whose(token) for token in set(tokens)} == {"ada"}
    assert len({token.get_secret_value() for token in tokens}) == 1


@pytest.mark.parametrize("kind", KINDS)
def test_of_two_processes_one_renews_and_both_get_its_token(
    served: VendorWorld, tmp_path: Path, kind: str, request: pytest.FixtureRequest
) -> None:
    with opened("sqlite" if kind == "sqlite" else "postgresql", tmp_path, request) as database:
        office = Office(served, database)
        office.link(ADA, "ada")
        office.clock.advance(SHIFT)
        asked = slow()
        served.faults.add(asked)
        together, answers = PROCESSES.Barrier(2, timeout=30), PROCESSES.Queue()
        where = (database.url, served.github.base_url, SHIFT)
        processes = [
            PROCESSES.Process(target=take_token, args=(*where, together, answers), daemon=True)
            for _ in range(2)
        ]
        for process in processes:
            process.start()
        tokens = {answers.get(timeout=40) for _ in processes}
        for process in processes:
            process.join(timeout=20)
        assert [process.exitcode for process in processes] == [0, 0]
        assert (asked.times, office.flow.renewals) == (98, 1), "GitHub was asked once"
        assert office.broken(ADA) == []
        assert tokens == {office.linking.token_of(ADA).get_secret_value()}


def take_token(
    url: str, github: str, ahead: timedelta, together: Barrier, answers: "Queue[str]"
) -> None:
    """Ask for Ada's token at the same moment as another, in a process of its own."""
    clock = MovableClock()
    clock.advance(ahead)
    database = Database(url)
    linking = linking_at(github, database, Nobody(), clock, Staff())
    together.wait()
    answers.put(linking.token_of(ADA).get_secret_value())
    database.close()


class Nobody:
    """Repositories that nobody asks."""

    def __getattr__(self, name: str) -> Any:
        raise AssertionError(name)


def test_an_answer_that_was_lost_in_a_crash_ends_in_link_again(office: Office) -> None:
    row = office.linking.identity_of(ADA)
    assert row is not None
    office.clock.advance(SHIFT)
    assert office.store.identities.claim_renewal(ADA, row.generation, "who dies", LEASE)
    assert office.identities.refresh(refresh_token(office)) is not None
    office.clock.advance(LEASE)
    for _ in range(3):
        with pytest.raises(UserError, match=r"no longer works.*/sciclops link"):
            office.linking.token_of(ADA)
    (said,) = office.broken(ADA)
    assert "refuses to renew" in said
    assert "/sciclops link" in said
    assert office.linking.login_of(ADA) is None
    assert office.linking.person_of("ada") is None
    last = audit.history(office.database, chain(ADA))[-1]
    assert last.what == "GitHub account's link broken"
    assert office.link(ADA, "ada").startswith("Linked")
    assert office.whose(office.linking.token_of(ADA)) == "ada"


def test_who_dies_before_asking_github_holds_nobody_up_for_long(office: Office) -> None:
    row = office.linking.identity_of(ADA)
    assert row is not None
    office.clock.advance(SHIFT)
    assert office.store.identities.claim_renewal(ADA, row.generation, "who dies", LEASE)
    office.clock.advance(LEASE)
    assert office.whose(office.linking.token_of(ADA)) == "ada"


def test_a_github_that_is_away_breaks_nothing(office: Office) -> None:
    office.clock.advance(SHIFT)
    office.served.faults.add(
        Fault("github", "status", "POST .*/oauth/access_token", times=1, status=503)
    )
    with pytest.raises(TemporaryError):
        office.linking.token_of(ADA)
    assert office.whose(office.linking.token_of(ADA)) == "ada"
    assert office.broken(ADA) == []


def test_a_request_is_sent_once_even_if_its_answer_is_lost(office: Office) -> None:
    office.clock.advance(SHIFT)
    lost = Fault("github", "status", "POST .*/oauth/access_token", times=9, status=502)
    office.served.faults.add(lost)
    with pytest.raises(TemporaryError):
        office.linking.token_of(ADA)
    assert lost.times == 8


def test_who_withdraws_at_github_is_told_once_to_link_again(office: Office) -> None:
    token = office.linking.token_of(ADA)
    office.flow.withdraw("ada")
    office.linking.refused(ADA, token)
    office.linking.refused(ADA, token)
    assert not office.linking.works(ADA)
    (said,) = office.broken(ADA)
    assert "refuses the token" in said
    assert office.linking.login_of(ADA) is None


def test_a_token_that_github_takes_breaks_no_link(office: Office) -> None:
    old = office.linking.token_of(ADA)
    office.linking.refused(ADA, old)
    office.clock.advance(SHIFT)
    new = office.linking.token_of(ADA)
    office.linking.refused(ADA, old)
    office.linking.refused(GRACE, old)
    assert office.linking.token_of(ADA) == new
    assert office.broken(ADA) == []


def test_a_link_that_nobody_used_for_half_a_year_is_told(office: Office) -> None:
    office.clock.advance(timedelta(days=185))
    office.linking.tidy()
    office.linking.tidy()
    (said,) = office.broken(ADA)
    assert "half a year" in said


def test_a_renamed_account_is_followed_and_its_old_login_is_nobodys(office: Office) -> None:
    world = office.served.github.world
    user = world.users.pop("ada")
    world.users["countess"] = User(user.id, "countess", user.name, user.email)
    world.organisation.members = world.organisation.members - {"ada"} | {"countess"}
    office.flow.rename("ada", "countess")
    office.clock.advance(SHIFT)
    office.linking.token_of(ADA)
    assert office.linking.login_of(ADA) == "countess"
    assert office.linking.person_of("ada") is None
    world.users["ada"] = User(777, "ada", "Another Ada", "other@acme.example")
    world.organisation.members = world.organisation.members | {"ada"}
    assert office.link(ROSA, "ada").startswith("Linked")
    assert office.linking.person_of("countess") == ADA
    assert office.linking.person_of("ada") == ROSA


def test_a_new_key_seals_anew_and_then_the_old_one_may_go(office: Office) -> None:
    before = office.linking.token_of(ADA)
    rotating = office.with_keys(OTHER_KEY, KEY)
    assert rotating.token_of(ADA) == before
    rotating.tidy()
    assert office.with_keys(OTHER_KEY).token_of(ADA) == before
    with pytest.raises(PermanentError, match=r"security\.seal_keys"):
        office.linking.token_of(ADA)


def test_a_lost_key_does_not_keep_anybody_from_linking_again(office: Office) -> None:
    fresh: Linking = office.with_keys(OTHER_KEY)
    fresh.tidy()
    with pytest.raises(PermanentError, match="link the GitHub account again"):
        fresh.token_of(ADA)
    assert not fresh.works(ADA), "so a new code is given out"
    office.linking = fresh
    assert office.link(ADA, "ada").startswith("Linked")
    assert office.whose(fresh.token_of(ADA)) == "ada"
