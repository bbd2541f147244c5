"""Three errors, sorted by what happens next. Adapters translate the vendors' errors into these.

Every message says what happened, what is left behind and what to do, and never carries a secret.
"""

from datetime import timedelta

from provisioning.text import Text, plain, say


class SciclopsError(Exception):
    """The root of the family; `str(error)` may be shown to people."""


class UserError(SciclopsError):
    """Somebody asked for something that cannot be: tell them, do nothing else.

    `field` names the form field that the message belongs to, where there is one. `said` is the
    message with what is to be typed marked as code.
    """

    def __init__(self, message: str | Text, *, field: str | None = None) -> None:
        self.said = say(message) if isinstance(message, str) else message
        super().__init__(plain(self.said))
        self.field = field


class TemporaryError(SciclopsError):
    """It may work later (rate limit, time-out, 5xx): the engine tries again.

    `after` is the vendor's own wish (`Retry-After`), where it gave one.
    """

    def __init__(self, message: str, *, after: timedelta | None = None) -> None:
        super().__init__(message)
        self.after = after


class PermanentError(SciclopsError):
    """Trying again is no use: stop truthfully and call a person."""


class RunEnded(SciclopsError):  # noqa: N818 - no error, but it has to unwind a workflow as one
    """The run has ended, or somebody moved it on: there is nothing more to do, and all is said."""
