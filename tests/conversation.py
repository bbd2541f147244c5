"""What people say in the tests: whole sentences over the driver."""

from typing import Any

from playground import cast
from playground.slack.driver import Person
from playground.slack.entities import Message
from playground.world import Playground

RUN_SECONDS = 60


class Conversation:
    """A conversation about one project, with everybody who may take part."""

    def __init__(self, playground: Playground, name: str) -> None:
        self.playground = playground
        self.world = playground.world
        self.name = name
        self.ada = playground.person(cast.ADA.slack)
        self.grace = playground.person(cast.GRACE.slack)
        self.rosa = playground.person(cast.ROSA.slack)
        self.dora = playground.person(cast.DORA.slack)
        self.pat = playground.person(cast.PAT.slack)
        self.sam = playground.person(cast.SAM.slack)

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
        asking.wait_for_view("Deploy name")
        return asking

    def ask(self, **different: Any) -> None:
        """Fill and submit the form; it must be accepted."""
        self.open_form()
        self.ada.fill(self.answers(**different))
        errors = self.ada.submit()
        assert errors is None, errors

    def run_message(self, state: str = "", timeout: float = RUN_SECONDS) -> Message:
        """Wait until the project's run message shows a state."""
        return self.ada.wait_for_message(f"{self.name} · {state}", timeout=timeout)

    def make(self, **different: Any) -> None:
        """Ask, confirm, and wait until the project is ready and announced."""
        self.ask(**different)
        self.run_message("Waiting for confirmation")
        self.ada.press("Confirm & Apply")
        self.run_message("Ready in")
        news = f"New project {self.name}"
        self.sam.wait_for_message(news, channel="C0COMMUNITY", timeout=RUN_SECONDS)
