"""Identities: whose GitHub account is whose, with tokens that only the seal's keys open.

One account belongs to one person and the other way round. What changes who may act as whom is in
the audit, in a chain for each person.
"""

import secrets
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Literal
from uuid import uuid4

from sqlmodel import Session, col, delete, func, select, update

from provisioning import audit
from provisioning.clock import Clock
from provisioning.database import Database, insert_once
from provisioning.identity import Account
from provisioning.store.messages import Message, want
from provisioning.tables import DeviceLinkRow, DiscardedTokenRow, IdentityRow, MemoRow
from provisioning.text import Frozen

Verdict = Literal["linked", "taken", "another", "settled"]
"""`taken`: somebody else has the account. `another`: the person has another one by now, and never
agreed to give it up. `settled`: the code had its answer already, so nothing was changed."""
LOCK = "identity.lock"
FIRST_GENERATION = 1 << 30
"""A link begins with any number below: what is on its way for an older link must not fit it."""
NOT_LINKED = "GitHub account not linked"


class SealedTokens(Frozen):
    """Tokens as they are stored: sealed for `place`."""

    place: str
    sealed: str
    access_until: datetime
    refresh_until: datetime


class Identities:
    """Who is who; each method is one transaction."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    # ------------------------------------------------------------------ looking

    def of(self, person: str) -> IdentityRow | None:
        """Return a person's identity."""
        with self._database.reading() as session:
            return session.get(IdentityRow, person)

    def by_login(self, login: str) -> IdentityRow | None:
        """Return whose login it is, in any case of letters, if the link is whole."""
        rows = select(IdentityRow).where(func.lower(IdentityRow.login) == login.lower())
        with self._database.reading() as session:
            return session.exec(rows.where(IdentityRow.state == "linked")).first()

    def run_out(self) -> Sequence[IdentityRow]:
        """Return links that nobody used for so long that they can't be renewed any more."""
        rows = select(IdentityRow).where(IdentityRow.state == "linked")
        with self._database.reading() as session:
            now = self._clock.now()
            return session.exec(rows.where(col(IdentityRow.refresh_until) <= now)).all()

    # ------------------------------------------------------------------ codes to enter

    def open(
        self,
        link: DeviceLinkRow,
        message: Message,
        given_up: Callable[[DeviceLinkRow], Message],
        *,
        unless: datetime,
    ) -> DeviceLinkRow:
        """Give a person a code to enter and return it; `given_up` says that one was replaced.

        Who asks twice at once gets one code: another one for the same is kept if it lasts beyond
        `unless`, and replaced otherwise.
        """
        with self._database.writing() as session:
            _alone(session)
            held = session.get(DeviceLinkRow, link.person)
            if held and held.replaces == link.replaces and held.deadline > unless:
                return held
            self._drop_link(session, link.person, given_up)
            session.add(link)
            want(session, message, self._clock.now())
            return link

    def link_of(self, person: str) -> DeviceLinkRow | None:
        """Return the code that a person was given and that has no answer yet."""
        with self._database.reading() as session:
            return session.get(DeviceLinkRow, person)

    def due(self) -> Sequence[DeviceLinkRow]:
        """Return the codes about which GitHub may be asked now."""
        rows = select(DeviceLinkRow).where(col(DeviceLinkRow.next_look) <= self._clock.now())
        with self._database.reading() as session:
            return session.exec(rows.order_by(col(DeviceLinkRow.next_look))).all()

    def claim(self, link: str) -> DeviceLinkRow | None:
        """Take the right to ask GitHub about a code once, and return how it stands.

        None if it is settled, or if somebody has asked within the interval.
        """
        now = self._clock.now()
        with self._database.writing() as session:
            row = _locked_link(session, link)
            if row is None or row.next_look > now:
                return None
            row.next_look = now + timedelta(seconds=row.interval)
            session.add(row)
            return row

    def slower(self, link: str, interval: timedelta) -> None:
        """Ask GitHub about a code less often from now on."""
        with self._database.writing() as session:
            row = _locked_link(session, link)
            if row is not None:
                row.interval = round(interval.total_seconds())
                row.next_look = self._clock.now() + interval
                session.add(row)

    def end(self, link: str, message: Message, **why: Any) -> bool:
        """Settle a code without a link and tell the person; False if it was settled before."""
        with self._database.writing() as session:
            row = _locked_link(session, link)
            if row is None:
                return False
            self._drop_link(session, row.person, lambda _: message)
            self._note(session, row.person, row.person, NOT_LINKED, **why)
            return True

    # ------------------------------------------------------------------ linking

    def keep(self, link: str, tokens: SealedTokens) -> DeviceLinkRow | None:
        """Keep what a code brought until it is clear whose it is; None if nobody waits for it."""
        with self._database.writing() as session:
            row = _locked_link(session, link)
            if row is None:
                self._discard(session, tokens.place, tokens.sealed)
                return None
            row.tokens = tokens.sealed
            row.access_until, row.refresh_until = tokens.access_until, tokens.refresh_until
            session.add(row)
            return row

    def link(
        self,
        link: str,
        account: Account,
        tokens: SealedTokens,
        message: Callable[[Verdict], Message],
    ) -> Verdict:
        """Settle a code by whose account it turned out to be; tokens of no use are discarded."""
        with self._database.writing() as session:
            _alone(session)
            row = _locked_link(session, link)
            if row is None:
                return "settled"
            session.delete(row)
            session.flush()
            verdict = _verdict(session, row, account)
            if verdict == "linked":
                self._become(session, row.person, account, tokens)
            else:
                self._discard(session, tokens.place, tokens.sealed)
            want(session, message(verdict), self._clock.now())
            said = "GitHub account linked" if verdict == "linked" else NOT_LINKED
            facts = {"login": account.login, "github_id": account.id, "verdict": verdict}
            self._note(session, row.person, row.person, said, **facts)
            return verdict

    def unlink(
        self, person: str, given_up: Callable[[DeviceLinkRow], Message], *, by: str
    ) -> str | None:
        """Forget a person's account and code; return the login, None if there was no account."""
        with self._database.writing() as session:
            _alone(session)
            self._drop_link(session, person, given_up)
            row = _locked(session, person)
            if row is None:
                return None
            self._discard(session, place_of(person, row.github_id), row.sealed)
            session.delete(row)
            facts = {"login": row.login, "github_id": row.github_id}
            self._note(session, person, by, "GitHub account unlinked", **facts)
            return row.login

    def _become(
        self, session: Session, person: str, account: Account, tokens: SealedTokens
    ) -> None:
        before = _locked(session, person)
        if before is not None:
            self._discard(session, place_of(person, before.github_id), before.sealed)
            session.delete(before)
            session.flush()
        # A login that somebody else had before was renamed since: it says nothing about them now.
        session.exec(
            update(IdentityRow)
            .where(func.lower(IdentityRow.login) == account.login.lower())
            .values(login="", state="broken")
        )
        session.add(
            IdentityRow(
                person=person,
                github_id=account.id,
                login=account.login,
                state="linked",
                sealed=tokens.sealed,
                generation=secrets.randbelow(FIRST_GENERATION),
                access_until=tokens.access_until,
                refresh_until=tokens.refresh_until,
                linked_at=self._clock.now(),
            )
        )
        session.flush()

    # ------------------------------------------------------------------ renewing

    def claim_renewal(self, person: str, generation: int, by: str, lease: timedelta) -> bool:
        """Take the right to renew a token: a refresh token works once, so one may use it.

        The right ends with the lease, if its holder died.
        """
        now = self._clock.now()
        with self._database.writing() as session:
            row = _locked(session, person)
            if row is None or row.generation != generation or row.state != "linked":
                return False
            if row.renewed_until is not None and row.renewed_until > now:
                return False
            row.renewed_by, row.renewed_until = by, now + lease
            session.add(row)
            return True

    def release_renewal(self, person: str, by: str) -> None:
        """Give the right back, with nothing renewed."""
        with self._database.writing() as session:
            row = _locked(session, person)
            if row is not None and row.renewed_by == by:
                row.renewed_by, row.renewed_until = "", None
                session.add(row)

    def renew(self, person: str, generation: int, tokens: SealedTokens) -> bool:
        """Store what a renewal brought, even if it took longer than its lease.

        If there is another link by now, or none, the tokens are of no use and discarded.
        """
        with self._database.writing() as session:
            row = _locked(session, person)
            if row is None or row.generation != generation:
                self._discard(session, tokens.place, tokens.sealed)
                return False
            row.sealed, row.generation = tokens.sealed, generation + 1
            row.access_until, row.refresh_until = tokens.access_until, tokens.refresh_until
            row.state, row.renewed_by, row.renewed_until = "linked", "", None
            session.add(row)
            return True

    def rename(self, person: str, account: Account) -> None:
        """Note an account's new login."""
        with self._database.writing() as session:
            row = _locked(session, person)
            if row is not None and row.github_id == account.id and row.login != account.login:
                row.login = account.login
                session.add(row)

    def break_link(self, person: str, generation: int, message: Message, why: str) -> bool:
        """Note that GitHub refuses a token for good, and tell the person; False if it is known."""
        with self._database.writing() as session:
            row = _locked(session, person)
            if row is None or row.generation != generation or row.state != "linked":
                return False
            row.state, row.sealed, row.renewed_by, row.renewed_until = "broken", "", "", None
            session.add(row)
            want(session, message, self._clock.now())
            facts = {"login": row.login, "github_id": row.github_id, "why": why}
            self._note(session, person, audit.US, "GitHub account's link broken", **facts)
            return True

    # ------------------------------------------------------------------ sealing and discarding

    def sealed_otherwise(self, beginning: str) -> Sequence[IdentityRow]:
        """Return identities whose tokens don't begin like this: an older key has sealed them."""
        begins = col(IdentityRow.sealed).startswith(beginning, autoescape=True)
        with self._database.reading() as session:
            return session.exec(
                select(IdentityRow).where(col(IdentityRow.sealed) != "", ~begins)
            ).all()

    def reseal(self, person: str, old: str, new: str) -> bool:
        """Replace sealed tokens by the same ones sealed anew, unless they have changed."""
        with self._database.writing() as session:
            row = _locked(session, person)
            if row is None or row.sealed != old:
                return False
            row.sealed = new
            session.add(row)
            return True

    def discarded(self) -> Sequence[DiscardedTokenRow]:
        """Return tokens that GitHub has still to revoke, oldest first."""
        with self._database.reading() as session:
            return session.exec(
                select(DiscardedTokenRow).order_by(col(DiscardedTokenRow.since)).limit(400)
            ).all()

    def forget_discarded(self, ids: Sequence[str]) -> None:
        """Forget tokens that are worthless now."""
        with self._database.writing() as session:
            session.exec(delete(DiscardedTokenRow).where(col(DiscardedTokenRow.id).in_(ids)))

    def _drop_link(
        self, session: Session, person: str, message: Callable[[DeviceLinkRow], Message]
    ) -> None:
        """Forget a person's code, and say so where it was shown."""
        rows = select(DeviceLinkRow).where(DeviceLinkRow.person == person)
        for row in session.exec(rows.with_for_update()):
            self._discard(session, granted_place(person, row.id), row.tokens)
            want(session, message(row), self._clock.now())
            session.delete(row)
        session.flush()

    def _discard(self, session: Session, place: str, sealed: str) -> None:
        if sealed:
            session.add(
                DiscardedTokenRow(
                    id=uuid4().hex, place=place, sealed=sealed, since=self._clock.now()
                )
            )

    def _note(self, session: Session, person: str, by: str, what: str, **detail: Any) -> None:
        facts: Mapping[str, Any] = detail
        entry = audit.Entry(project=chain(person), who=by, what=what, detail=facts)
        audit.append(session, self._clock.now(), entry)


def place_of(person: str, github_id: int) -> str:
    """Return what a person's tokens are sealed for: nobody else's row, no other account."""
    return f"identity:{person}:{github_id}"


def granted_place(person: str, link: str) -> str:
    """Return what tokens are sealed for until it is clear whose they are."""
    return f"granted:{person}:{link}"


def chain(person: str) -> str:
    """Return the audit chain of a person; no project can be called that."""
    return f"person:{person}"


def _verdict(session: Session, link: DeviceLinkRow, account: Account) -> Verdict:
    holder = session.exec(select(IdentityRow).where(IdentityRow.github_id == account.id)).first()
    if holder is not None and holder.person != link.person:
        return "taken"
    mine = _locked(session, link.person)
    if mine is not None and mine.github_id != account.id and mine.login != link.replaces:
        return "another"
    return "linked"


def _alone(session: Session) -> None:
    """Let one transaction at a time decide whose an account is."""
    insert_once(session, MemoRow(key=LOCK))
    session.exec(select(MemoRow).where(MemoRow.key == LOCK).with_for_update()).one()


def _locked(session: Session, person: str) -> IdentityRow | None:
    rows = select(IdentityRow).where(IdentityRow.person == person)
    return session.exec(rows.with_for_update()).first()


def _locked_link(session: Session, link: str) -> DeviceLinkRow | None:
    rows = select(DeviceLinkRow).where(DeviceLinkRow.id == link)
    return session.exec(rows.with_for_update()).first()
