"""What people get when the bot says "Ready": the project, looked at in the vendors' worlds."""

import os
import subprocess
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml
from conversation import RUN_SECONDS, Conversation
from databricks.bundles.jobs import Job

from bot import installation, vendors
from bot.settings import Settings, load
from playground import cast
from playground.slack.reading import text_of
from playground.world import Playground
from provisioning.adapters.bundle_templates import BundleTemplates
from provisioning.adapters.databricks import DatabricksWorkspaces
from provisioning.adapters.github import Connection, GitHubRepositories
from provisioning.adapters.local_terraform.engine import LocalTerraform
from provisioning.delivery import Delivery
from provisioning.project import ProjectSpec, Reviewer
from provisioning.redaction import SecretRedactor
from provisioning.runs import Progress
from provisioning.spec_file import FILE, written
from provisioning.starter import starter_answers

RESOURCES = {"one group": 107, "two groups": 201}
"""What the modules make for a request with one team and one person as reviewers."""
GROUPS = {"one group": ("gbx1",), "two groups": ("gbx1", "gbx2")}
GIT_ENVIRONMENT = {"PATH": os.defpath, "GIT_CONFIG_NOSYSTEM": "1", "GIT_TERMINAL_PROMPT": "0"}
KINDS = {"jobs": Job}
"""The models that accept a resource of a bundle, by its kind."""

pytestmark = pytest.mark.timeout(2 * RUN_SECONDS)


class Nobody:
    """Watches a Terraform command, and wants nothing of it."""

    def progress(self, progress: Progress) -> None:
        """Hear where it stands."""

    def cancelled(self) -> bool:
        """Let it run."""
        return False


@dataclass
class Living:
    """A project that the bot has called ready."""

    size: str
    talk: Conversation
    settings: Settings
    clone: Path

    @property
    def terraform(self) -> LocalTerraform:
        """The bot's own Terraform, with its state."""
        return LocalTerraform(vendors.installation_of(self.settings, SecretRedactor()))

    @property
    def spec(self) -> ProjectSpec:
        """What was asked for."""
        return ProjectSpec(
            name=self.talk.name,
            owners=(cast.ADA.slack, cast.GRACE.slack),
            managed_group="aad-data-science",
            github_team="data-science",
            reviewers=(
                Reviewer(kind="team", name="ml-reviewers"),
                Reviewer(kind="user", name="grace"),
            ),
            workspace_groups=GROUPS[self.size],
            template="job",
        )


@pytest.fixture(scope="module", params=GROUPS)
def living(
    request: pytest.FixtureRequest, playground: Playground, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Living]:
    """Return a project, asked for and confirmed in Slack, and Ada's clone of it."""
    talk = Conversation(playground, f"living-{len(GROUPS[request.param])}")
    reviewers = ["team:ml-reviewers", "user:grace"]
    talk.make(workspace_groups=list(GROUPS[request.param]), reviewers=reviewers)
    world = playground.world
    settings = load(world.directory / "sciclops.toml", world.secrets())
    clone = tmp_path_factory.mktemp("clone") / talk.name
    url = world.github.clone_url(talk.name, cast.ADA.github)
    subprocess.run(["git", "clone", "-q", url, str(clone)], env=GIT_ENVIRONMENT, check=True)
    yield Living(request.param, talk, settings, clone)
    assert world.github.violations == []
    assert world.github.unknown_calls == []
    assert world.databricks.unknown_calls == []


def test_a_clone_is_the_rendered_bundle_and_its_specification_byte_by_byte(living: Living) -> None:
    templates = BundleTemplates(vendors.TEMPLATES, vendors.bundle_context(living.settings))
    policy = installation.policy_of(living.settings)
    rendered = templates.render("job", starter_answers(living.spec, policy.catalogs, policy))
    rendered[FILE] = written(living.spec)
    cloned = {
        str(path.relative_to(living.clone)): path.read_bytes()
        for path in living.clone.rglob("*")
        if path.is_file() and ".git" not in path.relative_to(living.clone).parts[:1]
    }
    assert cloned == rendered
    assert living.talk.world.github.files(living.talk.name, "sciclops/template") == rendered


def test_databricks_own_models_accept_every_resource_file(living: Living) -> None:
    accepted: Counter[str] = Counter()
    for file in sorted((living.clone / "resources").glob("*.yml")):
        for kind, resources in yaml.safe_load(file.read_text())["resources"].items():
            for resource in resources.values():
                assert KINDS[kind].from_dict(resource).name
                accepted[kind] += 1
    assert accepted == {"jobs": 1}


def test_environments_have_their_reviewers_and_variables(living: Living) -> None:
    world, name = living.talk.world, living.talk.name
    environments = world.github.repos[name].environments
    clients = {each.display_name: each.application_id for each in world.databricks.principals}
    identities = Delivery().identities(living.spec)
    assert set(environments) == {each.name for each in identities}
    for identity in identities:
        environment, principal = environments[identity.name], f"{name}-{identity.name.lower()}"
        workspace = world.databricks.workspace(identity.group, identity.stage)
        values = {key: variable.value for key, variable in environment.variables.items()}
        policy = values.pop("DATABRICKS_JOB_CLUSTER_POLICY_ID")
        deployer = identity.name.removesuffix("-plan")
        assert workspace.policies[policy].name == f"{name} {deployer} jobs"
        counterpart = {
            "production": {"DATABRICKS_PLANNER_ID": clients.get(f"{principal}-plan")},
            "plan": {"DATABRICKS_DEPLOYER_ID": clients.get(principal.removesuffix("-plan"))},
        }
        role = "plan" if identity.is_planner else identity.stage
        assert values == {
            "DATABRICKS_HOST": world.databricks.hosts[identity.group, identity.stage],
            "DATABRICKS_CLIENT_ID": clients[principal],
            "DATABRICKS_ACCOUNT_ID": cast.DATABRICKS_ACCOUNT_ID,
            **counterpart.get(role, {}),
        }
        is_gated = role == "production"
        gated = [("Team", 502), ("User", cast.GRACE.github_id)]
        assert environment.reviewers == (gated if is_gated else [])
        assert environment.prevent_self_review == is_gated
        assert not environment.can_admins_bypass
        assert environment.secrets == {}


def test_the_message_tells_terraforms_own_figures(living: Living) -> None:
    addresses = living.terraform.addresses(living.talk.name)
    assert len(addresses) == RESOURCES[living.size]
    assert f"+{len(addresses)} ~0 -0" in text_of(living.talk.run_message("Ready in"))


def test_planning_again_shows_no_change(living: Living) -> None:
    outcome, plan = living.terraform.plan(living.talk.name, "looked-at-again", Nobody())
    assert plan is not None, outcome
    assert plan.changes == ()
    assert str(plan.counts) == "+0 ~0 -0"


def test_every_check_passes_with_the_bots_own_access(living: Living) -> None:
    settings, terraform = living.settings, living.terraform
    spec = living.spec
    clock = living.talk.world.clock
    app = vendors.app_of(settings, installation.read_private_key(settings))
    context = installation.terraform_context(settings)
    repositories = GitHubRepositories(Connection(app, clock), clock, context)
    accounts = vendors.accounts_of(settings, context, clock)
    workspaces = DatabricksWorkspaces(accounts, context)
    outputs = terraform.outputs(spec.name)
    files = living.talk.world.github.files(spec.name, "sciclops/template")
    findings = [
        *repositories.verify(spec, files, outputs),
        *workspaces.verify(spec, outputs),
    ]
    assert [finding for finding in findings if not finding.passed] == []
    assert len(findings) > 16 * len(spec.environments())


def test_there_is_no_key_to_rotate_and_the_federation_policies_are_looked_at(
    living: Living,
) -> None:
    talk, many = living.talk, 5 * len(living.spec.workspace_groups)
    talk.ada.type(f"/sciclops rotate {talk.name}")
    said = text_of(talk.told(talk.ada, f"to rotate: workflows of {talk.name} log in"))
    assert f"All {many} federation policies are as they should be" in said
    name = f"{talk.name}-{living.spec.environments()[0].name.lower()}"
    principals = talk.world.databricks.principals
    principal = next(one for one in principals if one.display_name == name)
    (policy,) = principal.policies.values()
    kept, policy.subject = policy.subject, "repo:somebody/else:environment:Development"
    talk.ada.type(f"/sciclops rotate {talk.name}")
    said = text_of(talk.told(talk.ada, f"1 of {many} federation policies"))
    assert "repo:somebody/else" in said
    policy.subject = kept
    assert len(talk.run_messages()) == 1
