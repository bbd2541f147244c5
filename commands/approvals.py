"""`/sciclops approvals`: what waits for a decision, and whether it is mine to take."""

from commands.command import Answer, Command, Reply, Request, Role, Services, tell
from provisioning.release import Release
from provisioning.text import Button, Notice, Table, Text, code, moment, say

MOST = 20
HINT = say("To decide here, link your GitHub account once: ", code("/sciclops link"), ".")


def show(request: Request, services: Services) -> Answer:
    """List the releases that wait, those that I may decide first."""
    waiting = [one for one in services.store.releases.unsettled() if one.state == "open"]
    if not waiting:
        return tell("No deployment waits for an approval.")
    login = services.linking.login_of(request.who) or ""
    is_in = in_group(request.who, services)
    mine = [one for one in waiting if is_mine(one, login) or (one.is_ruled and is_in)]
    others = [one for one in waiting if one not in mine]
    shown = (*mine, *others)[:MOST]
    return Reply(
        Notice(
            summary=f"{len(waiting)} waiting, {len(mine)} for you",
            title=f"Approvals · {len(waiting)} waiting, {len(mine)} for you",
            body=() if login else (HINT,),
            table=Table(
                header=("Project", "Environment", "Commit", "Waits since", "For me"),
                rows=tuple(row(one, mine=one in mine) for one in shown),
            ),
            buttons=tuple(buttons(mine[:5])),
        )
    )


def in_group(who: str, services: Services) -> bool:
    """Tell whether somebody may release every project, where our App's rule is the gate."""
    group = services.policy.release_group
    return bool(group) and services.people.is_among(who, (group,))


def is_mine(release: Release, login: str) -> bool:
    """Tell whether somebody was asked; whether they may decide is checked when they do."""
    return bool(login) and login.lower() in {one.lower() for one in release.card.logins}


def row(release: Release, *, mine: bool) -> tuple[Text, ...]:
    """Return the table row of a release."""
    return (
        say(release.project),
        say(release.environment),
        say(code(release.sha[:8])),
        say(moment(release.asked_at)),
        say("yes" if mine else "no"),
    )


def buttons(releases: list[Release]) -> list[Button]:
    """Return a button for each release that is mine to decide."""
    return [
        Button(
            label=f"Approve {one.project}"[:75],
            words=("release", one.id, one.artefact, "approve"),
        )
        for one in releases
    ]


COMMAND = Command(
    "approvals", "approvals", "Show deployments that wait for a decision.", Role.ANYBODY, show
)
