"""A project's own secrets: what they may be called and where they lie. Pure; no value is ever here.

Each secret has a scope of its own in each environment: Databricks gives rights on scopes, not on
what is in them, and whoever removes the scope has removed the value.
"""

import re
from collections.abc import Iterable, Mapping
from datetime import datetime

from pydantic import Field

from provisioning.project import Environment, ProjectSecret, ProjectSpec
from provisioning.text import Frozen

NAME = re.compile(r"[A-Z_][A-Z0-9_]*")
"""GitHub's rule, which compares names without regard to case: in capital letters they look alike
everywhere, and what somebody pastes by mistake is no name."""
SHAPES = (
    re.compile("secret", re.IGNORECASE),
    re.compile("add|set|remove|list", re.IGNORECASE),
    re.compile(r"[a-z][a-z0-9-]*"),
    NAME,
)
"""What the words of the command look like, one after the other."""
LONGEST_NAME = 40
LONGEST_SCOPE = 128
"""Databricks: characters of a scope's name."""
MOST_SECRETS = 20
"""So many a project may have: GitHub lists 30 variables of an environment at once."""
MOST_CHARACTERS = 3000
"""What an input of Slack takes."""
RESERVED = {
    "GITHUB_": "GitHub keeps names that begin so for itself",
    "DATABRICKS_": "the deploy workflow logs in with secrets that are called so",
    "MGMT_": "the deploy workflow logs in with secrets that are called so",
    "ACTIONS_": "GitHub Actions has settings that are called so",
}
"""How names must not begin, and why."""


class SecretWork(Frozen):
    """How far a run about a secret has come: names, places and times.

    A value is still `wanted` in environments that are not among the `written`, where GitHub's clock
    says when that was. `storing` are those where it is written just now, by `by`, and `since` is
    when that began, or when people were asked for it. `trouble` is what kept it from its end.
    """

    name: str
    stages: tuple[str, ...]
    wanted: tuple[str, ...] = ()
    written: dict[str, datetime] = Field(default_factory=dict)
    storing: tuple[str, ...] = ()
    by: str = ""
    since: datetime | None = None
    trouble: str = ""

    @property
    def lacking(self) -> tuple[str, ...]:
        """Return the environments that still wait for the value."""
        return tuple(name for name in self.wanted if name not in self.written)


def objection(name: str) -> str:
    """Return why a secret cannot have this name, or an empty string."""
    if not NAME.fullmatch(name):
        return "A name has capital letters, digits and underscores, and begins with no digit."
    if len(name) > LONGEST_NAME:
        return f"A name has at most {LONGEST_NAME} characters."
    for prefix, why in RESERVED.items():
        if name.startswith(prefix):
            return f"Names must not begin with {prefix}: {why}."
    return ""


def objection_in(spec: ProjectSpec, name: str) -> str:
    """Return why a project cannot have one more secret of this name, or an empty string."""
    if wrong := objection(name):
        return wrong
    if secret_of(spec, name) is None and len(spec.secrets) >= MOST_SECRETS:
        return f"{spec.name} has {MOST_SECRETS} secrets, as many as it may. Remove one first."
    scopes = (scope_of(spec.name, each.name, name) for each in spec.environments())
    if any(len(scope) > LONGEST_SCOPE for scope in scopes):
        return "This name and the project's are too long together: Databricks takes 128 characters."
    return ""


def secret_of(spec: ProjectSpec, name: str) -> ProjectSecret | None:
    """Return a project's secret, or None if it has none of this name."""
    return next((each for each in spec.secrets if each.name == name), None)


def with_secret(spec: ProjectSpec, name: str, stages: Iterable[str]) -> ProjectSpec:
    """Return the project with a secret in exactly these stages; with none of them, without it."""
    others = tuple(each for each in spec.secrets if each.name != name)
    there = tuple(stages)
    kept = (ProjectSecret(name=name, stages=there),) if there else ()
    secrets = tuple(sorted((*others, *kept), key=lambda each: each.name))
    return spec.model_copy(update={"secrets": secrets})


def is_planned_from(present: ProjectSpec, wanted: ProjectSpec, name: str) -> bool:
    """Tell whether nothing but one secret differs; how long a sandbox lives is no matter here."""
    found = secret_of(wanted, name)
    expected = with_secret(present, name, found.stages if found else ())
    return expected == wanted.model_copy(update={"sandbox_until": present.sandbox_until})


def environments_of(spec: ProjectSpec, stages: Iterable[str]) -> tuple[Environment, ...]:
    """Return a project's environments in these stages; planners have no secrets."""
    wanted = frozenset(stages)
    return tuple(each for each in spec.environments() if each.stage in wanted)


def scope_of(project: str, environment: str, name: str) -> str:
    """Return the Databricks scope that holds one secret; no project's name has a dot in it."""
    return f"{scopes_of(project, environment)}{name}"


def scopes_of(project: str, environment: str) -> str:
    """Return how the scopes of an environment's secrets begin."""
    return f"{project}-{environment.lower()}."


def reference_of(name: str) -> str:
    """Return the variable at GitHub that names a secret's scope."""
    return f"{name}_SCOPE"


def without_values(words: tuple[str, ...]) -> tuple[str, ...]:
    """Return what may be kept of `secret <what> <project> <NAME>`: no word that may be a value.

    From the first word on that is not what belongs there, all are left out; an empty one says so.
    """
    pairs = enumerate(zip(words, SHAPES, strict=False))
    fitting = next((n for n, (word, shape) in pairs if not shape.fullmatch(word)), len(SHAPES))
    return words if len(words) <= fitting else (*words[:fitting], "")


def begun(
    name: str, stages: Iterable[str], environments: Iterable[Environment]
) -> dict[str, object]:
    """Return the facts that a run about a secret begins with."""
    wanted = tuple(each.name for each in environments)
    work = SecretWork(name=name, stages=tuple(stages), wanted=wanted)
    return {"secret": work.model_dump(mode="json")}


def written_at(dates: Mapping[str, datetime | None]) -> datetime | None:
    """Return when the last of several places got its value; None while one of them has none."""
    known = [at for at in dates.values() if at is not None]
    return max(known) if len(known) == len(dates) and known else None
