"""`/sciclops approvals`: what waits for a decision, and whether it is mine to take."""

from collections import Counter

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
    may_link = services.linking.is_set_up and not services.linking.login_of(request.who)
    mine = [*services.releasing.asked(waiting, request.who)]
    others = [one for one in waiting if one not in mine]
    shown = (*mine, *others)[:MOST]
    return Reply(
        Notice(
            summary=f"{len(waiting)} waiting, {len(mine)} for you",
            title=f"Approvals · {len(waiting)} waiting, {len(mine)} for you",
            body=(HINT,) if may_link else (),
            table=Table(
                header=("Project", "Environment", "Commit", "Waits since", "For me"),
                rows=tuple(row(one, mine=one in mine) for one in shown),
            ),
            buttons=tuple(buttons(mine[:5])),
        )
    )


def row(release: Release, *, mine: bool) -> tuple[Text, ...]:
    """Return the table row of a release."""
    title = release.card.commit.title if release.card.commit else ""
    return (
        say(release.project),
        say(release.environment),
        say(code(release.sha[:8]), f" {title[:60]}"),
        say(moment(release.asked_at)),
        say("yes" if mine else "no"),
    )


def buttons(releases: list[Release]) -> list[Button]:
    """Return the buttons of each release that is mine to decide, no two of them alike."""
    waiting = Counter(one.project for one in releases)
    return [
        Button(
            label=f"{verb} {subject(one, alone=waiting[one.project] == 1)}"[:75],
            words=("release", one.id, one.artefact, verb.lower()),
        )
        for one in releases
        for verb in ("Approve", "Reject")
    ]


def subject(release: Release, *, alone: bool) -> str:
    """Return what a button is about: the project, and where more of it waits, what of it."""
    more = "" if alone else f" · {release.environment} · {release.sha[:8]}"
    return f"{release.project}{more}"


COMMAND = Command(
    "approvals", "approvals", "Show deployments that wait for a decision.", Role.ANYBODY, show
)
