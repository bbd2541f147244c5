"""Every operation the stand-in serves."""

from playground.github import (
    actions,
    apps,
    branches,
    environment_values,
    environments,
    git_data,
    orgs,
    repos,
    rulesets,
    teams,
)
from playground.github.calls import Operation

OPERATIONS: tuple[Operation, ...] = (
    *apps.OPERATIONS,
    *orgs.OPERATIONS,
    *teams.OPERATIONS,
    *repos.OPERATIONS,
    *branches.OPERATIONS,
    *git_data.OPERATIONS,
    *rulesets.OPERATIONS,
    *environments.OPERATIONS,
    *environment_values.OPERATIONS,
    *actions.OPERATIONS,
)
