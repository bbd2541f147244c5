"""A playground without its bot, whose settings the doctor examines while tests break facts."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from bot.doctor import Result, checks_of
from bot.doctor.running import run
from bot.settings import Settings, load
from playground.github.objects import GitStore
from playground.world import Choices, Playground, World
from provisioning.diagnosis import Verdict

SECONDS = 20
MISSING = object()


class Patient:
    """The vendors and the settings; one workspace group is enough for most questions."""

    def __init__(self, playground: Playground) -> None:
        self.world: World = playground.world
        self.playground = playground
        everything = load(self.world.directory / "sciclops.toml", self.world.secrets())
        group = {"gbx1": everything.workspace_groups["gbx1"]}
        data = tuple(some for some in everything.data if some.securable.startswith("gbx1"))
        self.everything = everything
        self.settings = everything.model_copy(update={"workspace_groups": group, "data": data})

    def examine(
        self, system: str, settings: Settings | None = None, seconds: float = SECONDS
    ) -> tuple[Result, ...]:
        """Return the results of one system's checks."""
        checks = [c for c in checks_of(settings or self.settings) if c.system == system]
        assert checks, system
        return run(checks, seconds)

    def wrong(
        self, system: str, settings: Settings | None = None, seconds: float = SECONDS
    ) -> dict[str, Verdict]:
        """Return what is not fine, but for what was skipped because of it."""
        results = self.examine(system, settings, seconds)
        found = {r.name: r.verdict for r in results if r.verdict.level in ("warning", "problem")}
        if any(result.verdict.level == "skipped" for result in results):
            assert any(verdict.level == "problem" for verdict in found.values()), results
        return found

    def with_(self, section: str, **different: Any) -> Settings:
        """Return the settings with some values of a section changed."""
        changed = getattr(self.settings, section).model_copy(update=different)
        return self.settings.model_copy(update={section: changed})

    def with_stage(self, stage: str, **different: Any) -> Settings:
        """Return the settings with some values of a stage of gbx1 changed."""
        group = self.settings.workspace_groups["gbx1"]
        changed = group.stages[stage].model_copy(update=different)
        group = group.model_copy(update={"stages": {**group.stages, stage: changed}})
        return self.settings.model_copy(update={"workspace_groups": {"gbx1": group}})

    def with_account(self, **different: Any) -> Settings:
        """Return the settings with some values of gbx1's account changed."""
        group = self.settings.workspace_groups["gbx1"].model_copy(update=different)
        return self.settings.model_copy(update={"workspace_groups": {"gbx1": group}})


def only(found: dict[str, Verdict], name: str, level: str = "problem") -> str:
    """Assert that exactly this check found something; return what is printed about it."""
    assert list(found) == [name], found
    verdict = found[name]
    assert verdict.level == level
    assert verdict.remedy
    return f"{verdict.detail}\n{verdict.remedy}"


@contextmanager
def changed(thing: Any, name: Any, value: Any) -> Iterator[None]:
    """Set an attribute, or an item of a mapping, for a while; MISSING removes the item."""
    if isinstance(thing, dict):
        before = dict(thing)
        thing.pop(name, None)
        if value is not MISSING:
            thing[name] = value
        try:
            yield
        finally:
            thing.clear()
            thing.update(before)
        return
    old = getattr(thing, name)
    setattr(thing, name, value)
    try:
        yield
    finally:
        setattr(thing, name, old)


@contextmanager
def patient_in(directory: Path, choices: Choices | None = None) -> Iterator[Patient]:
    """Return a patient in best health."""
    directory.mkdir(parents=True, exist_ok=True)
    playground = Playground(World(directory, choices))
    try:
        _release_the_workflow(playground.world)
        yield Patient(playground)
    finally:
        playground.close()


def _release_the_workflow(world: World) -> None:
    platform = world.github.repos["sciclops-platform"]
    git = GitStore(platform.path)
    if "refs/tags/v1" not in git.refs():
        git.set_ref("refs/tags/v1", git.refs()["refs/heads/main"])


@pytest.fixture(scope="module")
def patient(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Patient]:
    """Return a patient, for one module; who breaks something mends it."""
    with patient_in(tmp_path_factory.mktemp("patient")) as found:
        yield found
