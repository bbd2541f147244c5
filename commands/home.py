"""The App Home tab: what waits for me, and my projects. Not a sub-command."""

from commands.command import Services
from provisioning.board import read_operation
from provisioning.run_tasks import STATES
from provisioning.store import Filter
from provisioning.text import Button, Notice, Table, Text, bold, code, link, say

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
            ),
            buttons=(NEW,),
        )
    rows = tuple(
        (
            say(link(row.name, row.repository_url) if row.repository_url else row.name),
            say(row.state),
            say(row.created_at.date().isoformat()),
        )
        for row in mine.rows
    )
    more = f" The first {MOST} of {mine.total}." if mine.total > MOST else ""
    return Notice(
        summary="SciCLOps",
        title="Your projects",
        body=(*waiting, say(f"You own {mine.total}.{more}")),
        table=Table(header=("Project", "State", "Since"), rows=rows) if rows else None,
        buttons=(NEW, Button(label="All Projects", words=("list",))),
    )


def waiting_for(who: str, services: Services) -> tuple[Text, ...]:
    """Return a line for each run of mine that waits for a decision."""
    lines = []
    for row in services.store.operations.unended("waiting"):
        run = read_operation(row)
        if who == run.requested_by or who in run.spec.owners:
            lines.append(say(bold(run.project), f": {STATES[run.phase].lower()}"))
    return (say(bold("Waiting for you")), *lines) if lines else ()
