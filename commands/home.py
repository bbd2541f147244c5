"""The App Home tab: what waits for me, and my projects. Not a sub-command."""

from commands.command import STATES, Services
from provisioning.board import CONFIRM
from provisioning.question_message import subject
from provisioning.sandbox import Sandbox, time_left
from provisioning.sandbox_message import when
from provisioning.store import Filter
from provisioning.store.locks import held
from provisioning.tables import ApprovalRow, ProjectRow
from provisioning.text import Button, Notice, Table, Text, bold, code, link, moment, say

MOST = 20
NEW = Button(label="New Project", words=("new",), style="primary")


def home(who: str, services: Services) -> Notice:
    """Return one person's home."""
    mine = services.store.projects.page(Filter(owner=who), size=MOST)
    waiting = waiting_for(who, services)
    if not mine.total and not waiting:
        return Notice(
            summary="SciCLOps",
            title="Welcome to SciCLOps",
            body=(
                say(
                    "From an idea to production on Databricks: a repository with starter code, "
                    "four stages, and a deploy workflow. Ask for your first project here, or type ",
                    code("/sciclops new"),
                    " in any channel.",
                ),
                *account_of(who, services),
            ),
            buttons=(NEW,),
        )
    locks = {
        one.project: one for one in services.store.locks.among([row.name for row in mine.rows])
    }
    rows = tuple(
        (
            say(link(row.name, row.repository_url) if row.repository_url else row.name),
            say(STATES[row.state], ", locked" if row.name in locks else ""),
            say(moment(row.created_at)),
            end_of(row, services),
        )
        for row in mine.rows
    )
    more = f" The first {MOST} of {mine.total}." if mine.total > MOST else ""
    return Notice(
        summary="SciCLOps",
        title="Your projects",
        body=(
            *waiting,
            say(f"{count(mine.total)}.{more}"),
            *(say(*held(lock, services.clock.now())) for lock in locks.values()),
            *account_of(who, services),
        ),
        table=Table(header=("Project", "State", "Since", "Ends"), rows=rows) if rows else None,
        buttons=(NEW, Button(label="All Projects", words=("list",))),
    )


def end_of(row: ProjectRow, services: Services) -> Text:
    """Say when a sandbox ends and how long that is; other projects stay."""
    sandbox, now = Sandbox.of(row), services.clock.now()
    if sandbox is None:
        return say("–")
    left = f"{time_left(sandbox.ends, now)} left" if now < sandbox.ends else "over"
    return say(when(sandbox), f" ({left})")


def account_of(who: str, services: Services) -> tuple[Text, ...]:
    """Say which GitHub account somebody has linked, or how to link one."""
    if not services.linking.is_set_up:
        return ()
    if login := services.linking.login_of(who):
        return (say("At GitHub you are ", bold(login), "."),)
    return (say("To approve and deploy, link your GitHub account: ", code("/sciclops link")),)


def count(projects: int) -> str:
    """Say how many projects somebody has."""
    return {0: "You have no project yet", 1: "You have 1 project"}.get(
        projects, f"You have {projects} projects"
    )


def waiting_for(who: str, services: Services) -> tuple[Text, ...]:
    """Return a line for each question that waits for an answer of mine."""
    lines = []
    for row in services.store.operations.unended("waiting"):
        for question in services.store.approvals.of_operation(row.id, open_only=True):
            if may_answer(who, question, row.requested_by, services):
                is_plan = question.question == CONFIRM
                what = "confirmation" if is_plan else f"consent to {subject(question)}"
                lines.append(say(bold(row.project), f": your {what}"))
    lines += releases_for(who, services)
    return (say(bold("Waiting for you")), *lines) if lines else ()


def releases_for(who: str, services: Services) -> list[Text]:
    """Return a line for each release that somebody was asked to decide."""
    return [
        say(bold(one.project), f": your decision on {one.environment}")
        for one in services.store.releases.unsettled()
        if one.state == "open" and services.releasing.asks(one, who)
    ]


def may_answer(who: str, question: ApprovalRow, requested_by: str, services: Services) -> bool:
    """Tell whether a question is somebody's to answer; who only belongs to a group, too."""
    about_data = question.question != CONFIRM
    if about_data and who == requested_by:
        return False
    named = tuple(question.approvers)
    return services.people.is_among(who, named)
