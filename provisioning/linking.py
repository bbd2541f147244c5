"""Proven identity: whose GitHub account somebody in the chat has shown to be theirs.

Somebody gets a code, enters it at GitHub as themselves, and GitHub tells us who it was. Approvals
and deployments then act with that person's own token, so GitHub itself knows and refuses people.
"""

import logging
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from uuid import uuid4

from pydantic import SecretStr

from provisioning.clock import Clock
from provisioning.errors import PermanentError, SciclopsError, UserError
from provisioning.identity import Account, Ended, Granted
from provisioning.ports import Identities, People, Repositories
from provisioning.sealing import Seal
from provisioning.store import Message, Store
from provisioning.store.identities import SealedTokens, Verdict, granted_place, place_of
from provisioning.tables import DeviceLinkRow, DiscardedTokenRow, IdentityRow
from provisioning.text import Button, Notice, Text, bold, code, moment, say
from provisioning.user_tokens import LINK_COMMAND, UserTokens, access_in, opened, sealed, told

log = logging.getLogger(__name__)

SAME_CODE_FOR = timedelta(minutes=2)
"""A code that lasts this much longer is shown again instead of a new one."""
REVOKED_WITHIN = timedelta(days=1)
"""How long it is tried to have discarded tokens revoked; by then those for access have expired."""
NOT_SET_UP = (
    "Linking GitHub accounts is not set up here. Whoever runs SciCLOps sets github.client_id and "
    "security.seal_keys; `sciclops doctor` says how. Nothing was changed."
)
YOURS = (
    "Enter a code only if you have just asked for it yourself: whoever gave you another one would "
    "act at GitHub as you."
)
ENTERED = ("link", "entered")
"""What the button types that says that the code was entered."""
ENDINGS = {
    "denied": "You (or whoever entered the code) said no at GitHub, so nothing was linked.",
    "expired": "The code for linking your GitHub account has run out, so nothing was linked.",
    "used": "GitHub gave its answer to your code once, and it was lost, so nothing was linked.",
}


class Linking:
    """Links people's GitHub accounts, and hands out their tokens to the step that needs one.

    Without a seal (no keys in the settings) nobody can be linked.
    """

    def __init__(
        self,
        store: Store,
        identities: Identities,
        seal: Seal | None,
        repositories: Repositories,
        people: People,
        clock: Clock,
    ) -> None:
        self._store = store
        self._identities = identities
        self._seal = seal
        self._repositories = repositories
        self._people = people
        self._clock = clock

    # ------------------------------------------------------------------ what others ask

    @property
    def is_set_up(self) -> bool:
        """Tell whether people can link an account here."""
        return self._seal is not None

    def token_of(self, person: str) -> SecretStr:
        """Return a person's own GitHub token, valid for some minutes; for the calling step only.

        Raises UserError if they have no working link, or are no full active member any more.
        """
        if not self._people.is_active(person):
            raise UserError("Only full members of this workspace may act at GitHub.")
        return self._tokens().of(person)

    def refused(self, person: str, token: SecretStr) -> None:
        """Hear that GitHub refused (401) a token that `token_of` gave: the link may be broken."""
        self._tokens().refused(person, token)

    def login_of(self, person: str) -> str | None:
        """Return a person's GitHub login, None unless they have a working link."""
        row = self._store.identities.of(person)
        return row.login if row and row.state == "linked" else None

    def person_of(self, login: str) -> str | None:
        """Return who has proved that a GitHub login is theirs."""
        row = self._store.identities.by_login(login) if login else None
        return row.person if row else None

    def identity_of(self, person: str) -> IdentityRow | None:
        """Return how a person's link stands."""
        return self._store.identities.of(person)

    def works(self, person: str) -> bool:
        """Ask GitHub whether a person's link works; a broken one is noted."""
        row = self._store.identities.of(person)
        if row is None or row.state != "linked":
            return False
        try:
            access = self._tokens().of(person)
        except (UserError, PermanentError):
            return False
        if self._identities.whoami(access) is not None:
            return True
        self.refused(person, access)
        return False

    @property
    def settings_page(self) -> str:
        """Return where people withdraw at GitHub what they have let our App do."""
        return self._identities.settings_page()

    # ------------------------------------------------------------------ linking

    def begin(self, person: str, *, replaces: str = "") -> DeviceLinkRow:
        """Give a person a code to enter at GitHub, in a direct message that then tells how it ends.

        `replaces` is the login whose link they agree to give up.
        """
        seal, unless = self._require_seal(), self._clock.now() + SAME_CODE_FOR
        known = self._store.identities.link_of(person)
        if known and known.replaces == replaces and known.deadline > unless:
            return known
        asked = self._identities.begin()
        link, now = uuid4().hex, self._clock.now()
        row = DeviceLinkRow(
            person=person,
            id=link,
            sealed=seal.close(asked.secret.get_secret_value(), _device(person, link)),
            user_code=asked.user_code,
            address=asked.address,
            replaces=replaces,
            interval=round(asked.interval.total_seconds()),
            next_look=now + asked.interval,
            deadline=now + asked.lasts,
        )
        given = self._store.identities.open(row, _code_to_enter(row), _given_up, unless=unless)
        self._store.messages.on_show()
        return given

    def pending(self, person: str) -> DeviceLinkRow | None:
        """Return the code that a person still has to enter."""
        return self._store.identities.link_of(person)

    def look(self, link: DeviceLinkRow) -> None:
        """Ask GitHub about a code, unless it was asked a moment ago; tell the person an ending.

        GitHub gives tokens out once, so they are stored before anything else is asked.
        """
        if link.deadline <= self._clock.now():
            self._end(link, "expired")
            return
        claimed = self._store.identities.claim(link.id)
        if claimed is None:
            return
        try:
            kept = claimed if claimed.tokens else self._ask(claimed)
            if kept is not None:
                self._finish(kept)
        except PermanentError as error:
            self._end(link, str(error))

    def _ask(self, link: DeviceLinkRow) -> DeviceLinkRow | None:
        """Ask GitHub for the answer to a code; return the row with the tokens if it gave some."""
        seal = self._require_seal()
        secret = seal.open(link.sealed, _device(link.person, link.id))
        answer = self._identities.poll(SecretStr(secret))
        if isinstance(answer, Granted):
            tokens = sealed(seal, answer.tokens, granted_place(link.person, link.id))
            return self._store.identities.keep(link.id, tokens)
        if isinstance(answer, Ended):
            self._end(link, answer.why)
        elif answer.interval is not None:
            self._store.identities.slower(link.id, answer.interval)
        return None

    def _end(self, link: DeviceLinkRow, why: str) -> None:
        """Settle a code without a link; `why` is one of `ENDINGS`, or a sentence."""
        reason = ENDINGS.get(why, f"Your GitHub account was not linked: {why}")
        said = say(f"{reason} To try again, type ", LINK_COMMAND, ".")
        self._store.identities.end(link.id, _ended(link, said), why=why)

    def _finish(self, link: DeviceLinkRow) -> None:
        """Link the account that somebody has proved to be theirs, or refuse it with the reason."""
        seal = self._require_seal()
        bundle = seal.open(link.tokens, granted_place(link.person, link.id))
        account = self._identities.whoami(access_in(bundle))
        why = self._objection(link.person, account)
        if account is None or why:
            self._end(link, why)
            return
        place = place_of(link.person, account.id)
        tokens = SealedTokens(
            place=place,
            sealed=seal.close(bundle, place),
            access_until=link.access_until or self._clock.now(),
            refresh_until=link.refresh_until or self._clock.now(),
        )
        self._store.identities.link(
            link.id, account, tokens, lambda verdict: _outcome(link, account, verdict)
        )

    def _objection(self, person: str, account: Account | None) -> str:
        if account is None:
            return "GitHub refused the token that it had just given."
        if not self._people.is_active(person):
            return "only full members of this workspace may link an account."
        if not self._repositories.member_exists(account.login):
            return f"{account.login} is no member of the organisation at GitHub."
        return ""

    def unlink(self, person: str) -> str | None:
        """Forget a person's account and have their tokens revoked; return the login it was."""
        login = self._store.identities.unlink(person, _given_up, by=person)
        if login is not None:
            self._try(self.revoke_discarded)
        return login

    # ------------------------------------------------------------------ sweeps

    def look_at_all(self) -> None:
        """Look for the answers to codes that people were given."""
        if self._seal is not None:
            for link in self._store.identities.due():
                self._try(partial(self.look, link))

    def tidy(self) -> None:
        """Note links that have run out, seal anew what an older key had sealed, have revoked."""
        if self._seal is None:
            return
        for row in self._store.identities.run_out():
            self._tokens().break_link(row, "it was not used for half a year")
        for row in self._store.identities.sealed_otherwise(self._seal.current):
            self._try(partial(self._reseal, row))
        self._try(self.revoke_discarded)

    def revoke_discarded(self) -> None:
        """Have tokens revoked that nobody may use any more; then forget them."""
        rows = self._store.identities.discarded()
        late = self._clock.now() - REVOKED_WITHIN
        hopeless = [row.id for row in rows if row.since <= late]
        if hopeless:
            log.warning("%d tokens could not be revoked; they expire by themselves", len(hopeless))
            self._store.identities.forget_discarded(hopeless)
        due = {row.id: row for row in rows if row.since > late}
        tokens = [token for row in due.values() for token in self._readable(row)]
        if tokens:
            self._identities.revoke(tokens)
            self._store.identities.forget_discarded(list(due))

    def _readable(self, row: DiscardedTokenRow) -> tuple[SecretStr, ...]:
        """Return what was discarded; nothing if the key that sealed it is gone."""
        try:
            return opened(self._require_seal(), row.sealed, row.place)
        except PermanentError:
            log.warning("a discarded token cannot be opened, so it is not revoked")
            return ()

    def _reseal(self, row: IdentityRow) -> None:
        seal, place = self._require_seal(), place_of(row.person, row.github_id)
        fresh = seal.close(seal.open(row.sealed, place), place)
        self._store.identities.reseal(row.person, row.sealed, fresh)

    # ------------------------------------------------------------------ parts

    def _tokens(self) -> UserTokens:
        return UserTokens(self._store, self._identities, self._require_seal(), self._clock)

    def _require_seal(self) -> Seal:
        if self._seal is None:
            raise UserError(NOT_SET_UP)
        return self._seal

    def _try(self, work: Callable[[], None]) -> None:
        """Do one thing of many; what does not work now is due again soon."""
        try:
            work()
        except SciclopsError:
            log.warning("something about links did not work; it is tried again", exc_info=True)


def _device(person: str, link: str) -> str:
    return f"device:{person}:{link}"


def _code_to_enter(link: DeviceLinkRow) -> Message:
    """Return the direct message that shows a code; how it ends takes its place."""
    first = "Open GitHub's page, sign in as yourself, and enter this code:"
    content = Notice(
        summary=f"Link your GitHub account: enter {link.user_code} at GitHub",
        title="Link your GitHub account",
        body=(
            say(first),
            say(code(link.user_code), "  until ", moment(link.deadline)),
            say(YOURS),
        ),
        buttons=(
            Button(label="Open GitHub", address=link.address, style="primary"),
            Button(label="I Have Entered It", words=ENTERED),
        ),
    )
    return Message(key=_key(link), content=content, recipient=link.person, urgent=True)


def _key(link: DeviceLinkRow) -> str:
    return f"link:{link.id}"


def _ended(link: DeviceLinkRow, said: Text) -> Message:
    return told(link.person, _key(link), said)


def _given_up(link: DeviceLinkRow) -> Message:
    words = "This code for linking your GitHub account was given up; it links nothing any more."
    return _ended(link, say(words))


def _outcome(link: DeviceLinkRow, account: Account, verdict: Verdict) -> Message:
    """Say how it ended; whose an account is otherwise is nobody's business."""
    said: dict[Verdict, Text] = {
        "linked": say(
            "Linked: at GitHub you are ",
            bold(account.login),
            ". What you approve or deploy here is done there in your name. To undo it, type ",
            code("/sciclops unlink"),
            ".",
        ),
        "taken": say(
            f"The GitHub account {account.login} cannot be linked to you: it is linked to another "
            "person here. Nothing was changed. If it is yours alone, ask the platform team."
        ),
        "another": say(
            f"You signed in at GitHub as {account.login}, but you are linked to another account. "
            "Nothing was changed. To link this one instead, type ",
            LINK_COMMAND,
            " and choose to link another account.",
        ),
    }
    return _ended(link, said[verdict])
