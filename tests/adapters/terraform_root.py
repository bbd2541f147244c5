"""The smallest generator of a project's root: the shape that the modules' README prescribes.

Nothing that a person typed is in `main.tf.json`, where Terraform would evaluate `${…}`: user values
travel in `terraform.tfvars.json` only.
"""

from dataclasses import dataclass, field
from typing import Any

Json = dict[str, Any]
STAGES = ("development", "testing", "staging", "production")

PROJECT_VALUES = (
    "name", "marker", "organisation", "github_app_id", "github_team", "platform_team",
    "reviewer_teams", "reviewer_users", "required_checks",
)  # fmt: skip
SHARED_VALUES = (
    "name",
    "marker",
    "oidc_issuer",
    "federated",
    "account_id",
    "automation_client_id",
)
ENVIRONMENT_VALUES = (
    "environment_name", "host", "catalog", "team_may_write", "gated", "deployment_branches",
    "data_access", "force_destroy",
)  # fmt: skip


@dataclass
class Root:
    """One project's root; `environments` are dicts of what differs between them."""

    github_url: str
    account_host: str
    values: Json
    environments: dict[str, Json] = field(default_factory=dict)
    imports: dict[str, str] = field(default_factory=dict)

    def main(self) -> Json:
        """Return `main.tf.json`: providers and module calls."""
        return {
            "terraform": {"required_providers": requirements()},
            "provider": {
                "github": [provider_github(self.github_url, "${var.organisation}")],
                "databricks": self._databricks(),
            },
            "variable": {name: {} for name in (*self.values, "environments")},
            "module": {
                "project": _project(),
                "account": _account(),
                **{name: _environment(name) for name in self.environments},
            },
            "output": {
                "project": {"value": "${module.project}"},
                "environments": {
                    "value": {
                        **{name: f"${{module.{name}.environment}}" for name in self.environments},
                        **{f"{name}_plan": f"${{module.{name}.planner}}" for name in self.gated()},
                    }
                },
            },
            "import": [{"to": address, "id": number} for address, number in self.imports.items()],
        }

    def gated(self) -> list[str]:
        """Return the environments that need a release: each has a planner."""
        return [name for name, each in self.environments.items() if each["gated"]]

    def variables(self) -> Json:
        """Return `terraform.tfvars.json`: everything that came from outside."""
        return {**self.values, "environments": self.environments}

    def _databricks(self) -> list[Json]:
        account = {
            "alias": "account",
            "host": self.account_host,
            "account_id": "${var.account_id}",
        }
        workspaces = [
            {"alias": name, "host": f'${{var.environments["{name}"].host}}'}
            for name in self.environments
        ]
        return [account, *workspaces]


def provider_github(url: str, owner: str = "acme") -> Json:
    """Return the provider block: credentials come from the provider's environment."""
    return {
        "base_url": url,
        "owner": owner,
        "app_auth": [{}],
        "write_delay_ms": 1,
        "parallel_requests": True,
    }


def requirements() -> Json:
    """Return which providers a root needs."""
    return {
        "github": {"source": "integrations/github", "version": "~> 6.9.0"},
        "databricks": {"source": "databricks/databricks", "version": "~> 1.99.0"},
    }


def _project() -> Json:
    values = {name: f"${{var.{name}}}" for name in PROJECT_VALUES}
    return {"source": "./modules/project", "providers": {"github": "github"}, **values}


def _account() -> Json:
    return {
        "source": "./modules/account",
        "providers": {"dbx.account": "databricks.account"},
        **{name: f"${{var.{name}}}" for name in ("name", "managed_group")},
    }


def _environment(name: str) -> Json:
    own = {key: f'${{var.environments["{name}"].{key}}}' for key in ENVIRONMENT_VALUES}
    return {
        "source": "./modules/environment",
        "providers": {
            "github": "github",
            "dbx.account": "databricks.account",
            "dbx.workspace": f"databricks.{name}",
        },
        **{key: f"${{var.{key}}}" for key in SHARED_VALUES},
        **own,
        "reviewed": own["gated"],
        "repository": "${module.project.repository_name}",
        "oidc_prefix": "${module.project.oidc_prefix}",
        "group": "${module.account.group}",
        "reviewer_team_ids": "${module.project.reviewer_team_ids}",
        "reviewer_user_ids": "${module.project.reviewer_user_ids}",
    }
