"""Is the repository as it was asked for? Each check asks GitHub about one fact, and fails alone."""

import hashlib
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any, cast

from provisioning.adapters.github.connection import Connection
from provisioning.ports import Finding
from provisioning.project import Environment, ProjectSpec, Reviewer

RULES = frozenset({"pull_request", "deletion", "non_fast_forward"})
"""What must hold on `main` for everybody but our App."""
RETRY_REMEDY = "Retry repairs it."
TEMPLATE_BRANCH = "sciclops/template"
"""Holds rendered template output only, so that upgrades are merges of a new commit there."""

Json = Any
Check = Callable[[], str]
"""Returns what is wrong, or an empty string."""


class Verification:
    """The checks on one project's repository."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._organisation = connection.app.organisation

    def findings(
        self, spec: ProjectSpec, files: Mapping[str, bytes], outputs: Mapping[str, object]
    ) -> tuple[Finding, ...]:
        """Return the result of every check."""
        return tuple(_finding(name, check) for name, check in self._checks(spec, files, outputs))

    def _checks(
        self, spec: ProjectSpec, files: Mapping[str, bytes], outputs: Mapping[str, object]
    ) -> Iterator[tuple[str, Check]]:
        described = cast("Mapping[str, Mapping[str, Json]]", outputs.get("environments", {}))
        yield "repository is alive", partial(self._repository, spec)
        yield "main equals the rendered template", partial(self._content, spec, "main", files)
        yield (
            "sciclops/template equals the rendered template",
            partial(self._content, spec, TEMPLATE_BRANCH, files),
        )
        yield "main is protected", partial(self._rules, spec)
        yield "only the App bypasses the rules", partial(self._bypass, spec)
        yield "the team may push", partial(self._team, spec)
        yield "OIDC subjects are the expected ones", partial(self._subjects, spec, described)
        for environment in spec.environments():
            named = f"environment {environment.name}"
            facts = described.get(environment.name, {})
            yield f"{named} admits main only", partial(self._branches, spec, environment)
            yield f"{named} has its variables", partial(self._variables, spec, environment, facts)
            if environment.stage == "production":
                yield f"{named} has its reviewers", partial(self._reviewers, spec, environment)

    # ------------------------------------------------------------------ the checks

    def _repository(self, spec: ProjectSpec) -> str:
        found = self._repo(spec, "")
        if found is None:
            return f"GitHub has no repository {spec.name}."
        if found["archived"]:
            return "It is archived."
        return "" if found["default_branch"] == "main" else "Its default branch is not main."

    def _content(self, spec: ProjectSpec, branch: str, files: Mapping[str, bytes]) -> str:
        tree = self._repo(spec, f"/git/trees/{branch}?recursive=1")
        if tree is None:
            return f"There is no branch {branch}."
        there = {entry["path"]: entry["sha"] for entry in tree["tree"] if entry["type"] == "blob"}
        wanted = {path: blob_sha(content) for path, content in files.items()}
        missing, surplus = (
            sorted(wanted.keys() - there.keys()),
            sorted(there.keys() - wanted.keys()),
        )
        changed = sorted(
            path for path in wanted.keys() & there.keys() if wanted[path] != there[path]
        )
        told = (("missing", missing), ("not ours", surplus), ("different", changed))
        return "; ".join(f"{what}: {', '.join(paths[:5])}" for what, paths in told if paths)

    def _rules(self, spec: ProjectSpec) -> str:
        rules = self._repo(spec, "/rules/branches/main") or []
        lacking = RULES - {rule["type"] for rule in rules}
        return f"These rules are not effective: {', '.join(sorted(lacking))}." if lacking else ""

    def _bypass(self, spec: ProjectSpec) -> str:
        for summary in self._repo(spec, "/rulesets") or []:
            ruleset = self._repo(spec, f"/rulesets/{summary['id']}")
            if ruleset is None or ruleset["enforcement"] != "active":
                return f"The ruleset {summary['name']} is not active."
            for actor in ruleset.get("bypass_actors") or []:
                ours = actor["actor_type"] == "Integration"
                if not ours or actor["actor_id"] != self._connection.app.app_id:
                    return f"{actor['actor_type']} {actor['actor_id']} bypasses {summary['name']}."
        return ""

    def _team(self, spec: ProjectSpec) -> str:
        for team in self._repo(spec, "/teams?per_page=100") or []:
            if team["slug"] == spec.github_team:
                pushes = team["permission"] in ("push", "maintain", "admin")
                return "" if pushes else f"The team may only {team['permission']}."
        return f"The team {spec.github_team} has no access."

    def _subjects(self, spec: ProjectSpec, described: Mapping[str, Mapping[str, Json]]) -> str:
        """Compare what Databricks trusts with what GitHub says its tokens will carry."""
        customization = self._repo(spec, "/actions/oidc/customization/sub") or {}
        if not customization.get("use_default", True):
            return "The repository customises its OIDC subjects."
        prefix = customization.get("sub_claim_prefix", f"repo:{self._organisation}/{spec.name}")
        for environment in spec.environments():
            trusted = described.get(environment.name, {}).get("federation_subject")
            if trusted != f"{prefix}:environment:{environment.name}":
                return f"Databricks trusts {trusted}, GitHub's tokens start with {prefix}."
        return ""

    def _branches(self, spec: ProjectSpec, environment: Environment) -> str:
        found = self._environment(spec, environment)
        if found is None:
            return "It does not exist."
        policy = found.get("deployment_branch_policy") or {}
        if not policy.get("custom_branch_policies"):
            return "Every branch may deploy."
        path = f"/environments/{environment.name}/deployment-branch-policies"
        names = [p["name"] for p in (self._repo(spec, path) or {}).get("branch_policies", ())]
        return "" if names == ["main"] else f"These branches may deploy: {', '.join(names)}."

    def _variables(
        self, spec: ProjectSpec, environment: Environment, facts: Mapping[str, Json]
    ) -> str:
        path = f"/environments/{environment.name}/variables?per_page=30"
        there = {
            variable["name"]: variable["value"]
            for variable in (self._repo(spec, path) or {}).get("variables", ())
        }
        wanted = {
            "DATABRICKS_HOST": facts.get("host"),
            "DATABRICKS_CLIENT_ID": facts.get("client_id"),
            "DATABRICKS_JOB_CLUSTER_POLICY_ID": facts.get("policy_id"),
        }
        wrong = [name for name, value in wanted.items() if not value or there.get(name) != value]
        return f"Wrong or missing: {', '.join(wrong)}." if wrong else ""

    def _reviewers(self, spec: ProjectSpec, environment: Environment) -> str:
        found = self._environment(spec, environment)
        rules = (found or {}).get("protection_rules") or []
        rule = next((rule for rule in rules if rule["type"] == "required_reviewers"), None)
        if rule is None:
            return "Nobody has to review."
        there = {_reviewer(entry) for entry in rule["reviewers"]}
        lacking = set(spec.reviewers) - there
        surplus = there - set(spec.reviewers)
        if lacking or surplus:
            named = ", ".join(sorted(reviewer.name for reviewer in lacking | surplus))
            return f"The reviewers differ from the request: {named}."
        return "" if rule.get("prevent_self_review") else "People may review their own deployments."

    # ------------------------------------------------------------------ asking

    def import_ids(self, name: str) -> dict[str, str]:
        """Return what exists of the repository: address in the root to Terraform import id."""
        found = {
            "module.project.github_repository.this": name,
            "module.project.github_branch_default.main": name,
        }
        resources = {"main": "main", "sciclops-template": "template", "versions": "versions"}
        for ruleset in self._named(name, "/rulesets") or []:
            if resource := resources.get(ruleset["name"]):
                address = f"module.project.github_repository_ruleset.{resource}"
                found[address] = f"{name}:{ruleset['id']}"
        return found

    def _environment(self, spec: ProjectSpec, environment: Environment) -> Json:
        return self._repo(spec, f"/environments/{environment.name}")

    def _repo(self, spec: ProjectSpec, path: str) -> Json:
        return self._named(spec.name, path)

    def _named(self, name: str, path: str) -> Json:
        return self._connection.get(f"/repos/{self._organisation}/{name}{path}")


def blob_sha(content: bytes) -> str:
    """Return the id that git gives a file's content."""
    header = f"blob {len(content)}\0".encode()
    return hashlib.sha1(header + content, usedforsecurity=False).hexdigest()


def _finding(name: str, check: Check) -> Finding:
    wrong = check()
    return Finding(check=name, passed=not wrong, detail=wrong, remedy=RETRY_REMEDY if wrong else "")


def _reviewer(entry: Mapping[str, Json]) -> Reviewer:
    if entry["type"] == "Team":
        return Reviewer(kind="team", name=entry["reviewer"]["slug"])
    return Reviewer(kind="user", name=entry["reviewer"]["login"])
