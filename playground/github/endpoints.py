"""Every operation the stand-in serves; where two paths fit, the first one counts."""

from playground.github import (
    actions,
    apps,
    branches,
    checks_api,
    deployments_api,
    environment_values,
    environments,
    gates_api,
    git_data,
    hook_api,
    merges_api,
    orgs,
    pulls_api,
    repos,
    rulesets,
    run_control_api,
    runs_api,
    teams,
)
from playground.github.calls import Operation

OPERATIONS: tuple[Operation, ...] = (
    *apps.OPERATIONS,
    *orgs.OPERATIONS,
    *teams.OPERATIONS,
    *repos.OPERATIONS,
    *pulls_api.OPERATIONS,
    *deployments_api.OPERATIONS,
    *checks_api.OPERATIONS,
    *branches.OPERATIONS,
    *merges_api.OPERATIONS,
    *git_data.OPERATIONS,
    *rulesets.OPERATIONS,
    *environments.OPERATIONS,
    *environment_values.OPERATIONS,
    *gates_api.OPERATIONS,
    *actions.OPERATIONS,
    *runs_api.OPERATIONS,
    *run_control_api.OPERATIONS,
    *hook_api.OPERATIONS,
)
