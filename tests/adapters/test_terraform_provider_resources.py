"""What Terraform does to the vendors through the provider: change, replace, adopt."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from terraform_root import Json
from terraform_world import TerraformWorld, Workbench, binaries

from playground import cast

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def world(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[TerraformWorld]:
    made = TerraformWorld(tmp_path_factory.mktemp("world"))
    await made.start()
    yield made
    await made.stop()


@pytest.fixture
def bench(world: TerraformWorld, tmp_path: Path) -> Workbench:
    return Workbench(world, tmp_path, next(iter(binaries().values())))


def repository(name: str, **given: Any) -> Json:
    return {"github_repository": {"r": {"name": name, "auto_init": True, **given}}}


def environment(name: str, **given: Any) -> Json:
    of = "${github_repository.r.name}"
    made = {"repository": of, "environment": "Production", **given}
    return {**repository(name), "github_repository_environment": {"e": made}}


def variable(value: str, name: str = "HOST") -> Json:
    return {
        "repository": "${github_repository.r.name}",
        "environment": "${github_repository_environment.e.environment}",
        "variable_name": name,
        "value": value,
    }


async def test_a_change_happens_in_place_where_the_vendor_can(bench: Workbench) -> None:
    scratch = bench.world.scratch
    before = {**environment("place"), "github_actions_environment_variable": {"v": variable("a")}}
    await bench.applied(scratch(resource=before))
    after = {
        **environment("place", wait_timer=5),
        "github_actions_environment_variable": {"v": variable("b")},
    }
    after["github_repository"]["r"]["description"] = "changed"
    changed = await bench.applied(scratch(resource=after))
    assert changed.counts() == (0, 3, 0)
    repo = bench.world.github.repos["place"]
    (there,) = repo.environments.values()
    assert (repo.description, there.wait_timer) == ("changed", 5)
    assert there.variables["HOST"].value == "b"


async def test_what_identifies_a_thing_replaces_it(bench: Workbench) -> None:
    scratch = bench.world.scratch
    await bench.applied(scratch(resource=environment("identity")))
    planned = await bench.plan(scratch(resource=environment("identity", environment="Staging")))
    assert planned.planned() == {"github_repository_environment.e": "replace"}
    assert (await bench.run("apply", "-json", "plan")).code == 0
    environments = bench.world.github.repos["identity"].environments.values()
    assert [each.name for each in environments] == ["Staging"]


async def test_what_was_changed_or_removed_by_hand_is_put_right(bench: Workbench) -> None:
    root = bench.world.scratch(resource=environment("drift", wait_timer=5))
    await bench.applied(root)
    repo = bench.world.github.repos["drift"]
    (there,) = repo.environments.values()
    there.wait_timer = 9
    assert (await bench.plan(root)).planned() == {"github_repository_environment.e": "update"}
    repo.environments.clear()
    assert (await bench.plan(root)).planned() == {"github_repository_environment.e": "create"}


async def test_a_repository_that_exists_is_imported_and_then_at_rest(bench: Workbench) -> None:
    scratch = bench.world.scratch
    await bench.applied(scratch(resource=environment("adopted", wait_timer=5)))
    (bench.directory / "terraform.tfstate").unlink()
    imports = [
        {"to": "github_repository.r", "id": "adopted"},
        {"to": "github_repository_environment.e", "id": "adopted:Production"},
    ]
    root = scratch(resource=environment("adopted", wait_timer=5))
    planned = await bench.plan({**root, "import": imports})
    summary = [each for each in planned.events if each["type"] == "change_summary"][-1]
    assert summary["changes"]["import"] == 2
    assert (summary["changes"]["add"], summary["changes"]["remove"]) == (0, 0)
    assert (await bench.run("apply", "-json", "plan")).code == 0
    assert (await bench.plan(root)).planned() == {}


async def test_imports_of_databricks_things_take_their_documented_ids(bench: Workbench) -> None:
    bot = "${databricks_service_principal.s"
    issuer = "https://token.actions.githubusercontent.com"
    rules = "servicePrincipals"
    account = cast.DATABRICKS_ACCOUNT_ID
    resource: Json = {
        "databricks_service_principal": {
            "s": {
                "provider": "databricks.account",
                "display_name": "import-me",
                "disable_as_user_deletion": False,
            }
        },
        "databricks_service_principal_federation_policy": {
            "f": {
                "provider": "databricks.account",
                "service_principal_id": f"{bot}.id}}",
                "oidc_policy": {"issuer": issuer, "audiences": ["a"], "subject": "s"},
            }
        },
        "databricks_access_control_rule_set": {
            "r": {
                "provider": "databricks.account",
                "name": f"accounts/{account}/{rules}/{bot}.application_id}}/ruleSets/default",
                "grant_rules": [
                    {
                        "principals": ["groups/aad-platform"],
                        "role": "roles/servicePrincipal.manager",
                    }
                ],
            }
        },
        "databricks_permission_assignment": {
            "a": {
                "provider": "databricks.dev",
                "principal_id": f"{bot}.id}}",
                "permissions": ["USER"],
            }
        },
        "databricks_schema": {
            "c": {"provider": "databricks.dev", "catalog_name": "gbx1_dev", "name": "import_me"}
        },
        "databricks_volume": {
            "v": {
                "provider": "databricks.dev",
                "catalog_name": "gbx1_dev",
                "schema_name": "${databricks_schema.c.name}",
                "name": "landing",
                "volume_type": "MANAGED",
            }
        },
        "databricks_grant": {
            "g": {
                "provider": "databricks.dev",
                "schema": "${databricks_schema.c.id}",
                "principal": "aad-data-science",
                "privileges": ["USE_SCHEMA", "SELECT"],
            }
        },
        "databricks_budget_policy": {
            "b": {
                "provider": "databricks.account",
                "policy_name": "import-me",
                "custom_tags": [{"key": "project", "value": "x"}],
            }
        },
    }
    root = bench.world.scratch(resource=resource)
    await bench.applied(root)
    principal = await bench.state("databricks_service_principal.s")
    policy = await bench.state("databricks_service_principal_federation_policy.f")
    rule_set = await bench.state("databricks_access_control_rule_set.r")
    budget = await bench.state("databricks_budget_policy.b")
    (bench.directory / "terraform.tfstate").unlink()
    ids = {
        "databricks_service_principal.s": principal["id"],
        "databricks_service_principal_federation_policy.f": (
            f"{principal['id']},{policy['policy_id']}"
        ),
        "databricks_access_control_rule_set.r": rule_set["name"],
        "databricks_permission_assignment.a": principal["id"],
        "databricks_schema.c": "gbx1_dev.import_me",
        "databricks_volume.v": "gbx1_dev.import_me.landing",
        "databricks_grant.g": "schema/gbx1_dev.import_me/aad-data-science",
        "databricks_budget_policy.b": budget["policy_id"],
    }
    imports = [{"to": address, "id": number} for address, number in ids.items()]
    applied = await bench.applied({**root, "import": imports})
    assert applied.counts()[0] == applied.counts()[2] == 0
    assert (await bench.plan(root)).planned() == {}


async def test_a_person_joins_a_repository_and_a_property_comes_and_goes(bench: Workbench) -> None:
    bench.world.github.world.installation_permissions["repository_custom_properties"] = "write"
    bench.world.github.world.organisation.properties["tier"] = {
        "property_name": "tier",
        "value_type": "string",
        "required": False,
        "url": "https://github.example/tier",
    }
    of = "${github_repository.r.name}"
    resource = {
        **repository("propertied", topics=["databricks"], vulnerability_alerts=True),
        "github_repository_custom_property": {
            "p": {
                "repository": of,
                "property_name": "tier",
                "property_type": "string",
                "property_value": ["gold"],
            }
        },
        "github_repository_collaborator": {"c": {"repository": of, "username": "dora"}},
    }
    root = bench.world.scratch(resource=resource)
    await bench.applied(root)
    repo = bench.world.github.repos["propertied"]
    assert repo.properties == {"tier": "gold"}
    assert repo.collaborators == {"dora": "push"}
    assert (repo.topics, repo.vulnerability_alerts) == (["databricks"], True)
    assert (await bench.plan(root)).planned() == {}
    del resource["github_repository_custom_property"]
    del resource["github_repository_collaborator"]
    await bench.applied(bench.world.scratch(resource=resource))
    assert repo.properties == {}
    assert repo.collaborators == {}
    assert bench.world.github.unknown_calls == []


async def test_a_variable_that_exists_is_adopted_and_overwritten(bench: Workbench) -> None:
    root = {
        **environment("twice"),
        "github_actions_environment_variable": {"v": variable("ours")},
    }
    await bench.applied(bench.world.scratch(resource=root))
    (there,) = bench.world.github.repos["twice"].environments.values()
    there.variables["HOST"].value = "theirs"
    await bench.run("state", "rm", "github_actions_environment_variable.v")
    again = await bench.applied(bench.world.scratch(resource=root))
    assert again.counts() == (1, 0, 0)
    assert there.variables["HOST"].value == "ours"


async def test_reviewers_who_may_not_read_the_repository_are_dropped_and_that_shows(
    bench: Workbench,
) -> None:
    gate = [{"teams": [502], "users": []}]
    root = bench.world.scratch(resource=environment("dropped", reviewers=gate))
    await bench.applied(root)
    (there,) = bench.world.github.repos["dropped"].environments.values()
    assert there.reviewers == []
    assert (await bench.plan(root)).planned() == {"github_repository_environment.e": "update"}


@pytest.mark.parametrize(
    ("flag", "is_left"), [({}, True), ({"disable_as_user_deletion": False}, False)]
)
async def test_an_account_principal_is_only_deactivated_without_the_flag(
    bench: Workbench, *, flag: Json, is_left: bool
) -> None:
    principal = {"provider": "databricks.account", "display_name": f"leaver-{is_left}", **flag}
    root = bench.world.scratch(resource={"databricks_service_principal": {"s": principal}})
    await bench.applied(root)
    assert (await bench.run("apply", "-destroy", "-auto-approve", "-json")).code == 0
    left = [
        each.active
        for each in bench.world.databricks.principals
        if each.display_name == f"leaver-{is_left}"
    ]
    assert left == ([False] if is_left else [])


@pytest.mark.parametrize(("flag", "is_left"), [({}, False), ({"archive_on_destroy": True}, True)])
async def test_a_repository_is_archived_only_if_its_state_says_so(
    bench: Workbench, *, flag: Json, is_left: bool
) -> None:
    name = f"end-{is_left}".lower()
    await bench.applied(bench.world.scratch(resource=repository(name, **flag)))
    assert (await bench.run("apply", "-destroy", "-auto-approve", "-json")).code == 0
    repos = bench.world.github.repos
    assert (name in repos) is is_left
    assert not is_left or repos[name].archived


async def test_force_destroy_counts_from_the_state(bench: Workbench) -> None:
    def root(*, force: bool) -> Json:
        schema = {
            "provider": "databricks.dev",
            "catalog_name": "gbx1_dev",
            "name": "full",
            "force_destroy": force,
        }
        return bench.world.scratch(resource={"databricks_schema": {"s": schema}})

    await bench.applied(root(force=False))
    volume = bench.world.scratch(
        resource={
            "databricks_volume": {
                "v": {
                    "provider": "databricks.dev",
                    "catalog_name": "gbx1_dev",
                    "schema_name": "full",
                    "name": "landing",
                    "volume_type": "MANAGED",
                }
            }
        }
    )
    beside = Workbench(bench.world, bench.directory / "beside", bench.binary)
    beside.directory.mkdir()
    await beside.applied(volume)

    await bench.ready(root(force=True))
    refused = await bench.run("apply", "-destroy", "-auto-approve", "-json")
    assert refused.code == 1
    assert "is not empty" in refused.errors()
    assert (await bench.applied(root(force=True))).counts() == (0, 1, 0)
    assert (await bench.run("apply", "-destroy", "-auto-approve", "-json")).code == 0
    assert "gbx1_dev.full" not in bench.world.databricks.schemas


async def test_a_grant_is_all_that_its_principal_holds_and_touches_nobody_else(
    bench: Workbench,
) -> None:
    def root(*privileges: str) -> Json:
        schema = {"provider": "databricks.dev", "catalog_name": "gbx1_dev", "name": "granted"}
        grants = {
            who: {
                "provider": "databricks.dev",
                "schema": "${databricks_schema.s.id}",
                "principal": who,
                "privileges": list(rights),
            }
            for who, rights in {"aad-data-science": privileges, "aad-platform": ("SELECT",)}.items()
        }
        return bench.world.scratch(
            resource={"databricks_schema": {"s": schema}, "databricks_grant": grants}
        )

    def held(who: str) -> set[str]:
        return bench.world.databricks.effective_privileges(who, "gbx1_dev.granted")

    await bench.applied(root("USE_SCHEMA", "SELECT"))
    changed = await bench.applied(root("USE_SCHEMA", "MODIFY"))
    assert changed.counts() == (0, 1, 0)
    assert {"USE_SCHEMA", "MODIFY"} <= held("aad-data-science")
    assert "SELECT" not in held("aad-data-science")
    assert "SELECT" in held("aad-platform")


async def test_a_subject_changes_in_place_and_a_template_with_claims_and_default_is_refused(
    bench: Workbench,
) -> None:
    def root(subject: str) -> Json:
        principal = {"provider": "databricks.account", "display_name": "subject"}
        policy = {
            "provider": "databricks.account",
            "service_principal_id": "${databricks_service_principal.s.id}",
            "oidc_policy": {"issuer": "https://x.example", "audiences": ["a"], "subject": subject},
        }
        return bench.world.scratch(
            resource={
                "databricks_service_principal": {"s": principal},
                "databricks_service_principal_federation_policy": {"f": policy},
            }
        )

    await bench.applied(root("repo:a/b:environment:X"))
    changed = await bench.applied(root("repo:a/b:environment:Y"))
    assert changed.counts() == (0, 1, 0)
    template = {
        "repository": "${github_repository.r.name}",
        "use_default": True,
        "include_claim_keys": ["repo"],
    }
    kind = "github_actions_repository_oidc_subject_claim_customization_template"
    resource = {**repository("claims"), kind: {"t": template}}
    refused = await bench.apply(bench.world.scratch(resource=resource))
    assert "include_claim_keys cannot be set when use_default is true" in refused.errors()


async def test_aliases_are_kept_apart(bench: Workbench) -> None:
    scopes = {
        where: {"provider": f"databricks.{where}", "name": f"only-{where}"}
        for where in ("dev", "prod")
    }
    await bench.applied(bench.world.scratch(resource={"databricks_secret_scope": scopes}))
    for stage, where in (("development", "dev"), ("production", "prod")):
        found = bench.world.databricks.workspace("gbx1", stage).scopes
        assert [name for name in found if name.startswith("only-")] == [f"only-{where}"]
