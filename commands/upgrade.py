"""`/sciclops upgrade`: the present template for one project, or for all, and how all stand."""

from collections.abc import Callable

from commands.command import (
    Answer,
    Command,
    Reply,
    Request,
    Role,
    Services,
    Start,
    required_word,
    tell,
)
from provisioning.errors import UserError
from provisioning.fleet_message import MOST_NAMED, overview
from provisioning.project import ProjectSpec, template_title
from provisioning.tables import ProjectRow
from provisioning.text import Button, Notice, Table, Text, code, link, say
from provisioning.upgrade_tables import VersionRow
from provisioning.versions import STANDINGS, Standing

PAGE = 10
NAMED: tuple[Standing, ...] = ("failed", "conflicts", "behind")
"""Of which projects the overview names the first ones."""
ONLY_PLATFORM = "Not done: only the platform team upgrades all projects."
YES = "--yes"


def upgrade(request: Request, services: Services) -> Answer:
    """Upgrade what the words name; flags are about all projects."""
    name = required_word(request, "project", "its name, or --all")
    about_all = ABOUT_ALL.get(name)
    if about_all is not None:
        return about_all(request, services)
    wanted = services.upgrading.wanted(name, by=request.who)
    if not wanted.kind:
        return tell(
            f"{name} is current: it has the present version of its template, and its "
            "infrastructure is made from the present Terraform modules. Nothing was started."
        )
    ways = "a pull request offers what is new of the template"
    if wanted.upgrade.modules:
        ways = f"Terraform plans with the present modules, then {ways}"
    said = say(f"The upgrade of {name} is on its way: {ways}. The channel shows how it goes.")
    facts = {"upgrade": wanted.upgrade.model_dump(mode="json")}
    return Start(wanted.spec, said, kind=wanted.kind, facts=facts)


def everything(request: Request, services: Services) -> Answer:
    """Ask once more, then begin to offer all projects the present versions."""
    require_platform(request.who, services)
    number = services.fleet.to_upgrade()
    if not number:
        return tell("All projects are current or have an open pull request. Nothing was started.")
    if request.word(2) != YES:
        words = ("upgrade", "--all", YES)
        return tell(
            f"Offer {number} project{'' if number == 1 else 's'} the present version of their "
            "template, by a pull request each? Canaries come first, then sandboxes, then the rest.",
            buttons=(Button(label="Upgrade All", words=words, style="primary"),),
        )
    services.fleet.begin(by=request.who, key=request.key)
    return tell("The upgrade of all projects is under way. The channel shows how it goes.")


def pause(request: Request, services: Services) -> Answer:
    """Begin with no further project."""
    require_platform(request.who, services)
    services.fleet.pause()
    return tell(
        "Paused: no further project begins, those under way go on to their end. ",
        say(code("/sciclops upgrade --resume"), " goes on."),
    )


def resume(request: Request, services: Services) -> Answer:
    """Go on with what was paused or halted."""
    require_platform(request.who, services)
    services.fleet.resume()
    return tell("The upgrade of all projects goes on. The channel shows how it goes.")


def require_platform(who: str, services: Services) -> None:
    """Refuse everybody but the platform team."""
    if not services.people.is_among(who, (services.policy.platform_group,)):
        raise UserError(ONLY_PLATFORM)


def status(request: Request, services: Services) -> Answer:
    """Show how all projects stand, or a page of those that stand in one way."""
    standing = request.word(2).lower()
    versions, present = services.store.versions, services.upgrading.present()
    counts = versions.counts(present)
    if standing in STANDINGS:
        return listed(request, services, counts.get(standing, 0))
    if standing:
        raise UserError(f"Say one of {', '.join(STANDINGS)}, or nothing for an overview.")
    named: dict[Standing, list[str]] = {
        one: [project.name for project, _ in versions.standing(present, (one,), limit=MOST_NAMED)]
        for one in NAMED
    }
    other = versions.with_other_modules(services.upgrading.modules)
    return Reply(overview(counts, named, other, services.fleet.progress()))


def listed(request: Request, services: Services, total: int) -> Answer:
    """List the projects that stand in one way, page by page."""
    standing: Standing = next(one for one in STANDINGS if one == request.word(2).lower())
    pages = max(1, -(-total // PAGE))
    asked = int(request.word(3)) if request.word(3).isdecimal() else 1
    page = min(max(asked, 1), pages)
    found = services.store.versions.standing(
        services.upgrading.present(), (standing,), limit=PAGE, offset=(page - 1) * PAGE
    )
    rows = tuple(row(project, version) for project, version in found)
    words = ("upgrade", "--status", standing)
    turns = {"Previous": page - 1, "Next": page + 1}
    return Reply(
        Notice(
            summary=f"{STANDINGS[standing]}: {total}, page {page} of {pages}",
            title=f"{STANDINGS[standing]} · {total}",
            table=Table(header=("Project", "Template", "Version", "About"), rows=rows),
            footer=say(f"Page {page} of {pages}"),
            buttons=tuple(
                Button(label=label, words=(*words, str(number)))
                for label, number in turns.items()
                if 1 <= number <= pages
            ),
        )
    )


def row(project: ProjectRow, version: VersionRow | None) -> tuple[Text, ...]:
    """Return the table row of a project."""
    spec = ProjectSpec.model_validate(project.spec)
    known = version or VersionRow(project=project.name, template=spec.template)
    about: Text = say(known.trouble)
    if known.pull_url and not known.trouble:
        about = say(link(f"pull request {known.pull}", known.pull_url))
    return (
        say(link(project.name, project.repository_url) if project.repository_url else project.name),
        say(template_title(spec.template)),
        say(known.version_name or "unknown"),
        about,
    )


ABOUT_ALL: dict[str, Callable[[Request, Services], Answer]] = {
    "--all": everything,
    "--pause": pause,
    "--resume": resume,
    "--status": status,
}
COMMAND = Command(
    "upgrade",
    "upgrade <project>|--all|--pause|--resume|--status",
    "Offer a project, or all, the present version of its template.",
    Role.USER,
    upgrade,
)
