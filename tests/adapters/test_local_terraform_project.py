"""The engine with the real modules and both vendors' stand-ins: a whole project."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio
from terraform_workshop import Onlooker
from terraform_world import MARKER, MODULES, TerraformWorld

from playground import cast
from provisioning.adapters.local_terraform.engine import LocalTerraform
from provisioning.adapters.local_terraform.toolbox import Installation
from provisioning.project import STAGES, DataAccess, ProjectSpec, Reviewer
from provisioning.redaction import SecretRedactor
from provisioning.terraform_root import (
    AccountContext,
    TerraformContext,
    WorkspaceContext,
    root_files,
)

SPEC = ProjectSpec(
    name="ada-7",
    owners=("U0ADA",),
    managed_group="aad-data-science",
    github_team="data-science",
    reviewers=(Reviewer(kind="team", name="ml-reviewers"),),
    workspace_groups=("gbx1",),
    template="job",
    data_access=(DataAccess(securable="gbx1_prod.sales", level="read"),),
)


@pytest_asyncio.fixture
async def world(tmp_path: Path) -> AsyncIterator[TerraformWorld]:
    made = TerraformWorld(tmp_path / "world")
    await made.start()
    yield made
    await made.stop()


def context(world: TerraformWorld) -> TerraformContext:
    """Return the playground as an installation."""
    account = AccountContext(
        account_id=cast.DATABRICKS_ACCOUNT_ID, host=world.databricks.account_host
    )
    workspaces = {
        group: {
            stage: WorkspaceContext(
                host=world.databricks.hosts[(group, stage)], catalog=cast.catalog(group, stage)
            )
            for stage in STAGES
        }
        for group in ("gbx1", "gbx2")
    }
    return TerraformContext(
        organisation=cast.ORGANISATION,
        github_url=f"{world.github.root}/",
        github_app_id=world.github.app_id,
        visibility="private",
        platform_team="platform",
        write_delay_ms=0,
        oidc_issuer=world.github.oidc_issuer,
        oidc_audience="",
        immutable_subjects=True,
        automation_client_id=world.databricks.bot_client_id,
        accounts={"gbx1": account, "gbx2": account},
        workspaces=workspaces,
    )


def engine(world: TerraformWorld, folder: Path) -> LocalTerraform:
    return LocalTerraform(
        Installation(
            data=folder / "data",
            modules=MODULES,
            redact=SecretRedactor(),
            search_path="/usr/local/bin:/usr/bin:/bin",
            environment={"TF_REATTACH_PROVIDERS": world.providers.reattach},
        )
    )


def make(terraform: LocalTerraform, spec: ProjectSpec, known: TerraformContext) -> None:
    """Make a project, plan it again, take it down: what an operation does with its engine."""
    onlooker = Onlooker()
    terraform.prepare(spec.name, root_files(spec, MARKER, known, {}))
    outcome, plan = terraform.plan(spec.name, "one", onlooker)
    assert plan is not None, outcome
    assert plan.counts.add == len([c for c in plan.changes if c.action == "create"]) > 70
    applied = terraform.apply(spec.name, "one", onlooker)
    assert applied.ending == "succeeded", applied
    assert applied.counts == plan.counts
    assert len(terraform.addresses(spec.name)) == plan.counts.add
    assert onlooker.told[-1].done == onlooker.told[-1].total == plan.counts.add
    again = terraform.plan(spec.name, "two", onlooker)[1]
    assert again is not None
    assert again.changes == ()


async def test_a_whole_project_is_made_as_planned_and_planning_again_shows_no_change(
    world: TerraformWorld, tmp_path: Path
) -> None:
    terraform = engine(world, tmp_path)
    await asyncio.to_thread(make, terraform, SPEC, context(world))
    outputs = await asyncio.to_thread(terraform.outputs, SPEC.name)
    environments, repository = outputs["environments"], outputs["repository"]
    assert isinstance(environments, dict)
    assert isinstance(repository, dict)
    assert set(environments) == {*(stage.capitalize() for stage in STAGES), "Production-plan"}
    assert repository["name"] == "ada-7"
    assert environments["Production"]["catalog"] == "gbx1_prod"
    text = terraform.describe(SPEC.name, "one")
    assert "[redacted]" not in text
    assert "databricks_service_principal_federation_policy" in text
