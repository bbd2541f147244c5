"""What a workflow sees of the durable engine: named steps, each an effect that happens once.

A step's outcome, value or error, is remembered as JSON. So that a workflow takes the same path
again after a crash, the first run, too, gets what was remembered and not the object itself.
"""

import functools
import inspect
import logging
import typing
from collections.abc import Callable
from datetime import timedelta
from typing import Any, ParamSpec, Protocol, TypeVar
from uuid import uuid4

from pydantic import TypeAdapter

from provisioning.errors import PermanentError, RunEnded, SciclopsError, TemporaryError, UserError
from provisioning.text import Frozen

P = ParamSpec("P")
T = TypeVar("T")
log = logging.getLogger(__name__)


class Steps(Protocol):
    """One run of a workflow."""

    def do(self, name: str, effect: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """Let an effect happen as one durable step, and return what it returned.

        The effect must be idempotent: a crash after it and before its checkpoint repeats it. What
        it returns is remembered as its return annotation says: JSON values, tuples, `Frozen`
        values; never a secret. `TemporaryError` is retried within the engine's patience; it and
        other errors are remembered and raised. An unexpected error becomes a `PermanentError` with
        a reference to the log.
        """

    def patched(self, name: str) -> bool:
        """Tell whether a change to a workflow applies to this run: not if it began before it.

        `if steps.patched("verify-twice"): steps.do(...)` lets runs in flight finish as they began.
        """


Workflow = Callable[[Steps, str], None]
"""Called with its steps and the operation's id (or the sweep's slot).

Between steps it must be deterministic: no clock, no chance, nothing read from the world.
"""


class Outcome(Frozen):
    """What is remembered of a step: `error` is empty, or the kind of error."""

    value: Any = None
    error: str = ""
    message: str = ""
    field: str | None = None
    after: float | None = None

    @staticmethod
    def of(value: object, shape: TypeAdapter[Any]) -> "Outcome":
        """Remember what an effect returned; a value that doesn't fit its annotation is a bug."""
        return Outcome(value=shape.dump_python(value, mode="json", warnings="error"))

    @staticmethod
    def of_error(error: Exception, step: str) -> "Outcome":
        """Remember an error in words that people may read."""
        if not isinstance(error, SciclopsError):
            reference = uuid4().hex[:8]
            log.error("unexpected error %s in step %s", reference, step, exc_info=error)
            return Outcome(error="permanent", message=_unexpected(step, reference))
        if isinstance(error, RunEnded):
            return Outcome(error="ended", message=str(error))
        if isinstance(error, UserError):
            return Outcome(error="user", message=str(error), field=error.field)
        if isinstance(error, TemporaryError):
            after = error.after.total_seconds() if error.after else None
            return Outcome(error="temporary", message=str(error), after=after)
        return Outcome(error="permanent", message=str(error))

    def result(self, shape: TypeAdapter[Any]) -> Any:
        """Return the value, or raise the error."""
        match self.error:
            case "":
                return shape.validate_python(self.value)
            case "ended":
                raise RunEnded(self.message)
            case "user":
                raise UserError(self.message, field=self.field)
            case "temporary":
                after = None if self.after is None else timedelta(seconds=self.after)
                raise TemporaryError(self.message, after=after)
            case _:
                raise PermanentError(self.message)


def shape_of(effect: Callable[..., object]) -> TypeAdapter[Any]:
    """Return how to remember what an effect returns: by its annotation, else as plain JSON."""
    while isinstance(effect, functools.partial):
        effect = effect.func
    described = effect if inspect.isroutine(effect) else type(effect).__call__
    return _adapter(typing.get_type_hints(described).get("return", Any))


@functools.cache
def _adapter(kind: Any) -> TypeAdapter[Any]:
    return TypeAdapter(kind)


def _unexpected(step: str, reference: str) -> str:
    return (
        f"Something unexpected happened at “{step}”. What was made until then is still there. "
        f"Tell the platform team this reference: {reference}."
    )
