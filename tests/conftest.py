"""Fixtures that every test may use."""

import pytest
from databases import clock, database, each_database, each_store, postgresql, store

__all__ = ["clock", "database", "each_database", "each_store", "postgresql", "store"]

pytest_plugins = ["skips"]


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options of the long trials."""
    parser.addoption("--prove", action="store_true", help="run the long trials in full")
    parser.addoption("--seed", default="", help="repeat the trials of this seed")
