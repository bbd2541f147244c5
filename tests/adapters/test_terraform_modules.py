"""The HCL modules under real Terraform, against the vendors' stand-ins."""

import asyncio
import json
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from terraform_root import STAGES, Root
from terraform_world import MARKER, MODULES, TerraformWorld, Workbench, binaries, log_in

from playground import cast
from provisioning.project import DataAccess, ProjectSpec, Reviewer
from provisioning.terraform_root import (
    AccountContext,
    TerraformContext,
    WorkspaceContext,
    root_files,
)

pytestmark = pytest.mark.asyncio(loop_scope="module")
ONE_GROUP, TWO_GROUPS = 106, 200
TERRAFORM = next(iter(binaries().values()))
CARDS = "gbx1_prod.loyalty.cards"
USE_SALES = {"securable": "schema", "full_name": "gbx1_prod.sales"}


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
    """A project that is made once: gated by a team and a person, with data it asked for."""
    made = Workbench(world, tmp_path_factory.mktemp("project"), TERRAFORM)
    await made.applied(wanted(world))
    yield made


def wanted(world: TerraformWorld) -> Root:
    root = world.root("gbx1", name="ada-7", reviewer_users=["dora"])
    root.environments["gbx1_production"]["data_access"] = [
        {**USE_SALES, "privileges": ["SELECT"]},
        {**USE_SALES, "privileges": ["MODIFY"]},
        {"securable": "table", "full_name": CARDS, "privileges": ["SELECT"]},
    ]
    return root


@pytest.mark.parametrize(
    ("binary", "groups"),
    [(list(binaries())[-1], ("gbx1",)), (next(iter(binaries())), ("gbx1", "gbx2"))],
)
async def test_a_project_is_made_then_at_rest_then_gone(
    world: TerraformWorld, tmp_path: Path, binary: str, groups: tuple[str, ...]
) -> None:
    bench = Workbench(world, tmp_path, binaries()[binary])
    name = f"whole-{binary}-{len(groups)}"
    root = world.root(*groups, name=name)
    expected = ONE_GROUP if len(groups) == 1 else TWO_GROUPS
    before = len(world.databricks.principals)

    applied = await bench.applied(root)
    assert applied.counts() == (expected, 0, 0)
    again = await bench.plan(root)
    assert again.planned() == {}
    assert [each for each in again.events if each["type"] == "resource_drift"] == []
    repo = world.github.repos[name]
    names = {each["environment_name"] for each in root.environments.values()}
    planners = {f"{root.environments[name]['environment_name']}-plan" for name in root.gated()}
    assert {each.name for each in repo.environments.values()} == names | planners
    assert len(world.databricks.principals) == before + 5 * len(groups)

    destroyed = await bench.run("apply", "-destroy", "-auto-approve", "-json")
    assert destroyed.code == 0, destroyed.errors()
    assert destroyed.counts() == (0, 0, expected)
    assert world.github.repos[name].archived
    assert len(world.databricks.principals) == before
    assert world.github.violations == []
    assert world.github.unknown_calls == []
    assert world.databricks.unknown_calls == []


async def test_a_workflow_logs_in_through_the_federation_policy_and_no_other_one_does(
    project: Workbench,
) -> None:
    there = (await project.output("environments"))["gbx1_production"]
    assert await asyncio.to_thread(log_in, project, "Production", there) == 200
    assert await asyncio.to_thread(log_in, project, "Staging", there) in (400, 401)
    repository = (await project.output("project"))["repository"]
    owner = f"{cast.ORGANISATION}@{cast.ORGANISATION_ID}"
    subject = f"repo:{owner}/ada-7@{repository['id']}:environment:Production"
    assert there["federation_subject"] == subject


async def test_everything_that_is_made_carries_the_marker(project: Workbench) -> None:
    assert str(project.world.github.repos["ada-7"].description).endswith(f" {MARKER}")
    marks = {
        each.external_id
        for each in project.world.databricks.principals
        if each.display_name.startswith("ada-7-")
    }
    stages = ("Development", "Testing", "Staging", "Production", "Production-plan")
    assert marks == {f"{MARKER}:{stage}" for stage in stages}


async def test_only_production_is_gated_and_its_reviewers_are_there(project: Workbench) -> None:
    repo = project.world.github.repos["ada-7"]
    gates = {each.name: each for each in repo.environments.values()}
    assert gates["Production"].reviewers == [("Team", 502), ("User", cast.DORA.github_id)]
    assert gates["Production"].prevent_self_review
    assert [name for name, gate in gates.items() if gate.reviewers] == ["Production"]
    assert not any(gate.can_admins_bypass for gate in gates.values())


async def test_requested_data_is_granted_with_the_way_to_it(project: Workbench) -> None:
    client = (await project.output("environments"))["gbx1_production"]["client_id"]
    held = project.world.databricks.effective_privileges
    assert {"USE_SCHEMA", "SELECT", "MODIFY"} <= held(client, "gbx1_prod.sales.stores")
    assert "SELECT" in held(client, CARDS)
    assert "SELECT" not in held(client, "gbx1_prod.loyalty.households")
    assert "USE_CATALOG" in held(client, "gbx1_prod")


async def test_no_two_grants_address_one_pair_so_planning_again_finds_rest(
    project: Workbench,
) -> None:
    grants = [
        address
        for address in (await project.run("state", "list")).text.splitlines()
        if "gbx1_production.databricks_grant.principal" in address
    ]
    assert len(grants) == 5  # catalog, own schema, sales, loyalty, cards
    assert (await project.plan(wanted(project.world))).planned() == {}


async def test_the_team_writes_and_runs_as_the_principal_only_where_it_may(
    project: Workbench,
) -> None:
    held = project.world.databricks.effective_privileges
    assert "MODIFY" in held(cast.ADA.email, "gbx1_dev.ada_7")
    assert "SELECT" in held(cast.ADA.email, "gbx1_prod.ada_7")
    assert "MODIFY" not in held(cast.ADA.email, "gbx1_prod.ada_7")
    assert held(cast.SAM.email, "gbx1_prod.ada_7") <= {"BROWSE"}
    users = {}
    for stage in ("development", "production"):
        name = f"module.gbx1_{stage}.databricks_access_control_rule_set.principal"
        rules = (await project.state(name))["grant_rules"]
        users[stage] = [who for rule in rules if rule["role"].endswith(".user")
                        for who in rule["principals"]]  # fmt: skip
    assert users == {"development": ["groups/sciclops-ada-7"], "production": []}


async def test_what_a_person_typed_stays_text(bench: Workbench) -> None:
    root = bench.world.root("gbx1", name="typed")
    root.values["required_checks"] = ['${file("/etc/hostname")} %{if true}']
    planned = await bench.plan(root)
    assert planned.code == 0, planned.errors()
    shown = (await bench.run("show", "-json", "plan")).text
    assert '${file(\\"/etc/hostname\\")}' in shown


BAD_VALUES = (
    {
        "name": ("Ada_7", "name must be 3 to 63 small letters"),
        "marker": ("ours", "marker must be"),
        "organisation": ("acme/evil", "organisation must be"),
        "github_app_id": (0.5, "github_app_id must be"),
        "github_team": ("Data Science", "github_team must be"),
        "platform_team": ("", "platform_team must be"),
        "reviewer_teams": (["a", "a"], "reviewer_teams must not name a team twice"),
        "reviewer_users": (["no body"], "reviewer_users must be"),
        "required_checks": ([""], "required_checks must be"),
        "managed_group": ('x" or "1', "managed_group must be"),
        "oidc_issuer": ("http://evil.example", "oidc_issuer must be"),
        "account_id": ("42", "account_id must be a UUID"),
        "automation_client_id": ("bot", "automation_client_id must be a UUID"),
    },
    {
        "name": ("a" * 64, "name must be 3 to 63 small letters"),
        "marker": ("sciclops:${x}", "marker must be"),
        "reviewer_teams": (["../x"], "reviewer_teams must be team slugs"),
        "reviewer_users": (["ada", "ADA"], "reviewer_users must not name a person twice"),
        "managed_group": ("", "managed_group must be"),
    },
)
BAD_ENVIRONMENTS: dict[str, dict[str, tuple[object, str]]] = {
    "development": {
        "environment_name": ("Prod:x/y", "environment_name must be"),
        "host": ("dbc-1.cloud.databricks.com", "host must be"),
        "catalog": ("gbx1.dev", "catalog must be"),
        "data_access": ([{**USE_SALES, "privileges": ["ALL PRIVILEGES"]}], "privileges must be"),
    },
    "testing": {"data_access": ([{**USE_SALES, "privileges": []}], "privileges must be")},
    "staging": {
        "data_access": (
            [{"securable": "schema", "full_name": "sales", "privileges": ["SELECT"]}],
            "full_name must have as many parts",
        )
    },
    "production": {
        "data_access": (
            [{"securable": "share", "full_name": "a.b.c", "privileges": ["SELECT"]}],
            "securable must be",
        )
    },
}


@pytest.mark.parametrize("values", BAD_VALUES, ids=["first", "second"])
async def test_each_bad_value_is_refused_by_its_variable(
    bench: Workbench, values: dict[str, tuple[object, str]]
) -> None:
    root = bench.world.root("gbx1")
    root.values |= {name: value for name, (value, _) in values.items()}
    refused = await bench.plan(root)
    assert refused.code == 1
    said = refused.errors().replace("\n", " ")
    assert [text for _, text in values.values() if text not in said] == []


async def test_each_bad_value_of_an_environment_is_refused_by_its_variable(
    bench: Workbench,
) -> None:
    root = bench.world.root("gbx1")
    for stage, values in BAD_ENVIRONMENTS.items():
        root.environments[f"gbx1_{stage}"] |= {name: value for name, (value, _) in values.items()}
    refused = await bench.plan(root)
    assert refused.code == 1
    said = refused.errors().replace("\n", " ")
    texts = [text for values in BAD_ENVIRONMENTS.values() for _, text in values.values()]
    assert [text for text in texts if text not in said] == []
    assert said.count("privileges must be") >= 2  # unknown ones, and none at all


@pytest.mark.parametrize(
    ("teams", "complaint"),
    [
        ([], "needs at least one reviewer"),
        ([f"team-{number:03}" for number in range(1, 8)], "at most 6 reviewers"),
    ],
)
async def test_a_gate_that_cannot_work_is_refused_while_planning(
    bench: Workbench, teams: list[str], complaint: str
) -> None:
    refused = await bench.plan(bench.world.root("gbx1", reviewer_teams=teams))
    assert refused.code == 1
    assert complaint in refused.errors()


async def test_a_misspelt_attribute_is_caught_by_validate(bench: Workbench, tmp_path: Path) -> None:
    copy = tmp_path / "modules"
    shutil.copytree(MODULES, copy)
    main = copy / "identity" / "main.tf"
    main.write_text(main.read_text().replace("prevent_self_review =", "prevent_self_revue ="))
    await bench.ready(bench.world.root("gbx1"))
    found = await bench.run("validate", "-json")
    assert found.code == 1
    assert 'An argument named \\"prevent_self_revue\\" is not expected here.' in found.text
    assert 'Did you mean \\"prevent_self_review\\"?' in found.text


@pytest.mark.parametrize(
    ("groups", "expected"), [(("gbx1",), ONE_GROUP), (("gbx1", "gbx2"), TWO_GROUPS)]
)
async def test_the_bots_own_root_fits_the_modules(
    bench: Workbench, groups: tuple[str, ...], expected: int
) -> None:
    world = bench.world
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
        for group in groups
    }
    context = TerraformContext(
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
        accounts=dict.fromkeys(groups, account),
        workspaces=workspaces,
    )
    spec = ProjectSpec(
        name="bots-own",
        owners=("U0GRACE",),
        managed_group="aad-data-science",
        github_team="data-science",
        reviewers=(Reviewer(kind="team", name="ml-reviewers"),),
        workspace_groups=groups,
        template="job",
        data_access=(DataAccess(securable="gbx1_prod.sales", level="read"),),
    )
    bench.link_modules()
    for name, text in root_files(spec, MARKER, context, {}).items():
        (bench.directory / name).write_text(text)
    assert (await bench.run("init", "-no-color")).code == 0
    planned = await bench.run("plan", "-json")
    assert planned.code == 0, planned.errors()
    assert planned.counts() == (expected + 1, 0, 0)  # one more grant: the data it asked for


async def test_a_stage_that_is_dropped_leaves_nothing(bench: Workbench) -> None:
    root = bench.world.root("gbx1", name="smaller")
    for stage in ("staging", "production"):
        del root.environments[f"gbx1_{stage}"]
    await bench.applied(root)
    whole = root.main()
    del whole["module"]["gbx1_testing"]
    del whole["output"]["environments"]["value"]["gbx1_testing"]
    (bench.directory / "main.tf.json").write_text(json.dumps(whole))
    planned = await bench.run("plan", "-json", "-out=plan")
    assert planned.counts() == (0, 0, 20)
    assert (await bench.run("apply", "-json", "plan")).code == 0
    environments = bench.world.github.repos["smaller"].environments.values()
    assert "Testing" not in {each.name for each in environments}


async def test_the_modules_are_formatted(bench: Workbench) -> None:
    done = await bench.run("fmt", "-check", "-recursive", str(MODULES))
    assert done.text == ""
    assert done.code == 0
