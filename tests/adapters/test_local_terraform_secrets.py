"""No secret is left anywhere, no foreign one reaches Terraform, nobody else can read our files."""

import json
import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest
from terraform_workshop import Gate, InThread, Onlooker, Workshop

from provisioning.adapters.local_terraform.command_line import CommandLine
from provisioning.redaction import SecretRedactor

TOKEN = "ghp_CanaryCanaryCanaryCanaryCanary0001"
PASSWORD = "correct horse battery"
CREDENTIALS = {
    "GITHUB_APP_PEM_FILE": "-----BEGIN PRIVATE KEY-----\nY2FuYXJ5\n-----END PRIVATE KEY-----",
    "DATABRICKS_CLIENT_SECRET": "dose0123456789abcdef0123456789abcdef",
}


@pytest.fixture
def workshop(tmp_path: Path) -> Workshop:
    redact = SecretRedactor([PASSWORD])
    return Workshop(tmp_path, options={"redact": redact, "credentials": CREDENTIALS})


@pytest.fixture
def gate(workshop: Workshop) -> Iterator[Gate]:
    gate = Gate(workshop.folder)
    yield gate
    reader = os.open(gate.path, os.O_RDWR | os.O_NONBLOCK)
    os.write(reader, b"go\n" * 10)
    os.close(reader)


def files_with(folder: Path, text: str) -> set[str]:
    """Return the names of all files below that hold the text."""
    files = (path for path in folder.rglob("*") if path.is_file())
    return {path.name for path in files if text.encode() in path.read_bytes()}


def test_a_secret_in_a_providers_error_is_told_to_nobody_and_left_nowhere(
    workshop: Workshop,
) -> None:
    (workshop.folder / "canary").write_text(f"token {TOKEN}\nand {PASSWORD}\n")
    workshop.prepare(command=f"cat {workshop.folder}/canary; exit 1")
    workshop.planned()
    outcome = workshop.engine.apply("ada", "one", Onlooker())
    told = outcome.model_dump_json() + workshop.engine.log("ada", "one")
    assert "[redacted]" in told
    for secret in (TOKEN, PASSWORD):
        assert secret not in told
        assert files_with(workshop.data, secret) == set()
    assert files_with(workshop.folder, TOKEN) == {"canary"}
    (events,) = workshop.data.rglob("apply/events.jsonl")
    for line in events.read_text().splitlines():
        assert json.loads(line)["type"]


def test_a_secret_in_an_attribute_is_hidden_from_everything_that_people_read(
    workshop: Workshop,
) -> None:
    workshop.prepare(names=["harmless"], command=f"true {TOKEN}")
    workshop.planned()
    text = workshop.engine.describe("ada", "one")
    assert TOKEN not in text
    assert '"true [redacted]"' in text
    assert '"harmless"' in text
    workshop.engine.apply("ada", "one", Onlooker())
    assert TOKEN not in workshop.engine.log("ada", "one")
    assert files_with(workshop.job(""), TOKEN) == set()
    assert files_with(workshop.data, TOKEN) == {"terraform.tfstate", "terraform.tfvars.json"}


def test_sensitive_values_are_in_no_file_once_a_run_is_over(workshop: Workshop) -> None:
    workshop.make(password=PASSWORD)
    state_and_input = {"terraform.tfstate", "terraform.tfvars.json"}
    assert files_with(workshop.data, PASSWORD) == state_and_input
    assert not list(workshop.data.rglob("*.tfplan"))


def test_terraform_sees_its_credentials_and_nothing_of_the_bots_own(
    workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SCICLOPS__SLACK__BOT_TOKEN", "xoxb-canary")
    monkeypatch.setenv("TF_LOG", "trace")
    seen = workshop.folder / "seen"
    workshop.prepare(command=f"env > {seen}")
    workshop.planned()
    engine = workshop.another_engine(environment={"HTTPS_PROXY": "http://proxy.example:3128"})
    assert engine.apply("ada", "one", Onlooker()).ending == "succeeded"
    text = seen.read_text()
    assert "xoxb-canary" not in text
    assert "TF_LOG" not in text
    assert "HTTPS_PROXY=http://proxy.example:3128" in text
    assert "CHECKPOINT_DISABLE=1" in text
    assert f"HOME={workshop.data / 'home'}" in text
    for secret in CREDENTIALS.values():
        assert secret in text


def test_no_secret_is_in_an_argument_or_a_file_while_terraform_runs(
    workshop: Workshop, gate: Gate
) -> None:
    workshop.prepare(gate=str(gate.path))
    workshop.planned()
    apply = InThread(lambda: workshop.engine.apply("ada", "one", Onlooker()))
    gate.wait_until_reached()
    processes = workshop.processes()
    for process in (processes["keeper"], processes["child"]):
        arguments = Path(f"/proc/{process['pid']}/cmdline").read_bytes()
        assert str(workshop.data).encode() in arguments
        assert not any(secret.encode() in arguments for secret in CREDENTIALS.values())
    for secret in CREDENTIALS.values():
        assert files_with(workshop.data, secret) == set()
    gate.open()
    assert apply.result().ending == "succeeded"


def test_everything_on_disk_is_ours_alone(workshop: Workshop) -> None:
    old = os.umask(0)
    try:
        workshop.make()
    finally:
        os.umask(old)
    root = workshop.data / "projects"
    folders = [workshop.data, root, *(path for path in root.rglob("*") if path.is_dir())]
    files = [path for path in root.rglob("*") if path.is_file() and not path.is_symlink()]
    outside = [path for path in files if "modules" not in path.relative_to(root).parts[3:4]]
    assert {stat.S_IMODE(path.stat().st_mode) for path in folders if not path.is_symlink()} == {
        0o700
    }
    assert {stat.S_IMODE(path.stat().st_mode) for path in outside} == {0o600}
    assert len(outside) > 10


@pytest.mark.parametrize(
    ("built", "expected"),
    [
        ("init", "init -json -no-color -input=false"),
        (
            "plan",
            "plan -json -no-color -input=false -out=/p -parallelism=7 -lock-timeout=60s -destroy",
        ),
        ("apply", "apply -json -no-color -input=false -parallelism=7 -lock-timeout=60s /p"),
        ("show", "show -no-color -json /p"),
        ("output", "output -json -no-color"),
        ("state_list", "state list"),
        ("import_", "import -input=false -no-color -lock-timeout=60s t.a 1"),
        ("choose_workspace", "workspace select -or-create=true -no-color ada"),
    ],
)
def test_the_command_lines_are_those_that_terraform_understands(built: str, expected: str) -> None:
    lines = CommandLine(["/bin/terraform", "-x"])
    arguments = {
        "plan": lambda: lines.plan(Path("/p"), parallelism=7, destroy=True),
        "apply": lambda: lines.apply(Path("/p"), parallelism=7),
        "show": lambda: lines.show(Path("/p"), machine=True),
        "import_": lambda: lines.import_("t.a", "1"),
        "choose_workspace": lambda: lines.choose_workspace("ada"),
    }
    words = arguments[built]() if built in arguments else getattr(lines, built)()
    assert words == ["/bin/terraform", "-x", *expected.split()]
