"""How deployments travel in this installation, and what that means for a project."""

from typing import Literal

from provisioning.project import Environment, ProjectSpec
from provisioning.text import Frozen

Authentication = Literal["oidc", "secret"]
"""How workflows log in to Databricks: with GitHub's own tokens, or with OAuth secrets."""

GateKind = Literal["reviewer", "app_rule"]
"""What holds deployments: GitHub's required reviewers, or our App's own protection rule.

With "app_rule" this bot alone lets a deployment in, so that it may ask for several approvals.
"""

REQUIRED_CHECKS = ("bundle / Validate, Test and Build",)
"""What a pull request to `main` must pass; GitHub calls a reusable workflow's job by its caller's
name and its own."""

SECRET_NAMES = (
    "DATABRICKS_HOST",
    "DATABRICKS_JOB_CLUSTER_POLICY_ID",
    "DATABRICKS_TOKEN",
    "DATABRICKS_TOKEN_MT_SP",
    "MGMT_CLIENT_ID",
)
"""The secrets of a GitHub environment where workflows log in with OAuth secrets; elsewhere none."""


class Delivery(Frozen):
    """How deployments travel here: who releases them, who they log in as, what they must pass.

    `gated_stages` need a release, by `approvals_needed` people; `gate` holds them until then. With
    `authentication` "secret", each environment's OAuth secret lives for `secret_days` at most.
    """

    gated_stages: tuple[str, ...] = ("production",)
    gate: GateKind = "reviewer"
    approvals_needed: int = 1
    authentication: Authentication = "oidc"
    secret_days: int = 90
    required_checks: tuple[str, ...] = REQUIRED_CHECKS

    def is_gated(self, environment: Environment) -> bool:
        """Tell whether a release is needed there; planners never wait."""
        return environment.stage in self.gated_stages and not environment.is_planner

    def is_reviewed(self, environment: Environment) -> bool:
        """Tell whether GitHub's required reviewers hold deployments to an environment."""
        return self.gate == "reviewer" and self.is_gated(environment)

    def ruled(self, spec: ProjectSpec) -> tuple[Environment, ...]:
        """Return the environments that our App's rule holds: never those with reviewers."""
        return self.gated(spec) if self.gate == "app_rule" else ()

    def gated(self, spec: ProjectSpec) -> tuple[Environment, ...]:
        """Return the environments of a project that need a release."""
        return tuple(each for each in spec.environments() if self.is_gated(each))

    def planners(self, spec: ProjectSpec) -> tuple[Environment, ...]:
        """Return where plans for the gated environments are made."""
        return tuple(each.planner for each in self.gated(spec))

    def identities(self, spec: ProjectSpec) -> tuple[Environment, ...]:
        """Return every environment that has a service principal: planners, too."""
        return (*spec.environments(), *self.planners(spec))

    def federated(self, spec: ProjectSpec) -> tuple[Environment, ...]:
        """Return the environments whose tokens of GitHub are trusted by Databricks."""
        return self.identities(spec) if self.authentication == "oidc" else ()

    def secret_writes(self, spec: ProjectSpec) -> int:
        """Return how many secrets of GitHub environments a project has."""
        many = len(self.identities(spec)) * len(SECRET_NAMES)
        return many if self.authentication == "secret" else 0
