"""`/sciclops status <project>`: where a project stands, and its latest run."""

from commands.command import STATES, Answer, Command, Reply, Request, Role, Services, required_word
from provisioning.board import read_operation
from provisioning.deployment_message import state_of, what
from provisioning.errors import SciclopsError
from provisioning.key_ages import days
from provisioning.living import known
from provisioning.operation_kinds import kind_of
from provisioning.project import ProjectSpec, template_title
from provisioning.run_message import elapsed
from provisioning.sandbox import Sandbox, counted, time_left
from provisioning.sandbox_message import when
from provisioning.store.locks import held
from provisioning.tables import ProjectRow
from provisioning.text import Fact, Notice, Text, code, link, moment, person, say

LONGEST_WAIT = 10.0
"""So many seconds Databricks has for telling how old keys are."""


def show(request: Request, services: Services) -> Answer:
    """Show one project."""
    name = required_word(request, "project", "its name")
    project = known(services.store, name)
    spec = ProjectSpec.model_validate(project.spec)
    facts = [
        Fact(label="State", value=say(STATES[project.state])),
        *locked(name, services),
        Fact(label="Requested by", value=say(person(project.requested_by))),
        Fact(label="Owners", value=say(*(part for o in spec.owners for part in (person(o), " ")))),
        Fact(label="Workspace groups", value=say(", ".join(spec.workspace_groups))),
        Fact(label="Template", value=say(template_title(spec.template))),
        Fact(label="Requested", value=say(moment(project.created_at))),
    ]
    if project.repository_url:
        url = project.repository_url
        facts.append(Fact(label="Repository", value=say(link(url.removeprefix("https://"), url))))
    if sandbox := Sandbox.of(project):
        facts.append(Fact(label="Sandbox until", value=end(sandbox, services)))
    runs = services.store.operations.of_project(name)
    if runs:
        run = read_operation(runs[0])
        what = run.kind.replace("_", " ")
        state = kind_of(run).state(run.phase).lower()
        took = elapsed(run, services.clock.now())
        facts.append(
            Fact(
                label="Latest run",
                value=say(code(run.id), f" {what}: {state}, {took}"),
            )
        )
    facts += deployments(name, services)
    facts += keys(project, services)
    return Reply(
        Notice(
            summary=f"Project {name} is {STATES[project.state]}",
            title=f"Project {name}",
            facts=tuple(facts),
        )
    )


def locked(name: str, services: Services) -> list[Fact]:
    """Return who has locked the project, and why."""
    lock = services.store.locks.of(name)
    now = services.clock.now()
    return [Fact(label="Locked", value=say(*held(lock, now)))] if lock else []


def end(sandbox: Sandbox, services: Services) -> Text:
    """Say when a sandbox ends, how long that is, and how often it was put off."""
    now = services.clock.now()
    left = f"{time_left(sandbox.ends, now)} left" if now < sandbox.ends else "its end has passed"
    often = f", extended {counted(sandbox.extensions, 'time')}" if sandbox.extensions else ""
    return say(when(sandbox), f" ({left}{often})")


def deployments(name: str, services: Services) -> list[Fact]:
    """Return how the latest workflow run stands, and what waits for reviewers."""
    facts = []
    for followed in services.store.workflow_runs.of_project(name, 1):
        run = followed.run
        shown = link(str(run.id), run.url) if run.url else code(str(run.id))
        state = state_of(run, services.store.releases.of_run(run.id)).lower()
        facts.append(
            Fact(label="Latest workflow run", value=say(shown, f" {what(run).lower()}: {state}"))
        )
    waiting = [one for one in services.store.releases.unsettled(name) if one.state == "open"]
    if waiting:
        names = ", ".join(f"{one.environment} ({one.sha[:8]})" for one in waiting)
        facts.append(Fact(label="Waits for approval", value=say(names)))
    return facts


def keys(project: ProjectRow, services: Services) -> list[Fact]:
    """Return how old the project's keys are, where there are any; Databricks knows."""
    if services.policy.authentication != "secret" or project.state != "ready":
        return []
    asked = services.vendors.submit(services.key_ages.keys, project)
    try:
        found = asked.result(LONGEST_WAIT)
    except (SciclopsError, TimeoutError):
        return [Fact(label="Keys", value=say("Databricks did not tell how old they are"))]
    now = services.clock.now()
    said = ", ".join(f"{one.environment.name} {days(one.age(now))}" for one in found)
    return [Fact(label="Keys' age", value=say(said or "there are none"))]


COMMAND = Command("status", "status <project>", "Show where a project stands.", Role.USER, show)
