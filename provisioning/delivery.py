"""How deployments travel in this installation, and what that means for a project."""

from typing import Literal

from provisioning.project import Environment, ProjectSpec
from provisioning.text import Frozen

Authentication = Literal["oidc", "secret"]
"""How workflows log in to Databricks: with GitHub's own tokens, or with OAuth secrets."""

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

    `gated_stages` need a release by reviewers. With `authentication` "secret", each environment's
    OAuth secret lives for `secret_days` at most.
    """

    gated_stages: tuple[str, ...] = ("production",)
    authentication: Authentication = "oidc"
    secret_days: int = 90
    required_checks: tuple[str, ...] = REQUIRED_CHECKS

    def is_gated(self, environment: Environment) -> bool:
        """Tell whether a release is needed there; planners never wait."""
        return environment.stage in self.gated_stages and not environment.is_planner

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
