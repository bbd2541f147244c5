"""What is said to whoever decides something that a run is not in the state for: how it stands.

Pure: an operation goes in, words come out.
"""

from provisioning.operation import CANCELLABLE, ENDED, Operation
from provisioning.operation_kinds import kind_of

STOPPING = (*CANCELLABLE, "waiting")
"""Where somebody can cancel a run."""
ANSWERED = "This question is settled already; its message says how."


def not_now(run: Operation) -> str:
    """Return why a decision came too late or too early, and what is possible instead."""
    state = f"The run of {run.project} is “{kind_of(run).state(run.phase)}”"
    return f"{state}{'' if run.stopping else ' now'}: {_possible(run)}. Nothing was changed."


def busy(run: Operation) -> str:
    """Return why nothing else can begin while a run of the project is under way."""
    state = kind_of(run).state(run.phase).lower()
    ways = " or cancel it" if run.phase in STOPPING else ""
    return (
        f"{run.project} has a run under way ({state}). Wait for its end{ways}, and ask again. "
        "Nothing was changed."
    )


def confirmed_already(run: Operation) -> str:
    """Return why a plan is not confirmed once more."""
    if run.phase != "waiting":
        return not_now(run)
    return f"The plan of {run.project} is confirmed already; others still have to answer."


def _possible(run: Operation) -> str:
    if run.stopping:
        return "it is stopping already"
    if run.phase == "waiting":
        return "its message says whose answer is missing, and it can be cancelled"
    if run.phase in CANCELLABLE:
        return "it can be cancelled, or waited for"
    if run.phase not in ENDED:
        return "it cannot be stopped in this step, only waited for"
    ways = ("retried", run.may_be_retried), ("cleaned up", run.may_be_cleaned_up)
    possible = " or ".join(way for way, allowed in ways if allowed)
    return f"it can be {possible}" if possible else "it has ended, and its message says how"
