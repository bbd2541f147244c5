"""What a job's own token may do: the workflow's `permissions`, never more than its caller's."""

from playground.actions.workflow import WorkflowError

LEVELS = ("none", "read", "write")
SCOPES = (
    "actions",
    "attestations",
    "checks",
    "contents",
    "deployments",
    "discussions",
    "id-token",
    "issues",
    "models",
    "packages",
    "pages",
    "pull-requests",
    "security-events",
    "statuses",
)
DEFAULT = {"contents": "read", "packages": "read"}
"""Without any `permissions`: an organisation's restricted default, which new ones have."""

Permissions = dict[str, str]


def asked(given: object) -> Permissions:
    """Return a `permissions` value spelled out; what it doesn't name is none."""
    if given in ("read-all", "write-all"):
        level = str(given).partition("-")[0]
        return dict.fromkeys((s for s in SCOPES if s != "id-token" or level == "write"), level)
    held = given if isinstance(given, dict) else {}
    for scope, level in held.items():
        if scope not in SCOPES or level not in LEVELS:
            raise WorkflowError(f"Unexpected value in permissions: {scope}: {level}")
    return {str(scope): str(level) for scope, level in held.items() if level != "none"}


def granted(job: str, workflow: object, own: object, caller: Permissions | None) -> Permissions:
    """Return what a job gets; refuse one that wants more than the job that calls its workflow has.

    `own` and `workflow` are the `permissions` of the job and of its workflow, None if not given.
    """
    given = own if own is not None else workflow
    if given is None:
        return dict(DEFAULT) if caller is None else dict(caller)
    wanted = asked(given)
    for scope, level in wanted.items() if caller is not None else ():
        held = (caller or {}).get(scope, "none")
        if LEVELS.index(level) > LEVELS.index(held):
            raise WorkflowError(
                f"The nested job '{job}' is requesting '{scope}: {level}', "
                f"but is only allowed '{scope}: {held}'."
            )
    return wanted


def of_token(held: Permissions) -> Permissions:
    """Return permissions as the API names them; an OIDC token is not the API's business."""
    return {scope.replace("-", "_"): level for scope, level in held.items() if scope != "id-token"}
