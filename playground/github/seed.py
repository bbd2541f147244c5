"""Fills the stand-in GitHub with the playground's cast."""

from datetime import UTC, datetime
from pathlib import Path

from playground import cast
from playground.github.objects import GitStore
from playground.github.repos import commit_files, make_repo
from playground.github.world import Organisation, Team, User, World
from provisioning.clock import Clock

FOUNDED = datetime(2019, 5, 6, 8, 0, tzinfo=UTC)
PLATFORM_REPOSITORY = "sciclops-platform"
PLATFORM_REPOSITORY_ID = 700_000_001
EXTRA_TEAMS = 130
REUSABLE_WORKFLOW = ".github/workflows/deploy-bundle.yml"
WORKFLOW = Path(__file__).with_name("deploy-bundle.yml")
"""A link to our own `.github/workflows/deploy-bundle.yml`; a wheel holds a copy in its place."""


def seeded_world(clock: Clock, directory: Path) -> World:
    """Return a world with the organisation, its people and teams, and the platform repository."""
    organisation = Organisation(cast.ORGANISATION_ID, cast.ORGANISATION, "Acme", FOUNDED)
    world = World(clock, directory, organisation)
    for person in cast.PEOPLE:
        world.users[person.github] = User(
            person.github_id, person.github, person.name, person.email
        )
    outsiders = {cast.SAM.github, *(p.github for p in cast.PEOPLE if p.deactivated)}
    organisation.members = set(world.users) - outsiders
    organisation.owners = {cast.PAT.github}
    _add_teams(world)
    _add_platform_repository(world)
    return world


def _add_teams(world: World) -> None:
    for slug, (number, people) in cast.GITHUB_TEAMS.items():
        name = slug.replace("-", " ").title()
        world.teams[slug] = Team(number, slug, name, {p.github for p in people}, FOUNDED)
    for position in range(1, EXTRA_TEAMS + 1):
        slug = f"team-{position:03}"
        world.teams[slug] = Team(2000 + position, slug, f"Team {position:03}", set(), FOUNDED)


def _add_platform_repository(world: World) -> None:
    repo = make_repo(world, PLATFORM_REPOSITORY, "private", number=PLATFORM_REPOSITORY_ID)
    repo.description = "Workflows that every project calls"
    repo.actions_access = "organization"
    readme = b"# sciclops-platform\nThe reusable workflow that every project calls.\n"
    files = {"README.md": readme, REUSABLE_WORKFLOW: WORKFLOW.read_bytes()}
    commit = commit_files(world, repo, files, "Add the reusable workflow")
    GitStore(repo.path).set_ref("refs/tags/v1", commit)
    world.teams["platform"].repositories[repo.id] = "admin"
