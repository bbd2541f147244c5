"""What Terraform and the database need, broken alone, is found by its own check."""

import json
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
from databases import PostgreSQL
from sqlalchemy import text

from bot.doctor.database import database_checks
from bot.doctor.running import run
from provisioning import migrations
from provisioning.adapters.local_terraform import diagnosis
from provisioning.adapters.local_terraform.toolbox import Installation
from provisioning.database import Database
from provisioning.diagnosis import Verdict
from provisioning.redaction import SecretRedactor

GITHUB, DATABRICKS = "provider integrations/github", "provider databricks/databricks"
OFFERED = {"integrations/github": ["6.9.0", "6.9.1", "6.11.0"], "databricks/databricks": ["1.99.3"]}


class Registry(BaseHTTPRequestHandler):
    """Answers which versions of a provider there are, as the public one does."""

    def do_GET(self) -> None:
        """Answer."""
        source = self.path.removeprefix("/v1/providers/").removesuffix("/versions")
        versions = [{"version": version} for version in OFFERED.get(source, [])]
        self.send_response(200 if versions else 404)
        self.end_headers()
        self.wfile.write(json.dumps({"versions": versions}).encode())

    def log_message(self, *args: object) -> None:
        """Keep quiet."""


@pytest.fixture(scope="module")
def registry() -> Iterator[str]:
    """Return the address of a registry."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Registry) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


def terraform_in(folder: Path, version: str) -> str:
    """Put a program into a folder that says it is this version of Terraform; return the path."""
    folder.mkdir(exist_ok=True)
    program = folder / "terraform"
    answer = json.dumps({"terraform_version": version})
    program.write_text(f"#!/bin/sh\necho '{answer}'\n")
    program.chmod(0o755)
    return f"{folder}:/usr/bin:/bin"


def healthy(tmp_path: Path, **different: object) -> Installation:
    """Return an installation in best health, but for what is given."""
    data = tmp_path / "data"
    data.mkdir(mode=0o700, exist_ok=True)
    search_path = terraform_in(tmp_path / "bin", "1.11.4")
    values = {"search_path": search_path, **different}
    return Installation(data=data, modules=tmp_path, redact=SecretRedactor(()), **values)  # type: ignore[arg-type]


def wrong(installation: Installation, registry: str) -> dict[str, Verdict]:
    """Return what is not fine."""
    results = run(list(diagnosis.terraform_checks(installation, registry)), 20)
    return {result.name: result.verdict for result in results if result.verdict.level != "ok"}


def test_all_is_well(tmp_path: Path, registry: str) -> None:
    assert wrong(healthy(tmp_path), registry) == {}


def test_a_machine_without_terraform(tmp_path: Path, registry: str) -> None:
    (tmp_path / "empty").mkdir()
    found = wrong(healthy(tmp_path, search_path=str(tmp_path / "empty"), wheel=False), registry)
    assert list(found) == ["binary"]
    assert "there is no Terraform on this machine" in found["binary"].detail
    assert "terraform.binary" in found["binary"].remedy


def test_a_binary_that_is_not_there(tmp_path: Path, registry: str) -> None:
    found = wrong(healthy(tmp_path, binary="/opt/terraform"), registry)
    assert list(found) == ["binary"]
    assert "/opt/terraform" in found["binary"].detail
    assert "terraform.binary" in found["binary"].remedy


def test_a_binary_that_is_something_else(tmp_path: Path, registry: str) -> None:
    found = wrong(healthy(tmp_path, binary="/bin/true"), registry)
    assert list(found) == ["binary"]


@pytest.mark.parametrize(
    ("version", "level"), [("1.5.7", "problem"), ("1.8.5", "warning"), ("1.16.0-beta1", "ok")]
)
def test_the_version_counts(tmp_path: Path, registry: str, version: str, level: str) -> None:
    search_path = terraform_in(tmp_path / "other", version)
    (binary, *_) = run(
        list(diagnosis.terraform_checks(healthy(tmp_path, search_path=search_path), registry)), 20
    )
    assert binary.verdict.level == level
    assert version in binary.verdict.detail


def test_a_registry_out_of_reach(tmp_path: Path) -> None:
    found = wrong(healthy(tmp_path), "http://127.0.0.1:9")
    assert list(found) == [GITHUB, DATABRICKS]
    assert "HTTPS_PROXY" in found[GITHUB].remedy
    assert "terraform.plugin_mirror" in found[GITHUB].remedy


def test_terraforms_proxy_is_the_way_to_the_registry(tmp_path: Path, registry: str) -> None:
    proxied = healthy(tmp_path, environment={"HTTP_PROXY": "http://127.0.0.1:9"})
    assert list(wrong(proxied, registry)) == [GITHUB, DATABRICKS]


@contextmanager
def offered(source: str, *versions: str) -> Iterator[None]:
    """Let the registry have other versions of a provider."""
    before = OFFERED[source]
    OFFERED[source] = list(versions)
    try:
        yield
    finally:
        OFFERED[source] = before


def test_a_registry_without_the_version(tmp_path: Path, registry: str) -> None:
    with offered("integrations/github", "6.8.3", "6.10.0", "7.9.1", "6.9.0-beta"):
        found = wrong(healthy(tmp_path), registry)
    assert list(found) == [GITHUB]
    assert "~> 6.9.0" in found[GITHUB].detail


def mirror(tmp_path: Path, *names: str) -> Path:
    """Return a folder with unpacked providers."""
    for name in names:
        (tmp_path / "mirror" / "any.example" / name / "linux_amd64").mkdir(parents=True)
    return tmp_path / "mirror"


def test_a_mirror_needs_no_registry(tmp_path: Path) -> None:
    place = mirror(tmp_path, "integrations/github/6.9.1", "databricks/databricks/1.99.0")
    assert wrong(healthy(tmp_path, plugin_mirror=place), "http://127.0.0.1:9") == {}


def test_a_mirror_without_a_provider(tmp_path: Path, registry: str) -> None:
    place = mirror(tmp_path, "integrations/github/6.9.1", "databricks/databricks/1.98.0")
    found = wrong(healthy(tmp_path, plugin_mirror=place), registry)
    assert list(found) == [DATABRICKS]
    assert "<host>/databricks/databricks/1.99.0" in found[DATABRICKS].remedy


def test_attached_providers_must_answer(tmp_path: Path, registry: str) -> None:
    there = {"Addr": {"Network": "tcp", "String": registry.removeprefix("http://")}}
    gone = {"Addr": {"Network": "tcp", "String": "127.0.0.1:9"}}
    sources = [f"any.example/{source}" for source in OFFERED]
    for second, names in ((there, []), (gone, [DATABRICKS]), ({}, [DATABRICKS])):
        entries = dict(zip(sources, (there, second), strict=True))
        environment = {diagnosis.ATTACHED: json.dumps(entries)}
        assert list(wrong(healthy(tmp_path, environment=environment), registry)) == names


def test_a_data_directory_that_is_a_file(tmp_path: Path, registry: str) -> None:
    installation = healthy(tmp_path)
    installation.data.rmdir()
    installation.data.write_text("not a folder")
    found = wrong(installation, registry)
    assert list(found) == ["data directory"]
    assert "data_directory" in found["data directory"].remedy


def test_a_data_directory_that_others_may_read(tmp_path: Path, registry: str) -> None:
    installation = healthy(tmp_path)
    installation.data.chmod(0o755)
    found = wrong(installation, registry)
    assert list(found) == ["data directory"]
    assert found["data directory"].remedy == f"chmod 700 {installation.data}"


def test_nothing_is_created(tmp_path: Path, registry: str) -> None:
    installation = healthy(tmp_path)
    installation.data.rmdir()
    assert wrong(installation, registry) == {}
    assert not installation.data.exists()
    assert stat.S_ISDIR(tmp_path.stat().st_mode)


# Databases -------------------------------------------------------------------------------------


def schema(url: str) -> Verdict:
    """Return what is found about a database."""
    (result,) = run(list(database_checks(url)), 20)
    return result.verdict


def test_a_database_that_is_yet_to_be_made(tmp_path: Path) -> None:
    assert schema(f"sqlite:///{tmp_path / 'new.sqlite'}").level == "ok"
    assert list(tmp_path.iterdir()) == []


def test_a_database_of_this_version_and_of_another(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'bot.sqlite'}"
    database = Database(url)
    migrations.upgrade(database)
    assert schema(url).level == "ok"
    with database.writing() as session:
        session.connection().execute(text("update alembic_version set version_num = '9999'"))
    database.close()
    found = schema(url)
    assert found.level == "problem"
    assert "9999" in found.detail
    assert "sciclops db upgrade" in found.remedy


@pytest.mark.parametrize(
    "url", ["nonsense", "postgresql://sciclops:hunter22@127.0.0.1:9/sciclops", "mysql://a/b"]
)
def test_a_database_that_does_not_answer(url: str) -> None:
    found = schema(url)
    assert found.level == "problem"
    assert "database_url" in found.remedy
    assert "hunter22" not in str(found)


def test_a_file_that_is_no_database(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("x" * 5000)
    assert schema(f"sqlite:///{tmp_path / 'notes.txt'}").level == "problem"


def test_the_states_server_is_checked(
    tmp_path: Path, registry: str, postgresql: PostgreSQL
) -> None:
    with_state = healthy(tmp_path, state_url=postgresql.new_database())
    assert wrong(with_state, registry) == {}
    silent = healthy(tmp_path, state_url="postgres://sciclops:hunter22@127.0.0.1:9/states")
    found = wrong(silent, registry)
    assert list(found) == ["state in PostgreSQL"]
    assert "SCICLOPS__TERRAFORM__STATE_URL" in found["state in PostgreSQL"].remedy
    assert "hunter22" not in str(found)
