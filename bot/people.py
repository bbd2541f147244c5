"""The people of the Slack workspace, asked live: a right is never taken from an old answer.

Slack allows 20 `usergroups.users.list` a minute (tier 2) and 100 `users.info` (tier 4), so
questions about the same group within three seconds share one answer. What kind of account somebody
has is remembered a little longer: Slack itself keeps deactivated people from acting.
"""

import logging
import threading
from collections import defaultdict
from collections.abc import Callable
from datetime import timedelta
from http import HTTPStatus
from itertools import islice
from time import monotonic
from typing import Any

from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError, SlackClientError

from bot.publisher import PASSING
from provisioning.errors import PermanentError, TemporaryError

log = logging.getLogger(__name__)

SHARED_SECONDS = {"group": 3.0, "user": 15.0}
ABOUT = {"group": "who is in a user group", "user": "who somebody is"}
SILENT = "Slack did not answer"


class SlackPeople:
    """Implements the `People` port; safe to use from several threads."""

    def __init__(self, token: str, api_url: str, timeout: int = 5) -> None:
        self._client = WebClient(token, base_url=api_url, timeout=timeout, retry_handlers=[])
        self._locks: dict[tuple[str, str], threading.Lock] = defaultdict(threading.Lock)
        self._answers: dict[tuple[str, str], tuple[float, Any]] = {}

    def active(self, people: tuple[str, ...], at_most: int) -> tuple[str, ...]:
        """Return so many active people behind ids of users (U…, W…) and user groups (S…).

        Who is named comes before the members of groups; an empty id is nobody's. Looks at no more
        people than it must: a group may have more members than Slack lets us look at.
        """
        named = [some for some in people if some and not some.startswith("S")]
        for group in people:
            if group.startswith("S"):
                named += sorted(self._shared("group", group, self._group_members))
        return tuple(islice(filter(self.is_active, dict.fromkeys(named)), at_most))

    def is_among(self, user: str, people: tuple[str, ...]) -> bool:
        """Tell whether an active person is one of these users or in one of these user groups.

        Asks about this one person only, as `active` asks about as few as it can.
        """
        groups = [some for some in people if some.startswith("S")]
        listed = user in people or any(
            user in self._shared("group", group, self._group_members) for group in groups
        )
        return listed and self.is_active(user)

    def is_active(self, user: str) -> bool:
        """Tell whether this is a full, active human member: no guest, no bot, not deactivated."""
        facts = self._shared("user", user, self._user)
        return bool(facts) and not any(
            facts.get(flag)
            for flag in ("deleted", "is_bot", "is_restricted", "is_ultra_restricted", "is_stranger")
        )

    def name(self, user: str) -> str:
        """Return what somebody is called, member or not; their id where nobody knows."""
        facts = self._shared("user", user, self._user)
        return str(facts.get("real_name") or facts.get("name") or user)

    def _group_members(self, user_group: str) -> list[str]:
        answer = self._client.usergroups_users_list(usergroup=user_group)
        users: list[str] = answer["users"]
        return users

    def _user(self, user: str) -> dict[str, Any]:
        try:
            found: dict[str, Any] = self._client.users_info(user=user)["user"]
        except SlackApiError as error:
            if error.response.get("error") in ("user_not_found", "user_not_visible"):
                return {}
            raise
        return found

    def _shared(self, kind: str, name: str, ask: Callable[[str], Any]) -> Any:
        with self._locks[kind, name]:
            asked, answer = self._answers.get((kind, name), (0.0, None))
            if asked and monotonic() - asked < SHARED_SECONDS[kind]:
                return answer
            answer = _translated(kind, ask, name)
            self._answers[kind, name] = (monotonic(), answer)
            return answer


def _translated(kind: str, ask: Callable[[str], Any], name: str) -> Any:
    try:
        return ask(name)
    except SlackApiError as error:
        code = str(error.response.get("error", "unknown"))
        status = int(getattr(error.response, "status_code", HTTPStatus.OK))
        if code == "ratelimited" or status == HTTPStatus.TOO_MANY_REQUESTS:
            wish = timedelta(seconds=int(error.response.headers.get("Retry-After", 30)))
            raise TemporaryError("Slack asks us to slow down", after=wish) from error
        if code in PASSING or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            raise TemporaryError(SILENT) from error
        if code == "missing_scope":
            needed = error.response.get("needed", "?")
            raise PermanentError(
                f"The Slack app lacks the scope {needed}: add it in manifest.yml, reinstall."
            ) from error
        log.exception("Slack refused to say who %s is", name)
        raise PermanentError(f"Slack refused to say {ABOUT[kind]}: {code}.") from error
    except (SlackClientError, OSError) as error:
        raise TemporaryError(SILENT) from error
