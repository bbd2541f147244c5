"""What a run says when it does not simply go on: why it waits or failed, and what is left."""

from collections.abc import Iterator
from datetime import timedelta

from provisioning.operation import WRITING, Operation
from provisioning.operation_kinds import left_standing
from provisioning.run_tasks import duration
from provisioning.text import Span, Text, bold, code, moment, say

STAYS = {
    False: "What was made so far stays until somebody retries or cleans up.",
    True: "What is left stays until somebody cleans up.",
}
"""What a stop leaves, by whether some of it was removed."""

LONG_PAUSE = timedelta(seconds=30)
"""Whoever waits longer for the next try is told when it is."""


def trouble_lines(operation: Operation) -> list[Text]:
    """Say what failed, of what, what is left behind and under which reference it is logged."""
    trouble = operation.facts.trouble
    if trouble is None:
        return []
    lines = [say(bold(f"{trouble.step} failed: "), trouble.what)]
    if trouble.resource:
        lines.append(say("Resource: ", code(trouble.resource)))
    if trouble.detail:
        lines.append(say(trouble.detail))
    if trouble.left_behind:
        lines.append(say("Left behind: ", trouble.left_behind))
    if trouble.reference:
        lines.append(say("Reference for the platform team: ", code(trouble.reference)))
    return lines


def trying_line(operation: Operation) -> Iterator[Text]:
    """Say what a step waits for; what was noted in another phase is over."""
    trying = operation.facts.trying
    if trying is None or trying.phase != operation.phase:
        return
    lasts = duration((trying.at - trying.since).total_seconds())
    line: list[str | Span] = [trying.reason, f"; trying again, for {lasts}"]
    if trying.again - trying.at >= LONG_PAUSE:
        line += [", next at ", moment(trying.again)]
    yield say(*line)


def what_a_stop_left(operation: Operation) -> Iterator[Text]:
    """Say what exists after somebody's No, and what can be done about it."""
    facts = operation.facts
    if not operation.makes_project:
        left = left_standing(operation)
        yield say(f"{left[0].upper()}{left[1:]}.")
        return
    if not facts.made:
        yield say("Nothing was made, and the name is free again.")
        return
    if operation.is_clean_up:
        removed = facts.applied.counts.remove if facts.applied else 0
        yield say(f"This clean-up removed {removed or 'no'} resource{'' if removed == 1 else 's'}.")
    yield say(STAYS[facts.unmade])
    if facts.left_behind:
        yield say("Left behind: ", facts.left_behind)


def what_stays(operation: Operation) -> str:
    """Say before a cancellation what it leaves; an apply may have begun since."""
    facts = operation.facts
    if not operation.makes_project:
        return "What was changed so far stays; Retry goes on from there."
    if facts.made or operation.phase in WRITING:
        return STAYS[facts.unmade]
    return "Nothing has been made yet: the run ends, and the name is free again."
