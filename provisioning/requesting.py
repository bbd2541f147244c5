"""Where operations begin: what people ask for is stored, shown and started, once."""

from collections.abc import Mapping
from typing import Any

from provisioning import refusals
from provisioning.board import Board, read_operation
from provisioning.clock import Clock
from provisioning.engine import Engine
from provisioning.errors import UserError
from provisioning.operation import CREATE, Operation, operation_id
from provisioning.policy import Policy
from provisioning.project import ProjectSpec
from provisioning.run_message import run_notice
from provisioning.starting import Starting
from provisioning.store import BusyError, Message, NameTakenError, Store
from provisioning.tables import OperationRow, ProjectRow


class Requesting:
    """Takes requests that were checked; the same key again changes nothing."""

    def __init__(self, store: Store, engine: Engine, policy: Policy, clock: Clock) -> None:
        self._store = store
        self._board = Board(store)
        self._starting = Starting(store, engine, policy)
        self._policy = policy
        self._clock = clock

    def create(self, spec: ProjectSpec, *, by: str, key: str) -> Operation:
        """Reserve the name and begin `create_project`; raises `UserError` if somebody has it."""
        row = self._row(CREATE, spec, by, key)
        project = ProjectRow(
            name=spec.name,
            state="reserved",
            spec=spec.model_dump(mode="json"),
            requested_by=by,
            created_at=row.created_at,
        )
        operation = read_operation(row)
        message = Message(
            key=operation.message,
            channel=operation.channel,
            content=run_notice(operation),
            urgent=True,
        )
        try:
            stored = read_operation(self._store.projects.reserve_and_begin(project, row, [message]))
        except NameTakenError as taken:
            raise UserError(
                f"Somebody just took the name “{spec.name}”. Please choose another one.",
                field="name",
            ) from taken
        self._store.messages.on_show()
        self._starting.start(stored)
        return stored

    def begin(
        self,
        kind: str,
        spec: ProjectSpec,
        *,
        by: str,
        key: str,
        facts: dict[str, Any],
        unchanged: bool = False,
    ) -> Operation:
        """Begin an operation on a project that exists; if `unchanged`, only while it is as in spec.

        One of an upgrade of all projects has no message of its own: these are shown together.

        Raises `UserError` while another one is under way: they come one at a time; and where
        somebody else has locked the project.
        """
        self._store.locks.require_open(spec.name, by, kind)
        try:
            stored = self._store.operations.begin(
                self._row(kind, spec, by, key, facts), unchanged=unchanged
            )
        except BusyError as busy:
            raise UserError(refusals.busy(self._board.find(busy.operation))) from busy
        self._board.show(stored.id)
        operation = read_operation(stored)
        self._starting.start(operation)
        return operation

    def _row(
        self, kind: str, spec: ProjectSpec, by: str, key: str, facts: dict[str, Any] | None = None
    ) -> OperationRow:
        return OperationRow(
            id=operation_id(key),
            kind=kind,
            project=spec.name,
            phase="queued",
            request=spec.model_dump(mode="json"),
            facts=facts or {},
            requested_by=by,
            channel="" if _is_one_of_many(facts or {}) else self._policy.channel,
            created_at=self._clock.now(),
        )


def _is_one_of_many(facts: Mapping[str, Any]) -> bool:
    return bool((facts.get("upgrade") or {}).get("fleet"))
