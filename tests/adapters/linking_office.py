"""Links people's accounts against the stand-in GitHub: what tests of linking share."""

from collections.abc import Collection
from datetime import timedelta

from made_project import VendorWorld
from pydantic import SecretStr
from sqlalchemy import text
from sqlmodel import select

from playground.github.world import APP_CLIENT_ID
from provisioning.adapters.github import DeviceFlow, GitHubIdentities
from provisioning.clock import Clock
from provisioning.database import Database
from provisioning.linking import Linking
from provisioning.migrations.models import OURS
from provisioning.ports import Repositories
from provisioning.sealing import Seal
from provisioning.store import Store
from provisioning.store.identities import place_of
from provisioning.tables import DeviceLinkRow, IdentityRow, MessageRow
from provisioning.user_tokens import opened

KEY = b"k" * 32
ADA, GRACE, ROSA, SAM = "U0ADA", "U0GRACE", "U0ROSA", "U0SAM"
INTERVAL = timedelta(seconds=5)
SHIFT = timedelta(hours=9)
"""Longer than a token lives."""


class Staff:
    """The people of a chat workspace; `gone` are deactivated or guests."""

    def __init__(self) -> None:
        self.gone: set[str] = set()

    def is_active(self, user: str) -> bool:
        """Tell whether this is a full, active human member."""
        return user not in self.gone

    def is_among(self, user: str, people: tuple[str, ...]) -> bool:
        """Tell whether an active person is one of these users."""
        return user in people and self.is_active(user)

    def name(self, user: str) -> str:
        """Return what somebody is called."""
        return user.removeprefix("U0").capitalize()

    def active(self, people: tuple[str, ...], at_most: int) -> tuple[str, ...]:
        """Return so many of the active people among these users."""
        return tuple(filter(self.is_active, people))[:at_most]


def linking_at(
    api_url: str,
    database: Database,
    repositories: Repositories,
    clock: Clock,
    staff: Staff,
    keys: Collection[bytes] = (KEY,),
) -> Linking:
    """Return the real thing, on a database and an address of GitHub."""
    identities = GitHubIdentities(DeviceFlow(APP_CLIENT_ID, api_url), clock)
    seal = Seal(tuple(keys)) if keys else None
    return Linking(Store(database, clock), identities, seal, repositories, staff, clock)


class Office:
    """People who link their accounts."""

    def __init__(self, served: VendorWorld, database: Database) -> None:
        self.served = served
        self.database = database
        self.clock = served.clock
        self.flow = served.github.device_flow
        self.staff = Staff()
        self.store = Store(database, self.clock)
        self.identities = GitHubIdentities(
            DeviceFlow(APP_CLIENT_ID, served.github.base_url), self.clock
        )
        self.linking = self.with_keys(KEY)

    def with_keys(self, *keys: bytes) -> Linking:
        """Return the same after a restart with other keys."""
        url = self.served.github.base_url
        return linking_at(
            url, self.database, self.served.repositories, self.clock, self.staff, keys
        )

    def code(self, person: str, replaces: str = "") -> DeviceLinkRow:
        """Ask for a code as a person; return it once GitHub may be asked about it."""
        code = self.linking.begin(person, replaces=replaces)
        self.clock.advance(INTERVAL)
        return code

    def link(self, person: str, login: str, replaces: str = "") -> str:
        """Ask for a code, enter it at GitHub as somebody, look; return what the person is told."""
        code = self.code(person, replaces)
        assert "connected" in self.flow.enter(login, code.user_code)
        self.linking.look(code)
        return self.told(f"link:{code.id}")

    def opened(self, row: IdentityRow) -> tuple[SecretStr, SecretStr]:
        """Return the access and the refresh token in an identity."""
        return opened(Seal([KEY]), row.sealed, place_of(row.person, row.github_id))

    def told(self, key: str) -> str:
        """Return the direct message of that key, and fail if it went to a channel."""
        row = self.store.messages.get(key)
        assert row is not None, key
        assert row.recipient
        assert not row.channel
        return "".join(span["text"] for line in row.content["body"] for span in line)

    def broken(self, person: str) -> list[str]:
        """Return what a person was told about links that no longer work."""
        with self.database.reading() as session:
            rows = select(MessageRow.key).where(MessageRow.recipient == person)
            keys = session.exec(rows).all()
        return [self.told(key) for key in keys if key.endswith(":broken")]

    def everything(self) -> str:
        """Return all rows of all our tables as text."""
        with self.database.reading() as session:
            rows = [
                str(tuple(row))
                for table in sorted(OURS)
                for row in session.connection().execute(text(f"SELECT * FROM {table}"))
            ]
        return "\n".join(rows)

    def whose(self, token: SecretStr) -> str | None:
        """Return the login of a token at GitHub, None if it is worthless."""
        account = self.identities.whoami(token)
        return account.login if account else None
