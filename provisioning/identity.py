"""What a proven GitHub identity is made of. Tokens are `SecretStr`: logs and JSON show stars."""

from datetime import datetime, timedelta
from typing import Literal

from pydantic import SecretStr

from provisioning.text import Frozen


class Account(Frozen):
    """A GitHub account. `id` stays; a login may be renamed, and then taken by somebody else."""

    id: int
    login: str


class Tokens(Frozen):
    """A person's token, and the single-use one that renews it once `access_until` has passed."""

    access: SecretStr
    refresh: SecretStr
    access_until: datetime
    refresh_until: datetime


class DeviceCode(Frozen):
    """A question to GitHub: who enters `user_code` at `address` lets us act as them.

    `secret` is what the answer is fetched with, at most once in `interval`.
    """

    secret: SecretStr
    user_code: str
    address: str
    lasts: timedelta
    interval: timedelta


class Unanswered(Frozen):
    """Nobody has answered yet; `interval` is GitHub's wish to be asked less often."""

    interval: timedelta | None = None


class Granted(Frozen):
    """Somebody let us act as them. GitHub says so once."""

    tokens: Tokens


class Ended(Frozen):
    """There will be no answer: it was denied, came too late, or was fetched already."""

    why: Literal["denied", "expired", "used"]


LinkAnswer = Unanswered | Granted | Ended
