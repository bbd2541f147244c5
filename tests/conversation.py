"""What people say in the tests: whole sentences over the driver."""

from typing import Any

from waiting import wait_until

from playground import cast
from playground.slack.driver import Person
from playground.slack.entities import Delivery, File, Message, View
from playground.slack.reading import buttons, text_of, text_of_block
from playground.world import Playground

RUN_SECONDS = 120
"""How long a run may take here: about five seconds on a quiet machine."""
EXECUTED_SECONDS = 600
"""How long one may take whose jobs are executed: half a minute on a quiet machine."""
ANSWER_SECONDS = 30
"""How long an answer may take here: well under a second on a quiet machine."""
DESCRIPTION = "answer.job_description"
PRINCIPALS = len(cast.STAGES) + 1
"""Of a project in one workspace group: one for each stage, one that plans for Production."""


class Conversation:
    """A conversation about one project, with everybody who may take part."""

    def __init__(self, playground: Playground, name: str, run_seconds: float = RUN_SECONDS) -> None:
        self.playground = playground
        self.run_seconds = run_seconds
        self.world = playground.world
        self.name = name
        self.ada = playground.person(cast.ADA.slack)
        self.grace = playground.person(cast.GRACE.slack)
        self.rosa = playground.person(cast.ROSA.slack)
        self.dora = playground.person(cast.DORA.slack)
        self.pat = playground.person(cast.PAT.slack)
        self.sam = playground.person(cast.SAM.slack)

    # Asking ---------------------------------------------------------------------------------

    def answers(self, **different: Any) -> dict[str, Any]:
        """Return a form that will be accepted, but for what is given."""
        return {
            "name": self.name,
            "owners": [cast.ADA.slack, cast.GRACE.slack],
            "managed_group": "aad-data-science",
            "github_team": "data-science",
            "reviewers": ["team:ml-reviewers"],
            "workspace_groups": ["gbx1"],
            **different,
        }

    def open_form(self, person: Person | None = None) -> Person:
        """Type `/sciclops new` and wait for the form."""
        asking = person or self.ada
        asking.type("/sciclops new")
        asking.wait_for_view("Deploy name", timeout=ANSWER_SECONDS)
        # A bot that has just started may not know Databricks' groups yet: people type again.
        wait_until(lambda: asking.suggest("managed_group", "aad-"), ANSWER_SECONDS)
        return asking

    def fill(self, person: Person | None = None, **different: Any) -> Person:
        """Open the form and fill it, all of it acceptable but for what is given."""
        asking = self.open_form(person)
        asking.fill(self.answers(**different))
        return asking

    def ask(self, person: Person | None = None, **different: Any) -> None:
        """Fill and submit the form; it must be accepted."""
        errors = self.fill(person, **different).submit()
        assert errors is None, errors

    def refused(self, person: Person | None = None) -> dict[str, str]:
        """Submit the form, which must not be taken; return what is said about each field."""
        asking = person or self.ada
        return asking.submit() or {
            name.removesuffix(":error"): text_of_block(block).removeprefix("⚠ ")
            for block in asking.view().blocks
            if (name := block["block_id"]).endswith(":error")
        }

    def forge(self, field: str, person: Person | None = None, **state: Any) -> None:
        """Enter what no real client would let through: the field's state as it goes over the wire.

        Example: `forge("owners", selected_users=[])`.
        """
        view = (person or self.ada).view()
        view.values[field][field] |= state

    # Deciding -------------------------------------------------------------------------------

    def press(self, label: str, person: Person | None = None) -> Delivery:
        """Press a button on one of this project's messages, as soon as it is there."""
        pressing = person or self.ada
        surface = pressing.wait_for_button(label, self.name, timeout=RUN_SECONDS)
        return pressing.press(label, on=surface)

    def planned(self, **different: Any) -> Message:
        """Ask for a project; return its run message once the plan waits for confirmation."""
        self.ask(**different)
        return self.run_message("Waiting for confirmation")

    def make(self, **different: Any) -> None:
        """Ask, confirm, and wait until the project is ready and announced."""
        self.planned(**different)
        self.press("Confirm & Apply")
        self.run_message("Ready in")
        news = f"New project {self.name}"
        self.sam.wait_for_message(news, channel="C0COMMUNITY", timeout=RUN_SECONDS)

    # Reading --------------------------------------------------------------------------------

    def run_message(self, state: str = "", timeout: float = RUN_SECONDS) -> Message:
        """Wait until the project's run message shows a state."""

        def look() -> Message | None:
            heading = f"{self.name} · {state}"
            found = (one for one in reversed(self.run_messages()) if heading in text_of(one))
            return next(found, None)

        return self.ada.wait_until(look, timeout=timeout)

    def told(self, person: Person, words: str) -> Message:
        """Wait until somebody, and nobody else, is told this."""
        workspace = self.world.slack.workspace

        def look() -> Message | None:
            private = (
                one
                for one in reversed(workspace.messages)
                if one.reader == person.user or one.channel == f"D{person.user.removeprefix('U')}"
            )
            return next((one for one in private if words in text_of(one)), None)

        return person.wait_until(look, timeout=ANSWER_SECONDS)

    def says(self, words: str) -> Message:
        """Wait for a message, perhaps in a thread, that says this."""
        return self.ada.wait_for_message(words, timeout=RUN_SECONDS)

    def file(self, beginning: str) -> File:
        """Wait for a file in this run's thread whose name begins like this."""

        def look() -> File | None:
            shared = [file for reply in self.ada.thread(run) for file in reply.files]
            return next((file for file in shared if file.name.startswith(beginning)), None)

        run = self.run_message()
        return self.ada.wait_until(look, timeout=RUN_SECONDS)

    def view_says(self, words: str, person: Person | None = None) -> View:
        """Wait until somebody's dialog says this."""
        return (person or self.ada).wait_for_view(words, timeout=ANSWER_SECONDS)

    # The worlds -----------------------------------------------------------------------------

    def principals(self) -> list[str]:
        """Return the display names of the project's service principals."""
        names = [one.display_name for one in self.world.databricks.principals]
        return [name for name in names if name.startswith(f"{self.name}-")]

    def run_messages(self) -> list[Message]:
        """Return every message in the channel that shows a run of this project."""
        heading = f"{self.name} · "
        shown = ((one, text_of(one)) for one in self.ada.visible_messages())
        return [one for one, text in shown if heading in text and "Run `run-" in text]

    def labels(self) -> set[str]:
        """Return the buttons of the project's run message."""
        return set(buttons(self.run_message()))


__all__ = [
    "ANSWER_SECONDS",
    "DESCRIPTION",
    "EXECUTED_SECONDS",
    "PRINCIPALS",
    "RUN_SECONDS",
    "Conversation",
]
