"""What the message of a change says beyond that of any run: the differences, and how it ended.

Pure: an operation goes in, parts of a `Notice` come out.
"""

from collections.abc import Iterator

from provisioning.operation import Operation
from provisioning.spec_change import Difference, differences
from provisioning.text import Fact, Span, Text, code, link, person, plain, say

LABELS = {
    "owners": "Owners",
    "managed_group": "Managed group",
    "github_team": "GitHub team",
    "reviewers": "Reviewers of production",
    "workspace_groups": "Workspace groups added",
    "data_access": "Data access",
}
MOST_LISTED = 24
"""So many differences of one part a message lists; Slack takes only so long ones."""
TEMPLATE_BRANCH = "sciclops/template"
COMPARISON = "/compare/main...sciclops/template?expand=1"
"""Where GitHub offers to open a pull request, below a repository's address."""


def changes(operation: Operation) -> tuple[Fact, ...]:
    """Return what a change adds and removes: whoever confirms its plan confirms this."""
    found = _differences(operation)
    if not found:
        return (Fact(label="Specification", value=say("unchanged")),)
    return tuple(Fact(label=LABELS[one.part], value=_signed(one, MOST_LISTED)) for one in found)


def unlisted_changes(operation: Operation) -> str:
    """Return the differences in full if a message has no room for them; else nothing."""
    found = _differences(operation)
    if all(len(one.added) + len(one.removed) <= MOST_LISTED for one in found):
        return ""
    return "".join(f"{LABELS[one.part]}: {plain(_signed(one))}\n" for one in found)


def _differences(operation: Operation) -> tuple[Difference, ...]:
    before = operation.facts.before
    return differences(before, operation.spec) if before else ()


def _signed(one: Difference, most: int | None = None) -> Text:
    """Return what a part gains and loses: `+ @ada - @grace`."""
    signed = [*(("+", word) for word in one.added), *(("-", word) for word in one.removed)]
    spans: list[str | Span] = []
    for sign, word in signed[:most]:
        shown = person(word) if one.part == "owners" else code(word)
        spans += [f"{' ' if spans else ''}{sign} ", shown]
    if most is not None and (more := len(signed) - most) > 0:
        spans.append(f" and {more} more")
    return say(*spans)


def ended(operation: Operation, repository_url: str) -> Iterator[Text]:
    """Say what holds after a change, and what is left to do for people."""
    if operation.phase == "unchanged":
        yield say("Everything is as it is asked for. Nothing was changed.")
        return
    yield say("The change is made and verified, and the project's owners decide by it from now on.")
    if operation.facts.files == "moved":
        page = link("open a pull request", f"{repository_url}{COMPARISON}")
        where = (code(TEMPLATE_BRANCH), " to ", code("main"))
        yield say("Files of the repository change, too: ", page, " from ", *where, " and merge it.")
    if operation.facts.files == "left":
        yield say(
            "Files of the repository should change, too, but they come from another version of "
            "the template and were left alone. Type ",
            code(f"/sciclops upgrade {operation.project}"),
            ": a pull request offers both.",
        )
