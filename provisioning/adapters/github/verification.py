"""Is the repository as it was asked for? Each check asks GitHub about one fact, and fails alone."""

import base64
import hashlib
import re
from collections.abc import Callable, Collection, Iterator, Mapping
from concurrent.futures import Executor
from functools import partial
from typing import cast

from provisioning.adapters.github.connection import Connection, Json
from provisioning.adapters.github.environment_checks import Described, EnvironmentChecks
from provisioning.adapters.github.leftovers import RULESETS
from provisioning.adapters.github.starter import TEMPLATE_BRANCH
from provisioning.clock import Clock
from provisioning.delivery import Delivery
from provisioning.ports import Finding
from provisioning.project import ProjectSpec
from provisioning.workflow_run import WORKFLOW

REMEDY = "Retry repairs what Terraform manages; what somebody changed by hand, change back."
PUSHING = ("push", "maintain", "admin")
MAIN = frozenset({"pull_request", "required_status_checks", "deletion", "non_fast_forward"})
"""The rules that have to hold on `main` for everybody but our App."""
TEMPLATE = frozenset({"creation", "update", "deletion", "non_fast_forward"})
VERSIONS = frozenset({"update", "deletion", "non_fast_forward"})
VERSION_TAGS = "refs/tags/v*"
REVIEWS = {
    "required_approving_review_count": "no approval is required",
    "require_code_owner_review": "code owners need not approve",
    "require_last_push_approval": "who pushed last may approve",
    "dismiss_stale_reviews_on_push": "approvals outlive later pushes",
}
"""What a pull request needs on the way to `main`, and how its absence reads."""

CALLED = re.compile(r"^\s*uses: *(\S+/\.github/workflows/\S+@\S+)", re.MULTILINE)
"""The reusable workflow that a workflow calls, with its version."""

Check = Callable[[], str]
"""Returns what is wrong, or an empty string."""


class Verification:
    """The checks on projects' repositories, asked side by side."""

    def __init__(
        self, connection: Connection, executor: Executor, clock: Clock, delivery: Delivery
    ) -> None:
        self._connection = connection
        self._executor = executor
        self._clock = clock
        self._delivery = delivery

    def findings(
        self,
        spec: ProjectSpec,
        files: Mapping[str, bytes],
        outputs: Mapping[str, object],
        pushed: str = "",
    ) -> tuple[Finding, ...]:
        """Return the result of every check."""
        described = cast("Described", outputs.get("environments") or {})
        repository = RepositoryChecks(
            self._connection, self._delivery, spec, files, described, pushed
        )
        named = [*repository.all()]
        for environment in self._delivery.identities(spec):
            checks = EnvironmentChecks(
                self._connection, self._clock, self._delivery, spec, environment, described
            )
            named += [(f"environment {environment.name} {what}", ask) for what, ask in checks.all()]
        return tuple(self._executor.map(_finding, named))


class RepositoryChecks:
    """The checks on one project's repository.

    People have worked in it since if `pushed` is given, the commit that we pushed last.
    """

    def __init__(
        self,
        connection: Connection,
        delivery: Delivery,
        spec: ProjectSpec,
        files: Mapping[str, bytes],
        described: Described,
        pushed: str = "",
    ) -> None:
        self._connection = connection
        self._delivery = delivery
        self._spec = spec
        self._files = files
        self._described = described
        self._pushed = pushed

    def all(self) -> Iterator[tuple[str, Check]]:
        """Return every check by its name."""
        yield "repository is alive", self.alive
        yield from self._of_work() if self._pushed else self._of_start()
        yield "main is protected", self.main_rules
        yield "sciclops/template is protected", self.template_rules
        yield "versions are protected", self.version_rules
        for ruleset in RULESETS:
            yield f"only the App bypasses the ruleset {ruleset}", partial(self.bypass, ruleset)
        yield "the team may push", self.team
        yield "OIDC subjects are the expected ones", self.subjects

    def _of_start(self) -> Iterator[tuple[str, Check]]:
        yield "main comes from the rendered template", self.main_content
        yield "sciclops/template equals the rendered template", self.template_content

    def _of_work(self) -> Iterator[tuple[str, Check]]:
        yield "main descends from the template", self.descent
        yield "sciclops/template is as it was pushed", self.template_kept
        if offered := _called(self._files.get(WORKFLOW, b"")):
            yield f"the deploy workflow is the one on offer, {offered}", self.called

    # ------------------------------------------------------------------ content

    def alive(self) -> str:
        """Expect a repository that people can work in."""
        found = self._get("")
        if found is None:
            return f"GitHub has no repository {self._spec.name}."
        if found["archived"]:
            return "It is archived."
        branch = found["default_branch"]
        return "" if branch == "main" else f"Its default branch is {branch}, not main."

    def main_content(self) -> str:
        """Expect what was rendered on main, or below what people have merged since."""
        wrong = self.content("main")
        compared = self._get(f"/compare/{TEMPLATE_BRANCH}...main") if wrong else None
        return "" if compared and compared["status"] == "ahead" else wrong

    def template_content(self) -> str:
        """Expect what was rendered on the branch for template output."""
        return self.content(TEMPLATE_BRANCH)

    def descent(self) -> str:
        """Expect what people work on to have the template's history: upgrades are merges."""
        compared = self._get(f"/compare/{TEMPLATE_BRANCH}...main")
        return "" if compared else f"main and {TEMPLATE_BRANCH} have no history in common."

    def template_kept(self) -> str:
        """Expect that nobody else has moved the branch for template output.

        An upgrade that has just been pushed is fine, too: then it equals what is rendered now.
        """
        found = self._get(f"/git/ref/heads/{TEMPLATE_BRANCH}")
        if found is None:
            return f"There is no branch {TEMPLATE_BRANCH}."
        head = found["object"]["sha"]
        if head == self._pushed or not self.template_content():
            return ""
        return f"It is at {head[:8]}; SciCLOps pushed {self._pushed[:8]}."

    def called(self) -> str:
        """Expect the deploy workflow on main to call the reusable one as new projects do."""
        offered = _called(self._files[WORKFLOW])
        found = self._get(f"/contents/{WORKFLOW}?ref=main")
        if not isinstance(found, dict) or found.get("encoding") != "base64":
            return f"main has no {WORKFLOW}, so that nothing is deployed."
        calls = _called(base64.b64decode(found["content"]))
        if not calls:
            return f"{WORKFLOW} calls no reusable workflow."
        return "" if calls == offered else f"It calls {calls}."

    def content(self, branch: str) -> str:
        """Expect what was rendered, byte by byte, on a branch."""
        tree = self._get(f"/git/trees/{branch}?recursive=1")
        if tree is None:
            return f"There is no branch {branch}."
        if tree["truncated"]:
            return f"GitHub does not list all files of {branch}."
        there = {entry["path"]: entry["sha"] for entry in tree["tree"] if entry["type"] != "tree"}
        return _difference(there, {path: blob_sha(data) for path, data in self._files.items()})

    # ------------------------------------------------------------------ protection

    def main_rules(self) -> str:
        """Expect that everybody but the App needs a reviewed pull request."""
        rules = self._rules("main")
        if lacking := MAIN - rules.keys():
            return f"Not effective on main: {', '.join(sorted(lacking))}."
        demanded = rules["pull_request"].get("parameters") or {}
        weak = [said for name, said in REVIEWS.items() if not demanded.get(name)]
        weak += [f"“{check}” need not pass" for check in self._unchecked(rules)]
        return f"On main {', '.join(weak)}." if weak else ""

    def _unchecked(self, rules: Mapping[str, Json]) -> list[str]:
        """Return the checks that a pull request should have to pass and needn't."""
        demanded = rules["required_status_checks"].get("parameters") or {}
        passed = {check["context"] for check in demanded.get("required_status_checks", ())}
        return [check for check in self._delivery.required_checks if check not in passed]

    def template_rules(self) -> str:
        """Expect the branch for template output to be closed to everybody but the App."""
        lacking = TEMPLATE - self._rules(TEMPLATE_BRANCH).keys()
        return f"Not effective on {TEMPLATE_BRANCH}: {_listed(lacking)}." if lacking else ""

    def version_rules(self) -> str:
        """Expect that nobody can move or remove a released version.

        GitHub tells effective rules of branches only, so the tags' rulesets are read instead.
        """
        ruleset = self._ruleset("versions")
        is_effective = ruleset and ruleset["enforcement"] == "active" and _covers_versions(ruleset)
        held = {rule["type"] for rule in ruleset["rules"]} if is_effective else set()
        lacking = VERSIONS - held
        return f"Not effective on tags v*: {_listed(lacking)}." if lacking else ""

    def bypass(self, name: str) -> str:
        """Expect a ruleset of ours to bind everybody but our App."""
        ruleset = self._ruleset(name)
        if ruleset is None:
            return ""  # nothing to bypass: the check of its rules says so
        if "bypass_actors" not in ruleset:
            return f"GitHub does not show the App who bypasses the ruleset {name}."
        for actor in ruleset["bypass_actors"]:
            if not self._is_app(actor):
                return f"{actor['actor_type']} {actor.get('actor_id')} bypasses the ruleset {name}."
        return ""

    def _is_app(self, actor: Json) -> bool:
        return bool(
            actor["actor_type"] == "Integration"
            and actor["actor_id"] == self._connection.app.app_id
        )

    def _rules(self, branch: str) -> dict[str, Json]:
        """Return what is effective on a branch, whichever ruleset it comes from."""
        return {rule["type"]: rule for rule in self._pages(f"/rules/branches/{branch}")}

    def _ruleset(self, name: str) -> Json:
        for summary in self._pages("/rulesets"):
            if summary["name"] == name:
                return self._get(f"/rulesets/{summary['id']}")
        return None

    # ------------------------------------------------------------------ people and identity

    def team(self) -> str:
        """Expect that the project's team may push branches."""
        for team in self._pages("/teams"):
            if team["slug"] == self._spec.github_team:
                role = team["permission"]
                return "" if role in PUSHING else f"The team {team['slug']} may only {role}."
        return f"The team {self._spec.github_team} has no access."

    def subjects(self) -> str:
        """Expect Databricks to trust what GitHub says its tokens will carry."""
        customization = self._get("/actions/oidc/customization/sub") or {}
        if not customization.get("use_default", True):
            return "The repository customises its OIDC subjects."
        plain = f"repo:{self._connection.app.organisation}/{self._spec.name}"
        prefix = customization.get("sub_claim_prefix") or plain
        for environment in self._delivery.federated(self._spec):
            facts = self._described.get(environment.name) or {}
            trusted = facts.get("federation_subject")
            if trusted != f"{prefix}:environment:{environment.name}":
                return f"Databricks trusts {trusted}, GitHub's tokens start with {prefix}."
        return ""

    # ------------------------------------------------------------------ asking

    def _get(self, path: str) -> Json:
        return self._connection.get(f"{self._path}{path}")

    def _pages(self, path: str) -> Iterator[Json]:
        return self._connection.pages(f"{self._path}{path}")

    @property
    def _path(self) -> str:
        return f"/repos/{self._connection.app.organisation}/{self._spec.name}"


def blob_sha(content: bytes) -> str:
    """Return the id that git gives a file's content."""
    header = f"blob {len(content)}\0".encode()
    return hashlib.sha1(header + content, usedforsecurity=False).hexdigest()


def _called(workflow: bytes) -> str:
    """Return which reusable workflow a workflow calls, or an empty string."""
    found = CALLED.search(workflow.decode("utf-8", "replace"))
    return found[1] if found else ""


def _difference(there: Mapping[str, str], wanted: Mapping[str, str]) -> str:
    told = {
        "missing": wanted.keys() - there.keys(),
        "not from the template": there.keys() - wanted.keys(),
        "different": {p for p in wanted.keys() & there.keys() if wanted[p] != there[p]},
    }
    return "; ".join(f"{what}: {_few(sorted(paths))}" for what, paths in told.items() if paths)


def _few(paths: Collection[str]) -> str:
    shown = ", ".join(list(paths)[:5])
    return shown if len(paths) <= 5 else f"{shown} and {len(paths) - 5} more"


def _listed(words: "Collection[str] | Iterator[str]") -> str:
    return ", ".join(sorted(words))


def _covers_versions(ruleset: Json) -> bool:
    names = ruleset["conditions"]["ref_name"]
    return bool({VERSION_TAGS, "~ALL"} & set(names["include"]) and not names["exclude"])


def _finding(named: tuple[str, Check]) -> Finding:
    name, check = named
    wrong = check()
    return Finding(check=name, passed=not wrong, detail=wrong, remedy=REMEDY if wrong else "")
