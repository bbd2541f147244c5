"""Is an environment as it was asked for? Each check asks GitHub about one fact, and fails alone."""

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

from provisioning.adapters.github.connection import Connection, Json
from provisioning.adapters.github.environment_secrets import EnvironmentSecrets
from provisioning.adapters.github.protection_rule import is_enabled, rules_path
from provisioning.clock import Clock
from provisioning.delivery import SECRET_NAMES, Delivery
from provisioning.project import PULL_REQUESTS, Environment, ProjectSpec, Reviewer
from provisioning.project_secrets import reference_of, scope_of

Described = Mapping[str, Mapping[str, Json]]
"""Terraform's outputs about the environments, by name."""
SPOKEN = {PULL_REQUESTS: "pull requests"}


@dataclass(frozen=True)
class EnvironmentChecks:
    """The checks on one environment of a repository."""

    connection: Connection
    clock: Clock
    delivery: Delivery
    spec: ProjectSpec
    environment: Environment
    described: Described

    def all(self) -> Iterator[tuple[str, Callable[[], str]]]:
        """Return every check by its name; it returns what is wrong, or an empty string."""
        admitted = " and ".join(SPOKEN.get(each, each) for each in self.environment.branches)
        yield f"admits {admitted} only", self.branches
        yield "has its variables", self.variables
        yield "lets no admin pass", self.admins
        if self.delivery.is_reviewed(self.environment):
            yield "has its reviewers", self.reviewers
            yield "is held by no other gate", self.unruled
        elif self.delivery.is_gated(self.environment):
            yield "is held by the App's rule", self.ruled
            yield "is held by no other gate", self.open
        else:
            yield "waits for nobody", self.open
        if self.delivery.authentication == "secret":
            yield "has fresh secrets", self.secrets
        else:
            yield "holds no Databricks secret", self.no_secrets
        for name in self._own_secrets():
            yield f"has a value of the secret {name}", partial(self.own_secret, name)

    # ------------------------------------------------------------------ what may be deployed

    def branches(self) -> str:
        """Expect that nothing but main may be deployed, in Development pull requests as well."""
        found = self._get("")
        if found is None:
            return "It does not exist."
        if not (found.get("deployment_branch_policy") or {}).get("custom_branch_policies"):
            return "It does not say which branches may deploy."
        policies = self._get("/deployment-branch-policies?per_page=100") or {}
        names = [policy["name"] for policy in policies.get("branch_policies", ())]
        wanted = sorted(self.environment.branches)
        return "" if sorted(names) == wanted else f"May deploy: {', '.join(names) or 'nothing'}."

    # ------------------------------------------------------------------ what workflows know

    def variables(self) -> str:
        """Expect what workflows need to know: where to log in, as whom, under which policy."""
        found = self._get("/variables?per_page=30") or {}
        there = {each["name"]: each["value"] for each in found.get("variables", ())}
        scopes = (scope_of(self.spec.name, self.environment.name, n) for n in self._own_secrets())
        places = dict(zip(map(reference_of, self._own_secrets()), scopes, strict=True))
        wanted = {**self._wanted(), **self._counterpart(), **places}
        wrong = [name for name, value in wanted.items() if not value or there.get(name) != value]
        return f"Wrong or missing: {', '.join(wrong)}." if wrong else ""

    def _wanted(self) -> Mapping[str, Json]:
        facts = self._facts(self.environment.name)
        return {
            "DATABRICKS_HOST": facts.get("host"),
            "DATABRICKS_CLIENT_ID": facts.get("client_id"),
            "DATABRICKS_ACCOUNT_ID": facts.get("federation_audience"),
            "DATABRICKS_JOB_CLUSTER_POLICY_ID": facts.get("policy_id"),
        }

    def _counterpart(self) -> Mapping[str, Json]:
        """Return what a gated environment and its planner have to know of each other."""
        if self.delivery.is_gated(self.environment):
            planner = self._facts(self.environment.planner_name)
            return {"DATABRICKS_PLANNER_ID": planner.get("client_id")}
        if not self.environment.is_planner:
            return {}
        deployers = [
            self._facts(each.name)
            for each in self.spec.environments()
            if each.planner == self.environment
        ]
        return {"DATABRICKS_DEPLOYER_ID": deployers[0].get("client_id")}

    def secrets(self) -> str:
        """Expect every secret, written no longer ago than it may live."""
        dates = self._secrets.dates()
        if missing := [name for name in SECRET_NAMES if name not in dates]:
            return f"Missing: {', '.join(missing)}."
        oldest = self.clock.now() - timedelta(days=self.delivery.secret_days)
        if stale := [name for name in SECRET_NAMES if dates[name] <= oldest]:
            return f"Older than {self.delivery.secret_days} days: {', '.join(stale)}."
        return ""

    def no_secrets(self) -> str:
        """Expect that nothing is kept with which somebody could log in."""
        found = self._secrets.dates().keys() & set(SECRET_NAMES)
        return f"It holds {', '.join(sorted(found))}." if found else ""

    def own_secret(self, name: str) -> str:
        """Expect that somebody has entered the value of one of the project's own secrets."""
        found = name in self._secrets.dates()
        return "" if found else "Nobody has entered its value, or it was deleted."

    def _own_secrets(self) -> tuple[str, ...]:
        """Return the names of the project's own secrets here; planners have none."""
        if self.environment.is_planner:
            return ()
        stage = self.environment.stage
        return tuple(each.name for each in self.spec.secrets if stage in each.stages)

    # ------------------------------------------------------------------ who releases

    def admins(self) -> str:
        """Expect administrators to keep to the rules; GitHub's description lacks the field."""
        found = self._get("") or {}
        return "Administrators may bypass its rules." if found.get("can_admins_bypass") else ""

    def reviewers(self) -> str:
        """Expect exactly the reviewers who were asked for, who never release their own."""
        rule = self._rule("required_reviewers")
        if rule is None:
            return "Nobody has to review."
        there = {_reviewer(entry) for entry in rule["reviewers"]}
        wanted = {_folded(reviewer) for reviewer in self.spec.reviewers}
        if lacking := wanted - there:
            return f"Not among the reviewers: {_listed(r.name for r in lacking)}."
        if surplus := there - wanted:
            return f"Nobody asked for these reviewers: {_listed(r.name for r in surplus)}."
        return "" if rule.get("prevent_self_review") else "People may review their own deployments."

    def ruled(self) -> str:
        """Expect that our App has to let each deployment in."""
        return "" if self._is_ruled() else "The App's rule is not enabled: nobody has to release."

    def unruled(self) -> str:
        """Expect that our App's rule is off: nobody would answer it, and both have to pass."""
        return "The App's rule is enabled beside the reviewers." if self._is_ruled() else ""

    def _is_ruled(self) -> bool:
        path = rules_path(self.connection, self.spec.name, self.environment.name)
        return is_enabled(self.connection, path)

    def open(self) -> str:
        """Expect that no person and no time at GitHub holds deployments and plans."""
        rules = [kind for kind in ("required_reviewers", "wait_timer") if self._rule(kind)]
        return f"Deployments wait there: {', '.join(rules)}." if rules else ""

    def _rule(self, kind: str) -> Json:
        rules = (self._get("") or {}).get("protection_rules") or []
        return next((rule for rule in rules if rule["type"] == kind), None)

    # ------------------------------------------------------------------ asking

    def _facts(self, name: str) -> Mapping[str, Json]:
        return self.described.get(name) or {}

    def _get(self, path: str) -> Json:
        return self.connection.get(f"{self._path}{path}")

    @property
    def _secrets(self) -> EnvironmentSecrets:
        return EnvironmentSecrets(self.connection, self._path)

    @property
    def _path(self) -> str:
        repository = f"/repos/{self.connection.app.organisation}/{self.spec.name}"
        return f"{repository}/environments/{self.environment.name}"


def _listed(words: "Collection[str] | Iterator[str]") -> str:
    return ", ".join(sorted(words))


def _reviewer(entry: Mapping[str, Json]) -> Reviewer:
    if entry["type"] == "Team":
        return Reviewer(kind="team", name=entry["reviewer"]["slug"])
    return _folded(Reviewer(kind="user", name=entry["reviewer"]["login"]))


def _folded(reviewer: Reviewer) -> Reviewer:
    """GitHub compares logins without regard to case."""
    return Reviewer(kind=reviewer.kind, name=reviewer.name.casefold())
