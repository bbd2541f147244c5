"""The kinds of operations that are killed: how each is begun, answered, and judged in the end.

A new kind is a class here and its place in `KINDS`: what the project is like before, what people
do to begin it, and what must be true at the vendors once it has ended.
"""

from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from itertools import count
from typing import Any, ClassVar, Literal

from conversation import ANSWER_SECONDS, PRINCIPALS, RUN_SECONDS, Conversation
from keys import Key, Keys, status
from kills import Answers, Killed
from waiting import wait_until

from playground.databricks.state import Group
from playground.slack.entities import Message
from playground.slack.reading import text_of
from playground.world import Playground

APPLY = "Confirm & Apply"
WAITING = "Waiting for confirmation"
STAGES_REMOVED = ["staging", "testing", "development"]
"""What the first release of a project has deployed to: Production waits for people."""
LIFE = timedelta(days=32)
"""Longer than a sandbox lives."""


class Projects:
    """The projects of one playground that operations are killed on."""

    def __init__(self, playground: Playground) -> None:
        self.playground = playground
        self._numbers = count(1)
        self._living: Conversation | None = None

    def talk_for(self, kind: type[Killed]) -> Conversation:
        """Return a conversation about a living project, or about a name that nobody has taken."""
        if kind.project == "new":
            return self._new()
        talk = self._living or self._made()
        self._living = talk if kind.project == "kept" else None
        return talk

    def _made(self) -> Conversation:
        talk = self._new()
        talk.make()
        wait_for_the_gate(talk)
        return talk

    def _new(self) -> Conversation:
        return Conversation(self.playground, f"kill-{next(self._numbers)}x")


def wait_for_the_gate(talk: Conversation) -> None:
    """Wait until the first release has got to where it waits for people."""
    (first,) = talk.world.github.runs(talk.name)
    wait_until(lambda: any(job.status == "waiting" for job in first.present_jobs), RUN_SECONDS)


class Created(Killed):
    """A project comes to life."""

    name = "create_project"
    ends = "· Ready in"
    requests = 400
    answers: ClassVar[Answers] = {WAITING: ("ada", APPLY)}
    project: ClassVar[Literal["kept", "taken", "new"]] = "new"

    def begin(self) -> None:
        """Fill and submit the form."""
        self.talk.ask()

    def faults(self) -> Iterator[str]:
        """Everything is there once, and was told once."""
        yield from doubled_principals(self.talk)
        if self.talk.name not in self.talk.world.github.repos:
            yield "no repository"
            return
        commits = self.talk.world.github.commits(self.talk.name)
        starters = sum("Start from the template" in str(commit) for commit in commits)
        if starters != 1:
            yield f"{starters} starter commits"
        yield from announced(self.talk, 1)
        yield from untidy_keys(self.talk)


class Rotated(Killed):
    """The keys of a project are replaced."""

    name = "rotate_keys"
    ends = "Key rotation · Done"
    requests = 120
    runs_terraform = False

    def prepare(self) -> None:
        """Note the keys that are replaced."""
        self.old: dict[str, Key] = Keys(self.talk).all()

    def begin(self) -> None:
        """Type the command."""
        self.talk.ada.type(f"/sciclops rotate {self.talk.name}")

    def messages(self) -> list[Message]:
        """Return the messages of rotations."""
        return Keys(self.talk).messages()

    def faults(self) -> Iterator[str]:
        """Each principal has one secret, GitHub has that one, and it logs in; no old one does."""
        yield from untidy_keys(self.talk)
        for name, key in Keys(self.talk).all().items():
            if key == self.old[name]:
                yield f"the key of {name} is the old one"
            elif status(self.old[name]) == 200:
                yield f"the old key of {name} still logs in"


class Reconciled(Killed):
    """What has drifted is planned back."""

    name = "reconcile"
    ends = "Reconcile · Done"
    requests = 250
    answers: ClassVar[Answers] = {WAITING: ("ada", APPLY)}

    def prepare(self) -> None:
        """Let somebody change a variable of Staging, and delete all of Testing's environment."""
        self.keys = Keys(self.talk).all()
        variable(self.talk).value = "somebody-else"
        del self.talk.world.github.repos[self.talk.name].environments["Testing"]

    def begin(self) -> None:
        """Type the command."""
        self.talk.ada.type(f"/sciclops reconcile {self.talk.name}")

    def messages(self) -> list[Message]:
        """Return the messages of reconciliations."""
        return [one for one in super().messages() if "· Reconcile ·" in text_of(one)]

    def faults(self) -> Iterator[str]:
        """The drift is gone: what was deleted has a new key, nothing else has changed."""
        if variable(self.talk).value != client_id(self.talk, "staging"):
            yield "the variable has drifted"
        environments = Keys(self.talk).environments()
        if environments.keys() != self.keys.keys():
            yield f"environments are {sorted(environments)}"
            return
        keys = Keys(self.talk).all()
        if (changed := {n for n in keys if keys[n] != self.keys[n]}) != {"Testing"}:
            yield f"keys have changed of {sorted(changed)}"
        yield from untidy_keys(self.talk)
        yield from doubled_principals(self.talk)
        yield from plans_left(self.talk)


class Looked(Killed):
    """Somebody has us look for drift, which there is: one plan, one answer, one message."""

    name = "drift.look"
    ends = "1 resource has drifted."
    requests = 150
    left = frozenset({"Reconcile"})

    def prepare(self) -> None:
        """Let somebody change something outside Terraform."""
        variable(self.talk).value = "somebody-else"

    def begin(self) -> None:
        """Type the command."""
        self.talk.ada.type(f"/sciclops drift {self.talk.name}")

    def messages(self) -> list[Message]:
        """Return the answers."""
        return told(self.talk, f"{self.talk.name}: 1 resource has drifted.")

    def is_part(self, operation: str) -> bool:
        """Tell whether a workflow is a look."""
        return operation.startswith("look-")

    def faults(self) -> Iterator[str]:
        """The episode has one message; nothing was changed, and the plan is gone."""
        shown = self.talk.ada.visible_messages()
        episodes = [one for one in shown if f"{self.talk.name} · Drift" in text_of(one)]
        if len([one for one in episodes if "· Over" not in text_of(one)]) != 1:
            yield f"{len(episodes)} messages of drift"
        if variable(self.talk).value != "somebody-else":
            yield "the variable was changed"
        yield from plans_left(self.talk)


class Checked(Killed):
    """A project is checked: one answer, and everything could be asked."""

    name = "check"
    ends = "checks passed"
    requests = 80
    runs_terraform = False

    def begin(self) -> None:
        """Type the command."""
        self.talk.ada.type(f"/sciclops check {self.talk.name}")

    def messages(self) -> list[Message]:
        """Return the answers."""
        return told(self.talk, f"Check · {self.talk.name}")

    def faults(self) -> Iterator[str]:
        """Nobody was cut short, and nothing was changed."""
        if "could not be asked" in self.text():
            yield self.text()
        yield from untidy_keys(self.talk)


class Destroyed(Killed):
    """A living project is destroyed, after somebody else's Yes."""

    name = "destroy_project"
    ends = "Destroy · Destroyed"
    requests = 700
    answers: ClassVar[Answers] = {WAITING: ("grace", "Confirm & Destroy")}
    project: ClassVar[Literal["kept", "taken", "new"]] = "taken"

    def begin(self) -> None:
        """Type the command and the project's name."""
        self.talk.ada.type(f"/sciclops destroy {self.talk.name}")
        self.talk.ada.wait_for_view("Type", timeout=ANSWER_SECONDS)
        self.talk.ada.fill({"project": self.talk.name})
        errors = self.talk.ada.submit()
        assert errors is None, errors

    def messages(self) -> list[Message]:
        """Return the messages of destructions."""
        return [one for one in super().messages() if "· Destroy ·" in text_of(one)]

    def faults(self) -> Iterator[str]:
        """Nothing is left but an archived repository; each stage was removed once."""
        yield from left_at_databricks(self.talk)
        repository = self.talk.world.github.repos.get(self.talk.name)
        if repository is None or not repository.archived:
            yield "the repository is not archived"
        elif repository.environments:
            yield f"environments {sorted(repository.environments)}"
        runs = sorted(self.talk.world.github.runs(self.talk.name), key=lambda run: run.id)
        removed = [r.inputs["stage"] for r in runs if r.inputs.get("action") == "destroy"]
        if removed != STAGES_REMOVED:
            yield f"removed were {removed}"
        yield from (f"run {run.id} is {run.status}" for run in runs if run.status != "completed")
        yield from announced(self.talk, 1)


class Expired(Destroyed):
    """A sandbox has ended, and goes by itself."""

    name = "destroy_project of a sandbox that has ended"
    answers: ClassVar[Answers] = {}
    project: ClassVar[Literal["kept", "taken", "new"]] = "new"

    def prepare(self) -> None:
        """Make a sandbox; the bot has a new secret of its own meanwhile, after two years."""
        databricks = self.talk.world.databricks
        (bot,) = (p for p in databricks.principals if p.application_id == databricks.bot_client_id)
        for secret in bot.secrets.values():
            secret.expires = self.talk.world.clock.now() + timedelta(days=730)
        self.talk.fill().fill({"lifetime": "sandbox"})
        self.talk.view_says("Sandbox until")
        assert self.talk.ada.submit() is None
        self.talk.run_message("Waiting for confirmation")
        self.talk.press(APPLY)
        self.talk.run_message("Ready in")
        self.talk.world.slack.workspace.stacks.clear()
        wait_for_the_gate(self.talk)

    def begin(self) -> None:
        """Let the time pass."""
        self.talk.world.clock.advance(LIFE)

    def faults(self) -> Iterator[str]:
        """It is gone, and owners were told of its end once."""
        yield from super().faults()
        thread = self.talk.ada.thread(self.talk.run_message("Ready in"))
        words = f"the sandbox {self.talk.name} has ended"
        if (number := sum(words in text_of(one) for one in thread)) != 1:
            yield f"told {number} times that it has ended"


class CleanedUp(Killed):
    """What a project that failed has made is removed."""

    name = "create_project, cleaned up"
    ends = "· Cleaned up"
    requests = 300
    project: ClassVar[Literal["kept", "taken", "new"]] = "new"
    goes_on = True

    def prepare(self) -> None:
        """Let the making of a project fail half-way."""
        self.talk.planned()
        self.talk.world.providers.fail("databricks_grant", 100, "User does not have MANAGE")
        self.talk.press(APPLY)
        self.talk.run_message("Failed")
        self.talk.world.providers.clear()

    def begin(self) -> None:
        """Press the button, and wait until that is heard."""
        self.talk.press("Clean Up")
        wait_until(lambda: "· Failed" not in self.text(), RUN_SECONDS)

    def faults(self) -> Iterator[str]:
        """Nothing is left anywhere, and nothing was announced."""
        yield from left_at_databricks(self.talk)
        if self.talk.name in self.talk.world.github.repos:
            yield "the repository is left"
        yield from announced(self.talk, 0)


KINDS: tuple[type[Killed], ...] = (
    Created,
    CleanedUp,
    Rotated,
    Reconciled,
    Looked,
    Checked,
    Destroyed,
    Expired,
)

# ---------------------------------------------------------------------- the vendors' worlds


def variable(talk: Conversation) -> Any:
    """Return a variable of Staging at GitHub."""
    environment = talk.world.github.repos[talk.name].environments["Staging"]
    return environment.variables["DATABRICKS_CLIENT_ID"]


def client_id(talk: Conversation, stage: str) -> str:
    """Return the client id of a stage's principal."""
    principals = talk.world.databricks.principals
    found = [one for one in principals if one.display_name == f"{talk.name}-{stage}"]
    return found[0].application_id


def doubled_principals(talk: Conversation) -> Iterator[str]:
    """Return which principals are there twice or not at all."""
    names = Counter(talk.principals())
    if len(names) != PRINCIPALS:
        yield f"principals of {len(names)} environments"
    yield from (f"{number} principals {name}" for name, number in names.items() if number > 1)


def untidy_keys(talk: Conversation) -> Iterator[str]:
    """Return which environments have other than one key, which GitHub has and which logs in."""
    if talk.world.choices.authentication != "secret":
        return
    principals = {one.display_name: one for one in talk.world.databricks.principals}
    for name, key in Keys(talk).all().items():
        held = [one.value for one in principals[f"{talk.name}-{name.lower()}"].secrets.values()]
        if held != [key[2]]:
            same = "among them" if key[2] in held else "not among them"
            yield f"{name} has {len(held)} secrets, GitHub's {same}"
        elif status(key) != 200:
            yield f"the key of {name} does not log in"


def left_at_databricks(talk: Conversation) -> Iterator[str]:
    """Return what bears the project's name at Databricks."""
    world, name = talk.world.databricks.world, talk.name
    yield from talk.principals()
    yield from (full for _, full in world.securables if name.replace("-", "_") in full)
    names = (group.display_name for group in world.of_type(Group))
    yield from (each for each in names if each.endswith(name))


def announced(talk: Conversation, times: int) -> Iterator[str]:
    """Tell if a project was not announced so many times."""
    shown = talk.sam.visible_messages("C0COMMUNITY")
    found = sum(f"New project {talk.name}" in text_of(one) for one in shown)
    if found != times:
        yield f"announced {found} times"


def plans_left(talk: Conversation) -> Iterator[str]:
    """Return the plans of looks that are left: they hold values."""
    runs = talk.world.directory / "bot" / "terraform" / "projects" / talk.name / "runs"
    for left in runs.glob("look-*"):
        yield f"{left.name} is left: {sorted(file.name for file in left.rglob('*'))}"


def told(talk: Conversation, words: str) -> list[Message]:
    """Return the direct messages to Ada that say this, oldest first."""
    place = f"D{talk.ada.user.removeprefix('U')}"
    messages = talk.world.slack.workspace.messages
    return [one for one in messages if one.channel == place and words in text_of(one)]
