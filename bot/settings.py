"""All settings, read once: `sciclops.toml` and environment variables `SCICLOPS__SECTION__KEY`.

Secrets come from the environment only; the file that people commit has none. Errors name the key
and what to do.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, SecretStr, ValidationError, model_validator

from bot.digest_settings import DigestSettings
from bot.observation_settings import LogSettings, MetricsSettings
from bot.settings_file import explain, read
from bot.settings_section import Section
from bot.upgrade_settings import UpgradeSettings
from provisioning.delivery import Authentication, GateKind
from provisioning.errors import UserError
from provisioning.policy import Rotating
from provisioning.project import STAGES

Confirmer = Literal["nobody", "requester", "platform", "second_person"]
GROUP_NAME = r"^[a-z][a-z0-9-]{0,29}$"
"""A workspace group's name becomes part of environments and of Terraform's module names."""


class SlackSettings(Section):
    """The Slack app. `bot_token`, `app_token` and `signing_secret` come from the environment."""

    mode: Literal["socket", "http"] = "socket"
    api_url: str = "https://slack.com/api/"
    bot_token: SecretStr = SecretStr("")
    app_token: SecretStr = SecretStr("")
    signing_secret: SecretStr = SecretStr("")
    host: str = "127.0.0.1"
    port: int = Field(3000, ge=0, le=65535, description="0 takes a free port")
    channel: str = Field(description="id of the channel where runs are shown")
    announcements: str = Field(description="id of the community channel")
    plan_blocks: Literal["auto", "always", "never"] = "auto"


class RoleSettings(Section):
    """Who may do what: ids of Slack user groups. No `users` group means everybody may ask.

    `release` and `break_glass` are for the gate "app_rule", where this bot decides who may release.
    """

    platform: str
    users: str = ""
    release: str = Field("", description="may release any project, beside its own reviewers")
    break_glass: str = Field("", description="may release without approvals, with a reason")


class GitHubSettings(Section):
    """The GitHub organisation and the bot's App; the App's private key comes from a file.

    With `webhook_secret` (from the environment) GitHub tells us of workflow runs; without it the
    bot asks, which needs no public address.
    """

    organisation: str
    api_url: str = "https://api.github.com"
    app_id: int
    client_id: str = Field(
        "", description="the App's client id, public; empty: nobody can link an account"
    )
    installation_id: int
    private_key_file: Path
    visibility: Literal["private", "internal", "public"] = "private"
    platform_repository: str = Field(
        "sciclops-platform", description="repository that holds the reusable deploy workflow"
    )
    platform_team: str = Field("platform", description="team that owns workflow files (CODEOWNERS)")
    oidc_issuer: str = "https://token.actions.githubusercontent.com"
    immutable_subjects: bool = Field(
        True, description="False on GitHub Enterprise Server, whose OIDC subject has names only"
    )
    seconds_between_writes: float = Field(1, ge=0)
    webhook_secret: SecretStr = SecretStr("")
    logins: dict[str, str] = Field(
        default_factory=dict,
        description="GitHub logins by Slack user id, for people who can't link their account",
    )

    @model_validator(mode="after")
    def _gives_each_login_once(self) -> "GitHubSettings":
        logins = [login.lower() for login in self.logins.values()]
        if len(set(logins)) < len(logins) or not all(logins):
            raise ValueError("logins: each Slack user has a GitHub login of their own")
        return self


class StageSettings(Section):
    """One Databricks workspace: where a stage of a workspace group lives."""

    host: str
    workspace_id: int
    catalog: str
    policy_family: str = "job-cluster"


class WorkspaceGroupSettings(Section):
    """A family of workspaces, e.g. gbx1: one account, one workspace for each stage."""

    title: str = ""
    account_id: str
    account_host: str = "https://accounts.cloud.databricks.com"
    stages: dict[str, StageSettings]

    @model_validator(mode="after")
    def _has_every_stage(self) -> "WorkspaceGroupSettings":
        missing = [stage for stage in STAGES if stage not in self.stages]
        unknown = [stage for stage in self.stages if stage not in STAGES]
        if missing or unknown:
            raise ValueError(
                f"stages must be exactly {', '.join(STAGES)}; "
                f"missing: {', '.join(missing) or 'none'}, unknown: {', '.join(unknown) or 'none'}"
            )
        return self


class DatabricksSettings(Section):
    """The bot's own service principal (account admin); its secret comes from the environment."""

    client_id: str
    client_secret: SecretStr = SecretStr("")
    token_audience: str = Field("", description="audience of OIDC logins; default: the account id")
    authentication: Authentication = Field(
        "oidc", description="how projects' workflows log in: federation, or OAuth secrets"
    )
    secret_days: int = Field(90, ge=1, le=730, description="life of a secret; 730 is Databricks'")


class DeploymentSettings(Section):
    """How deployments travel. `gated_stages` need a release, and `gate` is what holds them.

    "reviewer" is GitHub's required reviewers, "app_rule" our App's own deployment protection rule.
    """

    gated_stages: tuple[str, ...] = ("production",)
    gate: GateKind = "reviewer"
    approvals_needed: int = Field(1, ge=1, le=6, description="more than 1 needs the App's rule")

    @model_validator(mode="after")
    def _knows_its_stages(self) -> "DeploymentSettings":
        later = STAGES[1:]
        unknown = [stage for stage in self.gated_stages if stage not in later]
        if unknown or len(set(self.gated_stages)) < len(self.gated_stages):
            raise ValueError(
                f"gated_stages must be some of {', '.join(later)}, each once: a project is ready "
                "once it is in Development"
            )
        return self

    @model_validator(mode="after")
    def _asks_for_what_its_gate_enforces(self) -> "DeploymentSettings":
        if self.objection:
            raise ValueError(self.objection)
        return self

    @property
    def objection(self) -> str:
        """Return why so many approvals cannot be enforced, or an empty string."""
        if self.approvals_needed == 1 or self.gate == "app_rule":
            return ""
        return (
            "approvals_needed above 1 cannot be enforced by GitHub's required reviewers, whose "
            'first approval lets a deployment in; set gate = "app_rule"'
        )


class DataSettings(Section):
    """Data that may be requested, and who must consent: ids of Slack users or user groups."""

    securable: str
    levels: tuple[Literal["read", "write"], ...] = ("read",)
    owners: tuple[str, ...] = ()


class NamingSettings(Section):
    """What a project may be called."""

    pattern: str = Field("^[a-z][a-z0-9-]{2,38}[a-z0-9]$", description="a Python regex")
    explanation: str = (
        "4 to 40 small letters, digits and hyphens, starting with a letter and ending with a "
        "letter or digit"
    )
    reserved: tuple[str, ...] = ("admin", "main", "template", "platform", "sciclops")
    reserved_prefixes: tuple[str, ...] = ("sciclops-",)


class ConfirmationSettings(Section):
    """Who confirms a plan before it is applied."""

    create: Confirmer = "requester"
    change: Confirmer | Literal[""] = Field("", description="empty: like create")
    destroy: Literal["platform", "second_person"] = Field(
        "second_person", description="for projects without an end date, never oneself"
    )
    destroy_sandbox: Confirmer = Field("nobody", description="beside the name that is typed")
    expires_after_hours: float = Field(72, gt=0)
    release_expires_after_hours: float = Field(
        72, gt=0, le=720, description="GitHub itself waits for 30 days"
    )


class DriftSettings(Section):
    """How often each project is looked at for what was changed outside Terraform."""

    every_hours: float = Field(24, ge=1)


class TerraformSettings(Section):
    """The engine and where its state lives. `environment` is passed on to Terraform (proxies…)."""

    engine: Literal["local"] = "local"
    binary: str = ""
    state: Literal["local", "pg"] = "local"
    state_url: SecretStr = SecretStr("")
    parallelism: int = Field(10, ge=1, le=64)
    plugin_mirror: str = Field(
        "", description="folder with unpacked providers, for closed networks"
    )
    environment: dict[str, str] = Field(default_factory=dict)

    @model_validator(mode="before")
    @classmethod
    def _no_hcp_yet(cls, value: Any) -> Any:
        if isinstance(value, Mapping) and value.get("engine") == "hcp":
            raise ValueError(
                'engine = "hcp" (HCP Terraform) does not exist yet; '
                'use engine = "local", which runs Terraform beside the bot'
            )
        return value


class SecuritySettings(Section):
    """Keys that seal people's GitHub tokens, from the environment; several, to rotate them.

    The others are about projects' OAuth secrets, with `databricks.authentication` "secret".
    """

    seal_keys: SecretStr = SecretStr("")
    rotation: Rotating = Field("ask", description="tell owners of old keys, or rotate by ourselves")
    rotate_after_days: float = Field(90, gt=0, description="keys that expire sooner are due sooner")
    overlap_hours: float = Field(24, ge=1, description="how long old keys are kept at most")


class LimitSettings(Section):
    """How much at once, how long."""

    operations_at_once: int = Field(8, ge=1, le=64)
    github_writing_applies: int = Field(1, ge=1, le=16)
    github_writes_per_hour: int = Field(450, ge=50, description="GitHub itself allows 500")
    commands_at_once: int = Field(16, ge=1, le=256)
    workflow_run_days: int = Field(90, ge=31, description="GitHub repeats a run for 30 days")
    sandbox_days_default: int = Field(30, ge=1)
    sandbox_days_maximum: int = Field(90, ge=1)
    sandbox_extensions: int = Field(3, ge=0, description="then only the platform team extends it")
    message_edit_seconds: float = Field(3, gt=0)


class Settings(Section):
    """Everything that differs between one installation and another."""

    database_url: str = Field("", description="default: SQLite in data_directory")
    data_directory: Path = Path("data")
    templates_directory: str = Field("", description="folder of bundle templates; empty: ours")
    slack: SlackSettings
    roles: RoleSettings
    github: GitHubSettings
    databricks: DatabricksSettings
    deployment: DeploymentSettings = DeploymentSettings()
    workspace_groups: dict[Annotated[str, Field(pattern=GROUP_NAME)], WorkspaceGroupSettings] = (
        Field(min_length=1)
    )
    data: tuple[DataSettings, ...] = ()
    naming: NamingSettings = NamingSettings()
    confirmation: ConfirmationSettings = ConfirmationSettings()
    drift: DriftSettings = DriftSettings()
    upgrades: UpgradeSettings = UpgradeSettings()
    terraform: TerraformSettings = TerraformSettings()
    security: SecuritySettings = SecuritySettings()
    limits: LimitSettings = LimitSettings()
    metrics: MetricsSettings = MetricsSettings()
    log: LogSettings = LogSettings()
    digest: DigestSettings = DigestSettings()

    @model_validator(mode="after")
    def _asks_for_what_its_gate_enforces(self) -> "Settings":
        if objection := self.gate_objection:
            raise ValueError(objection)
        return self

    @property
    def gate_objection(self) -> str:
        """Return what is asked for that the gate cannot enforce, and why; or an empty string."""
        deployment, roles = self.deployment, self.roles
        ignored = [name for name in ("release", "break_glass") if getattr(roles, name)]
        if deployment.gate == "reviewer" and ignored:
            return (
                f"roles.{ignored[0]} cannot be heeded: GitHub lets nobody but an environment's "
                'required reviewers in; remove it, or set deployment.gate = "app_rule"'
            )
        if deployment.gate == "app_rule" and not (self.can_link or self.github.logins):
            return (
                'deployment.gate = "app_rule" needs to know whose GitHub account is whose, or '
                "people could release their own deployments: set up linking (github.client_id and "
                "security.seal_keys), or name people in github.logins"
            )
        return deployment.objection

    @property
    def can_link(self) -> bool:
        """Tell whether people can link their GitHub account."""
        return bool(self.github.client_id and self.security.seal_keys.get_secret_value().strip())

    def url(self) -> str:
        """Return the database URL."""
        return self.database_url or f"sqlite:///{self.data_directory / 'sciclops.sqlite'}"


def load(file: Path, environment: Mapping[str, str]) -> Settings:
    """Read the file, lay the environment over it, check everything.

    Raises `UserError` that lists each bad key with its remedy, all at once.
    """
    values = read(file, environment)
    try:
        return Settings.model_validate(values)
    except ValidationError as bad:
        raise UserError(explain(file, bad)) from None
