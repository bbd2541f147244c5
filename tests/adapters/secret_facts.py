"""A project whose workflows log in with secrets, and the steps that give them these."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import cast

import pytest
import requests
from living_facts import Facts
from made_project import Project, vendors

from provisioning.database import Database
from provisioning.delivery import SECRET_NAMES
from provisioning.desk import Desk
from provisioning.policy import Naming, Policy
from provisioning.project import Environment
from provisioning.redaction import SecretRedactor
from provisioning.run_steps import RunSteps
from provisioning.secret_parts import SecretParts
from provisioning.store import Store
from provisioning.tables import OperationRow, ProjectRow

RUN = "run-0123456789ab"
PRODUCTION = "Production"


class Secrets:
    """The steps, and what they have left at both vendors."""

    def __init__(self, facts: Facts, store: Store, policy: Policy) -> None:
        self.facts, self.store, self.project = facts, store, facts.project
        self.vendors = self.project.vendors
        nobody = cast("Desk", None)  # nothing is shown
        steps = RunSteps(
            store, nobody, self.vendors.clock, policy, self.project.terraform, SecretRedactor()
        )
        self.parts = SecretParts(steps, self.vendors.repositories, self.vendors.workspaces)

    def provide(self, *names: str) -> None:
        """Run the steps, of every environment or of some."""
        for name in names or self.parts.needing(RUN):
            self.parts.provide(RUN, name)

    def environments(self) -> tuple[Environment, ...]:
        """Return every environment with a principal."""
        return self.vendors.context.identities(self.project.spec)

    def ids(self, name: str = PRODUCTION) -> list[str]:
        """Return the secrets of an environment's principal at Databricks."""
        return list(self.facts.principal(name.lower()).secrets)

    def at_github(self, name: str = PRODUCTION) -> dict[str, str]:
        """Return the secrets of an environment, opened as only its jobs can."""
        held = self.facts.environment(name).secrets
        return {key: secret.value.decode() for key, secret in held.items()}

    def status(self, name: str = PRODUCTION) -> int:
        """Log in with what GitHub has, as a job would, and return the answer's status."""
        held = self.at_github(name)
        answer = requests.post(
            f"{held['DATABRICKS_HOST']}/oidc/v1/token",
            data={"grant_type": "client_credentials", "scope": "all-apis"},
            auth=(held["MGMT_CLIENT_ID"], held["DATABRICKS_TOKEN"]),
            timeout=10,
        )
        return answer.status_code

    def remembered(self, name: str = PRODUCTION) -> str:
        """Return the id of the secret that the bot knows GitHub to have."""
        memo = self.store.memos.get(f"secret:{self.project.spec.name}:{name}") or {}
        return str(memo.get("id", ""))

    def forget(self, name: str = PRODUCTION) -> None:
        """Lose the memory of a secret, as a crash just before remembering does."""
        self.store.memos.set(f"secret:{self.project.spec.name}:{name}", {})


def policy(authentication: str) -> Policy:
    """Return an installation's rules, whatever does not matter here left out."""
    values = {
        "naming": Naming(pattern=".*", explanation=""),
        "workspace_groups": {},
        "catalogs": {},
        "data": (),
        "confirm_create": "nobody",
        "confirmation_expires": "PT1H",
        "platform_group": "",
        "users_group": "",
        "channel": "",
        "announcements": "",
        "sandbox_default": "P1D",
        "sandbox_maximum": "P1D",
        "authentication": authentication,
    }
    return Policy.model_validate(values)


@pytest.fixture(scope="module")
def secretive(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    """Return a project, made once for a module, whose workflows log in with secrets."""
    with vendors(tmp_path_factory.mktemp("secretive"), authentication="secret") as served:
        yield Project(served).make()


def reserve(project: Project, store: Store) -> None:
    """Store a run that makes the project."""
    row = OperationRow(
        id=RUN,
        kind="create_project",
        project=project.spec.name,
        phase="applying",
        request=project.spec.model_dump(mode="json"),
        requested_by="U0ADA",
        channel="C0",
        created_at=datetime(2026, 11, 25, tzinfo=UTC),
    )
    reserved = ProjectRow(
        name=project.spec.name, state="reserved", requested_by="U0ADA", created_at=row.created_at
    )
    reserved.spec = row.request
    store.projects.reserve_and_begin(reserved, row)


@pytest.fixture
def kept(secretive: Project, store: Store) -> Iterator[Secrets]:
    """Return the steps of a run of the project; what they leave is gone after each test."""
    reserve(secretive, store)
    facts = Facts(secretive, secretive.outputs())
    yield Secrets(facts, store, policy("secret"))
    facts.restore()


def database_bytes(database: Database) -> bytes:
    """Return everything that a SQLite database has written."""
    file = Path(str(database.url).removeprefix("sqlite:///"))
    return b"".join(each.read_bytes() for each in file.parent.glob(f"{file.name}*"))


__all__ = [
    "PRODUCTION",
    "RUN",
    "SECRET_NAMES",
    "Secrets",
    "database_bytes",
    "kept",
    "policy",
    "reserve",
    "secretive",
]
