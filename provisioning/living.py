"""Whether a project may be worked with: one rule, and one way to say no.

What nobody has asked for is unknown. What is not ready yet is left to the run that makes it, and
what is being destroyed, or was, takes no requests any more.
"""

from provisioning.board import read_operation
from provisioning.errors import UserError
from provisioning.operation import OPEN
from provisioning.refusals import busy
from provisioning.store import Store
from provisioning.tables import ProjectRow
from provisioning.text import Text, code, quoted, say

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


def unknown(name: str, meant: str = "") -> Text:
    """Say that there is no project of a name, and where one finds those that there are."""
    hint = ("Did you mean ", code(meant), "? ") if meant else ()
    listing = code("/sciclops list")
    return say(f"There is no project {quoted(name)}. ", *hint, listing, " shows which there are.")


def known(store: Store, name: str) -> ProjectRow:
    """Return a project, whatever became of it; raises `UserError` if nobody ever asked for it."""
    if row := store.projects.get(name):
        return row
    raise UserError(unknown(name, _meant(store, name)))


def _meant(store: Store, name: str) -> str:
    """Return the project that is meant: telephones begin with a capital, sentences end with a dot.

    Nothing else is guessed, so that nobody learns the name of a project by asking.
    """
    likely = name.strip(".,;:!?").lower()
    return likely if likely != name and store.projects.get(likely) else ""


def existing(store: Store, name: str) -> ProjectRow:
    """Return a project that is not gone; raises `UserError` for others."""
    row = known(store, name)
    if row.state == GONE:
        status = code(f"/sciclops status {name}")
        raise UserError(say(f"{name} is gone: ", status, " shows what it was. Nothing was done."))
    return row


def ready(store: Store, name: str) -> ProjectRow:
    """Return a project that may be worked with; raises `UserError` for others."""
    row = existing(store, name)
    require_living(store, name)
    if row.state != "ready":
        raise UserError(
            f"{name} is not ready yet: its run's message says how it stands. Nothing was started."
        )
    return row


def require_quiet(store: Store, name: str) -> None:
    """Refuse to begin while a run is under way that others have to wait for."""
    for row in store.operations.of_project(name, active=True):
        if row.phase not in OPEN:
            raise UserError(busy(read_operation(row)))
