"""Who plans for a gated environment: what the module gives the planner, and what it never may."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from terraform_root import Root
from terraform_world import TerraformWorld, Workbench, binaries, log_in

from playground import cast

pytestmark = pytest.mark.asyncio(loop_scope="module")
ONLY_PRODUCTION, PLANNER = 45, 13
"""Resources of a project with one environment, which is gated; how many are its planner's."""
TERRAFORM = next(iter(binaries().values()))


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def world(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[TerraformWorld]:
    made = TerraformWorld(tmp_path_factory.mktemp("world"))
    await made.start()
    yield made
    await made.stop()


@pytest.fixture
def bench(world: TerraformWorld, tmp_path: Path) -> Workbench:
    return Workbench(world, tmp_path, TERRAFORM)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def project(
    world: TerraformWorld, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Workbench]:
    """A project that is made once, with its Production gated."""
    made = Workbench(world, tmp_path_factory.mktemp("project"), TERRAFORM)
    await made.applied(world.root("gbx1", name="ada-7"))
    yield made


def alone(root: Root, stage: str) -> Root:
    """Return the root with no other environment than this."""
    name = f"gbx1_{stage}"
    root.environments = {name: root.environments[name]}
    return root


async def test_a_plan_is_made_as_the_planner_and_never_as_the_deployer(project: Workbench) -> None:
    environments = await project.output("environments")
    deployer, planner = environments["gbx1_production"], environments["gbx1_production_plan"]
    assert await asyncio.to_thread(log_in, project, "Production-plan", planner) == 200
    assert await asyncio.to_thread(log_in, project, "Production-plan", deployer) in (400, 401)
    assert await asyncio.to_thread(log_in, project, "Production", planner) in (400, 401)
    assert deployer["client_id"] != planner["client_id"]


async def test_the_planner_may_look_and_nothing_else(project: Workbench) -> None:
    planner = (await project.output("environments"))["gbx1_production_plan"]
    held = project.world.databricks.effective_privileges
    read = {"USE_CATALOG", "USE_SCHEMA", "EXECUTE"}
    assert held(planner["client_id"], "gbx1_prod.ada_7") - {"BROWSE"} == read
    assert held(planner["client_id"], "gbx1_prod.sales") <= {"USE_CATALOG", "BROWSE"}
    workspace = project.world.databricks.workspace("gbx1", "production")
    assert workspace.assignments[int(planner["service_principal_id"])] == "USER"


async def test_an_environment_and_its_planner_know_each_other(project: Workbench) -> None:
    environments = await project.output("environments")
    deployer, planner = environments["gbx1_production"], environments["gbx1_production_plan"]
    there = project.world.github.repos["ada-7"].environments
    variables = {
        name: {key: each.value for key, each in there[name].variables.items()}
        for name in ("Production", "Production-plan")
    }
    shared = {
        "DATABRICKS_HOST": deployer["host"],
        "DATABRICKS_ACCOUNT_ID": cast.DATABRICKS_ACCOUNT_ID,
        "DATABRICKS_JOB_CLUSTER_POLICY_ID": deployer["policy_id"],
    }
    assert variables["Production"] == {
        **shared,
        "DATABRICKS_CLIENT_ID": deployer["client_id"],
        "DATABRICKS_PLANNER_ID": planner["client_id"],
    }
    assert variables["Production-plan"] == {
        **shared,
        "DATABRICKS_CLIENT_ID": planner["client_id"],
        "DATABRICKS_DEPLOYER_ID": deployer["client_id"],
    }


async def test_pull_requests_are_admitted_to_development_only(project: Workbench) -> None:
    there = project.world.github.repos["ada-7"].environments
    admitted = {name: {each.name for each in env.patterns.values()} for name, env in there.items()}
    assert admitted.pop("Development") == {"main", "refs/pull/*/merge"}
    assert set(map(frozenset, admitted.values())) == {frozenset({"main"})}


async def test_where_workflows_have_secrets_nobodys_tokens_are_trusted(bench: Workbench) -> None:
    root = alone(bench.world.root("gbx1", name="secretive", federated=False), "production")
    assert (await bench.applied(root)).counts() == (ONLY_PRODUCTION - 2, 0, 0)
    assert (await bench.plan(root)).planned() == {}
    mine = [p for p in bench.world.databricks.principals if p.display_name.startswith("secretive-")]
    assert [each.policies for each in mine] == [{}] * 2
    root.values["federated"] = True
    assert (await bench.applied(root)).counts() == (2, 0, 0)


async def test_a_stage_that_is_gated_later_gets_a_planner_and_loses_it_again(
    bench: Workbench,
) -> None:
    root = alone(bench.world.root("gbx1", name="gated-later"), "staging")
    await bench.applied(root)
    root.environments["gbx1_staging"]["gated"] = True
    assert (await bench.applied(root)).counts() == (PLANNER, 1, 0)
    assert (await bench.plan(root)).planned() == {}
    root.environments["gbx1_staging"]["gated"] = False
    assert (await bench.applied(root)).counts() == (0, 1, PLANNER)
    assert "Staging-plan" not in bench.world.github.repos["gated-later"].environments
