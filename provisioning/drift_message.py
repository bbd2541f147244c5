"""What is said of drift: one message for each episode, which closes itself."""

from datetime import datetime

from provisioning.tables import DriftRow
from provisioning.text import Button, Fact, Notice, Text, bold, code, moment, person, say

MOST_NAMED = 15
"""So many resources are named one by one."""


def counted(number: int) -> str:
    """Say how many resources have drifted."""
    return "1 resource has" if number == 1 else f"{number} resources have"


def drift_notice(row: DriftRow, owners: tuple[str, ...]) -> Notice:
    """Return the message of an episode as it stands."""
    if not row.resources:
        return Notice(
            summary=f"Project {row.project}: the drift is over",
            title=f"{row.project} · Drift · Over",
            body=(say("Everything that Terraform manages is again as it was made."),),
            facts=(_fact("First seen", row.since), _fact("Over since", row.over_since)),
        )
    return Notice(
        summary=f"Project {row.project}: {counted(len(row.resources))} drifted, please reconcile",
        title=f"{row.project} · Drift",
        body=(
            say(*_people(owners)),
            say(
                f"{counted(len(row.resources))} been changed outside SciCLOps. Reconcile plans it "
                "back and asks before anything is changed; what is changed back by hand is fine."
            ),
            *_named(row.resources),
        ),
        facts=(_fact("First seen", row.since), _fact("Last looked", row.looked_at)),
        buttons=(
            Button(label="Reconcile", words=("reconcile", row.project), style="primary"),
            Button(label="Look Again", words=("drift", row.project)),
        ),
    )


def gone_notice(project: str) -> Notice:
    """Return what an episode's message says once its project is destroyed."""
    return Notice(
        summary=f"Project {project} is gone, and its drift with it",
        title=f"{project} · Drift · Over",
        body=(say("The project was destroyed: there is nothing left to look at."),),
    )


def trouble_notice(row: DriftRow) -> Notice:
    """Return the message about looks that fail: nobody knows then whether there is drift."""
    if not row.trouble:
        return Notice(
            summary=f"Project {row.project}: drift is looked for again",
            title=f"{row.project} · Looking for drift works again",
            facts=(
                _fact("Failed since", row.troubled_since),
                _fact("Works since", row.works_since),
            ),
        )
    return Notice(
        summary=f"Project {row.project}: nobody knows whether it has drifted",
        title=f"{row.project} · Could not look for drift",
        body=(
            say(bold("Terraform could not plan: "), row.trouble),
            say("Nothing was changed. It is tried again in the next round, or at once."),
        ),
        facts=(_fact("Failed since", row.troubled_since), _fact("Last tried", row.looked_at)),
        buttons=(Button(label="Look Again", words=("drift", row.project)),),
    )


def answer(row: DriftRow) -> Notice:
    """Return what somebody is told who has asked."""
    if row.trouble:
        return Notice(
            summary=f"{row.project}: could not look for drift",
            body=(say(f"Could not look for drift of {row.project}: {row.trouble}"),),
        )
    if not row.resources:
        said = f"{row.project} has not drifted: everything is as Terraform has made it."
        return Notice(summary=said, body=(say(said),))
    said = f"{row.project}: {counted(len(row.resources))} drifted."
    return Notice(
        summary=said,
        body=(say(bold(said)), *_named(row.resources)),
        buttons=(Button(label="Reconcile", words=("reconcile", row.project), style="primary"),),
    )


def _named(resources: list[str]) -> tuple[Text, ...]:
    lines = [say("• ", code(address)) for address in resources[:MOST_NAMED]]
    if more := len(resources) - MOST_NAMED:
        lines += [say(f"… and {more} more")] if more > 0 else []
    return tuple(lines)


def _people(owners: tuple[str, ...]) -> Text:
    return tuple(part for owner in owners for part in (person(owner), *say(" ")))


def _fact(label: str, at: datetime | None) -> Fact:
    return Fact(label=label, value=say(moment(at) if at else "?"))
