import base64
import json
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from bot.doctor import Result, as_json, as_text, is_healthy
from bot.doctor.rules import settings_checks
from bot.doctor.running import run
from bot.settings import Settings, load
from provisioning.adapters.github.diagnosis import installation_verdict, permissions_verdict
from provisioning.adapters.github.permissions import PERMISSIONS
from provisioning.diagnosis import Check, Verdict, fine, problem, skipped, warning
from provisioning.errors import PermanentError

EXAMPLE = Path(__file__).parents[2] / "sciclops.example.toml"
KEY = base64.b64encode(b"k" * 32).decode()
PAGE = "https://github.com/organizations/acme/settings/installations/9"
ALL = {name: level for name, (level, *_) in PERMISSIONS.items()}


def installation(**different: Any) -> dict[str, Any]:
    """Return an installation in best health, as GitHub shows it, but for what is given."""
    healthy = {"id": 9, "suspended_at": None, "repository_selection": "all", "html_url": PAGE}
    return {**healthy, "permissions": ALL, **different}


# GitHub ----------------------------------------------------------------------------------------


def test_a_healthy_installation_is_fine() -> None:
    assert installation_verdict(installation(), "acme", 9).level == "ok"
    assert permissions_verdict(installation(), ALL).level == "ok"


@pytest.mark.parametrize(
    ("different", "words"),
    [
        ({"suspended_at": "2026-11-01T00:00:00Z"}, f"unsuspends it at {PAGE}"),
        ({"repository_selection": "selected"}, "“All repositories”"),
        ({"id": 8}, "github.installation_id = 8"),
    ],
)
def test_an_installation_that_reaches_nothing_new(different: dict[str, Any], words: str) -> None:
    verdict = installation_verdict(installation(**different), "acme", 9)
    assert verdict.level == "problem"
    assert words in verdict.remedy


def test_a_permission_that_the_app_asks_for_only_waits_for_an_owner() -> None:
    granted = {name: level for name, level in ALL.items() if name != "environments"}
    waiting = permissions_verdict(installation(permissions=granted), ALL)
    assert "not granted yet: environments" in waiting.detail
    assert "Permissions & events" not in waiting.remedy
    unasked = permissions_verdict(installation(permissions=granted), granted)
    assert "Repository: Environments = write" in unasked.remedy
    assert PAGE in waiting.remedy
    assert PAGE in unasked.remedy


# Settings --------------------------------------------------------------------------------------


def example() -> Settings:
    """Return the example's settings, with a key to seal tokens."""
    return load(EXAMPLE, {"SCICLOPS__SECURITY__SEAL_KEYS": KEY})


def broken(settings: Settings) -> dict[str, Verdict]:
    """Return what the checks of the settings say against them."""
    results = run(list(settings_checks(settings)), 10)
    return {result.name: result.verdict for result in results if result.verdict.level != "ok"}


def changed(section: str, **different: Any) -> Settings:
    """Return the example with some values of a section changed."""
    part = getattr(example(), section).model_copy(update=different)
    return example().model_copy(update={section: part})


def with_stage(**different: Any) -> Settings:
    """Return the example with some values of gbx2's testing changed."""
    groups = dict(example().workspace_groups)
    stages = dict(groups["gbx2"].stages)
    stages["testing"] = stages["testing"].model_copy(update=different)
    groups["gbx2"] = groups["gbx2"].model_copy(update={"stages": stages})
    return example().model_copy(update={"workspace_groups": groups})


def with_data(*securables: str) -> Settings:
    """Return the example with other data."""
    entry = example().data[0]
    data = tuple(entry.model_copy(update={"securable": name}) for name in securables)
    return example().model_copy(update={"data": data})


def test_the_example_agrees_with_itself() -> None:
    assert broken(example()) == {}


@pytest.mark.parametrize(
    ("settings", "check", "words"),
    [
        (changed("naming", pattern="[a-z"), "naming", "naming.pattern"),
        (changed("limits", sandbox_days_default=99), "sandboxes", "sandbox_days_maximum"),
        (with_stage(workspace_id=1111111111111101), "workspaces", "workspace_id 1111111111111101"),
        (with_stage(host="https://gbx1-dev.cloud.databricks.com/"), "workspaces", "host https"),
        (with_data("gbx9_prod.sales"), "requestable data", "gbx9_prod.sales"),
        (with_data("gbx1_prod.a.b.c"), "requestable data", "gbx1_prod.a.b.c"),
        (with_data("gbx1_prod.a", "gbx1_prod.a"), "requestable data", "listed once"),
        (changed("deployment", gated_stages=("staging",)), "gated stages", "release Production"),
        (changed("deployment", approvals_needed=2), "release gate", "first approval lets"),
        (changed("roles", break_glass="S1"), "release gate", "roles.break_glass cannot"),
        (changed("deployment", gate="app_rule"), "release gate", "whose GitHub account"),
        (with_stage(host="http://plain.example"), "encryption", "gbx2.stages.testing.host"),
        (changed("slack", api_url="http://slack.example"), "encryption", "slack.api_url"),
        (changed("security", seal_keys=SecretStr("")), "seal keys", "nobody can link"),
        (changed("security", seal_keys=SecretStr("short")), "seal keys", "openssl rand -base64 32"),
        (changed("security", seal_keys=SecretStr(f"{KEY},{KEY}")), "seal keys", "listed twice"),
    ],
)
def test_settings_that_contradict_themselves(settings: Settings, check: str, words: str) -> None:
    found = broken(settings)
    assert list(found) == [check]
    assert words in f"{found[check].detail} {found[check].remedy}"


def test_two_stages_with_one_catalog() -> None:
    found = broken(with_stage(catalog="gbx1_dev"))
    assert list(found) == ["workspaces"]
    assert "catalog gbx1_dev" in found["workspaces"].detail


# Running and reporting -------------------------------------------------------------------------


def boom() -> Verdict:
    """Break in a way that nobody foresaw, with a secret in the error."""
    raise KeyError("xoxb-secret")


def refuse() -> Verdict:
    """Break in a way that may be told."""
    raise PermanentError("the vault is shut")


def checks() -> list[Check]:
    """Return checks of each outcome."""
    return [
        Check("Moon", "orbit", lambda: fine("round")),
        Check("Moon", "dust", lambda: warning("dusty", "Sweep it.")),
        Check("Moon", "cheese", lambda: problem("mouldy", "Eat it.\nAll of it.")),
        Check("Moon", "mice", boom, needs=("cheese",)),
        Check("Moon", "cats", boom, needs=("mice",)),
        Check("Mars", "boom", boom),
        Check("Mars", "vault", refuse),
    ]


def test_what_needs_a_broken_thing_is_not_asked() -> None:
    levels = {result.name: result.verdict.level for result in run(checks(), 5)}
    assert levels == {
        "orbit": "ok",
        "dust": "warning",
        "cheese": "problem",
        "mice": "skipped",
        "cats": "skipped",
        "boom": "problem",
        "vault": "problem",
    }


def test_an_unforeseen_error_is_told_without_its_text() -> None:
    (unforeseen,) = [result for result in run(checks(), 5) if result.name == "boom"]
    assert "KeyError" in unforeseen.verdict.detail
    assert "xoxb" not in str(unforeseen)


def test_the_report_shows_every_check_with_its_remedy() -> None:
    lines = as_text(run(checks(), 5)).splitlines()
    assert lines[0] == "Moon"
    assert "  PROBLEM  cheese: mouldy" in lines
    assert "           → Eat it." in lines
    assert "  SKIPPED  mice: not looked at: first mend “cheese”" in lines
    assert lines[-1] == "7 checks: 1 OK, 1 WARNING, 3 PROBLEM, 2 SKIPPED"
    assert all(len(line) <= 100 for line in lines)


def test_programs_get_the_same_as_json() -> None:
    said = json.loads(as_json(run(checks(), 5)))
    assert said["healthy"] is False
    assert said["checks"][2] == {
        "system": "Moon",
        "check": "cheese",
        "level": "problem",
        "detail": "mouldy",
        "remedy": "Eat it.\nAll of it.",
    }


@pytest.mark.parametrize(
    ("verdict", "healthy"),
    [
        (fine("a"), True),
        (warning("a", "b"), True),
        (problem("a", "b"), False),
        (skipped("a"), False),
    ],
)
def test_only_what_was_looked_at_and_found_working_is_healthy(
    verdict: Verdict,
    healthy: bool,  # noqa: FBT001 - a table
) -> None:
    results = (Result("Moon", "orbit", fine("round")), Result("Moon", "dust", verdict))
    assert is_healthy(results) is healthy
