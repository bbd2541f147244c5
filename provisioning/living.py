"""Whether a project lives: what is being destroyed, or was, takes no requests any more."""

from provisioning.errors import UserError
from provisioning.store import Store

GOING, GONE = "going", "gone"
"""A project's states from a confirmed destruction on, and after it."""


def is_going(store: Store, project: str) -> bool:
    """Tell whether a project is being destroyed."""
    row = store.projects.get(project)
    return row is not None and row.state == GOING


def require_living(store: Store, project: str) -> None:
    """Refuse what is asked for of a project that is being destroyed; raises `UserError`."""
    if is_going(store, project):
        raise UserError(f"{project} is being destroyed. Nothing was started.")
