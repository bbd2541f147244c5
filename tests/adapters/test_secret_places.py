"""Values of projects' secrets get to both vendors, sealed where GitHub holds them, and go again."""

import pytest
from databricks.sdk import WorkspaceClient
from databricks.sdk.service.workspace import AclPermission
from living_facts import Facts
from made_project import MARKER, SPEC
from pydantic import SecretStr

from provisioning.adapters.databricks.secret_scopes import DatabricksSecretScopes
from provisioning.adapters.github.secret_places import GitHubSecretPlaces
from provisioning.errors import PermanentError
from provisioning.project import ProjectSpec
from provisioning.project_secrets import scope_of, with_secret
from provisioning.secret_ports import SecretPlace

NAME, VALUE, OTHER = "DABS_ROCKS", SecretStr("correct horse\nbattery ☃"), SecretStr("staple")
TESTING = next(each for each in SPEC.environments() if each.stage == "testing")
SCOPE = scope_of(SPEC.name, TESTING.name, NAME)
WANTED = with_secret(SPEC, NAME, ["testing"])


@pytest.fixture
def scopes(facts: Facts) -> DatabricksSecretScopes:
    """Return the scopes at Databricks; the secret's own is made."""
    workspace(facts).secrets.create_scope(SCOPE)
    return DatabricksSecretScopes(facts.project.vendors.accounts)


@pytest.fixture
def at_github(facts: Facts) -> GitHubSecretPlaces:
    """Return the environments at GitHub."""
    return GitHubSecretPlaces(facts.project.vendors.connection)


def workspace(facts: Facts) -> WorkspaceClient:
    """Return the bot's client of Testing's workspace."""
    return facts.project.vendors.accounts.workspace(TESTING)


def written(place: SecretPlace) -> set[str]:
    """Return which of two secrets have a value in Testing."""
    return {*place.written(SPEC.name, TESTING, [NAME, "NEVER_WRITTEN"])}


def test_databricks_has_the_value_as_it_was_entered(
    facts: Facts, scopes: DatabricksSecretScopes
) -> None:
    assert written(scopes) == set()
    for value in (VALUE, OTHER):
        scopes.put(SPEC.name, TESTING, NAME, value)
        held = facts.workspace("testing").scopes[SCOPE].secrets[NAME]
        assert held.value.decode() == value.get_secret_value()
        assert scopes.written(SPEC.name, TESTING, [NAME])[NAME] == held.updated.replace(
            microsecond=held.updated.microsecond // 1000 * 1000
        )
    for _ in range(2):
        scopes.remove(SPEC.name, TESTING, NAME)
        assert written(scopes) == set()


def test_github_has_the_value_as_it_was_entered(
    facts: Facts, at_github: GitHubSecretPlaces
) -> None:
    assert written(at_github) == set()
    for value in (VALUE, OTHER):
        at_github.put(SPEC.name, TESTING, NAME, value)
        held = facts.environment("Testing").secrets[NAME]
        assert held.value.decode() == value.get_secret_value()
    assert written(at_github) == {NAME}
    for _ in range(2):
        at_github.remove(SPEC.name, TESTING, NAME)
        assert written(at_github) == set()


def test_where_there_is_no_place_the_error_names_the_secret_and_not_its_value(
    facts: Facts, at_github: GitHubSecretPlaces
) -> None:
    del facts.github.repos[SPEC.name].environments["Testing"]
    scopes = DatabricksSecretScopes(facts.project.vendors.accounts)
    for place in (scopes, at_github):
        with pytest.raises(PermanentError, match=NAME) as refused:
            place.put(SPEC.name, TESTING, NAME, VALUE)
        assert "battery" not in str(refused.value)


def failing(facts: Facts, spec: ProjectSpec) -> dict[str, str]:
    """Return the checks that fail, and what they say."""
    project = facts.project
    found = (
        *project.vendors.workspaces.verify(spec, facts.outputs),
        *project.vendors.repositories.verify(spec, project.files, facts.outputs),
    )
    return {each.check: each.detail for each in found if not each.passed}


def test_each_place_of_a_secret_is_checked(
    facts: Facts, scopes: DatabricksSecretScopes, at_github: GitHubSecretPlaces
) -> None:
    assert failing(facts, SPEC) == {}
    readable, stored = f"Testing: jobs may read the secret {NAME}", f"the secret {NAME} has a value"
    variables = "environment Testing has its variables"
    github = f"environment Testing has a value of the secret {NAME}"
    assert set(failing(facts, WANTED)) == {readable, f"Testing: {stored}", variables, github}
    secrets, reader = workspace(facts).secrets, facts.principal("testing").application_id
    secrets.put_acl(SCOPE, reader, AclPermission.READ)
    for place in (scopes, at_github):
        place.put(SPEC.name, TESTING, NAME, VALUE)
    assert failing(facts, WANTED) == {variables: f"Wrong or missing: {NAME}_SCOPE."}
    secrets.delete_scope(SCOPE)
    assert f"There is no scope {SCOPE}" in failing(facts, WANTED)[readable]


def test_a_scope_that_was_made_is_found_as_a_resource_or_as_something_that_is_left(
    facts: Facts, scopes: DatabricksSecretScopes
) -> None:
    del scopes
    look = facts.project.vendors.workspaces.leftovers
    address = f'module.testing.databricks_secret_scope.secret["{NAME}"]'
    assert look(WANTED, MARKER)[address] == SCOPE
    assert address not in look(SPEC, MARKER)
    assert f"secret scope {SCOPE}" in look(SPEC, MARKER)
