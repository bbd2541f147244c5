"""`/sciclops list`: projects, filtered and paged."""

from commands.command import STATES, Answer, Command, Reply, Request, Role, Services, tell
from provisioning.store import Filter
from provisioning.tables import ProjectRow
from provisioning.text import Button, Notice, Table, Text, code, link, moment, person, quoted, say

PAGE = 10
MOST_DIGITS = 6
"""A longer number is no page, but part of a name."""


def show(request: Request, services: Services) -> Answer:
    """List projects: words are a page number, a state, `mine`, or part of a name."""
    page, filters = 1, []
    for word in request.words[1:]:
        if word.isdecimal() and len(word) <= MOST_DIGITS:
            page = max(int(word), 1)
        else:
            filters.append(word)
    wanted = read(filters, request.who)
    projects = services.store.projects
    found = projects.page(wanted, number=page - 1, size=PAGE)
    total = found.total
    if not total:
        return tell(nothing(filters), say("Ask for one with ", code("/sciclops new"), "."))
    pages = -(-total // PAGE)
    if page > pages:
        page = pages
        found = projects.page(wanted, number=page - 1, size=PAGE)
    rows = tuple(row(project) for project in found.rows)
    return Reply(
        Notice(
            summary=f"{total} project{'s' if total != 1 else ''}, page {page} of {pages}",
            title=f"Projects · {total}",
            table=Table(header=("Project", "State", "Requested by", "Requested"), rows=rows),
            footer=footer(page, pages),
            buttons=turns(filters, page, pages),
        )
    )


def read(filters: list[str], who: str) -> Filter:
    """Return what is to be listed; a state is asked for as it is shown, or as it is stored."""
    words = " ".join(filters).lower()
    for state, shown in STATES.items():
        words = words.replace(shown, state)
    asked = words.split()
    return Filter(
        text=next((word for word in asked if word not in (*STATES, "mine")), ""),
        state=next((word for word in asked if word in STATES), ""),
        owner=who if "mine" in asked else "",
    )


def nothing(filters: list[str]) -> str:
    """Say that there is nothing to list."""
    if not filters:
        return "There is no project."
    if [word.lower() for word in filters] == ["mine"]:
        return "You have no project."
    return f"No project matches {quoted(' '.join(filters))}."


def row(project: ProjectRow) -> tuple[Text, ...]:
    """Return the table row of a project."""
    url = project.repository_url
    return (
        say(link(project.name, url) if url else project.name),
        say(STATES[project.state]),
        say(person(project.requested_by)),
        say(moment(project.created_at)),
    )


def footer(page: int, pages: int) -> Text:
    """Say where we are and how to narrow it down."""
    narrowed = f" or a state ({', '.join(STATES.values())}) or part of a name"
    return say(f"Page {page} of {pages} · ", code("/sciclops list mine"), narrowed)


def turns(filters: list[str], page: int, pages: int) -> tuple[Button, ...]:
    """Return the buttons that turn the page."""
    buttons = []
    if page > 1:
        buttons.append(Button(label="Previous", words=("list", *filters, str(page - 1))))
    if page < pages:
        buttons.append(Button(label="Next", words=("list", *filters, str(page + 1))))
    return tuple(buttons)


COMMAND = Command(
    "list", "list [mine] [state] [part of a name] [page]", "List projects.", Role.USER, show
)
