"""Whose account is whose: one person for one account, and one of several gets each right."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

from rows import NOON

from provisioning import audit
from provisioning.clock import MovableClock
from provisioning.database import Database
from provisioning.identity import Account
from provisioning.store import Message, Store
from provisioning.store.identities import SealedTokens, Verdict, chain, place_of
from provisioning.tables import DeviceLinkRow, IdentityRow
from provisioning.text import Notice

ADA, GRACE, ROSA = "U-ada", "U-grace", "U-rosa"
ACCOUNT = Account(id=1001, login="Ada")
LEASE = timedelta(minutes=1)


def asked(link: DeviceLinkRow) -> Message:
    return Message(key=link.id, content=Notice(summary="enter it"), recipient=link.person)


def given_up(link: DeviceLinkRow) -> Message:
    return Message(key=link.id, content=Notice(summary="given up"), recipient=link.person)


def shown(store: Store, link: str) -> str:
    row = store.messages.get(link)
    assert row is not None
    return str(row.content["summary"])


def a_code(store: Store, person: str, clock: MovableClock, *, replaces: str = "") -> str:
    """Give somebody a code to enter; return its id."""
    now = clock.now()
    row = DeviceLinkRow(
        person=person,
        id=f"link-of-{person}-{replaces}",
        sealed="sealed",
        user_code="ABCD-EFGH",
        address="https://github.com/login/device",
        replaces=replaces,
        interval=5,
        next_look=now + timedelta(seconds=5),
        deadline=now + timedelta(minutes=15),
    )
    return store.identities.open(row, asked(row), given_up, unless=now + timedelta(hours=1)).id


def tokens(person: str, account: Account = ACCOUNT, sealed: str = "v1.k.tokens") -> SealedTokens:
    place = place_of(person, account.id)
    until = NOON + timedelta(days=365 * 9)
    return SealedTokens(place=place, sealed=sealed, access_until=until, refresh_until=until)


def message(person: str) -> Callable[[Verdict], Message]:
    return lambda verdict: Message(
        key=f"m:{person}", content=Notice(summary=verdict), recipient=person
    )


def link(
    store: Store, clock: MovableClock, person: str, account: Account = ACCOUNT, replaces: str = ""
) -> Verdict:
    code = a_code(store, person, clock, replaces=replaces)
    return store.identities.link(code, account, tokens(person, account), message(person))


def linked(store: Store, clock: MovableClock) -> IdentityRow:
    """Link Ada's account."""
    assert link(store, clock, ADA) == "linked"
    row = store.identities.of(ADA)
    assert row is not None
    return row


def test_a_link_is_stored_told_and_audited(
    each_store: Store, each_database: Database, clock: MovableClock
) -> None:
    assert link(each_store, clock, ADA) == "linked"
    row = each_store.identities.of(ADA)
    assert row is not None
    assert (row.github_id, row.login, row.state) == (1001, "Ada", "linked")
    found = each_store.identities.by_login("ADA")
    assert found is not None
    assert found.person == ADA
    assert each_store.identities.link_of(ADA) is None
    assert each_store.messages.recipients("m:") == [ADA]
    (entry,) = audit.history(each_database, chain(ADA))
    assert (entry.who, entry.what) == (ADA, "GitHub account linked")
    assert entry.detail == {"login": "Ada", "github_id": 1001, "verdict": "linked"}


def test_a_code_is_settled_once(each_store: Store, clock: MovableClock) -> None:
    code = a_code(each_store, ADA, clock)
    told = message(ADA)
    assert each_store.identities.link(code, ACCOUNT, tokens(ADA), told) == "linked"
    assert each_store.identities.link(code, ACCOUNT, tokens(ADA), told) == "settled"
    assert not each_store.identities.end(code, told("settled"), why="denied")


def test_an_account_of_somebody_else_is_refused_and_its_tokens_discarded(
    each_store: Store, clock: MovableClock
) -> None:
    link(each_store, clock, ADA)
    assert link(each_store, clock, GRACE) == "taken"
    assert each_store.identities.of(GRACE) is None
    assert [row.place for row in each_store.identities.discarded()] == ["identity:U-grace:1001"]


def test_of_many_who_link_one_account_at_once_one_gets_it(
    each_store: Store, clock: MovableClock
) -> None:
    people = [f"U-{number}" for number in range(8)]
    with ThreadPoolExecutor(8) as pool:
        verdicts = list(pool.map(lambda person: link(each_store, clock, person), people))
    assert sorted(verdicts) == ["linked", *["taken"] * 7]


def test_another_account_needs_that_the_old_one_was_named(
    each_store: Store, clock: MovableClock
) -> None:
    link(each_store, clock, ADA)
    other = Account(id=2002, login="ada-at-home")
    assert link(each_store, clock, ADA, other) == "another"
    assert link(each_store, clock, ADA, other, replaces="Ada") == "linked"
    assert each_store.identities.by_login("ada-at-home") is not None
    assert link(each_store, clock, GRACE) == "linked", "the account is free again"
    places = [row.place for row in each_store.identities.discarded()]
    assert places == ["identity:U-ada:2002", "identity:U-ada:1001"]


def test_a_login_that_changed_hands_says_nothing_about_who_had_it(
    each_store: Store, clock: MovableClock
) -> None:
    link(each_store, clock, ADA)
    assert link(each_store, clock, ROSA, Account(id=3003, login="ADA")) == "linked"
    held = each_store.identities.of(ADA)
    assert held is not None
    assert (held.login, held.state) == ("", "broken")
    found = each_store.identities.by_login("ada")
    assert found is not None
    assert found.person == ROSA


def test_unlinking_forgets_everything_but_tokens_to_revoke(
    each_store: Store, each_database: Database, clock: MovableClock
) -> None:
    link(each_store, clock, ADA)
    code = a_code(each_store, ADA, clock)
    assert shown(each_store, code) == "enter it"
    assert each_store.identities.unlink(ADA, given_up, by=ADA) == "Ada"
    assert shown(each_store, code) == "given up"
    assert each_store.identities.unlink(ADA, given_up, by=ADA) is None
    assert each_store.identities.of(ADA) is None
    assert each_store.identities.link_of(ADA) is None
    (row,) = each_store.identities.discarded()
    each_store.identities.forget_discarded([row.id])
    assert each_store.identities.discarded() == []
    assert [e.what for e in audit.history(each_database, chain(ADA))] == [
        "GitHub account linked",
        "GitHub account unlinked",
    ]
    assert audit.verify(each_database, chain(ADA)) is None


def test_one_of_many_may_ask_about_a_code_and_only_once_in_its_interval(
    each_store: Store, clock: MovableClock
) -> None:
    code = a_code(each_store, ADA, clock)
    assert each_store.identities.claim(code) is None, "GitHub counts from when it gave the code"
    for _ in range(2):
        clock.advance(timedelta(seconds=5))
        assert [row.id for row in each_store.identities.due()] == [code]
        with ThreadPoolExecutor(8) as pool:
            claimed = list(pool.map(each_store.identities.claim, [code] * 8))
        assert claimed.count(None) == 7
    each_store.identities.slower(code, timedelta(seconds=10))
    clock.advance(timedelta(seconds=6))
    assert each_store.identities.claim(code) is None
    clock.advance(timedelta(seconds=4))
    assert each_store.identities.claim(code) is not None


def test_tokens_of_a_code_that_is_given_up_are_discarded(
    each_store: Store, clock: MovableClock
) -> None:
    code = a_code(each_store, ADA, clock)
    kept = each_store.identities.keep(code, tokens(ADA, sealed="v1.k.granted"))
    assert kept is not None
    a_code(each_store, ADA, clock, replaces="x")
    (row,) = each_store.identities.discarded()
    assert (row.place, row.sealed) == (f"granted:{ADA}:{code}", "v1.k.granted")
    assert each_store.identities.keep(code, tokens(ADA)) is None
    assert len(each_store.identities.discarded()) == 2


def test_one_of_many_may_renew_until_its_lease_ends(each_store: Store, clock: MovableClock) -> None:
    now = linked(each_store, clock).generation

    def claim(by: str) -> bool:
        return each_store.identities.claim_renewal(ADA, now, by, LEASE)

    with ThreadPoolExecutor(8) as pool:
        claimed = list(pool.map(claim, [f"p{number}" for number in range(8)]))
    assert claimed.count(True) == 1
    clock.advance(LEASE)
    assert claim("heir")
    each_store.identities.release_renewal(ADA, "somebody else")
    assert not claim("third")
    each_store.identities.release_renewal(ADA, "heir")
    assert claim("third")
    assert not each_store.identities.claim_renewal(ADA, now - 1, "late", LEASE)


def test_what_a_late_holder_brought_mends_the_link(each_store: Store, clock: MovableClock) -> None:
    first = linked(each_store, clock).generation
    told = message(ADA)("linked")
    assert each_store.identities.break_link(ADA, first, told, "refused")
    assert each_store.identities.by_login("ada") is None
    assert each_store.identities.renew(ADA, first, tokens(ADA, sealed="v1.k.fresh"))
    row = each_store.identities.of(ADA)
    assert row is not None
    assert (row.state, row.sealed) == ("linked", "v1.k.fresh")
    assert not each_store.identities.break_link(ADA, first, told, "late")
    assert not each_store.identities.renew(ADA, first, tokens(ADA, sealed="v1.k.late"))
    assert [row.sealed for row in each_store.identities.discarded()] == ["v1.k.late"]


def test_what_was_on_its_way_for_an_older_link_does_not_reach_a_new_one(
    each_store: Store, clock: MovableClock
) -> None:
    older = linked(each_store, clock).generation
    each_store.identities.unlink(ADA, given_up, by=ADA)
    newer = linked(each_store, clock)
    assert not each_store.identities.renew(ADA, older, tokens(ADA, sealed="v1.k.late"))
    assert each_store.identities.of(ADA) == newer


def test_a_broken_link_holds_no_token_and_is_told_once(
    each_store: Store, each_database: Database, clock: MovableClock
) -> None:
    now = linked(each_store, clock).generation
    broken = [
        each_store.identities.break_link(ADA, now, message(ADA)("linked"), "refused")
        for _ in range(3)
    ]
    assert broken == [True, False, False]
    row = each_store.identities.of(ADA)
    assert row is not None
    assert row.sealed == ""
    last = audit.history(each_database, chain(ADA))[-1]
    assert (last.who, last.what) == (audit.US, "GitHub account's link broken")
    assert last.detail["why"] == "refused"


def test_tokens_are_sealed_anew_unless_they_changed_meanwhile(
    each_store: Store, clock: MovableClock
) -> None:
    linked(each_store, clock)
    assert [row.person for row in each_store.identities.sealed_otherwise("v1.new.")] == [ADA]
    assert each_store.identities.sealed_otherwise("v1.k.") == []
    assert not each_store.identities.reseal(ADA, "v1.k.other", "v1.new.tokens")
    assert each_store.identities.reseal(ADA, "v1.k.tokens", "v1.new.tokens")
    assert each_store.identities.sealed_otherwise("v1.new.") == []


def test_a_link_that_nobody_used_runs_out(each_store: Store, clock: MovableClock) -> None:
    link(each_store, clock, ADA)
    assert each_store.identities.run_out() == []
    clock.advance(timedelta(days=365 * 9))
    assert [row.person for row in each_store.identities.run_out()] == [ADA]


def test_an_account_that_was_renamed_keeps_its_person(
    each_store: Store, clock: MovableClock
) -> None:
    link(each_store, clock, ADA)
    each_store.identities.rename(ADA, Account(id=1001, login="countess"))
    each_store.identities.rename(ADA, Account(id=9, login="somebody-else"))
    found = each_store.identities.by_login("Countess")
    assert found is not None
    assert found.person == ADA
