"""What becomes of sandboxes as time goes by: their owners are warned, and in the end they go."""

import logging
from dataclasses import dataclass

from provisioning import audit
from provisioning.clock import Clock
from provisioning.errors import UserError
from provisioning.operation import CREATE, DESTROY, operation_id
from provisioning.requesting import Requesting
from provisioning.sandbox import FIRST_WARNING, Sandbox, SandboxWarning, due_warning
from provisioning.sandbox_message import ended, over_notice, warning_notice
from provisioning.store import Message, Store
from provisioning.tables import OperationRow
from provisioning.text import Notice

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class SandboxTimes:
    """A sweep over sandboxes whose end is near or past; doing it again changes nothing."""

    store: Store
    requesting: Requesting
    clock: Clock

    def sweep(self) -> None:
        """Warn once of each end that comes near; begin the destruction of what has ended."""
        now = self.clock.now()
        for sandbox in self.store.sandboxes.ending((now + FIRST_WARNING).date()):
            if sandbox.ends <= now:
                self._end(sandbox)
            elif warning := due_warning(sandbox, now):
                self._warn(sandbox, warning)

    def _warn(self, sandbox: Sandbox, warning: SandboxWarning) -> None:
        """Give a warning, and none of those that were missed before it."""
        origin = origin_of(self.store, sandbox)
        key = f"{warnings_of(origin)}{sandbox.until}:{warning.name}"
        if self.store.messages.get(key) or self.store.sandboxes.is_destroyed(sandbox.project):
            return
        notice = warning_notice(sandbox, self.clock.now())
        if self.store.sandboxes.warn(sandbox, self._in_thread(origin, key, notice)):
            self.store.messages.on_show()

    def _end(self, sandbox: Sandbox) -> None:
        """Begin the destruction, and tell the owners; a project that is busy is tried again."""
        try:
            run = self._begin_destruction(sandbox)
        except UserError as busy:
            log.info("the sandbox %s has ended, but stays for now: %s", sandbox.project, busy)
            return
        origin = origin_of(self.store, sandbox)
        key = f"{message_of(origin)}:over:{sandbox.until}"
        if not run or self.store.messages.get(key):
            return
        self.store.messages.settle(warnings_of(origin), ended)
        self.store.messages.show(self._in_thread(origin, key, over_notice(sandbox, run)))

    def _begin_destruction(self, sandbox: Sandbox) -> str:
        """Begin to destroy a sandbox that has ended, once for each end date; return the run's id.

        Nothing happens, and no id is returned, if somebody has begun that before the end. Raises
        `UserError` if something else is under way, or if the end was put off meanwhile.
        """
        key = f"expired:{sandbox.project}:{sandbox.until}"
        if begun := self.store.operations.get(operation_id(key)):
            return begun.id
        if self.store.sandboxes.is_destroyed(sandbox.project):
            return ""
        begin, spec = self.requesting.begin, sandbox.spec
        return begin(DESTROY, spec, by=audit.US, key=key, facts={}, unchanged=True).id

    def _in_thread(self, origin: OperationRow, key: str, notice: Notice) -> Message:
        """Answer the message of the run that made the project; in the channel, if it has none."""
        parent = self.store.messages.get(message_of(origin))
        return Message(
            key=key,
            channel=origin.channel,
            thread_of=parent.key if parent and parent.ts else "",
            content=notice,
        )


def origin_of(store: Store, sandbox: Sandbox) -> OperationRow:
    """Return the operation that made the project."""
    runs = store.operations.of_project(sandbox.project)
    return next(run for run in runs if run.kind == CREATE)


def warnings_of(origin: OperationRow) -> str:
    """Return how the keys of a project's warnings begin: the date and the warning's name follow."""
    return f"{message_of(origin)}:ends:"


def message_of(origin: OperationRow) -> str:
    """Return the key of the message that shows how the project was made."""
    return f"run:{origin.id}"
