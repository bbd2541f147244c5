"""What the community reads of a release to the last stage: pure."""

from collections.abc import Sequence

from provisioning.release import Release
from provisioning.text import Frozen, Notice, Span, bold, code, link, say
from provisioning.workflow_run import WorkflowRun

MERGE = "Merge pull request "
"""How GitHub titles a merge: by number and branch."""


class Arrival(Frozen):
    """A project in its last stage; `by` is who released it, if somebody had to."""

    project: str
    environment: str
    url: str = ""
    version: str = ""
    title: str = ""
    by: Span | None = None
    is_first: bool = False


def arrival_notice(arrival: Arrival) -> Notice:
    """Return the announcement, of a project's first one with emphasis."""
    project = arrival.project
    words = say(
        *((bold("First production release: "),) if arrival.is_first else ()),
        link(project, arrival.url) if arrival.url else bold(project),
        *((" ", code(arrival.version)) if arrival.version else ()),
        f" is in {arrival.environment}",
        *((", released by ", arrival.by) if arrival.by else ()),
        f": {arrival.title}" if arrival.title else ".",
    )
    first = " for the first time" if arrival.is_first else ""
    return Notice(summary=f"{project} is in production{first}", body=(words,))


def title_of(run: WorkflowRun, releases: Sequence[Release]) -> str:
    """Return what was released, as its card says it: GitHub titles a merge by its branch.

    What was begun by hand is titled by GitHub as well, which says nothing of what it brings.
    """
    for release in reversed(releases):
        card = release.card
        if card.commit is not None:
            since = card.since.without_merges() if card.since else None
            more = since.total - 1 if since else 0
            rest = f" and {more} more commit{'' if more == 1 else 's'}" if more > 0 else ""
            return f"{card.commit.title}{rest}"
    is_titled = run.event != "workflow_dispatch" and not run.title.startswith(MERGE)
    return run.title if is_titled else ""
