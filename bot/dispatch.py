"""From words to the command they name, and from errors to words: the same for every door."""

import logging
from dataclasses import replace
from uuid import uuid4

from commands import ALL, HELP
from commands.command import Answer, Command, Reply, Request, Role, Services, tell
from provisioning.errors import PermanentError, SciclopsError, TemporaryError, UserError
from provisioning.ports import Choice
from provisioning.text import Span, Text, code, say

log = logging.getLogger(__name__)

COMMANDS: dict[str, Command] = {command.name: command for command in (*ALL, HELP)}


def dispatch(request: Request, services: Services) -> Answer:
    """Return the answer to what somebody typed, pressed or submitted.

    Raises the errors of `provisioning.errors`; rights are checked here, live, every time.
    """
    name = request.word(0).lower()
    command = COMMANDS.get(name, HELP)
    _require_role(command, request.who, services)
    if name in COMMANDS:
        request = replace(request, words=(name, *request.words[1:]))
    return command.run(request, services)


def checks_first(request: Request) -> bool:
    """Tell whether vendors are asked before the form opens that a request may want."""
    command = COMMANDS.get(request.word(0).lower())
    return command is not None and command.checks_first


def suggest(request: Request, field: str, query: str, services: Services) -> tuple[Choice, ...]:
    """Return the options of a form's type-ahead field."""
    command = COMMANDS.get(request.word(0))
    if command is None or command.suggest is None:
        return ()
    return command.suggest(field, query, services)


def explain(error: BaseException) -> Reply:
    """Say what happened and what to do; an unknown error gets a reference, never its own text."""
    if isinstance(error, UserError):
        return tell(error.said)
    if isinstance(error, TemporaryError):
        return tell(
            f"That did not work just now: {error}. If it was a decision, it may have been stored: "
            "look at the message of the run, or try again soon."
        )
    if isinstance(error, PermanentError | SciclopsError):
        return tell(f"That cannot work: {error}")
    reference = uuid4().hex[:8]
    log.error("unexpected error, reference %s", reference, exc_info=error)
    return tell(
        say(
            "Something unexpected happened and nothing more was done. "
            "Tell the platform team this reference: ",
            code(reference),
        )
    )


def explain_form(error: BaseException) -> Text:
    """Say why a form could not be taken that is still open, with all that was entered."""
    if isinstance(error, TemporaryError):
        return say(f"{error}; please try again. Nothing is wrong with what you entered.")
    return in_full(explain(error))


def in_full(reply: Reply) -> Text:
    """Return all words of a reply, for a dialog."""
    spans: list[str | Span] = []
    for line in reply.notice.body:
        spans += [" ", *line]
    return say(*spans[1:])


def _require_role(command: Command, who: str, services: Services) -> None:
    """Refuse who may not use a command; rights over one project are decided where it is known."""
    policy, people = services.policy, services.people
    if not people.is_active(who):
        raise UserError("Only full members of this workspace may use SciCLOps.")
    if command.role is Role.PLATFORM and not people.is_among(who, (policy.platform_group,)):
        raise UserError("Only the platform team may do this.")
    if command.role is not Role.USER or not policy.users_group:
        return
    if not people.is_among(who, (policy.users_group, policy.platform_group)):
        raise UserError("You are not in the group of people who may use SciCLOps.")
