"""`/sciclops runs`: what was done to a project lately, by the bot and by its workflow."""

from datetime import datetime

from commands.command import Answer, Command, Reply, Request, Role, Services, required_word, tell
from provisioning.board import read_operation
from provisioning.deployment_message import state_of, what
from provisioning.living import known
from provisioning.operation import Operation
from provisioning.operation_kinds import kind_of
from provisioning.store import Followed
from provisioning.text import Notice, Table, Text, code, link, moment, person, say

MOST = 10
Row = tuple[datetime, tuple[Text, ...]]


def show(request: Request, services: Services) -> Answer:
    """List the latest runs of both kinds, newest first."""
    project = required_word(request, "project", "its name")
    known(services.store, project)
    ours = [read_operation(row) for row in services.store.operations.of_project(project)[:MOST]]
    theirs = services.store.workflow_runs.of_project(project, MOST)
    found = [*map(operation, ours), *(workflow_run(run, services) for run in theirs)]
    if not found:
        return tell(f"{project} has had no run yet.")
    found.sort(key=lambda one: one[0], reverse=True)
    return Reply(
        Notice(
            summary=f"Runs of {project}",
            title=f"Runs · {project}",
            table=Table(
                header=("Run", "What", "State", "About", "Since"),
                rows=tuple(cells for _, cells in found[:MOST]),
            ),
        )
    )


def operation(run: Operation) -> Row:
    """Return the table row of an operation: what the bot does, with Terraform or without."""
    counts = f"{run.facts.plan.counts}, " if run.facts.plan else ""
    cells = (
        say(code(run.id)),
        say(run.kind.replace("_", " ").capitalize()),
        say(kind_of(run).state(run.phase)),
        say(f"{counts}asked for by ", person(run.requested_by)),
        say(moment(run.created_at)),
    )
    return run.created_at, cells


def workflow_run(followed: Followed, services: Services) -> Row:
    """Return the table row of a workflow run at GitHub."""
    run = followed.run
    releases = services.store.releases.of_run(run.id)
    cells = (
        say(link(str(run.id), run.url) if run.url else str(run.id)),
        say(what(run)),
        say(state_of(run, releases)),
        say(code(run.sha[:8] or "?"), f" {run.title[:60]}"),
        say(moment(run.created_at)),
    )
    return run.created_at, cells


COMMAND = Command(
    "runs",
    "runs <project>",
    "Show a project's latest runs: the bot's own and its workflow's.",
    Role.USER,
    show,
)
