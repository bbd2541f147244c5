"""Every check of a repository fails alone when its fact is broken, and says which fact."""

import re
from collections.abc import Callable
from functools import partial
from typing import cast

import pytest
from living_facts import Facts
from made_project import SPEC

from playground.github.world import BranchPolicy, Json, Secret
from provisioning.adapters.github import GitHubRepositories
from provisioning.delivery import Delivery
from provisioning.project import ProjectSpec

Break = Callable[[Facts], object]
ADMINS: dict[str, object] = {"actor_id": 5, "actor_type": "RepositoryRole", "bypass_mode": "always"}


def weaken(facts: Facts, **parameters: object) -> None:
    rule = facts.ruleset("main").rule("pull_request")
    assert rule is not None
    rule["parameters"] = cast("Json", rule["parameters"]) | parameters


def drop_rule(facts: Facts, ruleset: str, kind: str) -> None:
    found = facts.ruleset(ruleset)
    found.rules = [rule for rule in found.rules if rule["type"] != kind]


def set_attribute(attribute: str, value: object, of: Callable[[Facts], object]) -> Break:
    return lambda facts: setattr(of(facts), attribute, value)


def let_admins_bypass(facts: Facts, name: str) -> None:
    facts.ruleset(name).bypass_actors.append(ADMINS)


def allow_branch(facts: Facts) -> None:
    facts.environment("Testing").patterns[1] = BranchPolicy(1, "feature/*", "branch")


def change_variable(facts: Facts) -> None:
    facts.environment("Staging").variables["DATABRICKS_CLIENT_ID"].value = "somebody-else"


def require_another_check(facts: Facts) -> None:
    rule = facts.ruleset("main").rule("required_status_checks")
    assert rule is not None
    other = {"required_status_checks": [{"context": "Something else"}]}
    rule["parameters"] = cast("Json", rule["parameters"]) | other


def keep_pull_requests_out(facts: Facts) -> None:
    patterns = facts.environment("Development").patterns
    (number,) = [each.id for each in patterns.values() if each.name != "main"]
    del patterns[number]


def plant_secret(facts: Facts) -> None:
    now = facts.github.world.now()
    facts.environment("Testing").secrets["DATABRICKS_TOKEN"] = Secret(b"dose", now, now)


BREAKS: list[tuple[str, str, Break]] = [
    ("repository is alive", "archived", set_attribute("archived", True, lambda f: f.repository)),
    (
        "main comes from the rendered template",
        "different: databricks.yml",
        lambda f: f.replace_main(**{"databricks.yml": b"bundle: {}\n"}),
    ),
    (
        "main comes from the rendered template",
        "missing: databricks.yml",
        lambda f: f.replace_main(**{"databricks.yml": None}),
    ),
    (
        "main comes from the rendered template",
        "not from the template: extra.py",
        lambda f: f.replace_main(**{"extra.py": b"print()\n"}),
    ),
    (
        "sciclops/template equals the rendered template",
        "different: databricks.yml",
        lambda f: f.rewrite("sciclops/template", **{"databricks.yml": b""}),
    ),
    ("main is protected", "non_fast_forward", lambda f: drop_rule(f, "main", "non_fast_forward")),
    ("main is protected", "deletion", lambda f: drop_rule(f, "main", "deletion")),
    ("main is protected", "pull_request", lambda f: drop_rule(f, "main", "pull_request")),
    (
        "main is protected",
        "required_status_checks",
        lambda f: drop_rule(f, "main", "required_status_checks"),
    ),
    (
        "main is protected",
        "“bundle / Validate, Test and Build” need not pass",
        require_another_check,
    ),
    (
        "main is protected",
        "no approval is required",
        lambda f: weaken(f, required_approving_review_count=0),
    ),
    (
        "main is protected",
        "code owners need not approve",
        lambda f: weaken(f, require_code_owner_review=False),
    ),
    (
        "main is protected",
        "pushed last may approve",
        lambda f: weaken(f, require_last_push_approval=False),
    ),
    (
        "main is protected",
        "approvals outlive",
        lambda f: weaken(f, dismiss_stale_reviews_on_push=False),
    ),
    (
        "main is protected",
        "Not effective on main",
        set_attribute("enforcement", "evaluate", lambda f: f.ruleset("main")),
    ),
    (
        "sciclops/template is protected",
        "update",
        lambda f: drop_rule(f, "sciclops-template", "update"),
    ),
    (
        "sciclops/template is protected",
        "creation",
        set_attribute("enforcement", "disabled", lambda f: f.ruleset("sciclops-template")),
    ),
    ("versions are protected", "update", lambda f: drop_rule(f, "versions", "update")),
    (
        "versions are protected",
        "tags v*",
        set_attribute("exclude", ["refs/tags/v0*"], lambda f: f.ruleset("versions")),
    ),
    (
        "versions are protected",
        "deletion",
        set_attribute("enforcement", "disabled", lambda f: f.ruleset("versions")),
    ),
    *(
        (
            f"only the App bypasses the ruleset {name}",
            f"RepositoryRole 5 bypasses the ruleset {name}",
            partial(let_admins_bypass, name=name),
        )
        for name in ("main", "sciclops-template", "versions")
    ),
    (
        "the team may push",
        "may only pull",
        lambda f: f.team.repositories.update({f.repository.id: "pull"}),
    ),
    (
        "the team may push",
        "has no access",
        lambda f: f.team.repositories.pop(f.repository.id),
    ),
    (
        "OIDC subjects are the expected ones",
        "customises",
        set_attribute("use_default", False, lambda f: f.repository.subject),
    ),
    (
        "OIDC subjects are the expected ones",
        "tokens start with repo:acme/ada-7.",
        set_attribute("immutable", False, lambda f: f.repository.subject),
    ),
    (
        "environment Production is held by no other gate",
        "The App's rule is enabled beside the reviewers.",
        set_attribute("custom_rule", 7, lambda f: f.environment()),
    ),
    ("environment Testing admits main only", "feature/*", allow_branch),
    (
        "environment Testing admits main only",
        "which branches may deploy",
        set_attribute("branch_policy", None, lambda f: f.environment("Testing")),
    ),
    (
        "environment Testing admits main only",
        "May deploy: nothing",
        lambda f: f.environment("Testing").patterns.clear(),
    ),
    (
        "environment Development admits main and pull requests only",
        "May deploy: main.",
        keep_pull_requests_out,
    ),
    (
        "environment Production-plan admits main only",
        "May deploy: nothing",
        lambda f: f.environment("Production-plan").patterns.clear(),
    ),
    ("environment Staging has its variables", "DATABRICKS_CLIENT_ID", change_variable),
    (
        "environment Development has its variables",
        "DATABRICKS_ACCOUNT_ID",
        lambda f: f.environment("Development").variables.pop("DATABRICKS_ACCOUNT_ID"),
    ),
    (
        "environment Production has its variables",
        "DATABRICKS_PLANNER_ID",
        lambda f: f.environment().variables.pop("DATABRICKS_PLANNER_ID"),
    ),
    (
        "environment Production-plan has its variables",
        "DATABRICKS_DEPLOYER_ID",
        lambda f: f.environment("Production-plan").variables.pop("DATABRICKS_DEPLOYER_ID"),
    ),
    (
        "environment Production-plan waits for nobody",
        "Deployments wait there: required_reviewers",
        lambda f: f.environment("Production-plan").reviewers.append(("Team", 502)),
    ),
    (
        "environment Testing waits for nobody",
        "Deployments wait there: wait_timer",
        set_attribute("wait_timer", 5, lambda f: f.environment("Testing")),
    ),
    ("environment Testing holds no Databricks secret", "It holds DATABRICKS_TOKEN", plant_secret),
    (
        "environment Staging has its variables",
        "DATABRICKS_HOST",
        lambda f: f.environment("Staging").variables.pop("DATABRICKS_HOST"),
    ),
    (
        "environment Development lets no admin pass",
        "Administrators may bypass",
        set_attribute("can_admins_bypass", True, lambda f: f.environment("Development")),
    ),
    (
        "environment Production has its reviewers",
        "Not among the reviewers: grace",
        lambda f: f.environment().reviewers.remove(("User", 1002)),
    ),
    (
        "environment Production has its reviewers",
        "Nobody asked for these reviewers: pat",
        lambda f: f.environment().reviewers.append(("User", 1005)),
    ),
    (
        "environment Production has its reviewers",
        "Nobody has to review",
        lambda f: f.environment().reviewers.clear(),
    ),
    (
        "environment Production has its reviewers",
        "their own deployments",
        set_attribute("prevent_self_review", False, lambda f: f.environment()),
    ),
]


def test_a_freshly_made_project_passes_every_check(facts: Facts) -> None:
    assert facts.github_failures() == []


@pytest.mark.parametrize(
    ("check", "said", "breaking"), BREAKS, ids=[f"{check}: {said}" for check, said, _ in BREAKS]
)
def test_a_broken_fact_fails_its_check_alone(
    facts: Facts, check: str, said: str, breaking: Break
) -> None:
    breaking(facts)
    failures = facts.github_failures()
    assert [failure.check for failure in failures] == [check]
    assert said in failures[0].detail
    assert failures[0].remedy


def test_what_people_have_merged_since_is_not_asked_to_equal_the_template(facts: Facts) -> None:
    facts.rewrite("main", **{"databricks.yml": b"bundle: {}\n"})
    assert facts.github_failures() == []


def test_every_check_has_been_seen_failing(facts: Facts) -> None:
    project = facts.project
    findings = project.vendors.repositories.verify(project.spec, project.files, facts.outputs)
    checks = {re.sub(r"environment [\w-]+", "environment", finding.check) for finding in findings}
    broken = {re.sub(r"environment [\w-]+", "environment", check) for check, _, _ in BREAKS}
    assert checks == broken


def test_a_repository_that_is_gone_fails_what_was_in_it_and_says_so(facts: Facts) -> None:
    del facts.github.world.repos["ada-7"]
    failures = {failure.check: failure.detail for failure in facts.github_failures()}
    assert failures["repository is alive"] == "GitHub has no repository ada-7."
    assert "no branch main" in failures["main comes from the rendered template"]
    assert failures["environment Production admits main only"] == "It does not exist."


def test_what_databricks_trusts_is_compared_for_every_environment(facts: Facts) -> None:
    environments = facts.outputs["environments"]
    assert isinstance(environments, dict)
    wrong = {**environments["Staging"], "federation_subject": "repo:acme/ada-7:environment:Staging"}
    outputs = {**facts.outputs, "environments": {**environments, "Staging": wrong}}
    broken = Facts(facts.project, outputs).github_failures()
    assert [failure.check for failure in broken] == ["OIDC subjects are the expected ones"]


def test_projects_may_add_rulesets_of_their_own(facts: Facts) -> None:
    own = facts.ruleset("main")
    copied = type(own)(**{**own.__dict__, "id": 1, "name": "ours", "bypass_actors": [ADMINS]})
    facts.repository.rulesets[1] = copied
    assert facts.github_failures() == []


def test_a_request_for_nobody_in_particular_is_no_excuse(facts: Facts) -> None:
    spec = ProjectSpec(**{**SPEC.model_dump(), "reviewers": ()})
    project = facts.project
    findings = project.vendors.repositories.verify(spec, project.files, facts.outputs)
    failed = [finding for finding in findings if not finding.passed]
    assert [finding.check for finding in failed] == ["environment Production has its reviewers"]


def test_what_is_gated_is_what_the_settings_say(facts: Facts) -> None:
    project, vendors = facts.project, facts.project.vendors
    for gated, failing in (
        ((), {"environment Production waits for nobody"}),
        (
            ("staging", "production"),
            {
                "environment Staging has its variables",
                "environment Staging has its reviewers",
                "environment Staging-plan admits main only",
                "environment Staging-plan has its variables",
                "OIDC subjects are the expected ones",
            },
        ),
    ):
        others = GitHubRepositories(vendors.connection, vendors.clock, Delivery(gated_stages=gated))
        findings = others.verify(project.spec, project.files, facts.outputs)
        assert {finding.check for finding in findings if not finding.passed} == failing
