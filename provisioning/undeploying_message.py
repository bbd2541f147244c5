"""What is said of a destruction that stops while it removes what is deployed.

Pure: operations and workflow runs go in, words come out.
"""

from provisioning.operation import Operation, Trouble
from provisioning.policy import Policy
from provisioning.store import Followed

STEP = "Removing what is deployed"
LEFT = "what was deployed to the other stages, and everything else; Retry goes on from there"
UNGATED = (
    ". The gate of {stages} is off, since people have confirmed the destruction: until Retry has "
    "ended it, what is merged deploys there unasked. Who wants to keep the project puts the gate "
    "back in the repository's settings at GitHub"
)


def left_of(operation: Operation, policy: Policy) -> str:
    """Say what is left; and which gates are off, that of the stage it has stopped at included."""
    todo = next((one.stage for one in operation.facts.undeployments if not one.done), "")
    begun = [one.stage for one in operation.facts.undeployments if one.run or one.stage == todo]
    gated = [stage.capitalize() for stage in begun if stage in policy.gated_stages]
    return LEFT + (UNGATED.format(stages=" and ".join(gated)) if gated else "")


def trouble_of(followed: Followed) -> Trouble:
    """Return what failed of a workflow run that was to remove a stage."""
    run = followed.run
    failures = run.failures()
    what = f"The workflow run ended as {run.conclusion or 'unknown'}."
    if failures:
        step = f" at the step “{failures[0].failed_step}”" if failures[0].failed_step else ""
        what = f"{failures[0].title} failed{step}."
    return Trouble(step=STEP, what=what, detail=followed.failure[-1500:])
