"""Fixtures that every test may use."""

from databases import clock, database, each_database, each_store, postgresql, store

__all__ = ["clock", "database", "each_database", "each_store", "postgresql", "store"]

pytest_plugins = ["skips"]
