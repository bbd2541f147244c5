"""The import contracts hold, and each of them bites: violations planted in a copy are found."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from house import PRODUCT, ROOT, name, python_files

LAYERS = "playground > bot > commands > provisioning"
SLACK = "Slack's SDK stays at the edge"
SDKS = "One vendor SDK, one place"
WIRING = "Only the wiring and the doctor see an adapter"
COMMANDS = "Sub-commands are strangers"
ADAPTERS = "Adapters are strangers"
WORKFLOWS = "Workflows are strangers"
PLANTED = [
    (LAYERS, "provisioning", "import commands"),
    (LAYERS, "commands", "import bot"),
    (LAYERS, "bot", "import playground"),
    (SLACK, "commands", "import slack_sdk"),
    (SLACK, "provisioning", "import slack_bolt"),
    (SDKS, "provisioning/adapters/databricks", "import github"),
    (SDKS, "provisioning/adapters/github", "import databricks"),
    (SDKS, "provisioning", "import python_terraform"),
    (SDKS, "provisioning/store", "import dbos"),
    (SDKS, "bot", "import apscheduler"),
    (SDKS, "playground/github", "import github"),
    (WIRING, "bot", "import provisioning.adapters.github"),
    (WIRING, "playground", "import provisioning.adapters.databricks"),
    (WIRING, "provisioning/workflows", "import provisioning.adapters.github.connection"),
    (COMMANDS, "commands", "import commands.new"),
    (ADAPTERS, "provisioning/adapters", "import provisioning.adapters.github"),
    (WORKFLOWS, "provisioning/workflows", "import provisioning.workflows.create_project"),
]


def lint(folder: Path) -> subprocess.CompletedProcess[str]:
    """Check the import contracts of the packages in a folder."""
    return subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--no-logo", "--no-cache"],
        cwd=folder,
        env={"PYTHONPATH": str(folder), "NO_COLOR": "1", "COLUMNS": "200"},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(scope="module")
def findings(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What is found, by contract, in a copy of our packages with every violation planted."""
    folder = tmp_path_factory.mktemp("house")
    for path in (*python_files(*PRODUCT), ROOT / "pyproject.toml"):
        copy = folder / name(path)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, copy)
    for number, (_, where, violation) in enumerate(PLANTED):
        (folder / where / f"planted_{number}.py").write_text(f"{violation}\n")
    checked = lint(folder)
    assert checked.returncode == 1, checked.stdout + checked.stderr
    _, _, broken = checked.stdout.partition("Broken contracts")
    sections = re.split(r"^(.+)\n-+$", broken, flags=re.MULTILINE)
    return dict(zip(sections[1::2], sections[2::2], strict=True))


def test_every_import_contract_is_kept() -> None:
    checked = lint(ROOT)
    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert "0 broken" in checked.stdout


@pytest.mark.parametrize(
    "number", range(len(PLANTED)), ids=[f"{where}-{what}" for _, where, what in PLANTED]
)
def test_a_planted_violation_is_found(findings: dict[str, str], number: int) -> None:
    contract, where, violation = PLANTED[number]
    importer = f"{where.replace('/', '.')}.planted_{number}"
    imported = violation.removeprefix("import ")
    assert re.search(rf"{importer} -> {imported} ", findings[contract]), findings[contract]


def test_every_contract_has_a_planted_violation() -> None:
    named = re.findall(r"importlinter\.contracts]]\nid = .*\nname = \"(.*)\"", _settings())
    assert set(named) == {contract for contract, *_ in PLANTED}
    assert len(named) == _settings().count("[[tool.importlinter.contracts]]")


def _settings() -> str:
    return (ROOT / "pyproject.toml").read_text()
