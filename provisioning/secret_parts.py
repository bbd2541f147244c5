"""The steps that give each environment its OAuth secret, where workflows log in with secrets.

A secret's value lives within one step. What is remembered is the id of the secret that GitHub has;
any other one of a principal is an orphan of an interrupted step, or was somebody's by hand.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, cast

from pydantic import SecretStr

from provisioning.delivery import SECRET_NAMES
from provisioning.engine import Steps
from provisioning.errors import PermanentError
from provisioning.operation import Operation
from provisioning.ports import MintedSecret, Principal, Repositories, SecretFacts, Workspaces
from provisioning.project import Environment
from provisioning.run_steps import RunSteps

MOST_SECRETS = 5
"""Databricks: a service principal has at most five, those that have expired included."""


@dataclass(frozen=True)
class SecretParts:
    """The steps; each environment has one of its own."""

    run_steps: RunSteps
    repositories: Repositories
    workspaces: Workspaces

    def write(self, steps: Steps, run: str) -> None:
        """Let GitHub know a secret of every service principal; of none where tokens log in."""
        for name in steps.do("find who needs a secret", self.needing, run):
            steps.do(f"write secrets of {name}", self.provide, run, name)

    def needing(self, run: str) -> tuple[str, ...]:
        """Return the environments that need secrets."""
        policy = self.run_steps.policy
        if policy.authentication != "secret":
            return ()
        return tuple(each.name for each in policy.identities(self.run_steps.load(run).spec))

    def provide(self, run: str, name: str) -> None:
        """Make sure that GitHub has a secret of one environment, and that no other one exists.

        The secret that GitHub knows is valid until the new one is in its place.
        """
        operation = self.run_steps.load(run)
        environment = self._environment(operation, name)
        facts = self._facts(operation, name)
        principal = Principal(
            environment=environment,
            number=str(facts["service_principal_id"]),
            client_id=str(facts["client_id"]),
        )
        held = self.workspaces.secrets(principal)
        known = self._known(operation, name)
        if not self._is_provided(operation, name, held, known):
            self._make_room(principal, held, known)
            known = self._renew(operation, principal, facts)
        for each in self.workspaces.secrets(principal):
            if each.id != known:
                self.workspaces.retire_secret(principal, each.id)

    def _is_provided(
        self, operation: Operation, name: str, held: tuple[SecretFacts, ...], known: str
    ) -> bool:
        now = self.run_steps.clock.now()
        alive = [each for each in held if each.is_alive(now)]
        fresh = {each.id for each in alive if not each.is_stale(now, self._lifetime)}
        there = self.repositories.secrets(operation.project, name)
        return known in fresh and set(SECRET_NAMES) <= there.keys()

    def _make_room(self, principal: Principal, held: tuple[SecretFacts, ...], known: str) -> None:
        """Retire what nobody knows, oldest first, until one more is allowed."""
        surplus = len(held) - MOST_SECRETS + 1
        orphans = [each for each in held if each.id != known]
        for each in orphans[: max(surplus, 0)]:
            self.workspaces.retire_secret(principal, each.id)

    def _renew(self, operation: Operation, principal: Principal, facts: Mapping[str, Any]) -> str:
        """Mint a secret, write it, and only then remember its id, which is returned."""
        minted = self.workspaces.mint_secret(principal, self._lifetime)
        name = principal.environment.name
        self.repositories.put_secrets(operation.project, name, _values(minted, facts))
        self.run_steps.store.memos.set(_key(operation, name), {"id": minted.id})
        return minted.id

    @property
    def _lifetime(self) -> timedelta:
        return timedelta(days=self.run_steps.policy.secret_days)

    def _known(self, operation: Operation, name: str) -> str:
        memo = self.run_steps.store.memos.get(_key(operation, name)) or {}
        return str(memo.get("id", ""))

    def _environment(self, operation: Operation, name: str) -> Environment:
        identities = self.run_steps.policy.identities(operation.spec)
        found = next((each for each in identities if each.name == name), None)
        if found is None:
            raise PermanentError(
                f"{name} has no secrets: the settings changed while this run was under way. "
                "Press Retry."
            )
        return found

    def _facts(self, operation: Operation, name: str) -> Mapping[str, Any]:
        described = self.run_steps.terraform.outputs(operation.project).get("environments") or {}
        return cast("Mapping[str, Mapping[str, Any]]", described)[name]


def _key(operation: Operation, environment: str) -> str:
    return f"secret:{operation.project}:{environment}"


def _values(minted: MintedSecret, facts: Mapping[str, Any]) -> dict[str, SecretStr]:
    """Return what the workflow expects, by the names it has always had."""
    return {
        "DATABRICKS_HOST": SecretStr(str(facts["host"])),
        "DATABRICKS_JOB_CLUSTER_POLICY_ID": SecretStr(str(facts["policy_id"])),
        "DATABRICKS_TOKEN": minted.value,
        "DATABRICKS_TOKEN_MT_SP": minted.value,
        "MGMT_CLIENT_ID": SecretStr(str(facts["client_id"])),
    }
