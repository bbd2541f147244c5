"""Terraform workspaces in PostgreSQL, which must not be created by two at once.

The `pg` backend takes one lock for the creation of any workspace and fails when it is taken, so
everybody queues before it here, on whatever machine.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg

from provisioning.errors import TemporaryError
from provisioning.runs import Outcome

TAKEN = "Already locked for workspace creation"
QUEUE = 8_451_001
"""The advisory lock's number; ours alone."""


def collided(outcome: Outcome) -> bool:
    """Tell whether the backend's lock was taken: any plan or apply of others holds it for a moment.

    It is also held until the server has noticed that the process that took it is gone.
    """
    return any(TAKEN in f"{each.summary} {each.detail}" for each in outcome.diagnostics)


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
