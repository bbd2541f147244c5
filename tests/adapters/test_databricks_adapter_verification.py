"""Every check of the environments fails alone when its fact is broken, and says which fact."""

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from living_facts import Facts
from made_project import SPEC

from playground import cast
from playground.databricks.access_tokens import issue_personal
from playground.databricks.state import (
    FederationPolicy,
    OAuthSecret,
    ServicePrincipal,
    rule_set_name,
)
from provisioning.adapters.databricks.verification import WRITABLE
from provisioning.terraform_root import TerraformContext

Break = Callable[[Facts], object]


def leave_managed_group(facts: Facts) -> None:
    facts.group.members.clear()


def deactivate(facts: Facts) -> None:
    facts.principal().active = False


def other_application(facts: Facts) -> None:
    facts.principal().display_name = "ada-7-production"
    del facts.workspace().assignments[facts.principal().id]
    del facts.databricks.world.principals[facts.principal().id]


def add_twin(facts: Facts) -> None:
    twin = ServicePrincipal(id=7, display_name="ada-7-production", application_id="twin")
    facts.databricks.world.principals[7] = twin


def federation(facts: Facts, stage: str = "production") -> FederationPolicy:
    (policy,) = facts.principal(stage).policies.values()
    return policy


def trust_another_subject(facts: Facts, stage: str = "production") -> None:
    federation(facts, stage).subject = "repo:acme/ada-7:environment:Production"


def trust_somebody_else_too(facts: Facts) -> None:
    policy = federation(facts)
    more = {**policy.__dict__, "policy_id": "more", "subject": "repo:evil/x:environment:x"}
    facts.principal().policies["more"] = FederationPolicy(**more)


def rules(facts: Facts, stage: str) -> dict[str, list[str]]:
    world = facts.databricks.world
    return world.rule_sets[rule_set_name(world.account_id, facts.principal(stage))].rules


def let_somebody_use_it(facts: Facts) -> None:
    rules(facts, "production")["roles/servicePrincipal.user"] = ["groups/aad-platform"]


def lock_us_out(facts: Facts) -> None:
    del rules(facts, "development")["roles/servicePrincipal.manager"]


def drop_policy(facts: Facts) -> None:
    policies = facts.workspace().policies
    for policy_id in [each for each, policy in policies.items() if policy.name.startswith("ada-7")]:
        del policies[policy_id]


def forbid_policy(facts: Facts, who: int) -> None:
    for policy in facts.workspace().policies.values():
        policy.users.discard(who)


def drop_schema(facts: Facts) -> None:
    securables = facts.databricks.world.securables
    (key,) = [key for key, each in securables.items() if each.full_name == "gbx1_prod.ada_7"]
    del securables[key]


def take(facts: Facts, securable: str, who: int, *privileges: str) -> None:
    facts.securable(securable).grants[who].difference_update(privileges)


def give(facts: Facts, securable: str, who: int, *privileges: str) -> None:
    facts.securable(securable).grants[who].update(privileges)


def plant_secret(facts: Facts) -> None:
    now = facts.project.vendors.clock.now()
    planted = OAuthSecret("planted", "dose-planted", now, now + timedelta(days=730))
    facts.principal().secrets["planted"] = planted


def plant_token(facts: Facts) -> None:
    now, world = facts.project.vendors.clock.now(), facts.databricks.world
    who, where = facts.principal("staging"), facts.workspace("staging")
    issue_personal(world, who, where, now, timedelta(days=90))


def promote_planner(facts: Facts) -> None:
    facts.workspace().assignments[facts.principal(PLANNER).id] = "ADMIN"


OWN = "gbx1_prod.ada_7"
PLANNER = "production-plan"
BREAKS: list[tuple[str, str, Break]] = [
    ("Production: service principal has no secret", "It has OAuth secrets: planted.", plant_secret),
    ("Staging: service principal has no secret", "It has personal access tokens: ", plant_token),
    (
        "Production-plan: service principal is active",
        "is deactivated",
        lambda f: setattr(f.principal(PLANNER), "active", False),
    ),
    (
        "Production-plan: GitHub may log in as the service principal",
        "environment:Production'",
        lambda f: trust_another_subject(f, PLANNER),
    ),
    ("Production-plan: planner is a mere user of the workspace", "It is ADMIN", promote_planner),
    (
        "Production-plan: planner is a mere user of the workspace",
        "ada-7-production-plan is not assigned",
        lambda f: f.workspace().assignments.pop(f.principal(PLANNER).id),
    ),
    (
        "Production-plan: planner may only read the schema",
        "lacks EXECUTE",
        lambda f: take(f, OWN, f.principal(PLANNER).id, "EXECUTE"),
    ),
    (
        "Production-plan: planner may only read the schema",
        "has CREATE_TABLE, MODIFY, which is too much",
        lambda f: give(f, OWN, f.principal(PLANNER).id, "MODIFY", "CREATE_TABLE"),
    ),
    (
        "Production-plan: planner may only pass the catalog",
        "lacks USE_CATALOG",
        lambda f: take(f, "gbx1_prod", f.principal(PLANNER).id, "USE_CATALOG"),
    ),
    (
        "Production-plan: planner may only pass the catalog",
        "It has CREATE_SCHEMA on gbx1_prod",
        lambda f: give(f, "gbx1_prod", f.principal(PLANNER).id, "CREATE_SCHEMA"),
    ),
    ("sciclops-ada-7: has the managed group", "aad-data-science is not a", leave_managed_group),
    ("Production: service principal is active", "is deactivated", deactivate),
    ("Production: service principal has no twin", "same name is left: 7", add_twin),
    (
        "Production: GitHub may log in as the service principal",
        "trusts [{",
        trust_another_subject,
    ),
    (
        "Production: GitHub may log in as the service principal",
        "repo:evil/x",
        trust_somebody_else_too,
    ),
    (
        "Production: GitHub may log in as the service principal",
        "trusts nobody",
        lambda f: f.principal().policies.clear(),
    ),
    (
        "Production: who may use the service principal",
        "nobody asked for: groups/aad-platform as roles/servicePrincipal.user",
        let_somebody_use_it,
    ),
    ("Development: who may use the service principal", "missing: servicePrincipals/", lock_us_out),
    (
        "Production: service principal is in the workspace",
        "not assigned",
        lambda f: f.workspace().assignments.pop(f.principal().id),
    ),
    (
        "Production: team is in the workspace",
        "sciclops-ada-7 is not assigned",
        lambda f: f.workspace().assignments.pop(f.group.id),
    ),
    ("Production: cluster policy is usable", "There is no cluster policy", drop_policy),
    (
        "Production: cluster policy is usable",
        "May not use it: ",
        lambda f: forbid_policy(f, f.principal().id),
    ),
    (
        "Production: cluster policy is usable",
        "May not use it: sciclops-ada-7",
        lambda f: forbid_policy(f, f.group.id),
    ),
    (
        "Production: secret scope is readable",
        "no scope ada-7-production",
        lambda f: f.workspace().scopes.pop("ada-7-production"),
    ),
    (
        "Production: secret scope is readable",
        "may read",
        lambda f: f.workspace().scopes["ada-7-production"].acls.pop(f.principal().name),
    ),
    ("Production: schema exists", "no schema gbx1_prod.ada_7", drop_schema),
    (
        "Production: service principal may use its schema",
        "lacks CREATE_TABLE",
        lambda f: take(f, OWN, f.principal().id, "CREATE_TABLE"),
    ),
    (
        "Production: team may read the schema",
        "lacks SELECT",
        lambda f: take(f, OWN, f.group.id, "SELECT"),
    ),
    (
        "Production: team may read the schema",
        "MODIFY, which is too much",
        lambda f: give(f, OWN, f.group.id, "MODIFY"),
    ),
    (
        "Development: team may write the schema",
        "lacks MODIFY",
        lambda f: take(f, "gbx1_dev.ada_7", f.group.id, "MODIFY"),
    ),
    (
        "Production: service principal may use the catalog",
        "lacks USE_CATALOG on gbx1_prod",
        lambda f: take(f, "gbx1_prod", f.principal().id, "USE_CATALOG"),
    ),
    (
        "Production: team may use the catalog",
        "sciclops-ada-7 lacks USE_CATALOG",
        lambda f: take(f, "gbx1_prod", f.group.id, "USE_CATALOG"),
    ),
    (
        "Production: may read gbx1_prod.sales",
        "lacks SELECT on gbx1_prod.sales",
        lambda f: take(f, "gbx1_prod.sales", f.principal().id, "SELECT"),
    ),
    (
        "Production: may read gbx1_prod.sales",
        "lacks USE_SCHEMA on gbx1_prod.sales",
        lambda f: take(f, "gbx1_prod.sales", f.principal().id, "USE_SCHEMA"),
    ),
    (
        "Production: may write gbx1_prod.loyalty.cards",
        "lacks MODIFY",
        lambda f: take(f, "gbx1_prod.loyalty.cards", f.principal().id, "MODIFY"),
    ),
    (
        "Production: may write gbx1_prod.loyalty.cards",
        "lacks USE_SCHEMA on gbx1_prod.loyalty",
        lambda f: take(f, "gbx1_prod.loyalty", f.principal().id, "USE_SCHEMA"),
    ),
]


def without_stage(check: str) -> str:
    return re.sub(r"^[A-Z][\w-]+: ", "", check)


def test_a_freshly_made_project_passes_every_check(facts: Facts) -> None:
    assert facts.databricks_failures() == []


@pytest.mark.parametrize(
    ("check", "said", "breaking"), BREAKS, ids=[f"{check}: {said}" for check, said, _ in BREAKS]
)
def test_a_broken_fact_fails_its_check_alone(
    facts: Facts, check: str, said: str, breaking: Break
) -> None:
    breaking(facts)
    failures = facts.databricks_failures()
    assert [failure.check for failure in failures] == [check]
    assert said in failures[0].detail
    assert failures[0].remedy


def test_every_check_has_been_seen_failing(facts: Facts) -> None:
    findings = facts.project.vendors.workspaces.verify(SPEC, facts.outputs)
    assert {without_stage(finding.check) for finding in findings} == {
        without_stage(check) for check, _, _ in BREAKS
    }


def test_a_principal_that_is_gone_is_named(facts: Facts) -> None:
    other_application(facts)
    failures = {failure.check: failure.detail for failure in facts.databricks_failures()}
    active = failures["Production: service principal is active"]
    assert active == "There is no service principal ada-7-production."
    assert "trusts nobody" in failures["Production: GitHub may log in as the service principal"]
    assert all(check.startswith("Production: ") for check in failures)


def test_rights_that_come_from_above_count_as_rights(facts: Facts) -> None:
    take(facts, OWN, facts.group.id, "SELECT")
    give(facts, "gbx1_prod", facts.group.id, "SELECT")
    assert facts.databricks_failures() == []


def test_data_that_no_longer_exists_is_named(facts: Facts) -> None:
    securables = facts.databricks.world.securables
    securables.pop(("SCHEMA", "gbx1_prod.sales"))
    details = [failure.detail for failure in facts.databricks_failures()]
    assert details == ["Schema 'gbx1_prod.sales' does not exist."]


def test_rights_that_the_planner_gets_from_above_are_too_much_as_well(facts: Facts) -> None:
    give(facts, "gbx1_prod", facts.principal(PLANNER).id, "MODIFY")
    failures = {failure.check: failure.detail for failure in facts.databricks_failures()}
    assert failures == {
        "Production-plan: planner may only pass the catalog": (
            "It has MODIFY on gbx1_prod, which is too much."
        )
    }


def test_the_writable_stages_are_those_of_the_configuration() -> None:
    assert TerraformContext.model_fields["writable_stages"].default == WRITABLE
    assert set(WRITABLE) < set(cast.STAGES)
