"""A project's lock is one person's, is taken over by name only, and holds what others begin."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from rows import NOON, a_message, a_project, an_operation

from provisioning import audit
from provisioning.database import Database
from provisioning.store import LockedError, Store
from provisioning.store.locks import age, held
from provisioning.tables import OperationRow, ProjectLockRow
from provisioning.text import plain


def a_lock(
    holder: str = "U-ada", lock: str = "lock-1", reason: str = "migrating"
) -> ProjectLockRow:
    return ProjectLockRow(project="ada-7", id=lock, holder=holder, reason=reason, since=NOON)


@pytest.fixture
def locked(each_store: Store) -> Store:
    each_store.projects.reserve_and_begin(a_project(), an_operation())
    each_store.operations.end("op-1", "ready")
    each_store.locks.take(a_lock())
    return each_store


def later() -> OperationRow:
    row = an_operation("op-2", by="U-grace", minute=5)
    row.kind = "destroy"
    return row


def test_somebody_elses_lock_stays_unless_it_is_named(locked: Store) -> None:
    for over in ("", "lock-0"):
        assert locked.locks.take(a_lock("U-grace", "lock-2"), over=over).holder == "U-ada"
        standing = locked.locks.release("ada-7", "U-grace", over=over)
        assert standing is not None
        assert standing.holder == "U-ada"
    assert locked.locks.take(a_lock("U-grace", "lock-2"), over="lock-1").holder == "U-grace"
    known = locked.locks.of("ada-7")
    assert known is not None
    assert known.id == "lock-2"


def test_ones_own_lock_gets_the_new_reason_and_keeps_its_age(locked: Store) -> None:
    again = a_lock(lock="lock-2", reason="still migrating")
    again.since = NOON + timedelta(hours=1)
    for _ in range(2):
        kept = locked.locks.take(again)
        assert (kept.id, kept.reason, kept.since) == ("lock-1", "still migrating", NOON)


def test_every_change_of_a_lock_is_audited(locked: Store, each_database: Database) -> None:
    locked.locks.take(a_lock(reason="other"))
    locked.locks.take(a_lock("U-grace", "lock-2"), over="lock-1")
    locked.locks.release("ada-7", "U-pat", over="lock-2")
    locked.locks.take(a_lock(lock="lock-3"))
    locked.locks.release("ada-7", "U-ada")
    locked.locks.release("ada-7", "U-ada")
    noted = [(row.who, row.what) for row in audit.history(each_database, "ada-7")]
    assert noted[-6:] == [
        ("U-ada", "locked"),
        ("U-ada", "locked for another reason"),
        ("U-grace", "took the lock over"),
        ("U-pat", "took the lock over and unlocked"),
        ("U-ada", "locked"),
        ("U-ada", "unlocked"),
    ]
    assert audit.verify(each_database, "ada-7") is None


def test_whom_a_lock_is_taken_from_is_owed_the_news_with_the_deed(locked: Store) -> None:
    news = a_message("lock:lock-1:taken")
    locked.locks.take(a_lock("U-grace", "lock-2"), news=news)
    assert locked.messages.get(news.key) is None
    locked.locks.release("ada-7", "U-grace", over="lock-1", news=news)
    assert locked.messages.get(news.key) is not None


def test_only_the_holder_begins_what_a_lock_holds(locked: Store, each_database: Database) -> None:
    with pytest.raises(LockedError, match=r"ada-7 is locked by U-ada .*migrating"):
        locked.operations.begin(later())
    with pytest.raises(LockedError):
        locked.locks.require_open("ada-7", "U-grace", "deploy")
    last = audit.history(each_database, "ada-7")[-1]
    assert (last.who, last.what) == ("U-grace", "refused")
    assert (last.detail["deploy"], last.detail["by"]) == ("locked", "U-ada")
    with pytest.raises(LockedError):
        locked.locks.require_open("ada-7", audit.US, "destroy")
    assert audit.history(each_database, "ada-7")[-1] == last, "sweeps ask again and again"
    locked.locks.require_open("ada-7", "U-ada", "deploy")
    locked.locks.take(a_lock("U-grace", "lock-2"), over="lock-1")
    assert locked.operations.begin(later()).id == "op-2"


def test_of_many_who_lock_at_once_one_holds_it(each_store: Store) -> None:
    each_store.projects.reserve_and_begin(a_project(), an_operation())
    with ThreadPoolExecutor(8) as people:
        locks = [a_lock(f"U-{number}", f"lock-{number}") for number in range(8)]
        holders = {lock.holder for lock in people.map(each_store.locks.take, locks)}
    assert len(holders) == 1


def test_who_gets_a_name_again_gets_it_without_the_lock(locked: Store) -> None:
    locked.projects.become("ada-7", "gone")
    locked.projects.reserve_and_begin(a_project(by="U-eve"), an_operation("op-3", by="U-eve"))
    assert locked.locks.of("ada-7") is None


def test_locks_are_found_among_projects(locked: Store) -> None:
    assert [one.project for one in locked.locks.among(["ada-7", "grace-1"])] == ["ada-7"]
    assert list(locked.locks.among([])) == []


def test_a_lock_is_told_with_owner_age_and_reason() -> None:
    said = plain(held(a_lock(), NOON + timedelta(hours=3, minutes=20)))
    assert said == ("ada-7 is locked by U-ada for 3 hours (since 2026-11-23 12:00 UTC): migrating.")


@pytest.mark.parametrize(
    ("passed", "said"),
    [
        (timedelta(seconds=-5), "less than a minute"),
        (timedelta(seconds=59), "less than a minute"),
        (timedelta(minutes=1), "1 minute"),
        (timedelta(minutes=119), "1 hour"),
        (timedelta(days=2, hours=23), "2 days"),
    ],
)
def test_ages_are_said_roughly(passed: timedelta, said: str) -> None:
    assert age(passed) == said
