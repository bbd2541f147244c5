"""What the vendors refuse reaches people as diagnostics; what is looked up is found or named."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from terraform_root import Json
from terraform_world import TerraformWorld, Workbench, binaries

from playground import cast
from playground.faults import Fault

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


def environment(name: str) -> Json:
    made = {"repository": "${github_repository.r.name}", "environment": "Production"}
    return {**repository(name), "github_repository_environment": {"e": made}}


async def test_an_import_id_of_the_wrong_form_says_which_form_is_right(bench: Workbench) -> None:
    root = bench.world.scratch(resource=environment("form"))
    imports = [{"to": "github_repository_environment.e", "id": "form"}]
    refused = await bench.plan({**root, "import": imports})
    assert "unexpected ID format (form), expected {repository}:{environment}" in refused.errors()


async def test_a_name_that_is_taken_is_refused_in_githubs_words(bench: Workbench) -> None:
    root = bench.world.scratch(resource=repository("taken"))
    await bench.applied(root)
    (bench.directory / "terraform.tfstate").unlink()
    refused = await bench.apply(root)
    assert refused.code == 1
    assert "422 Repository creation failed." in refused.errors()
    assert "name already exists on this account" in refused.errors()


async def test_a_catalog_that_does_not_exist_is_refused_in_databricks_words(
    bench: Workbench,
) -> None:
    schema = {"provider": "databricks.dev", "catalog_name": "nowhere", "name": "x"}
    refused = await bench.apply(bench.world.scratch(resource={"databricks_schema": {"s": schema}}))
    assert refused.code == 1
    assert "Catalog 'nowhere' does not exist" in refused.errors()


async def test_an_application_id_is_no_principal_id_and_only_the_apply_finds_out(
    bench: Workbench,
) -> None:
    resource = {
        "databricks_service_principal": {
            "s": {"provider": "databricks.account", "display_name": "mixed-up"}
        },
        "databricks_permission_assignment": {
            "a": {
                "provider": "databricks.dev",
                "principal_id": "${databricks_service_principal.s.application_id}",
                "permissions": ["USER"],
            }
        },
    }
    refused = await bench.apply(bench.world.scratch(resource=resource))
    assert refused.code == 1
    assert "a number is required" in refused.errors()


async def test_data_sources_look_up_what_exists_and_name_what_does_not(bench: Workbench) -> None:
    data: Json = {
        "github_team": {"t": {"slug": "platform"}},
        "github_user": {"u": {"username": "dora"}},
        "github_organization": {"o": {"name": "ACME", "summary_only": True}},
        "databricks_group": {
            "g": {"provider": "databricks.account", "display_name": "aad-platform"}
        },
        "databricks_user": {"u": {"provider": "databricks.account", "user_name": cast.ADA.email}},
        "databricks_current_user": {"me": {"provider": "databricks.dev"}},
        "databricks_catalog": {"c": {"provider": "databricks.dev", "name": "gbx1_dev"}},
        "databricks_current_metastore": {"m": {"provider": "databricks.dev"}},
    }
    output = {
        "team": {"value": "${data.github_team.t.id}"},
        "members": {"value": "${data.github_team.t.members}"},
        "user": {"value": "${data.github_user.u.id}"},
        "login": {"value": "${data.github_organization.o.login}"},
        "people": {"value": "${length(data.databricks_group.g.users)}"},
        "ada": {"value": "${data.databricks_user.u.display_name}"},
        "me": {"value": "${data.databricks_current_user.me.acl_principal_id}"},
        "catalog": {"value": "${data.databricks_catalog.c.catalog_info[0].name}"},
        "store": {"value": "${data.databricks_current_metastore.m.id}"},
    }
    await bench.applied(bench.world.scratch(data=data, output=output))
    assert await bench.output("team") == "503"
    assert await bench.output("members") == [cast.PAT.github]
    assert await bench.output("user") == str(cast.DORA.github_id)
    assert await bench.output("login") == cast.ORGANISATION
    assert await bench.output("people") == 1
    assert await bench.output("ada") == cast.ADA.name
    me = f"servicePrincipals/{bench.world.databricks.bot_client_id}"
    assert await bench.output("me") == me
    assert await bench.output("catalog") == "gbx1_dev"
    assert await bench.output("store") not in ("", "no_metastore")

    nothing = {"github_team": {"t": {"slug": "nobody"}},
               "databricks_group": {"g": {"provider": "databricks.account",
                                          "display_name": "nobody"}}}  # fmt: skip
    refused = await bench.plan(bench.world.scratch(data=nothing))
    assert "/teams/nobody: 404 Not Found" in refused.errors()
    assert "cannot find group: nobody" in refused.errors()


async def test_a_limit_is_waited_out_as_the_vendor_asks(bench: Workbench) -> None:
    faults = bench.world.faults
    faults.add(Fault("github", "status", r"POST .*/repos$", status=429, seconds=1))
    faults.add(Fault("databricks", "status", r"POST .*/schemas$", status=429, seconds=1))
    schema = {"provider": "databricks.dev", "catalog_name": "gbx1_dev", "name": "patient"}
    resource = {**repository("patient"), "databricks_schema": {"s": schema}}
    done = await bench.applied(bench.world.scratch(resource=resource))
    assert done.counts() == (2, 0, 0)
    assert faults.active == []


async def test_a_dropped_connection_is_an_error_that_names_the_request(bench: Workbench) -> None:
    bench.world.faults.add(Fault("databricks", "drop", r"POST .*/schemas$"))
    schema = {"provider": "databricks.dev", "catalog_name": "gbx1_dev", "name": "dropped"}
    refused = await bench.apply(bench.world.scratch(resource={"databricks_schema": {"s": schema}}))
    assert refused.code == 1
    assert "/api/2.1/unity-catalog/schemas" in refused.errors()


@pytest.mark.parametrize(
    ("block", "complaint"),
    [
        ({"write_delay_ms": 0}, "write_delay_ms must be greater than 0ms"),
        ({"base_url": "ghes.example"}, "base_url must be absolute"),
        ({"app_auth": []}, "neither a token nor an app_auth block"),
        ({"app_auth": [{"id": "999"}]}, "401"),
    ],
)
async def test_a_github_block_that_the_provider_refuses(
    bench: Workbench, block: Json, complaint: str
) -> None:
    root = bench.world.scratch(resource=repository("refused"))
    root["provider"]["github"][0] |= block
    refused = await bench.plan(root)
    assert refused.code == 1
    assert complaint in refused.errors()
