"""Is Slack as the bot needs it? Tokens, scopes, channels, and the people behind the roles."""

import socket
from collections.abc import Callable, Iterator
from functools import cached_property, partial, wraps
from itertools import islice
from typing import Any

from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError, SlackClientError

from bot.manifest import SCOPES
from bot.people import SlackPeople
from bot.settings import Settings
from provisioning.diagnosis import Check, Verdict, fine, problem, skipped, warning
from provisioning.errors import PermanentError

SYSTEM = "Slack"
TIMEOUT_SECONDS = 10
PAGE = "api.slack.com/apps > your app"
REINSTALL = f"{PAGE} > OAuth & Permissions: Reinstall to Workspace"
TOKEN_REFUSALS = {
    "invalid_auth": "Slack does not know it",
    "not_authed": "Slack does not know it",
    "token_revoked": "it was revoked",
    "token_expired": "it has expired",
    "account_inactive": "the app was removed from the workspace",
    "not_allowed_token_type": "it is another kind of token",
}
SILENCE = (
    "Check slack.api_url, and that this machine may reach it: slack.com and, in socket mode, "
    "wss-primary.slack.com on port 443."
)
Ask = Callable[[], Verdict]


def slack_checks(settings: Settings) -> Iterator[Check]:
    """Return every check of Slack."""
    slack, roles = settings.slack, settings.roles
    clinic = SlackDiagnosis(settings)
    token = ("bot token",)
    yield _check("bot token", clinic.bot_token)
    yield _check("scopes", clinic.scopes, token)
    if slack.mode == "socket":
        yield _check("app token", clinic.app_token)
    else:
        yield _check("signing secret", clinic.signing_secret)
        yield _check("port", clinic.port)
    for key, channel in (("channel", slack.channel), ("announcements", slack.announcements)):
        yield _check(key, partial(clinic.channel, f"slack.{key}", channel), token)
    yield _check("role platform", partial(clinic.role, "platform", roles.platform), token)
    for role in ("users", "release", "break_glass"):
        if group := getattr(roles, role):
            yield _check(f"role {role}", partial(clinic.role, role, group), token)
    if roles.release:
        yield _check("approvals", clinic.approvals, ("bot token", "role release"))
    yield _check("confirmation", clinic.confirmation, ("bot token", "role platform"))
    yield _check("data owners", clinic.data_owners, token)


class BadGroupError(Exception):
    """A user group that holds nobody, whatever its id says."""

    def __init__(self, detail: str, remedy: str) -> None:
        super().__init__(detail)
        self.detail = detail
        self.remedy = remedy


class SlackDiagnosis:
    """The questions; safe to ask from several threads."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        slack = settings.slack
        self._token = slack.bot_token.get_secret_value()
        self._client = WebClient(self._token, base_url=slack.api_url, timeout=TIMEOUT_SECONDS)
        self._people = SlackPeople(self._token, slack.api_url, TIMEOUT_SECONDS)

    def bot_token(self) -> Verdict:
        """Tell whether the bot token is good."""
        variable = "SCICLOPS__SLACK__BOT_TOKEN"
        page = f"{PAGE} > OAuth & Permissions > Bot User OAuth Token"
        remedy = f"Set {variable} to the token that starts with xoxb- ({page})."
        if not self._token.startswith("xoxb-"):
            return problem("it is missing or no bot token", remedy)
        try:
            who = self._client.auth_test()
        except SlackApiError as error:
            return problem(_token_refusal(error), remedy)
        return fine(f"@{who['user']} in {who['team']}")

    def scopes(self) -> Verdict:
        """Tell whether the token holds every scope that the bot's calls need."""
        headers = {key.lower(): value for key, value in self._client.auth_test().headers.items()}
        given = {scope.strip() for scope in headers.get("x-oauth-scopes", "").split(",")}
        lacking = sorted(set(SCOPES) - given)
        if not lacking:
            return fine(f"all {len(SCOPES)} scopes are granted")
        return problem(
            f"the app lacks {', '.join(lacking)}",
            f"Add {', '.join(lacking)} at {PAGE} > OAuth & Permissions > Bot Token Scopes (or "
            f"paste the output of `sciclops manifest`), then {REINSTALL}.",
        )

    def app_token(self) -> Verdict:
        """Tell whether the bot may open Socket Mode connections."""
        token = self._settings.slack.app_token.get_secret_value()
        remedy = (
            "Set SCICLOPS__SLACK__APP_TOKEN to a token that starts with xapp- and has the scope "
            f"connections:write ({PAGE} > Basic Information > App-Level Tokens)."
        )
        if not token.startswith("xapp-"):
            return problem("it is missing or no app-level token", remedy)
        client = WebClient(token, base_url=self._settings.slack.api_url, timeout=TIMEOUT_SECONDS)
        try:
            client.apps_connections_open(app_token=token)
        except SlackApiError as error:
            return self._no_connection(error, remedy)
        return fine("Slack offers a Socket Mode connection")

    def _no_connection(self, error: SlackApiError, remedy: str) -> Verdict:
        if _code(error) in ("socket_mode_not_enabled", "not_allowed"):
            return problem(
                "the app does not use Socket Mode",
                f'Switch it on at {PAGE} > Socket Mode, or set slack.mode = "http".',
            )
        return problem(_token_refusal(error), remedy)

    def signing_secret(self) -> Verdict:
        """Tell whether there is a secret to tell Slack's requests from other people's."""
        if self._settings.slack.signing_secret.get_secret_value():
            return fine("it is set; only a request from Slack shows whether it is the right one")
        return problem(
            "there is none, so nobody could tell Slack's requests from forged ones",
            "Set SCICLOPS__SLACK__SIGNING_SECRET to the Signing Secret of "
            f"{PAGE} > Basic Information > App Credentials.",
        )

    def port(self) -> Verdict:
        """Tell whether the bot may listen where the settings say."""
        host, port = self._settings.slack.host, self._settings.slack.port
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        with socket.socket(family) as some:
            some.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                some.bind((host, port))
            except OSError as refused:
                return warning(
                    f"{host}:{port} cannot be listened at ({refused.strerror})",
                    "If the bot runs here already, all is well. Otherwise change slack.host or "
                    "slack.port.",
                )
        return fine(f"{host}:{port} is free")

    def channel(self, key: str, channel: str) -> Verdict:
        """Tell whether the channel exists, alive, with the bot in it."""
        wanted = (
            f"Set {key} to the id of a channel (Channel > About > Channel ID, like C0123456789)"
        )
        if not channel.startswith(("C", "G")):
            return problem(f"{channel!r} is no channel id", f"{wanted}.")
        try:
            found: dict[str, Any] = self._client.conversations_info(channel=channel)["channel"]
        except SlackApiError as error:
            if _code(error) != "channel_not_found":
                raise
            return problem(
                f"Slack shows the bot no channel {channel}",
                f"{wanted}; if the channel is private, invite the bot there first.",
            )
        return _channel_verdict(key, found)

    def role(self, role: str, group: str) -> Verdict:
        """Tell whether the role's user group exists, with somebody active in it."""
        members = self._members(f"roles.{role}", group)
        found = len(list(islice(self._active(members), 2)))
        if found:
            return fine(f"{group} has {'at least two' if found > 1 else 'one'} active")
        blocked = ""
        confirmer = self._settings.confirmation.create
        if role == "platform" and confirmer in ("platform", "second_person"):
            blocked = f', while confirmation.create = "{confirmer}" counts on it'
        return problem(
            f"{group} has no active member (guests and bots don't count){blocked}",
            f"Add people to the user group, or set roles.{role} to another one.",
        )

    def confirmation(self) -> Verdict:
        """Tell whether there will be somebody who may confirm a plan."""
        confirmer = self._settings.confirmation.create
        if confirmer != "second_person":
            return fine(f"confirmation.create = {confirmer}")
        members = self._members("roles.platform", self._settings.roles.platform)
        if len(list(islice(self._active(members), 2))) > 1:
            return fine("a second person can always be found in roles.platform")
        return problem(
            'confirmation.create = "second_person", but roles.platform has one active member: '
            "nobody could confirm what that person asks for without another owner",
            "Add a second person to the user group of roles.platform, or choose another "
            "confirmation.create.",
        )

    def approvals(self) -> Verdict:
        """Tell whether enough people may release, and are known at GitHub."""
        needed = self._settings.deployment.approvals_needed
        active = list(self._active(self._members("roles.release", self._settings.roles.release)))
        remedy = "Add people to the user group of roles.release, or lower approvals_needed."
        if len(active) < needed:
            return problem(
                f"{needed} approvals are needed, but roles.release has {len(active)} active: "
                "projects without more reviewers of their own could release nothing",
                remedy,
            )
        unknown = [user for user in active if user not in self._settings.github.logins]
        if unknown and not self._settings.can_link:
            return problem(
                f"nobody knows the GitHub login of {', '.join(unknown)}, so they may not decide",
                "Name them in github.logins, or let people link their accounts.",
            )
        if len(active) == needed:
            return warning(
                f"all {needed} active people of roles.release have to agree, so that nobody could "
                "release what one of them has begun",
                remedy,
            )
        return fine(f"{needed} of {len(active)} have to agree")

    def data_owners(self) -> Verdict:
        """Tell whether there is somebody to consent for each requestable securable."""
        wrong: list[str] = []
        for entry in self._settings.data:
            if entry.owners and not any(self._reachable(owner) for owner in entry.owners):
                wrong.append(f"{entry.securable} (owners {', '.join(entry.owners)})")
        if not wrong:
            owned = sum(bool(entry.owners) for entry in self._settings.data)
            return fine(f"{owned} of {len(self._settings.data)} data entries have an active owner")
        return problem(
            f"nobody active could consent to {'; '.join(wrong)}",
            "Correct `owners` of these [[data]] entries: ids of active users (U…) or of user "
            "groups (S…) with active members.",
        )

    # ------------------------------------------------------------------ people

    def _reachable(self, owner: str) -> bool:
        if not owner.startswith("S"):
            return self._people.is_active(owner)
        try:
            return any(self._active(self._members("owners", owner)))
        except BadGroupError:
            return False

    def _members(self, key: str, group: str) -> list[str]:
        for found in self._groups:
            if found["id"] != group:
                continue
            if found.get("date_delete"):
                raise BadGroupError(
                    f"the user group @{found['handle']} ({group}) is disabled",
                    f"Enable it in Slack (People > User groups), or set {key} to another one.",
                )
            members: list[str] = found.get("users") or []
            return members
        raise BadGroupError(
            f"there is no user group {group}",
            f"Set {key} to the id of one, which starts with S (People > User groups > the group > "
            "⋯ > Copy group ID).",
        )

    @cached_property
    def _groups(self) -> list[dict[str, Any]]:
        """Every user group with its members, asked once: Slack allows 20 such calls a minute."""
        answer = self._client.usergroups_list(include_users=True, include_disabled=True)
        groups: list[dict[str, Any]] = answer["usergroups"]
        return groups

    def _active(self, members: list[str]) -> Iterator[str]:
        return (user for user in members if self._people.is_active(user))


def _channel_verdict(key: str, found: dict[str, Any]) -> Verdict:
    name = f"#{found.get('name', found['id'])}"
    if found.get("is_archived"):
        return problem(
            f"{name} is archived", f"Unarchive it, or set {key} to the id of another channel."
        )
    if not found.get("is_member"):
        return problem(
            f"the bot is no member of {name}", f"Type /invite @sciclops in {name} ({key})."
        )
    return fine(name)


def _check(name: str, ask: Ask, needs: tuple[str, ...] = ()) -> Check:
    return Check(SYSTEM, name, _translated(ask), needs, SILENCE)


def _translated(ask: Ask) -> Ask:
    """Turn what Slack may always answer into a verdict."""

    @wraps(ask)
    def translated() -> Verdict:
        try:
            return ask()
        except BadGroupError as wrong:
            return problem(wrong.detail, wrong.remedy)
        except SlackApiError as error:
            return _of_code(error)
        except PermanentError as error:
            if isinstance(error.__cause__, SlackApiError):
                return _of_code(error.__cause__)
            raise
        except (SlackClientError, OSError) as error:
            return problem(f"Slack did not answer ({type(error).__name__})", SILENCE)

    return translated


def _of_code(error: SlackApiError) -> Verdict:
    code = _code(error)
    if code == "missing_scope":
        return skipped(f"the scope {error.response.get('needed', '?')} is missing: see “scopes”")
    if code == "ratelimited":
        return problem("Slack asks us to slow down", "Run it again in a minute.")
    return problem(f"Slack refused: {code}", f"See {PAGE}, and docs.slack.dev for {code}.")


def _token_refusal(error: SlackApiError) -> str:
    code = _code(error)
    if code == "missing_scope":
        return f"it lacks the scope {error.response.get('needed', 'connections:write')}"
    return f"Slack refused it ({code}): {TOKEN_REFUSALS.get(code, 'see docs.slack.dev')}"


def _code(error: SlackApiError) -> str:
    return str(error.response.get("error", "unknown"))
