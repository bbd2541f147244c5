"""A job's matrix: its legs, and how GitHub names them."""

from itertools import product

from playground.actions.expressions import Scope, split, text_of
from playground.actions.workflow import WorkflowError
from playground.github.world import Json

MOST_LEGS = 256


def legs(matrix: object) -> list[Json]:
    """Return every combination of a matrix whose expressions are put in, as GitHub makes them."""
    if not isinstance(matrix, dict):
        raise WorkflowError("Matrix must be a mapping")
    axes = {name: values for name, values in matrix.items() if name not in ("include", "exclude")}
    for name, values in axes.items():
        if not isinstance(values, list) or not values:
            raise WorkflowError(f"Matrix vector '{name}' does not contain any values")
    crossed = [dict(zip(axes, each, strict=True)) for each in product(*axes.values()) if axes]
    kept = [leg for leg in crossed if not any(_fits(leg, out) for out in _list(matrix, "exclude"))]
    made = _included(kept, _list(matrix, "include"), set(axes))
    if not made or len(made) > MOST_LEGS:
        raise WorkflowError(f"A matrix must have 1 to {MOST_LEGS} jobs, not {len(made)}")
    return made


def _list(matrix: Json, name: str) -> list[Json]:
    found = matrix.get(name) or []
    if not isinstance(found, list) or not all(isinstance(each, dict) for each in found):
        raise WorkflowError(f"Matrix {name} must be a list of mappings")
    return found


def _fits(leg: Json, pattern: Json) -> bool:
    return all(leg.get(name) == value for name, value in pattern.items())


def _included(kept: list[Json], extra: list[Json], axes: set[str]) -> list[Json]:
    """Add each include to the legs whose own values it leaves alone, or as a leg of its own."""
    made = [dict(leg) for leg in kept]
    alone = []
    for each in extra:
        own = {name: value for name, value in each.items() if name in axes}
        matching = [new for leg, new in zip(kept, made, strict=True) if _fits(leg, own)]
        for new in matching:
            new |= each
        alone += [] if matching else [dict(each)]
    return made + alone


def job_name(job_id: str, name: object, leg: Json | None, scope: Scope) -> str:
    """Return a job's name; a leg whose name says nothing of its values gets them in brackets."""
    written = str(name) if name else job_id
    shown = scope.text(written)
    if not leg or any(code for code, _ in split(written)):
        return shown
    return f"{shown} ({', '.join(_leaves(leg))})"


def _leaves(value: object) -> list[str]:
    if isinstance(value, dict):
        return [leaf for held in value.values() for leaf in _leaves(held)]
    if isinstance(value, list):
        return [leaf for held in value for leaf in _leaves(held)]
    return [text_of(value)]
