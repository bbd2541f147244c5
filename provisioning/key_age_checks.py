"""How old the keys are that a project's workflows log in with, where they are OAuth secrets."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from provisioning.last_deployments import ago
from provisioning.ports import Finding, Principal, SecretFacts
from provisioning.project import Environment

DUE = 4
"""A key is due when a fourth of its life is left, but at most `DUE_DAYS` before its end."""
DUE_DAYS = timedelta(days=14)


def key_ages(
    identities: Sequence[Environment],
    described: Mapping[str, Mapping[str, Any]],
    secrets: Callable[[Principal], tuple[SecretFacts, ...]],
    now: datetime,
    life: timedelta,
) -> tuple[Finding, ...]:
    """Return one finding for each principal: when its newest key was made, and when it ends."""
    findings = []
    for environment in identities:
        facts = described.get(environment.name) or {}
        principal = Principal(
            environment=environment,
            number=str(facts.get("service_principal_id") or 0),
            client_id=str(facts.get("client_id") or ""),
        )
        alive = [each for each in secrets(principal) if each.is_alive(now)]
        findings.append(_finding(f"{environment.name}: key's age", alive, now, life))
    return tuple(findings)


def _finding(name: str, alive: Sequence[SecretFacts], now: datetime, life: timedelta) -> Finding:
    if not alive:
        return Finding(check=name, passed=False, detail="There is no key that is valid.")
    newest = max(alive, key=lambda each: each.made_at)
    ends = newest.expires_at or newest.made_at + life
    left = ends - now
    made = f"made {ago(now - newest.made_at)}, valid for {max(left.days, 0)} more days"
    if left <= min(life / DUE, DUE_DAYS):
        return Finding(check=name, passed=False, detail=f"It runs out soon: {made}.")
    return Finding(check=name, passed=True, detail=made)
