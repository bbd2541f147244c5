"""The kinds of operations, and what differs between them: pure values.

All of them are durable runs with the same phases, the same message and the same decisions.
"""

from pydantic import Field

from provisioning.operation import CHANGE, CREATE, DESTROY, UPGRADE, Operation, Phase
from provisioning.text import Frozen

Words = tuple[str, str, str]
"""A step's title before, while and after it is done."""


class Kind(Frozen):
    """What an operation does, in the order it does it.

    `title` stands in the message's headline, `states` and `words` replace what is said of phases
    and steps in general. `consented` is the phase after everybody's Yes. `ended` is how it ends
    well, `closing` what is said then. `failed` is what a failure makes of the project; empty: it
    stays what it is. One that `removes` plans the destruction of all there is, for which nobody's
    consent to data is needed; nor is it for one that never `asks_owners`: it changes nothing about
    data. `left_behind` is said of one that has changed something and did not end well, where it is
    not resources that it leaves.
    """

    name: str
    title: str = ""
    steps: tuple[Phase, ...]
    consented: Phase = "confirmed"
    ended: Phase = "done"
    closing: str = ""
    failed: str = ""
    left_behind: str = ""
    removes: bool = False
    asks_owners: bool = True
    states: dict[Phase, str] = Field(default_factory=dict)
    words: dict[Phase, Words] = Field(default_factory=dict)

    def state(self, phase: Phase) -> str:
        """Say how a run of this kind stands."""
        return self.states.get(phase) or STATES[phase]

    def step(self, phase: Phase) -> Words:
        """Return a step's titles."""
        return self.words.get(phase) or STEPS[phase]


STATES: dict[Phase, str] = {
    "queued": "Waiting for its turn",
    "planning": "Planning",
    "waiting": "Waiting for confirmation",
    "undeploying": "Removing what is deployed",
    "confirmed": "Confirmed, waiting for GitHub's budget",
    "applying": "Applying",
    "starter": "Pushing the starter code",
    "verifying": "Verifying",
    "deploying": "Deploying to Development",
    "overlapping": "Keeping the old keys for deployments that began before",
    "revoking": "Revoking the old keys",
    "entering": "Waiting for the value",
    "storing": "Storing the value",
    "ready": "Ready",
    "done": "Done",
    "unchanged": "Nothing to change",
    "failed": "Failed",
    "discarded": "Discarded",
    "refused": "Refused",
    "expired": "Timed out",
    "cancelled": "Cancelled",
    "to_clean": "Clean-up waiting for GitHub's budget",
    "cleaning": "Cleaning up",
    "freeing": "Freeing the name",
    "cleaned": "Cleaned up",
}
STEPS: dict[Phase, Words] = {
    "planning": ("Plan", "Planning", "Planned"),
    "undeploying": (
        "Remove what is deployed",
        "Removing what is deployed",
        "Removed what was deployed",
    ),
    "applying": ("Apply", "Applying", "Applied"),
    "starter": ("Push the starter code", "Pushing the starter code", "Pushed the starter code"),
    "verifying": ("Verify", "Verifying with GitHub and Databricks", "Verified"),
    "deploying": (
        "Deploy to Development",
        "Deploying to Development",
        "Deployed to Development",
    ),
    "overlapping": (
        "Keep the old keys for deployments that began before",
        "Keeping the old keys for deployments that began before",
        "Nothing holds the old keys any more",
    ),
    "revoking": ("Revoke the old keys", "Revoking the old keys", "Revoked the old keys"),
    "storing": ("Store the value", "Storing the value", "Stored the value"),
}

CREATE_PROJECT = Kind(
    name=CREATE,
    steps=("planning", "waiting", "applying", "starter", "verifying", "deploying"),
    ended="ready",
    failed="failed",
)
CHANGE_PROJECT = Kind(
    name=CHANGE,
    title="Change",
    steps=("planning", "waiting", "applying", "verifying"),
    left_behind=(
        "a part of the change may be made, and the specification before it is still in force; "
        "Retry goes on from there"
    ),
    states={"done": "Changed"},
)
RECONCILE = Kind(
    name="reconcile",
    title="Reconcile",
    steps=("planning", "waiting", "applying"),
    left_behind=(
        "a part of it may be planned back already, and the rest stands as somebody has changed "
        "it; Retry goes on from there"
    ),
    closing="Everything that Terraform manages is as it was asked for.",
)
ROTATE_KEYS = Kind(
    name="rotate_keys",
    title="Key rotation",
    steps=("applying", "overlapping", "revoking"),
    left_behind=(
        "every environment logs in with the key that GitHub has: none that a deployment may hold "
        "was revoked; Retry goes on from there"
    ),
    states={
        "confirmed": "Waiting for GitHub's budget",
        "applying": "Minting, proving and writing new keys",
    },
    words={
        "applying": (
            "Mint, prove and write new keys",
            "Minting, proving and writing new keys",
            "Minted, proved and wrote new keys",
        )
    },
)
DESTROY_PROJECT = Kind(
    name=DESTROY,
    title="Destroy",
    steps=("planning", "waiting", "undeploying", "applying", "verifying"),
    consented="undeploying",
    closing=(
        "Nothing of the project is left at GitHub and Databricks but its repository, which is "
        "archived."
    ),
    removes=True,
    states={
        "applying": "Destroying",
        "verifying": "Verifying that nothing is left",
        "done": "Destroyed",
    },
    words={
        "applying": ("Destroy", "Destroying", "Destroyed"),
        "verifying": (
            "Verify that nothing is left",
            "Asking GitHub and Databricks what is left",
            "Verified that nothing is left",
        ),
    },
)
ADD_SECRET = Kind(
    name="add_secret",
    title="Secret",
    steps=("planning", "waiting", "applying", "storing"),
    asks_owners=False,
    left_behind=(
        "what was made of the secret's place stays, with no value but what was entered; "
        "Retry goes on from there"
    ),
    words={"applying": ("Make its place", "Making its place", "Made its place")},
)
SET_SECRET = Kind(
    name="set_secret",
    title="Secret",
    steps=("storing",),
    left_behind=(
        "environments that got the new value keep it, the others have what they had; Retry asks "
        "for the value again"
    ),
)
REMOVE_SECRET = Kind(
    name="remove_secret",
    title="Secret removal",
    steps=("planning", "waiting", "applying"),
    asks_owners=False,
    closing="The secret is gone, with its values.",
    left_behind="values of the secret that were deleted are gone; Retry removes the rest",
    states={"applying": "Removing", "done": "Removed"},
    words={"applying": ("Remove it", "Removing it", "Removed it")},
)
OFFERING: Words = (
    "Offer the new version",
    "Offering the new version",
    "Offered the new version",
)
UPGRADE_TEMPLATE = Kind(
    name="upgrade_template",
    title="Upgrade",
    steps=("starter",),
    left_behind="nothing was changed on main; Retry goes on from there",
    states={
        "confirmed": "Waiting for GitHub's budget",
        "applying": "Offering the new version",
        "starter": "Offering the new version",
    },
    words={"starter": OFFERING},
)
UPGRADE_PROJECT = Kind(
    name=UPGRADE,
    title="Upgrade",
    steps=("planning", "waiting", "applying", "starter"),
    asks_owners=False,
    left_behind=(
        "what was applied so far stays, and nothing was changed on main; Retry goes on from there"
    ),
    states={"starter": "Offering the new version"},
    words={"starter": OFFERING},
)
KINDS = {
    kind.name: kind
    for kind in (
        CREATE_PROJECT,
        CHANGE_PROJECT,
        DESTROY_PROJECT,
        RECONCILE,
        ROTATE_KEYS,
        ADD_SECRET,
        SET_SECRET,
        REMOVE_SECRET,
        UPGRADE_TEMPLATE,
        UPGRADE_PROJECT,
    )
}
STALE_FILE = "sciclops.yml says otherwise until that merge is reverted"
UNTOUCHED = "nothing was changed, and the project stays as it is"


def kind_of(operation: Operation) -> Kind:
    """Return what an operation is about."""
    return KINDS[operation.kind]


def left_behind(operation: Operation) -> str:
    """Say what a run has left that did not end well; nothing where that is resources."""
    facts = operation.facts
    if operation.makes_project:
        return ""
    if facts.changed:
        return "the change is made and in force, only its verification is missing"
    if facts.touched or facts.undeploying_in:
        return kind_of(operation).left_behind
    return f"{UNTOUCHED}; {STALE_FILE}" if facts.from_github else UNTOUCHED


def left_standing(operation: Operation) -> str:
    """Say what a run about a project that exists has left, without asking Terraform."""
    if operation.facts.undeploying_in:
        return "what was removed is gone; Retry removes the rest"
    return left_behind(operation) or "what was changed so far stays; Retry goes on from there"
