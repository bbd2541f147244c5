"""The card of a deployment that waits for reviewers: what changes, since when, who may decide.

Pure: a release and the people behind its logins go in, a `Notice` comes out.
"""

from collections.abc import Callable, Iterator

from provisioning.release import Card, Commit, PlannedChange, Release
from provisioning.run_message import people
from provisioning.text import (
    Button,
    Fact,
    Frozen,
    Notice,
    Span,
    Text,
    bold,
    code,
    link,
    moment,
    person,
    say,
)

MOST_COMMITS = 10
MOST_CHANGES = 15
SHORT_SHA = 8
WORDS = {"create": "create", "update": "change", "recreate": "replace", "delete": "delete"}
ENDINGS = {
    "approved": "Approved",
    "rejected": "Rejected",
    "bypassed": "Let in at GitHub, past its reviewers",
    "void": "Withdrawn",
    "expired": "Timed out, I didn't release it",
}
DEEDS = {
    "approved": "Approved",
    "rejected": "Rejected",
    "override": "Let in by break-glass, without the approvals needed,",
}
NO_PLAN = (
    "The bundle plan could not be read. The deployment plans again and stops if it differs from "
    "the plan that its run has made."
)

BYPASSED = (
    "GitHub shows nobody who approved this and let it in all the same: an administrator can do "
    "that. The organisation's audit log at GitHub names them."
)
INCOMPARABLE = (
    ", which was released there last. A force push may have removed it: look at what is new "
    "yourself before you approve."
)

NameOf = Callable[[str], Span]
"""Names a GitHub login: a mention where the person is linked, else the login."""


class Asked(Frozen):
    """Whom a card addresses: chat users, and reviewers whom the chat does not know."""

    people: tuple[str, ...] = ()
    others: tuple[str, ...] = ()


def release_notice(release: Release, asked: Asked, name_of: NameOf, run_url: str) -> Notice:
    """Return the card of a release as it stands."""
    state = _state(release)
    waits = release.state == "open"
    return Notice(
        summary=_summary(release, state),
        title=f"{release.project} · {release.environment} · {state}",
        body=tuple(_body(release, asked, name_of)),
        facts=tuple(_facts(release, name_of, run_url)),
        footer=say(
            "Release ", code(release.id), " · asked ", moment(release.asked_at), *_until(release)
        ),
        buttons=_buttons(release) if waits else (),
    )


def _state(release: Release) -> str:
    if release.state == "open":
        return f"Waiting for approval{_progress(release)}"
    if release.state == "deciding":
        return "Telling GitHub"
    if release.verdict == "override" and release.state != "bypassed":
        return (
            "Let in by break-glass" if release.state == "approved" else "Begun again, break-glass"
        )
    return ENDINGS[release.state]


def _progress(release: Release) -> str:
    """Return how many of several approvals are there: ` · 1 of 2`."""
    needed = release.card.needed
    return f" · {len(release.given)} of {needed}" if needed > 1 else ""


def _summary(release: Release, state: str) -> str:
    needs = ": please approve or reject" if release.state == "open" else ""
    return f"Release of {release.project} to {release.environment}: {state.lower()}{needs}"


def _body(release: Release, asked: Asked, name_of: NameOf) -> Iterator[Text]:
    card = release.card
    if release.state == "open" and (asked.people or asked.others):
        yield say("May decide: ", *_whoever(asked))
    if release.verdict != "approved":
        yield from _approvals(release)
    if release.state == "bypassed":
        yield say(BYPASSED)
    elif release.state in ("approved", "rejected", "deciding") or release.verdict == "override":
        yield from _decisions(release, name_of)
    elif release.state in ("void", "expired"):
        yield say(f"Nothing was released: {release.why}.")
    yield from _commits(card)
    yield from _plan(card)


def _whoever(asked: Asked) -> list[Span | str]:
    """Mention whom the chat knows, and name the others."""
    known = people(asked.people)
    others = [code(other) for other in asked.others]
    spans: list[Span | str] = list(known)
    for other in others:
        spans += [", " if spans else "", other]
    return spans


def _approvals(release: Release) -> Iterator[Text]:
    """Yield each of several approvals, in the order they came: `Approved by @rosa · 1 of 2`."""
    for number, each in enumerate(release.given, 1):
        why = f": {each.comment}" if each.comment else "."
        yield say(
            bold("Approved by "),
            person(each.person),
            f" · {number} of {release.card.needed} · ",
            moment(each.at),
            why,
        )


def _decisions(release: Release, name_of: NameOf) -> Iterator[Text]:
    if release.verdict == "approved" and release.given:
        yield from _approvals(release)
    else:
        yield _decided(release, name_of)


def _decided(release: Release, name_of: NameOf) -> Text:
    deed = release.verdict or release.state
    if deed != "override" and release.state in DEEDS:
        deed = release.state  # decided otherwise at GitHub, while the verdict was on its way there
    done = DEEDS.get(deed)
    who = person(release.decided_by) if release.decided_by else name_of(release.decided_login)
    where = f", {release.why}" if release.why else ""
    why = f": {release.comment}" if release.comment else ""
    when: tuple[str | Span, ...] = ()
    if release.decided_at:
        when = (" · ", moment(release.decided_at))
    return say(bold(f"{done or release.state} by "), who, *when, f"{where}{why}")


def _commits(card: Card) -> Iterator[Text]:
    if card.destroys:
        return
    if card.since is None and card.base:
        base = code(card.base[:SHORT_SHA])
        yield say(bold("GitHub cannot compare "), "with ", base, INCOMPARABLE)
        return
    since = card.since.without_merges() if card.since else None
    if since is None:
        yield say(bold("First release: "), "nothing was deployed there before.")
        return
    if not since.total:
        yield say(bold("No new commit"), " since the last release; the same one again.")
        return
    number = f"{since.total} commit{'' if since.total == 1 else 's'} since the last release"
    yield say(bold(number), *((" (", link("compare", since.url), ")") if since.url else ()))
    if (more := since.total - MOST_COMMITS) > 0:
        yield say(f"… {more} older ones …")
    for commit in since.commits[-MOST_COMMITS:]:
        yield say("• ", code(commit.sha[:SHORT_SHA]), f" {commit.title} — {commit.author}")


def _plan(card: Card) -> Iterator[Text]:
    if card.destroys:
        yield say(bold("It destroys "), "everything that the bundle has deployed there.")
        return
    if card.plan is None:
        yield say(bold("Bundle plan: "), NO_PLAN)
        return
    changes = card.plan.changes
    if not changes:
        yield say(bold("Bundle plan: "), "no change of any resource; files are uploaded again.")
        return
    yield say(bold(f"Bundle plan: {_counted(changes)}"))
    for change in changes[:MOST_CHANGES]:
        name = f" ({change.name})" if change.name else ""
        yield say(f"• {WORDS[change.action]} ", code(change.resource), name)
    if (more := len(changes) - MOST_CHANGES) > 0:
        yield say(f"… and {more} more")


def _counted(changes: tuple[PlannedChange, ...]) -> str:
    counts = dict.fromkeys(WORDS, 0)
    for change in changes:
        counts[change.action] += 1
    return ", ".join(f"{number} to {WORDS[word]}" for word, number in counts.items() if number)


def _facts(release: Release, name_of: NameOf, run_url: str) -> Iterator[Fact]:
    card = release.card
    yield Fact(label="Commit", value=_commit(card.commit, release.sha))
    if card.commit:
        yield Fact(label="Author", value=say(name_of(card.commit.author)))
    if card.plan and card.plan.version:
        yield Fact(label="Version", value=say(code(card.plan.version)))
    earlier = ", ".join(f"{name} ✓" for name in card.earlier) or "none"
    yield Fact(label="Earlier stages", value=say(earlier))
    if run_url:
        attempt = f", attempt {release.attempt}" if release.attempt > 1 else ""
        yield Fact(label="Workflow run", value=say(link(release.run, run_url), attempt))


def _commit(commit: Commit | None, sha: str) -> Text:
    if commit is None:
        return say(code(sha[:SHORT_SHA]))
    known = link(sha[:SHORT_SHA], commit.url) if commit.url else code(sha[:SHORT_SHA])
    return say(known, f" {commit.title}")


def _until(release: Release) -> tuple[str | Span, ...]:
    return (" · until ", moment(release.deadline)) if release.state == "open" else ()


def _buttons(release: Release) -> tuple[Button, ...]:
    words = (release.id, release.artefact)
    return (
        Button(label="Approve", words=("release", *words, "approve"), style="primary"),
        Button(label="Reject", words=("release", *words, "reject")),
    )
