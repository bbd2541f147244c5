"""Fixtures that every test may use."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from databases import (
    clock,
    database,
    each_database,
    each_store,
    postgresql,
    store,
    upgraded_file,
)
from nursery import Nursery
from xdist.remote import Producer
from xdist.scheduler import LoadFileScheduling

from playground.children import Children, afresh

__all__ = [
    "clock",
    "database",
    "each_database",
    "each_store",
    "postgresql",
    "store",
    "upgraded_file",
]

pytest_plugins = ["skips"]

HERE = Path(__file__).parent
AFRESH = (
    "adapters/test_crash.py",
    "adapters/test_terraform_provider_process.py",
    "browser/test_day_two_story.py",
    "browser/test_ship_story.py",
    "browser/test_story.py",
    "conversations/test_canaries.py",
    "conversations/test_linked_tokens.py",
    "chaos/test_three_processes.py",
)
"""What is about how processes begin, or is a person's whole way, has them started afresh."""

LONG = (
    "conversations/test_breaking_glass.py",
    "conversations/test_missed_webhooks.py",
    "conversations/test_releases_by_rule_and_time.py",
    "conversations/test_releases_by_rule_without_webhooks.py",
    "conversations/test_releases_without_webhooks.py",
    "chaos/test_deployments_through_rotations.py",
    "chaos/test_gates_ship.py",
    "chaos/test_kills_of_every_kind.py",
    "chaos/test_templates_ship.py",
    "chaos/test_webhooks.py",
)
"""Trials that would make the suite longer than 20 minutes on two cores: `make prove` runs them."""
SAMPLED_OUT = (
    "test_from_the_form_to_the_announcement[socket-two]",
    "test_from_the_form_to_the_announcement[http-one]",
)
"""Settings of a story whose every value another of its settings has: `make prove` runs them."""
LONGEST_FIRST = ("browser/test_ship_story.py", "chaos", "conversations", "browser", "adapters")
"""Begun in this order, so that no worker ends with a long story while the other ones are idle."""

STORMS = "tests/chaos"
"""One worker takes them all: each of them alone keeps two cores busy."""
SLOW = (
    "test_its_tests_pass_without_spark_or_a_workspace",
    "test_every_entry_point_takes_a_fixture",
)
"""Tests of each rendered project that take long where a model is trained: a sample of two runs."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options of the long trials."""
    parser.addoption("--prove", action="store_true", help="run the long trials in full")
    parser.addoption("--seed", default="", help="repeat the trials of this seed")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Begin with what takes longest; leave the long trials to `--prove`."""
    items.sort(key=_rank)
    if config.getoption("--prove"):
        return
    long = [item for item in items if _is_long(item)]
    config.hook.pytest_deselected(items=long)
    items[:] = [item for item in items if item not in long]


class StormByStorm(LoadFileScheduling):
    """Gives files of tests to workers, and all storms to one of them."""

    def _split_scope(self, nodeid: str) -> str:
        return STORMS if nodeid.startswith(STORMS) else super()._split_scope(nodeid)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> StormByStorm:
    """Choose which worker runs what."""
    return StormByStorm(config, log)


@pytest.fixture(scope="session")
def nursery() -> Iterator[Nursery]:
    """Return what forks processes that have their imports behind them."""
    begun = Nursery()
    yield begun
    begun.close()


@pytest.fixture(autouse=True, scope="module")
def starts(request: pytest.FixtureRequest, nursery: Nursery) -> None:
    """Choose how the module's playground starts its processes; the long trials have new ones."""
    is_long = request.config.getoption("--prove")
    is_afresh = is_long or _path(request.path).startswith(AFRESH)
    Children.start = staticmethod(afresh if is_afresh else nursery.start)


def _path(file: Path) -> str:
    return file.relative_to(HERE).as_posix()


def _is_long(item: pytest.Item) -> bool:
    if str(item.path).endswith(LONG) or item.name in SAMPLED_OUT:
        return True
    trains = item.name.partition("[")[0] in SLOW and "[ml_workflow-" in item.name
    return trains and not item.name.endswith(("-defaults]", "-classification_served]"))


def _rank(item: pytest.Item) -> int:
    path = _path(item.path)
    ranks = enumerate(LONGEST_FIRST)
    return next((rank for rank, name in ranks if path.startswith(name)), len(LONGEST_FIRST))
