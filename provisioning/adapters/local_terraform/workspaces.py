"""Terraform workspaces in PostgreSQL, which must not be created by two at once.

The `pg` backend takes one lock for the creation of any workspace and fails when it is taken, so
everybody queues before it here, on whatever machine.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg

from provisioning.errors import TemporaryError

QUEUE = 8_451_001
"""The advisory lock's number; ours alone."""


@contextmanager
def sole_creator(state_url: str) -> Iterator[None]:
    """Hold the right to create a workspace."""
    try:
        with psycopg.connect(state_url, autocommit=True) as connection:
            connection.execute("select pg_advisory_lock(%s)", (QUEUE,))
            yield
    except psycopg.OperationalError as failure:
        raise TemporaryError(
            "the PostgreSQL server that keeps Terraform's state cannot be reached; nothing was run"
        ) from failure
