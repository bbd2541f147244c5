"""The App Home tab: what waits for me, my projects, what runs out, recent runs. No sub-command."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

from commands.command import STATES, Services
from provisioning.board import CONFIRM, read_operation
from provisioning.operation_kinds import KINDS as KINDS_OF_RUNS
from provisioning.operation_kinds import kind_of
from provisioning.project_health import Health, health_of
from provisioning.question_message import asked_for
from provisioning.run_message import elapsed
from provisioning.sandbox import Sandbox, time_left
from provisioning.sandbox_message import when
from provisioning.store import Filter, Page
from provisioning.store.locks import held
from provisioning.store.overview import OpenQuestion
from provisioning.tables import OperationRow, ProjectRow
from provisioning.text import Button, Notice, Table, Text, bold, channel, code, link, moment, say

PAGE = 10
MOST_LINES = 12
"""So many things that wait are named; what is more is counted."""
MOST_ENDING = 5
"""So many sandboxes, and so many keys, are named that run out."""
RECENT = 5
SANDBOXES_WITHIN, KEYS_WITHIN = timedelta(days=7), timedelta(days=14)
NEW = Button(label="New Project", words=("new",), style="primary")
TURN = "home"
"""The first word of what turns this page; the edge shows it again, nothing is decided."""
Kind = Literal["", "attention", "sandbox"]
KINDS: Mapping[Kind, str] = {"": "All", "attention": "Needs Attention", "sandbox": "Sandboxes"}


@dataclass(frozen=True)
class Turn:
    """Which part of somebody's projects is shown."""

    page: int = 1
    kind: Kind = ""
    text: str = ""

    @staticmethod
    def read(words: Sequence[str]) -> "Turn":
        """Return what a button's words ask for; the first page of all, where they make no sense."""
        _, page, kind, *text = (*words, "", "", "")
        number = int(page) if page.isdecimal() and len(page) < 7 else 1
        return Turn(page=max(number, 1), kind=kind_named(kind), text=" ".join(text).strip())

    def words(
        self, page: int = 1, kind: Kind | None = None, text: str | None = None
    ) -> tuple[str, ...]:
        """Return what a button types that turns to another page or kind."""
        chosen = self.kind if kind is None else kind
        return (TURN, str(page), chosen, self.text if text is None else text)


def kind_named(word: str) -> Kind:
    """Return the kind of projects that a word names; all where it names none."""
    for kind in KINDS:
        if kind == word:
            return kind
    return ""


@dataclass(frozen=True)
class Home:
    """Sections from top to bottom, and `below` those under the field that filters by name.

    `text` is what names are filtered by; None where there is nothing to filter.
    """

    sections: tuple[Notice, ...]
    text: str | None = None
    below: tuple[Notice, ...] = ()


def home(who: str, services: Services, turn: Turn | None = None) -> Home:
    """Return one person's home."""
    waiting = waiting_for(who, services)
    all_mine = services.store.projects.count(Filter(owner=who))
    if not all_mine and not waiting:
        return Home(sections=(welcome(who, services),))
    found, turn = page_of(who, services, turn or Turn())
    runs = channel(services.policy.channel)
    sections = (
        *titled("Waiting for you", waiting, say("The buttons are in ", runs, ".")),
        projects(who, services, turn, found, all_mine),
    )
    below = (
        *titled("Running out", tuple(running_out(who, services))),
        *titled("Recent runs", tuple(recent(who, services))),
    )
    return Home(sections=sections, text=turn.text if all_mine else None, below=below)


def page_of(who: str, services: Services, turn: Turn) -> tuple[Page, Turn]:
    """Return the page that is asked for, or the last one there is."""
    wanted = Filter(owner=who, text=turn.text, kind=turn.kind)
    found = services.store.projects.page(wanted, number=turn.page - 1, size=PAGE)
    last = max(-(-found.total // PAGE), 1)
    if turn.page <= last:
        return found, turn
    found = services.store.projects.page(wanted, number=last - 1, size=PAGE)
    return found, Turn(page=last, kind=turn.kind, text=turn.text)


def welcome(who: str, services: Services) -> Notice:
    """Return what newcomers read."""
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


def titled(title: str, lines: tuple[Text, ...], footer: Text = ()) -> tuple[Notice, ...]:
    """Return a section with these lines, or none where there are none."""
    if not lines:
        return ()
    more = len(lines) - MOST_LINES
    shown = (*lines[:MOST_LINES], say(f"… and {more} more")) if more > 0 else lines
    return (Notice(summary=title, title=title, body=shown, footer=footer),)


# ---------------------------------------------------------------------- my projects


def projects(who: str, services: Services, turn: Turn, found: Page, mine: int) -> Notice:
    """Return somebody's projects with their health, page by page."""
    names = [row.name for row in found.rows]
    locks = {one.project: one for one in services.store.locks.among(names)}
    health = healths(found.rows, services)
    rows = tuple(
        (
            say(link(row.name, row.repository_url) if row.repository_url else row.name),
            say(STATES[row.state], ", locked" if row.name in locks else ""),
            say(health[row.name].said(services.clock.now()) if is_made(row) else "–"),
            say(health[row.name].stages() if is_made(row) else "–"),
            say(moment(row.created_at)),
            end_of(row, services),
        )
        for row in found.rows
    )
    header = ("Project", "State", "Health", "Last deployments", "Requested", "Ends")
    pages = max(-(-found.total // PAGE), 1)
    return Notice(
        summary="SciCLOps",
        title="Your projects",
        body=(
            say(f"{count(mine)}.", *narrowed(turn, found.total)),
            *(say(*held(lock, services.clock.now())) for lock in locks.values()),
            *account_of(who, services),
        ),
        table=Table(header=header, rows=rows) if rows else None,
        footer=say(f"Page {turn.page} of {pages}") if pages > 1 else (),
        buttons=(NEW, *turns(turn, pages), *kinds(turn, mine), ALL),
    )


ALL = Button(label="All Projects", words=("list",))


def is_made(row: ProjectRow) -> bool:
    """Tell whether a project exists whose health can be told."""
    return row.state == "ready"


def healths(rows: Sequence[ProjectRow], services: Services) -> Mapping[str, Health]:
    """Return how projects fare, by name: a few questions for all of them together."""
    names, overview = [row.name for row in rows if is_made(row)], services.store.overview
    if not names:
        return {}
    drifts, seen = overview.drifts(names), overview.health(names)
    runs, refused = overview.deployments(names), overview.refused(names)
    return {
        row.name: health_of(
            row, drifts.get(row.name), seen.get(row.name), runs.get(row.name, ()), refused
        )
        for row in rows
        if is_made(row)
    }


def narrowed(turn: Turn, total: int) -> tuple[str, ...]:
    """Say what the list was narrowed down to."""
    parts = [KINDS[turn.kind]] if turn.kind else []
    parts += [f"names with “{turn.text}”"] if turn.text else []
    return (f" Shown: {', '.join(parts)} ({total}).",) if parts else ()


def turns(turn: Turn, pages: int) -> Iterator[Button]:
    """Yield the buttons that turn the page."""
    if turn.page > 1:
        yield Button(label="Previous", words=turn.words(turn.page - 1))
    if turn.page < pages:
        yield Button(label="Next", words=turn.words(turn.page + 1))


def kinds(turn: Turn, mine: int) -> Iterator[Button]:
    """Yield the buttons that narrow the list down, or widen it again."""
    if not mine:
        return
    if turn.kind or turn.text:
        yield Button(label="Show All of Mine", words=turn.words(kind="", text=""))
    for kind, label in KINDS.items():
        if kind and kind != turn.kind:
            yield Button(label=label, words=turn.words(kind=kind))


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


# ---------------------------------------------------------------------- what waits


def waiting_for(who: str, services: Services) -> tuple[Text, ...]:
    """Return a line for each question, value and release that waits for me."""
    asked: dict[tuple[str, ...], bool] = {}
    lines = []
    for question in services.store.overview.open_questions():
        named = question.approvers
        if named not in asked:
            asked[named] = services.people.is_among(who, named)
        if asked[named] and may_answer(who, question):
            lines.append(say(bold(question.project), f": your {what(question)}"))
    return (*lines, *values_for(who, services), *releases_for(who, services))


def may_answer(who: str, question: OpenQuestion) -> bool:
    """Tell whether somebody who was named may answer: nobody consents to their own request."""
    return question.question == CONFIRM or who != question.requested_by


def what(question: OpenQuestion) -> str:
    """Say what is asked for."""
    if question.question != CONFIRM:
        return f"consent to {asked_for(question.question)}"
    return f"confirmation ({(KINDS_OF_RUNS[question.kind].title or 'New project').lower()})"


def values_for(who: str, services: Services) -> Iterator[Text]:
    """Yield a line for each value that owners like me have to enter."""
    for row in services.store.operations.unended("entering"):
        run = read_operation(row)
        if run.facts.secret and who in run.in_force.owners:
            yield say(bold(run.project), ": the value of ", code(run.facts.secret.name))


def releases_for(who: str, services: Services) -> list[Text]:
    """Return a line for each release that somebody was asked to decide."""
    waiting = [one for one in services.store.releases.unsettled() if one.state == "open"]
    return [
        say(bold(one.project), f": your decision on {one.environment}")
        for one in services.releasing.asked(waiting, who)
    ]


# ---------------------------------------------------------------------- what runs out, what ran


def running_out(who: str, services: Services) -> Iterator[Text]:
    """Yield a line for each sandbox of mine that ends soon, and each key that is due soon."""
    now, overview = services.clock.now(), services.store.overview
    last_day = (now + SANDBOXES_WITHIN).date()
    ending = overview.sandboxes(who, last_day, MOST_ENDING + 1)
    for row in ending[:MOST_ENDING]:
        yield say(bold(row.name), ": the sandbox ends ", *end_of(row, services))
    if ending[MOST_ENDING:]:
        yield say("… and more sandboxes")
    has_keys = services.policy.authentication == "secret"
    due = overview.keys_due(who, now + KEYS_WITHIN, MOST_ENDING + 1) if has_keys else ()
    for seen in due[:MOST_ENDING]:
        late = "has been due since" if seen.key_due_at and seen.key_due_at <= now else "is due"
        at = (moment(seen.key_due_at),) if seen.key_due_at else ()
        yield say(bold(seen.project), f": the key of {seen.key_of} {late} ", *at)
    if due[MOST_ENDING:]:
        yield say("… and more keys")


def recent(who: str, services: Services) -> Iterator[Text]:
    """Yield a line for each of the latest runs on my projects."""
    for row in services.store.overview.recent_runs(who, RECENT):
        yield run_line(row, services)


def run_line(row: OperationRow, services: Services) -> Text:
    """Say what a run does, how it stands, and how long it has taken."""
    run = read_operation(row)
    words, state = run.kind.replace("_", " "), kind_of(run).state(run.phase).lower()
    took = elapsed(run, services.clock.now())
    return say(bold(run.project), f": {words}, {state}, {took} (", moment(row.created_at), ")")
