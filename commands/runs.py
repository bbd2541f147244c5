"""`/sciclops runs`: a project's latest workflow runs."""

from commands.command import Answer, Command, Reply, Request, Role, Services, required_word, tell
from provisioning.deployment_message import state_of, what
from provisioning.store import Followed
from provisioning.text import Notice, Table, Text, code, link, moment, quoted, say

MOST = 10


def show(request: Request, services: Services) -> Answer:
    """List the latest runs, newest first."""
    project = required_word(request, "project", "its name")
    if services.store.projects.get(project) is None:
        return tell(say(f"There is no project {quoted(project)}. ", code("/sciclops list"), "."))
    runs = services.store.workflow_runs.of_project(project, MOST)
    if not runs:
        return tell(f"{project} has had no workflow run yet.")
    rows = tuple(row(run, services) for run in runs)
    return Reply(
        Notice(
            summary=f"Workflow runs of {project}",
            title=f"Workflow runs · {project}",
            table=Table(header=("Run", "What", "State", "Commit", "Since"), rows=rows),
        )
    )


def row(followed: Followed, services: Services) -> tuple[Text, ...]:
    """Return the table row of a run."""
    run = followed.run
    releases = services.store.releases.of_run(run.id)
    return (
        say(link(str(run.id), run.url) if run.url else str(run.id)),
        say(what(run)),
        say(state_of(run, releases)),
        say(code(run.sha[:8] or "?"), f" {run.title[:60]}"),
        say(moment(run.created_at)),
    )


COMMAND = Command(
    "runs", "runs <project>", "Show a project's latest workflow runs.", Role.USER, show
)
