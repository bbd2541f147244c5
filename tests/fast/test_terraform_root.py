"""A project's root: what a person typed is data, everything else is configuration."""

import json
import re
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provisioning.project import STAGES, DataAccess, ProjectSecret, ProjectSpec, Reviewer
from provisioning.terraform_root import (
    AccountContext,
    TerraformContext,
    WorkspaceContext,
    account_module,
    environment_key,
    environment_module,
    identity_module,
    literal,
    root_files,
)

MARKER = "sciclops:run-1"
EVIL = '${file("/etc/hostname")}%{if true}'
CATALOGS = {"development": "dev", "testing": "test", "staging": "stg", "production": "prod"}
GROUPS = ("gbx1", "gbx2", "gbxphil")
MODULES = Path(__file__).parents[2] / "provisioning" / "terraform"
VARIABLE = re.compile(r'^variable "(\w+)" \{\n(.*?)^\}\n', re.MULTILINE | re.DOTALL)
DESCRIPTION = re.compile(r"^  description = .*\n", re.MULTILINE)
NOT_ASKED_FOR_YET = {"force_destroy", "policy_overrides"}
"""Inputs with a default that no setting and no form can change so far."""


def context(**changes: Any) -> TerraformContext:
    """Return an installation where gbx1 and gbx2 share an account."""
    shared = AccountContext(account_id="acc-1", host="https://accounts.example")
    other = AccountContext(account_id="acc-2", host="https://accounts.example")
    values: dict[str, Any] = {
        "organisation": "acme",
        "github_url": "https://api.github.com/",
        "github_app_id": 7,
        "visibility": "internal",
        "platform_team": "platform",
        "write_delay_ms": 1000,
        "oidc_issuer": "https://token.actions.githubusercontent.com",
        "oidc_audience": "",
        "immutable_subjects": True,
        "automation_client_id": "11111111-2222-4333-8444-555555555555",
        "accounts": {"gbx1": shared, "gbx2": shared, "gbxphil": other},
        "workspaces": {
            group: {
                stage: WorkspaceContext(
                    host=f"https://{group}-{stage}.example", catalog=f"{group}_{CATALOGS[stage]}"
                )
                for stage in STAGES
            }
            for group in GROUPS
        },
    }
    return TerraformContext(**(values | changes))


def spec(*groups: str, **changes: Any) -> ProjectSpec:
    values: dict[str, Any] = {
        "name": "ada-7",
        "owners": ("U0ADA",),
        "managed_group": "aad-data-science",
        "github_team": "data-science",
        "reviewers": (
            Reviewer(kind="team", name="ml-reviewers"),
            Reviewer(kind="user", name="rosa"),
        ),
        "workspace_groups": groups or ("gbx1",),
        "template": "job",
    }
    return ProjectSpec(**(values | changes))


def root(
    request: ProjectSpec, imports: dict[str, str] | None = None, **changes: Any
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the configuration and the values."""
    files = root_files(request, MARKER, context(**changes), imports or {})
    assert set(files) == {"main.tf.json", "terraform.tfvars.json"}
    return json.loads(files["main.tf.json"]), json.loads(files["terraform.tfvars.json"])


def test_one_group_has_one_account_and_an_environment_for_each_stage() -> None:
    main, values = root(spec())
    assert set(main["module"]) == {"project", "account_gbx1", *STAGES}
    aliases = [provider["alias"] for provider in main["provider"]["databricks"]]
    assert aliases == ["account_gbx1", *STAGES]
    assert list(values["environments"]) == sorted(STAGES)
    assert values["environments"]["production"]["environment_name"] == "Production"


def test_groups_of_one_account_share_its_module_and_other_groups_have_their_own() -> None:
    main, values = root(spec(*GROUPS))
    accounts = {name for name in main["module"] if name.startswith("account_")}
    assert accounts == {"account_gbx1", "account_gbxphil"}
    modules = main["module"]
    assert modules["gbx2_production"]["group"] == "${module.account_gbx1.group}"
    assert modules["gbx2_production"]["providers"] == {
        "github": "github",
        "dbx.account": "databricks.account_gbx1",
        "dbx.workspace": "databricks.gbx2_production",
    }
    assert modules["gbxphil_testing"]["group"] == "${module.account_gbxphil.group}"
    assert values["environments"]["gbxphil_testing"]["account_id"] == "acc-2"
    assert len(values["environments"]) == 12
    assert values["environments"]["gbx2_production"]["environment_name"] == "gbx2-Production"


def test_addresses_of_modules_are_those_of_the_root() -> None:
    request = spec(*GROUPS)
    main, _ = root(request)
    for environment in request.environments():
        module = environment_module(environment)
        assert module == f"module.{environment_key(environment)}"
        assert environment_key(environment) in main["module"]
        planner = identity_module(environment.planner_name)
        assert identity_module(environment.name) == f'{module}.module.identity["deployer"]'
        assert planner == f'{module}.module.identity["planner"]'
        account = account_module(context().accounts, environment.group)
        assert account.removeprefix("module.") in main["module"]


def test_every_provider_that_a_module_names_exists_and_every_variable_has_a_value() -> None:
    main, values = root(spec(*GROUPS))
    known = {f"databricks.{provider['alias']}" for provider in main["provider"]["databricks"]}
    used = {name for module in main["module"].values() for name in module["providers"].values()}
    assert used == known | {"github"}
    assert set(main["variable"]) == set(values)


def test_where_groups_can_be_added_every_group_has_providers_to_remove_what_was_begun() -> None:
    main, values = root(spec("gbx2", "gbx1"))
    aliases = {provider["alias"] for provider in main["provider"]["databricks"]}
    assert aliases == {
        "account_gbx1",
        "account_gbxphil",
        *(f"{group}_{stage}" for group in GROUPS for stage in STAGES),
    }
    assert not any("gbxphil" in name for name in (*main["module"], *values["environments"]))


def inputs(module: str) -> dict[str, str]:
    """Return a module's inputs: what each demands, without its description."""
    found = VARIABLE.findall((MODULES / module / "variables.tf").read_text())
    return {name: DESCRIPTION.sub("", demanded) for name, demanded in found}


def test_the_modules_have_no_input_that_nobody_gives() -> None:
    calls = root(spec())[0]["module"]
    given = {call["source"].rpartition("/")[2]: set(call) for call in calls.values()}
    assert set(given) == {"project", "account", "environment"}
    left_out = {name for module in given for name in set(inputs(module)) - given[module]}
    assert left_out == NOT_ASKED_FOR_YET


def test_modules_that_share_an_input_demand_the_same_of_it() -> None:
    modules = [inputs(name) for name in ("project", "account", "environment")]
    project, account, environment = modules
    assert "validation" in project["name"]
    assert project["name"] == account["name"] == environment["name"]
    for one, other in combinations(modules, 2):
        shared = one.keys() & other.keys()
        assert {name: one[name] for name in shared} == {name: other[name] for name in shared}
    assert project.keys() & environment.keys() >= {"name", "marker"}


def test_workspace_providers_have_no_account_id_and_no_provider_has_a_credential() -> None:
    main, _ = root(spec())
    account, *workspaces = main["provider"]["databricks"]
    assert account["account_id"] == "acc-1"
    assert all(set(provider) == {"alias", "host"} for provider in workspaces)
    (github,) = main["provider"]["github"]
    assert github["app_auth"] == [{}]
    assert github["base_url"] == "https://api.github.com/"
    assert github["write_delay_ms"] == 1000


def test_only_production_is_gated_and_only_development_is_open_to_the_team() -> None:
    _, values = root(spec())
    environments = values["environments"]
    for held in ("gated", "reviewed"):
        assert [stage for stage in STAGES if environments[stage][held]] == ["production"]
    assert [s for s in STAGES if environments[s]["team_may_write"]] == ["development"]


def test_with_the_app_s_rule_no_environment_has_reviewers_but_planners_stay() -> None:
    environments = root(spec(), gate="app_rule")[1]["environments"]
    assert not any(each["reviewed"] for each in environments.values())
    assert [stage for stage in STAGES if environments[stage]["gated"]] == ["production"]


@pytest.mark.parametrize("gated", [(), ("production",), ("testing", "staging"), STAGES])
def test_every_gated_environment_has_a_planner_and_no_other_one(gated: tuple[str, ...]) -> None:
    main, values = root(spec("gbx1", "gbx2"), gated_stages=gated)
    groups = ("gbx1", "gbx2")
    keys = {f"{group}_{stage}" for group in groups for stage in gated}
    assert {name for name, each in values["environments"].items() if each["gated"]} == keys
    told = main["output"]["environments"]["value"]
    assert {name: each for name, each in told.items() if name.endswith("-plan")} == {
        f"{group}-{stage.capitalize()}-plan": f"${{module.{group}_{stage}.planner}}"
        for group in groups
        for stage in gated
    }


def test_tokens_are_trusted_unless_workflows_have_secrets() -> None:
    assert root(spec())[1]["federated"] is True
    assert root(spec(), authentication="secret")[1]["federated"] is False


def test_pull_requests_may_be_deployed_to_development_only() -> None:
    environments = root(spec())[1]["environments"]
    admitted = {stage: environments[stage]["deployment_branches"] for stage in STAGES}
    assert admitted.pop("development") == ["main", "refs/pull/*/merge"]
    assert set(map(tuple, admitted.values())) == {("main",)}


def test_main_requires_the_check_of_the_reusable_workflow() -> None:
    main, values = root(spec())
    assert values["required_checks"] == ["bundle / Validate, Test and Build"]
    assert main["module"]["project"]["required_checks"] == "${var.required_checks}"


def test_reviewers_are_told_apart() -> None:
    _, values = root(spec())
    assert values["reviewer_teams"] == ["ml-reviewers"]
    assert values["reviewer_users"] == ["rosa"]


@pytest.mark.parametrize(
    ("securable", "kind"),
    [
        ("gbx1_prod", "catalog"),
        ("gbx1_prod.sales", "schema"),
        ("gbx1_prod.sales.stores", "table"),
    ],
)
def test_data_access_goes_to_the_environment_that_has_the_catalog(
    securable: str, kind: str
) -> None:
    wanted = DataAccess(securable=securable, level="write")
    _, values = root(spec("gbx1", "gbx2", data_access=(wanted,)))
    granted = {name: each["data_access"] for name, each in values["environments"].items()}
    assert granted.pop("gbx1_production") == [
        {"securable": kind, "full_name": securable, "privileges": ["SELECT", "MODIFY"]}
    ]
    assert not any(granted.values())


def test_what_exists_is_imported() -> None:
    main, _ = root(spec(), {"module.project.github_repository.this": "ada-7"})
    assert main["import"] == [{"to": "module.project.github_repository.this", "id": "ada-7"}]
    assert "import" not in root(spec())[0]


@given(st.text(alphabet="$%{a", max_size=12))
def test_a_literal_begins_no_expression(text: str) -> None:
    assert re.findall(r"(?<!\$)\$\{|(?<!%)%\{", literal(text)) == []


def test_a_literal_is_spelled_as_terraform_reads_it() -> None:
    assert literal('a ${file("x")} %{if} $ { %') == 'a $${file("x")} %%{if} $ { %'


def test_nothing_that_a_person_typed_is_in_the_configuration() -> None:
    typed = spec(
        name=EVIL + "name",
        managed_group=EVIL + "group",
        github_team=EVIL + "team",
        reviewers=(Reviewer(kind="team", name=EVIL + "r"), Reviewer(kind="user", name=EVIL + "u")),
        data_access=(DataAccess(securable=f"gbx1_prod.{EVIL}".replace("/etc", ""), level="read"),),
        answers={"question": EVIL},
        template=EVIL,
        owners=(EVIL,),
    )
    harmless = spec(data_access=(DataAccess(securable="gbx1_prod.sales", level="read"),))
    assert root(typed)[0] == root(harmless)[0]
    _, values = root(typed)
    assert values["name"] == EVIL + "name"
    assert values["managed_group"] == EVIL + "group"
    assert values["reviewer_users"] == [EVIL + "u"]


def test_the_same_request_gives_the_same_bytes() -> None:
    one = root_files(spec(*GROUPS), MARKER, context(), {})
    assert one == root_files(spec(*GROUPS), MARKER, context(), {})


def test_secrets_are_names_in_their_stages_and_values_are_nowhere() -> None:
    kept = ProjectSecret(name="DABS_ROCKS", stages=("testing", "production"))
    files, values = root(spec(secrets=(kept,)))
    listed = {key: each["secrets"] for key, each in values["environments"].items()}
    assert listed == {
        "development": [],
        "testing": ["DABS_ROCKS"],
        "staging": [],
        "production": ["DABS_ROCKS"],
    }
    assert files["module"]["testing"]["secrets"] == '${var.environments["testing"].secrets}'
    assert "DABS_ROCKS" not in str(files)
