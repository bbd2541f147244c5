"""Where workflows log in with secrets, each check on them fails alone when its fact is broken."""

from collections.abc import Callable
from datetime import timedelta
from functools import partial

import pytest
from secret_facts import PRODUCTION, SECRET_NAMES, Secrets, kept, secretive

from playground.databricks.state import FederationPolicy, OAuthSecret

__all__ = ["kept", "secretive"]
DAYS = 90
Break = Callable[[Secrets], object]


@pytest.fixture
def whole(kept: Secrets) -> Secrets:
    """Return a project in which every environment has its secret."""
    kept.provide()
    return kept


def failures(whole: Secrets) -> dict[str, str]:
    found = [*whole.facts.github_failures(), *whole.facts.databricks_failures()]
    assert all(each.remedy for each in found)
    return {each.check: each.detail for each in found}


def secret(whole: Secrets, stage: str = "production") -> OAuthSecret:
    (found,) = whole.facts.principal(stage).secrets.values()
    return found


def add(whole: Secrets, *, age: int, lives: int) -> None:
    made = whole.vendors.clock.now() - timedelta(days=age)
    other = OAuthSecret("other", "dose", made, made + timedelta(days=lives))
    whole.facts.principal().secrets["other"] = other


def trust(whole: Secrets) -> None:
    now = whole.vendors.clock.now()
    subject = "repo:acme/ada-7:environment:Production"
    policy = FederationPolicy("x", "x", "https://token.example", subject, ["a"], now, now)
    whole.facts.principal().policies["x"] = policy


def age_at_github(whole: Secrets) -> None:
    held = whole.facts.environment("Testing").secrets["DATABRICKS_TOKEN"]
    held.updated_at -= timedelta(days=DAYS)


def drop(whole: Secrets, name: str) -> None:
    del whole.facts.environment().secrets[name]


DATABRICKS = "Production: service principal has a fresh secret"
GITHUB = "environment Production has fresh secrets"
BREAKS: list[tuple[str, str, Break]] = [
    (DATABRICKS, "no secret that is valid", lambda w: w.facts.principal().secrets.clear()),
    (
        DATABRICKS,
        "secret that is valid",
        lambda w: setattr(secret(w), "expires", w.vendors.clock.now()),
    ),
    (DATABRICKS, "Older than 90 days, or made to be: other.", lambda w: add(w, age=DAYS, lives=80)),
    (DATABRICKS, "made to be: other.", lambda w: add(w, age=1, lives=91)),
    (
        "Production-plan: service principal has a fresh secret",
        "no secret that is valid",
        lambda w: w.facts.principal("production-plan").secrets.clear(),
    ),
    ("Production: service principal trusts no tokens", "not nobody", trust),
    *((GITHUB, f"Missing: {name}.", partial(drop, name=name)) for name in SECRET_NAMES),
    (
        "environment Production-plan has fresh secrets",
        "Missing: DATABRICKS_HOST",
        lambda w: w.facts.environment("Production-plan").secrets.clear(),
    ),
    (
        "environment Testing has fresh secrets",
        "Older than 90 days: DATABRICKS_TOKEN.",
        age_at_github,
    ),
]


def test_a_project_with_its_secrets_passes_every_check(whole: Secrets) -> None:
    assert failures(whole) == {}


@pytest.mark.parametrize(
    ("check", "said", "breaking"), BREAKS, ids=[f"{check}: {said}" for check, said, _ in BREAKS]
)
def test_a_broken_fact_fails_its_check_alone(
    whole: Secrets, check: str, said: str, breaking: Break
) -> None:
    breaking(whole)
    found = failures(whole)
    assert list(found) == [check]
    assert said in found[check]


def test_secrets_grow_old(whole: Secrets) -> None:
    whole.vendors.clock.advance(timedelta(days=DAYS))
    found = failures(whole)
    names = [each.name for each in whole.environments()]
    assert set(found) == {
        *(f"{name}: service principal has a fresh secret" for name in names),
        *(f"environment {name} has fresh secrets" for name in names),
    }
    assert PRODUCTION in names
