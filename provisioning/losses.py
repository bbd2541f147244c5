"""What is lost with a project, for whoever is about to destroy it, as the vendors have it now."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Any, TypeVar

from provisioning.errors import SciclopsError
from provisioning.policy import Policy
from provisioning.project import ProjectSpec
from provisioning.removal_ports import Dismantling, Held, Holdings
from provisioning.store import Store

T = TypeVar("T")
MOST_NAMED = 4
"""So many pull requests, projects or jobs are named one by one."""
UNKNOWN = "could not be asked for just now"


@dataclass(frozen=True)
class Losses:
    """Looks what there is; a vendor that does not answer keeps nobody from anything."""

    store: Store
    policy: Policy
    dismantling: Dismantling
    holdings: Holdings
    vendors: Executor

    def of(self, spec: ProjectSpec) -> tuple[str, ...]:
        """Return a line for everything that goes with a project, or depends on it."""
        project = self.store.projects.get(spec.name)
        makers = client_ids(project.outputs if project else {})
        held = self.vendors.submit(lambda: _asked(lambda: self.holdings.held(spec, makers)))
        pulls = self.vendors.submit(
            lambda: _asked(lambda: self.dismantling.open_pull_requests(spec.name))
        )
        schemas = schemas_of(spec, self.policy.catalogs)
        return (
            self._environments(spec),
            *_databricks(schemas, held.result()),
            _pull_requests(pulls.result()),
            *self._dependents(spec.name, schemas),
            "The repository is archived, not deleted: its code and history stay readable.",
        )

    def _environments(self, spec: ProjectSpec) -> str:
        names = [each.name for each in spec.environments()]
        kept = "their service principals, secrets, secret scopes and cluster policies"
        own = ", ".join(each.name for each in spec.secrets)
        values = f" The values of {own} go, too, and nobody has them here." if own else ""
        return f"Environments: {', '.join(names)}, with {kept}.{values}"

    def _dependents(self, name: str, schemas: Sequence[str]) -> Iterator[str]:
        found = [other for other in self.store.projects.granted(schemas) if other != name]
        if found:
            yield f"Other projects were granted its data and lose it: {_few(found)}."


def schemas_of(spec: ProjectSpec, catalogs: Mapping[str, Mapping[str, str]]) -> tuple[str, ...]:
    """Return the full names of a project's schemas."""
    schema = spec.name.replace("-", "_")
    places = (catalogs[each.group][each.stage] for each in spec.environments())
    return tuple(f"{catalog}.{schema}" for catalog in places)


def client_ids(outputs: Mapping[str, Any]) -> frozenset[str]:
    """Return what a project's service principals log in as, from Terraform's outputs."""
    environments = outputs.get("environments") or {}
    return frozenset(str(each["client_id"]) for each in environments.values())


def _asked(ask: Callable[[], tuple[T, ...]]) -> tuple[T, ...] | None:
    try:
        return ask()
    except SciclopsError:
        return None


def _databricks(schemas: Sequence[str], held: Sequence[Held] | None) -> Iterator[str]:
    listed = ", ".join(schemas)
    if held is None:
        yield f"Schemas: {listed}. What is in them, and which jobs there are, {UNKNOWN}."
        return
    inside = Counter(one.kind for one in held if one.inside)
    counts = ", ".join(_count(number, kind) for kind, number in sorted(inside.items()))
    yield f"Schemas: {listed}, with {counts or 'nothing in them'}."
    jobs = [f"{one.name} ({one.environment})" for one in held if not one.inside]
    yield f"Jobs and pipelines: {_few(jobs) or 'none'}."


def _pull_requests(titles: Sequence[str] | None) -> str:
    if titles is None:
        return f"Open pull requests {UNKNOWN}; they are closed."
    return f"Open pull requests, which are closed: {_few(titles) or 'none'}."


def _count(number: int, kind: str) -> str:
    return f"{number} {kind}{'' if number == 1 else 's'}"


def _few(names: Sequence[str]) -> str:
    more = len(names) - MOST_NAMED
    shown = ", ".join(names[:MOST_NAMED])
    return f"{shown} and {more} more" if more > 0 else shown
