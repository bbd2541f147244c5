"""What an interrupted apply left at both vendors is found, adopted and never made twice."""

from collections import Counter
from datetime import timedelta

import pytest
from living_facts import Facts
from made_project import MARKER, SPEC, Project, VendorWorld

from playground.databricks.state import (
    FederationPolicy,
    Group,
    OAuthSecret,
    Scope,
    ServicePrincipal,
)
from playground.databricks.state import World as Account
from provisioning.adapters.local_terraform.plans import KEY
from provisioning.project import ProjectSpec
from provisioning.runs import Plan
from provisioning.terraform_root import identity_module

LOST = "connection lost"
ROUNDS = 12


def types_of(plan: Plan) -> dict[str, str]:
    """Return the type of every resource of a plan, by address."""
    return {change.address: change.resource_type for change in plan.changes}


def names(account: Account) -> list[str]:
    """Return the name of everything that a project can have, so that twins show."""
    groups = [group.display_name for group in account.of_type(Group)]
    return [
        *(f"group {name}" for name in groups if name.startswith("sciclops-")),
        *(f"principal {each.display_name}" for each in account.of_type(ServicePrincipal)),
        *(
            f"federation {each.display_name} {policy.subject}"
            for each in account.of_type(ServicePrincipal)
            for policy in each.policies.values()
        ),
        *(
            f"policy {workspace.id} {policy.name}"
            for workspace in account.workspaces.values()
            for policy in workspace.policies.values()
        ),
    ]


@pytest.mark.timeout(300)
def test_an_answer_lost_at_every_type_of_resource_leads_to_no_second_thing(
    served: VendorWorld,
) -> None:
    project = Project(served)
    confirmed = project.planned("0")
    kinds = types_of(confirmed)
    for kind in set(kinds.values()):
        served.providers.fail(kind, 1, LOST, after_effect=True)
    lost: set[str] = set()
    plan = confirmed
    for number in range(1, ROUNDS):
        outcome = project.applied(str(number - 1))
        lost |= {kinds[each.address] for each in outcome.diagnostics if LOST in each.summary}
        if outcome.ending == "succeeded":
            break
        plan = project.planned(str(number), project.found_missing())
        assert confirmed.covers(plan), plan.changes
    assert outcome.ending == "succeeded", outcome
    assert lost == set(kinds.values())
    assert project.planned("again").changes == ()
    twice = [name for name, times in Counter(names(served.databricks.world)).items() if times > 1]
    assert twice == []
    assert len(served.github.repos["ada-7"].rulesets) == 3
    for environment in served.github.repos["ada-7"].environments.values():
        patterns = [pattern.name for pattern in environment.patterns.values()]
        copies = ["refs/pull/*/merge"] if environment.name == "Development" else []
        assert sorted(patterns) == ["main", *copies]
    project.push()
    assert [each.check for each in project.findings(project.outputs()) if not each.passed] == []


def test_everything_that_cannot_be_made_again_is_found_by_its_address(facts: Facts) -> None:
    project = facts.project
    found = project.found()
    assert found.keys() <= project.terraform.addresses("ada-7")
    assert Counter(KEY.sub("", address).split(".")[-2] for address in found) == {
        "github_repository": 1,
        "github_repository_ruleset": 3,
        "github_repository_environment": 5,
        "github_repository_environment_deployment_policy": 6,
        "databricks_group": 1,
        "databricks_service_principal": 5,
        "databricks_service_principal_federation_policy": 5,
        "databricks_cluster_policy": 4,
        "databricks_schema": 4,
        "databricks_secret_scope": 4,
    }


def test_another_projects_and_another_runs_principals_are_not_ours(facts: Facts) -> None:
    workspaces = facts.project.vendors.workspaces
    others = workspaces.leftovers(SPEC, "sciclops:run-of-somebody-else")
    assert not [address for address in others if "service_principal" in address]
    other = ProjectSpec(**{**SPEC.model_dump(), "name": "ada-8"})
    assert workspaces.leftovers(other, MARKER) == {}
    assert workspaces.taken(other) == ()


def test_what_strangers_have_made_is_taken_and_never_adopted(facts: Facts) -> None:
    policies = facts.workspace().policies
    policy = next(each for each in policies.values() if each.name == "ada-7 Production jobs")
    policy.creator = "pat@acme.example"
    facts.securable("gbx1_prod.ada_7").created_by = "pat@acme.example"
    facts.workspace().scopes["ada-7-production"] = Scope(
        "ada-7-production", acls={"pat@acme.example": "MANAGE"}
    )
    facts.principal().external_id = ""
    workspaces = facts.project.vendors.workspaces
    found = workspaces.leftovers(SPEC, MARKER)
    here = {address for address in found if address.startswith("module.production.")}
    assert here == {address for address in here if identity_module("Production-plan") in address}
    taken = workspaces.taken(SPEC)
    assert {
        "schema gbx1_prod.ada_7",
        "secret scope ada-7-production",
        "cluster policy ada-7 Production jobs",
        "service principal ada-7-production",
        "service principal ada-7-production-plan",
        "account group sciclops-ada-7",
    } <= set(taken)


def test_a_schema_that_the_bot_may_not_see_is_taken(facts: Facts) -> None:
    schema, catalog = facts.securable("gbx1_prod.ada_7"), facts.securable("gbx1_prod")
    schema.owner = catalog.owner = facts.databricks.world.metastore.owner = "pat@acme.example"
    bot = facts.databricks.world.named(facts.databricks.bot_client_id)
    assert bot is not None
    for securable in (schema, catalog):
        securable.grants.pop(bot.id, None)
    assert "schema gbx1_prod.ada_7" in facts.project.vendors.workspaces.taken(SPEC)


def twin_of(facts: Facts, number: int, environment: str = "Production") -> ServicePrincipal:
    twin = ServicePrincipal(
        id=number,
        display_name=f"ada-7-{environment.lower()}",
        external_id=f"{MARKER}:{environment}",
        application_id=f"twin-{number}",
    )
    facts.databricks.world.principals[number] = twin
    return twin


def adopted(facts: Facts, environment: str = "Production") -> str:
    found = facts.project.vendors.workspaces.leftovers(SPEC, MARKER)
    return found[f"{identity_module(environment)}.databricks_service_principal.this"]


def test_a_twin_that_nothing_refers_to_is_deleted_whichever_is_older(facts: Facts) -> None:
    used = facts.principal()
    older, later = twin_of(facts, 7), twin_of(facts, used.id + 10**9)
    assert adopted(facts) == str(used.id)
    principals = facts.databricks.world.principals
    assert used.id in principals
    assert not {older.id, later.id} & principals.keys()


def test_a_twin_of_the_planner_is_deleted_as_well(facts: Facts) -> None:
    used, later = facts.principal("production-plan"), twin_of(facts, 10**15, "Production-plan")
    assert adopted(facts, "Production-plan") == str(used.id)
    assert later.id not in facts.databricks.world.principals


def test_a_twin_whose_secret_somebody_may_use_is_left_to_people(facts: Facts) -> None:
    facts.principal().policies.clear()
    now = facts.project.vendors.clock.now()
    secret = OAuthSecret("one", "dose", now, now + timedelta(days=90))
    facts.principal().secrets["one"] = secret
    later = twin_of(facts, facts.principal().id + 10**9)
    assert adopted(facts) == str(facts.principal().id)
    assert later.id not in facts.databricks.world.principals


def test_of_twins_that_nothing_refers_to_the_latest_is_kept(facts: Facts) -> None:
    facts.principal().policies.clear()
    later = twin_of(facts, facts.principal().id + 10**9)
    assert adopted(facts) == str(later.id)
    left = [p.id for p in facts.databricks.principals if p.display_name == "ada-7-production"]
    assert left == [later.id]


def test_a_twin_that_github_may_log_in_as_is_left_to_people(facts: Facts) -> None:
    policy = next(iter(facts.principal().policies.values()))
    twin = twin_of(facts, 7)
    twin.policies["x"] = FederationPolicy(**{**policy.__dict__, "policy_id": "x"})
    adopted(facts)
    assert twin.id in facts.databricks.world.principals
    failures = [failure.check for failure in facts.databricks_failures()]
    assert failures == ["Production: service principal has no twin"]


def test_a_repository_without_our_marker_is_nobodys_leftover(facts: Facts) -> None:
    repositories = facts.project.vendors.repositories
    assert repositories.leftovers("ada-7", MARKER)
    for description in ("", "Mine", f"no{MARKER}", f"{MARKER} and more"):
        facts.repository.description = description
        assert repositories.leftovers("ada-7", MARKER) == {}
        assert repositories.delete("ada-7", MARKER)
        assert "ada-7" in facts.github.repos
