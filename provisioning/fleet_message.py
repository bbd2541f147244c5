"""How an upgrade of all projects stands, as a message: pure."""

from collections.abc import Iterator, Mapping, Sequence

from provisioning.rings import MEMBERS, RINGS, MemberState
from provisioning.text import Button, Fact, Notice, Task, Text, bold, code, person, say
from provisioning.upgrade_tables import FleetRow
from provisioning.versions import STANDINGS, Standing

MOST_NAMED = 10
"""So many projects are named of those that need somebody."""
STATES = {
    "running": "Under way",
    "paused": "Paused",
    "halted": "Halted, too much has failed",
    "done": "Done",
}
BUTTONS: dict[str, tuple[Button, ...]] = {
    "running": (Button(label="Pause", words=("upgrade", "--pause")),),
    "paused": (Button(label="Resume", words=("upgrade", "--resume"), style="primary"),),
    "halted": (Button(label="Try Again", words=("upgrade", "--resume"), style="primary"),),
    "done": (),
}
Counts = Mapping[tuple[int, str], int]


def fleet_notice(
    fleet: FleetRow, counts: Counts, named: Mapping[MemberState, Sequence[str]]
) -> Notice:
    """Return the message; `named` are the first projects of the states that need somebody."""
    state = STATES[fleet.state]
    return Notice(
        summary=f"Upgrade of all projects: {state.lower()}",
        title=f"Upgrade of all projects · {state}",
        body=tuple(_body(fleet, named)),
        facts=tuple(_facts(counts)),
        tasks=tuple(_tasks(fleet, counts)),
        footer=say("Asked for by ", person(fleet.requested_by), " · ", *_more()),
        buttons=BUTTONS[fleet.state],
    )


def _more() -> Text:
    return say(code("/sciclops upgrade --status"), " shows all projects")


def _body(fleet: FleetRow, named: Mapping[MemberState, Sequence[str]]) -> Iterator[Text]:
    if fleet.why:
        yield say(f"{fleet.why}.")
    for state, projects in named.items():
        if projects:
            rest = " and others" if len(projects) > MOST_NAMED else ""
            names = ", ".join(projects[:MOST_NAMED])
            yield say(bold(f"{MEMBERS[state].capitalize()}: "), names, rest)


def _facts(counts: Counts) -> Iterator[Fact]:
    for state, words in MEMBERS.items():
        number = sum(many for (_, member), many in counts.items() if member == state)
        if number:
            yield Fact(label=words.capitalize(), value=say(str(number)))


def _tasks(fleet: FleetRow, counts: Counts) -> Iterator[Task]:
    for number, ring in enumerate(RINGS):
        of_ring = {state: many for (at, state), many in counts.items() if at == number}
        total = sum(of_ring.values())
        if not total:
            continue
        left = of_ring.get("waiting", 0) + of_ring.get("begun", 0)
        is_here = number == fleet.ring and fleet.state != "done"
        status = "complete" if not left else "in_progress" if is_here else "pending"
        yield Task.model_validate(
            {
                "id": f"ring-{number}",
                "title": ring[0].upper() + ring[1:],
                "status": status,
                "output": say(f"{total - left} of {total}"),
            }
        )


def progress(fleet: FleetRow, counts: Counts) -> str:
    """Say in a few words how an upgrade of all stands."""
    total = sum(counts.values())
    left = sum(many for (_, state), many in counts.items() if state in ("waiting", "begun"))
    return f"{STATES[fleet.state]} · {total - left} of {total}"


def overview(
    counts: Mapping[Standing, int],
    named: Mapping[Standing, Sequence[str]],
    other_modules: int,
    upgrade_of_all: str = "",
) -> Notice:
    """Return how all projects stand with the present versions, and the last upgrade of all."""
    total = sum(counts.values())
    shown = {standing: counts.get(standing, 0) for standing in STANDINGS}
    facts = [Fact(label=STANDINGS[one], value=say(str(many))) for one, many in shown.items()]
    facts.append(Fact(label="With older infrastructure", value=say(str(other_modules))))
    if upgrade_of_all:
        facts.append(Fact(label="Upgrade of all", value=say(upgrade_of_all)))
    summary = f"{shown['current']} of {total} projects are current"
    return Notice(
        summary=summary,
        title=f"Upgrades · {summary}",
        body=tuple(_named(named, shown)),
        facts=tuple(facts),
        footer=say(
            code("/sciclops upgrade --status behind"),
            " lists them; ",
            code("/sciclops upgrade --all"),
            " offers all of them the present version",
        ),
        buttons=tuple(
            Button(label=STANDINGS[one], words=("upgrade", "--status", one))
            for one, many in shown.items()
            if many and one != "current"
        ),
    )


def _named(
    named: Mapping[Standing, Sequence[str]], counts: Mapping[Standing, int]
) -> Iterator[Text]:
    for standing, projects in named.items():
        if projects:
            more = counts[standing] - len(projects)
            rest = f" and {more} more" if more > 0 else ""
            yield say(bold(f"{STANDINGS[standing]}: "), ", ".join(projects), rest)
