"""What the settings mean to the work: from tables of a file to the values that it understands."""

from datetime import timedelta

from bot.settings import Settings
from provisioning.delivery import Delivery
from provisioning.errors import UserError
from provisioning.policy import Naming, Policy, RequestableData
from provisioning.terraform_root import AccountContext, TerraformContext, WorkspaceContext


def policy_of(settings: Settings) -> Policy:
    """Return the rules of this installation."""
    limits = settings.limits
    return Policy(
        naming=Naming(**settings.naming.model_dump()),
        workspace_groups={name: group.title for name, group in settings.workspace_groups.items()},
        catalogs={
            name: {stage: workspace.catalog for stage, workspace in group.stages.items()}
            for name, group in settings.workspace_groups.items()
        },
        data=tuple(RequestableData(**entry.model_dump()) for entry in settings.data),
        confirm_create=settings.confirmation.create,
        confirm_change=settings.confirmation.change or None,
        confirm_destroy=settings.confirmation.destroy,
        confirm_destroy_sandbox=settings.confirmation.destroy_sandbox,
        confirmation_expires=timedelta(hours=settings.confirmation.expires_after_hours),
        platform_group=settings.roles.platform,
        users_group=settings.roles.users,
        channel=settings.slack.channel,
        announcements=settings.slack.announcements,
        sandbox_default=timedelta(days=limits.sandbox_days_default),
        sandbox_maximum=timedelta(days=limits.sandbox_days_maximum),
        sandbox_extensions=limits.sandbox_extensions,
        github_writing_applies=limits.github_writing_applies,
        github_writes_per_hour=limits.github_writes_per_hour,
        release_expires=timedelta(hours=settings.confirmation.release_expires_after_hours),
        drift_every=timedelta(hours=settings.drift.every_hours),
        webhooks=bool(settings.github.webhook_secret.get_secret_value()),
        release_group=settings.roles.release,
        break_glass_group=settings.roles.break_glass,
        logins=settings.github.logins,
        rotation=settings.security.rotation,
        rotate_after=timedelta(days=settings.security.rotate_after_days),
        longest_overlap=timedelta(hours=settings.security.overlap_hours),
        canaries=settings.upgrades.canaries,
        upgrades_at_once=settings.upgrades.at_once,
        upgrade_failures=settings.upgrades.failures_allowed,
        **delivery_of(settings).model_dump(),
    )


def delivery_of(settings: Settings) -> Delivery:
    """Return how deployments travel here."""
    return Delivery(
        gated_stages=settings.deployment.gated_stages,
        gate=settings.deployment.gate,
        approvals_needed=settings.deployment.approvals_needed,
        authentication=settings.databricks.authentication,
        secret_days=settings.databricks.secret_days,
    )


def read_private_key(settings: Settings) -> str:
    """Return the App's private key; raises UserError that names the setting."""
    file = settings.github.private_key_file
    try:
        return file.read_text()
    except OSError as missing:
        raise UserError(
            f"github.private_key_file: {file} cannot be read ({missing.strerror}). Download the "
            "App's private key from GitHub, store it there, readable by the bot only."
        ) from missing


def known_secrets(settings: Settings, private_key: str) -> tuple[str, ...]:
    """Return every secret value that must never be shown."""
    slack = settings.slack
    secrets = (
        slack.bot_token.get_secret_value(),
        slack.app_token.get_secret_value(),
        slack.signing_secret.get_secret_value(),
        settings.github.webhook_secret.get_secret_value(),
        settings.databricks.client_secret.get_secret_value(),
        settings.terraform.state_url.get_secret_value(),
        *settings.security.seal_keys.get_secret_value().replace(",", " ").split(),
        private_key,
    )
    return tuple(secret for secret in secrets if secret)


def terraform_context(settings: Settings) -> TerraformContext:
    """Return what a root needs to know of this installation."""
    github, groups = settings.github, settings.workspace_groups
    return TerraformContext(
        organisation=github.organisation,
        # The provider adds `api/v3` by itself to a server that isn't github.com.
        github_url=github.api_url.rstrip("/").removesuffix("/api/v3") + "/",
        github_app_id=github.app_id,
        visibility=github.visibility,
        platform_team=github.platform_team,
        write_delay_ms=round(github.seconds_between_writes * 1000),
        oidc_issuer=github.oidc_issuer,
        oidc_audience=settings.databricks.token_audience,
        immutable_subjects=github.immutable_subjects,
        automation_client_id=settings.databricks.client_id,
        accounts={
            name: AccountContext(account_id=group.account_id, host=group.account_host)
            for name, group in groups.items()
        },
        workspaces={
            name: {
                stage: WorkspaceContext(
                    host=workspace.host,
                    catalog=workspace.catalog,
                    policy_family=workspace.policy_family,
                )
                for stage, workspace in group.stages.items()
            }
            for name, group in groups.items()
        },
        **delivery_of(settings).model_dump(),
    )
