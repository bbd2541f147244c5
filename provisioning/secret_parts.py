"""The steps that give each environment its OAuth secret, where workflows log in with secrets.

A secret's value lives within one step. What is remembered is the id of the secret that GitHub has,
and those that workflow runs may still hold while keys are rotated; any other one of a principal is
an orphan of an interrupted step, or was somebody's by hand.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, cast

from pydantic import SecretStr

from provisioning.delivery import SECRET_NAMES
from provisioning.engine import Steps
from provisioning.errors import PermanentError
from provisioning.known_secrets import VALUES, Known, KnownSecrets
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
        """Make sure that GitHub has a secret of one environment, and that nobody needs another one.

        The secret that GitHub knows is valid until the new one is in its place.
        """
        operation = self.run_steps.load(run)
        principal = self.principal(operation, name)
        held = self.workspaces.secrets(principal)
        known = self.known.of(operation.project, name)
        if not self._is_provided(operation, name, held, known):
            needed = {known.id, *known.held}
            self.make_room(principal, held, (each for each in held if each.id not in needed))
            known = self._renew(operation, principal, known)
        self.retire_others(principal, known.in_use)

    @property
    def known(self) -> KnownSecrets:
        """Return what is remembered."""
        return KnownSecrets(self.run_steps.store)

    @property
    def lifetime(self) -> timedelta:
        """Return how long a secret lives."""
        return timedelta(days=self.run_steps.policy.secret_days)

    def _is_provided(
        self, operation: Operation, name: str, held: tuple[SecretFacts, ...], known: Known
    ) -> bool:
        now = self.run_steps.clock.now()
        alive = [each for each in held if each.is_alive(now)]
        fresh = {each.id for each in alive if not each.is_stale(now, self.lifetime)}
        there = self.repositories.secrets(operation.project, name)
        return known.id in fresh and not known.tried and set(SECRET_NAMES) <= there.keys()

    def make_room(
        self, principal: Principal, held: tuple[SecretFacts, ...], unused: Iterable[SecretFacts]
    ) -> None:
        """Retire what nobody has, oldest first, until one more is allowed."""
        surplus = max(len(held) - MOST_SECRETS + 1, 0)
        for each in [*unused][:surplus]:
            self.workspaces.retire_secret(principal, each.id)
            surplus -= 1
        if surplus:
            raise PermanentError(
                f"{principal.environment.name} has {len(held)} secrets, as many as Databricks "
                "allows, and each of them may be in use. Delete one at Databricks (service "
                f"principal {principal.client_id}) that nobody needs, and press Retry."
            )

    def retire_others(self, principal: Principal, in_use: frozenset[str]) -> int:
        """Retire every secret of a principal but those in use; return how many there were."""
        others = [each for each in self.workspaces.secrets(principal) if each.id not in in_use]
        for each in others:
            self.workspaces.retire_secret(principal, each.id)
        return len(others)

    def _renew(self, operation: Operation, principal: Principal, known: Known) -> Known:
        """Mint a secret, write it, and only then know that GitHub has it; return what is known."""
        minted = self.workspaces.mint_secret(principal, self.lifetime)
        name = principal.environment.name
        trying = known.model_copy(update={"tried": (*known.tried, minted.id)})
        self.known.remember(operation.project, name, trying)
        values = self.places(operation, name) | values_of(minted)
        self.repositories.put_secrets(operation.project, name, values)
        fresh = Known(id=minted.id, held=known.held, by=operation.id)
        self.known.remember(operation.project, name, fresh)
        return fresh

    def principal(self, operation: Operation, name: str) -> Principal:
        """Return the service principal of an environment."""
        return principal_of(self._environment(operation, name), self._facts(operation, name))

    def places(self, operation: Operation, name: str) -> dict[str, SecretStr]:
        """Return where and as whom to log in, by the names it has always had; no secret really."""
        facts = self._facts(operation, name)
        return {
            "DATABRICKS_HOST": SecretStr(str(facts["host"])),
            "DATABRICKS_JOB_CLUSTER_POLICY_ID": SecretStr(str(facts["policy_id"])),
            "MGMT_CLIENT_ID": SecretStr(str(facts["client_id"])),
        }

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


def principal_of(environment: Environment, facts: Mapping[str, Any]) -> Principal:
    """Return an environment's service principal; `facts` are Terraform's outputs about it."""
    return Principal(
        environment=environment,
        number=str(facts["service_principal_id"]),
        client_id=str(facts["client_id"]),
    )


def values_of(minted: MintedSecret) -> dict[str, SecretStr]:
    """Return a secret by the names that the workflow has always had for it."""
    return dict.fromkeys(VALUES, minted.value)
