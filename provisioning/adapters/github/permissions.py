"""What our App must be granted: by the calls of the bot and of Terraform's GitHub provider."""

from collections.abc import Mapping

PERMISSIONS = {
    "actions": ("write", "Repository: Actions", "set OIDC subjects, follow and start runs"),
    "administration": ("write", "Repository: Administration", "create repositories and rulesets"),
    "checks": ("write", "Repository: Checks", "say what specifications may not say"),
    "contents": ("write", "Repository: Contents", "push the starter code"),
    "deployments": ("write", "Repository: Deployments", "see and decide on waiting deployments"),
    "environments": ("write", "Repository: Environments", "set variables and secrets of stages"),
    "members": ("read", "Organization: Members", "find teams and reviewers"),
    "metadata": ("read", "Repository: Metadata", "see repositories at all"),
    "organization_administration": (
        "read", "Organization: Administration", "read the plan and the Actions policy",
    ),
    "pull_requests": ("write", "Repository: Pull requests", "hear of pull requests, close them"),
    "workflows": ("write", "Repository: Workflows", "push the deploy workflow"),
}  # fmt: skip
"""App permission: the level needed, its name on GitHub's page, and what it is for."""
LEVELS = ("none", "read", "write", "admin")


def lacking_permissions(granted: Mapping[str, str]) -> list[str]:
    """Return the permissions that are not granted at the level needed."""
    return [
        name
        for name, (level, *_) in PERMISSIONS.items()
        if LEVELS.index(granted.get(name, "none")) < LEVELS.index(level)
    ]
