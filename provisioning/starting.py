"""Starts the parts of runs: at once, or when it is their turn to write to GitHub."""

from provisioning.board import Board, read_operation
from provisioning.engine import Engine
from provisioning.operation import ENDED, OPEN, TURNS, WRITING, Operation, Part, part_of
from provisioning.operation_kinds import kind_of
from provisioning.policy import Policy
from provisioning.store import Store, Turn


class Starting:
    """Starting something again is a no-op, so a sweep may repeat what a crash cut off."""

    def __init__(self, store: Store, engine: Engine, policy: Policy) -> None:
        self._store = store
        self._board = Board(store)
        self._engine = engine
        self._policy = policy
        self._turn = Turn(
            at_once=policy.github_writing_applies, per_hour=policy.github_writes_per_hour
        )

    def start(self, operation: Operation) -> None:
        """Start the part that works in the operation's phase, if one does."""
        if operation.phase in (*ENDED, *OPEN, "waiting", "deploying", "storing"):
            return
        if operation.phase in TURNS:
            self.admit()
            return
        self.start_part(operation, part_of(operation.phase))

    def start_part(self, operation: Operation, part: Part) -> None:
        """Start a part of the operation's present attempt."""
        self._engine.start(
            f"{operation.kind}.{part}",
            operation.id,
            project=operation.project,
            part=f"{part}:{operation.attempt}",
        )

    def admit(self) -> None:
        """Let runs write to GitHub, first come first, as far as its limits allow."""
        waiting = [read_operation(row) for row in self._store.turns.waiting(TURNS)]
        while waiting:
            first = waiting[0]
            writes = self._writes(first)
            facts = {"writes": max(writes, first.facts.writes)}
            turn_of = f"{first.id}:{first.attempt}"
            if not self._store.turns.grant(turn_of, writes, WRITING, self._turn):
                break
            waiting.pop(0)
            to = TURNS[first.phase]
            moved = self._store.operations.move(first.id, [first.phase], to, by="bot", facts=facts)
            if moved:
                self.start(read_operation(moved))
                self._board.show(first.id)
        for position, run in enumerate(waiting, start=1):
            if run.facts.queue_position != position:
                self._store.operations.remember(run.id, queue_position=position)
                self._board.show(run.id)

    def _writes(self, operation: Operation) -> int:
        """Return what a turn costs; environments lose their secrets with themselves.

        Those that a project had before a change keep theirs.
        """
        before = operation.facts.before
        removes = operation.is_clean_up or kind_of(operation).removes
        secrets = 0 if removes else self._policy.secret_writes(operation.spec)
        kept = self._policy.secret_writes(before) if before else 0
        return operation.writes + secrets - kept
