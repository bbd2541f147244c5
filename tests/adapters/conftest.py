"""What modules of these tests share: one made project, put back as it was after each test."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from living_facts import Facts
from made_project import Project, VendorWorld, vendors


@pytest.fixture(scope="session")
def made_once(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    """Return a whole project, made by the real Terraform once for all modules."""
    with vendors(tmp_path_factory.mktemp("made")) as served:
        yield Project(served).make()


@pytest.fixture(scope="session")
def made_outputs(made_once: Project) -> dict[str, object]:
    """Return what Terraform told about the project."""
    return made_once.outputs()


@pytest.fixture
def facts(made_once: Project, made_outputs: dict[str, object]) -> Iterator[Facts]:
    """Return the facts of the made project; whatever a test breaks is mended after it."""
    held = Facts(made_once, made_outputs)
    yield held
    held.restore()


@pytest.fixture
def served(tmp_path: Path) -> Iterator[VendorWorld]:
    """Return vendors of a test's own, with nothing made in them."""
    with vendors(tmp_path) as own:
        yield own
