"""A run that has made nothing removes nothing, though Terraform's state knows of something.

So it is after a restore: the database does not know of a project that was made since.
"""

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from rows import a_project, a_spec, an_operation

from bot.installation import policy_of
from bot.settings import load
from provisioning.clock import MovableClock
from provisioning.desk import Desk
from provisioning.run_steps import RunSteps
from provisioning.runs import Outcome
from provisioning.store import Store
from provisioning.terraform_parts import TerraformParts
from provisioning.workflows.create_project import CreateProject

EXAMPLE = Path(__file__).parents[2] / "sciclops.example.toml"
NOBODY = cast("Any", None)


class World:
    """Terraform with a state of its own, vendors that have nothing with our marker, an engine."""

    def __init__(self, known: set[str]) -> None:
        self.known = frozenset(known)
        self.done: list[str] = []

    def addresses(self, project: str) -> frozenset[str]:
        """Return what the state knows."""
        del project
        return self.known

    started = addresses

    def adopted(self, project: str) -> frozenset[str]:
        """Return what was adopted: nothing."""
        del project
        return frozenset()

    def prepare(self, project: str, files: Any) -> None:
        """Take the root."""

    def adopt(self, project: str, run: str, watch: Any) -> Outcome:
        """Adopt what there is."""
        return self._done("adopt", project, run, watch)

    def plan(self, project: str, run: str, watch: Any, *, destroy: bool) -> tuple[Outcome, None]:
        """Plan."""
        return self._done("plan", project, run, watch, destroy), None

    def apply(self, project: str, run: str, watch: Any) -> Outcome:
        """Remove what was planned."""
        return self._done("apply", project, run, watch)

    def _done(self, what: str, *_: object) -> Outcome:
        self.done.append(what)
        return Outcome(ending="succeeded")

    def log(self, project: str, run: str) -> str:
        """Return the log."""
        return f"{project} {run}"

    def forget(self, project: str) -> None:
        """Forget the state."""
        self.done.append(f"forget {project}")

    def find(self, name: str) -> None:
        """Find no repository."""

    def leftovers(self, about: Any, marker: str) -> dict[str, str]:
        """Return what has this marker."""
        del about, marker
        return {}

    def delete(self, name: str, marker: str) -> bool:
        """Delete a repository with this marker: there is none."""
        return bool(name and marker)

    def start(self, name: str, operation: str, *, project: str, part: str) -> bool:
        """Take work."""
        return bool(name and operation and project and part)


class Bench:
    """A run that failed, whose clean-up was asked for."""

    def __init__(self, store: Store, clock: MovableClock, *, made: bool) -> None:
        self.store = store
        self.world = World({"github_repository.this"})
        world = cast("Any", self.world)
        policy = policy_of(load(EXAMPLE, {}))
        desk = Desk(store, world, policy, NOBODY, clock, lambda text: text)
        steps = RunSteps(store, desk, clock, policy, world, lambda text: text)
        parts = TerraformParts(steps, world, world, NOBODY, lambda *_: {})
        self.create = CreateProject(steps, parts, NOBODY, NOBODY, NOBODY)
        row = an_operation()
        row.request = a_spec().model_dump(mode="json")
        store.projects.reserve_and_begin(a_project(), row)
        store.operations.remember("op-1", made=made)
        store.operations.end("op-1", "failed")
        store.operations.retry("op-1", ["failed"], "to_clean", by="U-ada")

    def clean_up(self) -> None:
        """Work on the clean-up, as the engine would."""
        steps = SimpleNamespace(do=lambda _, effect, *args: effect(*args))
        self.create.clean_up(cast("Any", steps), "op-1")


def test_what_an_unmade_run_finds_in_the_state_stays(store: Store, clock: MovableClock) -> None:
    bench = Bench(store, clock, made=False)
    bench.clean_up()
    assert bench.world.done == []
    project = store.projects.get("ada-7")
    assert project is not None
    assert project.state == "gone"


def test_what_a_run_has_made_is_removed_and_forgotten(store: Store, clock: MovableClock) -> None:
    bench = Bench(store, clock, made=True)
    bench.clean_up()
    assert bench.world.done == ["adopt", "plan", "apply", "forget ada-7"]


@pytest.mark.parametrize("made", [True, False])
def test_the_name_is_free_again(store: Store, clock: MovableClock, *, made: bool) -> None:
    Bench(store, clock, made=made).clean_up()
    operation = store.operations.get("op-1")
    assert operation is not None
    assert operation.phase == "cleaned"
