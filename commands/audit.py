"""`/sciclops audit`: who did what to a project, newest first; or all of it as a file."""

import re

from commands.command import Answer, Command, Reply, Request, Role, Services, required_word, tell
from provisioning.audit import Trail
from provisioning.audit_export import FORMATS, Format, actor, artefact, export, login, summary
from provisioning.errors import UserError
from provisioning.living import known
from provisioning.operation import operation_id
from provisioning.project import ProjectSpec
from provisioning.store import Attachment, Message
from provisioning.tables import AuditRow
from provisioning.text import Button, Notice, Table, Text, code, moment, quoted, say

PAGE = 10
PAGE_NUMBER = re.compile("[1-9][0-9]{0,8}")
EXPORT = "export"
ONLY_OWNERS = "Only an owner of {project} or the platform team may read its audit trail."


def show(request: Request, services: Services) -> Answer:
    """Show a page of a project's trail, or send it whole to who asks: `audit <project> export`."""
    project = required_word(request, "project", "its name")
    require_right(project, request.who, services)
    trail = services.store.trail(project)
    if request.word(2).lower() == EXPORT:
        return send(request, project, trail, services)
    pages = max(1, -(-len(trail.rows) // PAGE))
    page = min(number(request.word(2)), pages)
    newest = tuple(reversed(trail.rows))[(page - 1) * PAGE : page * PAGE]
    return Reply(
        Notice(
            summary=f"Audit of {project}: {len(trail.rows)} entries, page {page} of {pages}",
            title=f"Audit · {project}",
            body=(verdict(trail),),
            table=Table(
                header=("No.", "When", "Who", "What", "About"),
                rows=tuple(cells(row, services) for row in newest),
            ),
            footer=say(f"Page {page} of {pages} · ", code(f"/sciclops audit {project} export")),
            buttons=turns(project, page, pages),
        )
    )


def number(word: str) -> int:
    """Return the number of a page, the first one unless another is named."""
    if not word:
        return 1
    if not PAGE_NUMBER.fullmatch(word):
        raise UserError(f"There is no page {quoted(word)}: say a number, or {EXPORT}.")
    return int(word)


def require_right(project: str, who: str, services: Services) -> None:
    """Refuse who is neither an owner nor in the platform team."""
    row = known(services.store, project)
    is_owner = who in ProjectSpec.model_validate(row.spec).owners
    if not is_owner and not services.locks.is_platform(who):
        raise UserError(ONLY_OWNERS.format(project=project))


def verdict(trail: Trail) -> Text:
    """Say whether the chain is whole."""
    if trail.fault is None:
        return say(f"Chain verified: {len(trail.rows)} rows.")
    return say(
        f"The chain is broken: {trail.fault}. Somebody or something has changed the trail behind "
        "the bot's back: compare it with a backup or an earlier export."
    )


def cells(row: AuditRow, services: Services) -> tuple[Text, ...]:
    """Return the table row of an entry."""
    named = login(row, services.linking)
    hashed = artefact(row)[:12]
    return (
        say(str(row.sequence)),
        say(moment(row.at)),
        say(actor(row), f" ({named})" if named else ""),
        say(row.what.replace("_", " ")),
        say(*((code(hashed), " ") if hashed else ()), *summary(row)),
    )


def turns(project: str, page: int, pages: int) -> tuple[Button, ...]:
    """Return the buttons: turn the page, or get it all."""
    buttons = []
    if page > 1:
        buttons.append(Button(label="Newer", words=("audit", project, str(page - 1))))
    if page < pages:
        buttons.append(Button(label="Older", words=("audit", project, str(page + 1))))
    return (*buttons, Button(label="Export", words=("audit", project, EXPORT)))


def send(request: Request, project: str, trail: Trail, services: Services) -> Answer:
    """Send the trail as a file to who asks, directly; that they have it is part of the trail."""
    form = read(request.word(3))
    name = f"audit-{project}-{operation_id(request.key).removeprefix('run-')}.{form}"
    file = Attachment(name=name, text=export(trail, form, services.people, services.linking))
    services.store.messages.show(
        Message(key=f"audit:{name}", recipient=request.who, content=file, urgent=True)
    )
    exported = {"rows": len(trail.rows), "format": form, "fault": trail.fault or ""}
    services.store.note(project, request.who, "exported the audit trail", exported)
    return tell(
        say(f"{len(trail.rows)} entries come to you directly, as ", code(name), "."), verdict(trail)
    )


def read(word: str) -> Format:
    """Return the format of an export; CSV unless another one is named."""
    for form in FORMATS:
        if word.lower() in (form, "" if form == FORMATS[0] else form):
            return form
    formats = " or ".join(FORMATS)
    raise UserError(f"There is no format {quoted(word)}: say {formats}. Nothing was exported.")


COMMAND = Command(
    "audit",
    "audit <project> [page | export [csv|jsonl]]",
    "Show who did what to a project, or send it to you as a file.",
    Role.ANYBODY,
    show,
)
