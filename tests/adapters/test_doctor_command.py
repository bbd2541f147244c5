"""`sciclops doctor` as an operator runs it, on everything at once."""

import json
from collections.abc import Iterator
from datetime import timedelta

import pytest
from doctor_patient import MISSING, Patient, changed, patient
from pydantic import SecretStr
from typer.testing import CliRunner, Result

from bot.cli import cli
from bot.doctor import examine
from bot.doctor.running import run
from playground.faults import Fault

__all__ = ["patient"]


@pytest.fixture(autouse=True)
def quiet(patient: Patient) -> Iterator[None]:
    """Wait for Slack's limits to pass before each test, and leave no fault behind."""
    patient.world.clock.advance(timedelta(minutes=2))
    yield
    patient.world.faults.clear()


def doctor(patient: Patient, *options: str, **environment: str) -> Result:
    """Run the command with the patient's settings."""
    file = str(patient.world.directory / "sciclops.toml")
    words = ["doctor", "--settings", file, *options]
    return CliRunner().invoke(cli, words, env={**patient.world.secrets(), **environment})


def secrets(patient: Patient) -> list[str]:
    """Return what must not be shown, in pieces that would give it away."""
    pem = patient.world.github.app_private_key_pem.splitlines()
    return [*patient.world.secrets().values(), *pem[1:-1]]


def test_a_healthy_installation_ends_with_success(patient: Patient) -> None:
    done = doctor(patient)
    assert done.exit_code == 0, done.output
    assert "PROBLEM" not in done.output
    for system in ("Settings", "Database", "Slack", "GitHub", "Databricks", "Terraform"):
        assert f"{system}\n" in done.output
    assert not any(secret in done.output for secret in secrets(patient))


def test_every_system_is_looked_at_although_all_have_problems(patient: Patient) -> None:
    done = doctor(
        patient,
        "--json",
        SCICLOPS__SLACK__CHANNEL="C0NOWHERE",
        SCICLOPS__GITHUB__PLATFORM_TEAM="dreamers",
        SCICLOPS__DATABRICKS__CLIENT_SECRET="dose0123456789abcdef0123456789abcdef",
        SCICLOPS__TERRAFORM__BINARY="/opt/nothing",
        SCICLOPS__LIMITS__SANDBOX_DAYS_DEFAULT="999",
    )
    assert done.exit_code == 1, done.output
    said = json.loads(done.stdout)
    wrong = [(c["system"], c["check"]) for c in said["checks"] if c["level"] == "problem"]
    assert wrong == [
        ("Settings", "sandboxes"),
        ("Slack", "channel"),
        ("GitHub", "platform team"),
        ("Databricks", "account of gbx1, gbx2, gbxphil, gbxpiil: login"),
        ("Terraform", "binary"),
    ]
    assert all(check["remedy"] for check in said["checks"] if check["level"] == "problem")
    assert "dose0123456789abcdef" not in done.output


def test_bad_settings_are_explained(patient: Patient) -> None:
    done = doctor(patient, SCICLOPS__GITHUB__APP_ID="mine")
    assert done.exit_code == 1
    assert "PROBLEM  file:" in done.output
    assert "github.app_id" in done.output
    missing = doctor(patient, "--settings", "/nowhere/sciclops.toml")
    assert missing.exit_code == 1
    assert "sciclops.example.toml" in missing.output


@pytest.mark.parametrize("door", ["slack", "github", "databricks"])
def test_one_silent_vendor_hides_no_other(patient: Patient, door: str) -> None:
    patient.world.faults.add(Fault(door, "delay", times=10_000, seconds=8))  # type: ignore[arg-type]
    results = examine(lambda: patient.settings, 4)
    levels: dict[str, set[str]] = {}
    for result in results:
        levels.setdefault(result.system.lower(), set()).add(result.verdict.level)
    assert "problem" in levels.pop(door)
    assert levels.keys() >= {"settings", "database", "terraform"}
    assert set.union(*levels.values()) == {"ok"}, [r for r in results if r.verdict.level != "ok"]
    silent = [r.verdict for r in results if r.verdict.level == "problem"]
    assert any("no answer within 4 s" in verdict.detail for verdict in silent)


def test_what_a_vendor_says_is_shown_without_our_secrets(patient: Patient) -> None:
    planted = "sesame-opens-everything"
    slack = patient.settings.slack.model_copy(
        update={"channel": f"C0{planted}", "app_token": SecretStr(planted)}
    )
    settings = patient.settings.model_copy(update={"slack": slack})
    results = examine(lambda: settings, 20)
    (channel,) = [result for result in results if result.name == "channel"]
    assert channel.verdict.level == "problem"
    assert "C0[redacted]" in channel.verdict.detail
    assert planted not in str(results)


def test_a_healthy_report_is_not_redacted(patient: Patient) -> None:
    assert "[redacted]" not in str(examine(lambda: patient.settings, 20))


def test_a_remedy_for_a_missing_right_is_not_redacted(patient: Patient) -> None:
    granted = patient.world.github.world.installation_permissions
    with changed(granted, "environments", MISSING):
        results = examine(lambda: patient.settings, 20)
    assert "[redacted]" not in str(results)


def test_the_order_is_that_of_the_checks() -> None:
    assert run([], 1) == ()
