"""What a check of a project says: failures first, within Slack's limits, in plain words."""

import json
from datetime import timedelta

from rows import NOON, a_spec

from bot.render import blocks
from playground.slack.blocks import message_problems, too_long
from provisioning.check_remedies import PUT_BACK, with_remedy
from provisioning.check_report import Report, as_json, as_text, headline, notice
from provisioning.key_age_checks import key_ages
from provisioning.last_deployments import ago, last_deployments
from provisioning.ports import Finding, Principal, SecretFacts
from provisioning.release import Card, Release
from provisioning.store import Followed
from provisioning.text import Notice, plain
from provisioning.workflow_run import WorkflowJob, WorkflowRun

PASSED = Finding(check="schema exists", passed=True)
TELLING = Finding(check="Development: last deployment", passed=True, detail="commit 1234abcd")
FAILED = Finding(check="main is protected", passed=False, detail="It is not.", remedy="Protect it.")
UNASKED = Finding(check="Databricks", passed=False, asked=False, detail="503", remedy="Later.")


def a_report(*findings: Finding, under_way: bool = False) -> Report:
    """Return a report about a project."""
    return Report(project="ada-7", at=NOON, findings=findings, under_way=under_way)


def table(shown: Notice) -> list[list[str]]:
    """Return the table's cells."""
    assert shown.table is not None
    return [[plain(cell) for cell in row] for row in shown.table.rows]


def test_failures_come_first_then_what_could_not_be_asked() -> None:
    report = a_report(PASSED, TELLING, UNASKED, FAILED, PASSED)
    assert table(notice(report)) == [
        ["main is protected", "failed: It is not.", "Protect it."],
        ["Databricks", "could not be asked: 503", "Later."],
        ["Development: last deployment", "passed: commit 1234abcd", ""],
        ["Everything else that was asked", "2 passed", ""],
    ]
    assert headline(report) == "3 of 5 checks passed, 1 failed, 1 could not be asked"
    assert not report.passed


def test_what_could_not_be_asked_has_not_passed() -> None:
    report = a_report(PASSED, UNASKED)
    assert not report.passed
    told = json.loads(as_json(report))
    assert told["passed"] is False
    assert [each["result"] for each in told["checks"]] == ["passed", "could_not_be_asked"]
    assert "could not be asked  Databricks: 503\n      Later." in as_text(report)


def test_hundreds_of_long_failures_fit_into_one_message() -> None:
    long = FAILED.model_copy(update={"detail": "x" * 3000, "remedy": "y" * 3000})
    shown = notice(a_report(*[long] * 300, PASSED, under_way=True))
    made = blocks(shown)
    assert message_problems(made) == []
    assert not too_long(made)
    words = "\n".join(plain(line) for line in shown.body)
    assert "more are in the file of the same check with --json" in words
    assert "A run is changing this project just now" in words


def test_a_check_without_anything_to_tell_has_one_row() -> None:
    assert table(notice(a_report(PASSED, PASSED))) == [
        ["Everything that was asked", "2 passed", ""]
    ]


def test_each_failure_says_what_to_do() -> None:
    key = Finding(check="Testing: key's age", passed=False, detail="It runs out soon.")
    assert with_remedy(key, "ada-7").remedy == "Rotate its keys: /sciclops rotate ada-7."
    schema = Finding(check="Testing: schema exists", passed=False, remedy="Retry")
    assert with_remedy(schema, "ada-7").remedy == PUT_BACK.replace("{project}", "ada-7")
    assert with_remedy(UNASKED, "ada-7").remedy == "Later."
    assert with_remedy(PASSED, "ada-7") == PASSED


# ---------------------------------------------------------------- deployments


def a_run(number: int, conclusion: str, *, environment: str = "Development") -> Followed:
    """Return a run whose one job deployed to an environment."""
    at = NOON + timedelta(hours=number)
    job = WorkflowJob(
        id=number,
        attempt=1,
        name=f"bundle / Deploy {environment}",
        status="completed",
        conclusion=conclusion,
        completed_at=at,
    )
    run = WorkflowRun(
        id=number,
        repository="ada-7",
        sha=f"{number}" * 40,
        created_at=at,
        updated_at=at,
        jobs=(job,),
    )
    return Followed(project="ada-7", run=run, created_at=at)


def deployments(*runs: Followed, releases: tuple[Release, ...] = ()) -> dict[str, Finding]:
    """Return what is said of each environment; GitHub knows of a deployment to Testing."""
    known = {"Testing": "9" * 40}
    found = last_deployments(
        a_spec(), runs, releases, lambda name: known.get(name, ""), NOON + timedelta(days=2)
    )
    return {finding.check.partition(":")[0]: finding for finding in found}


def test_the_newest_deployment_counts_and_what_was_skipped_does_not() -> None:
    found = deployments(a_run(3, "skipped"), a_run(2, "failure"), a_run(1, "success"))
    assert not found["Development"].passed
    assert "It failed: commit 22222222, 1 day ago, run 2." in found["Development"].detail
    assert found["Development"].remedy


def test_a_deployment_that_nobody_let_in_is_no_failure() -> None:
    refused = Release(
        id="r",
        run="2",
        project="ada-7",
        environment="Production",
        attempt=1,
        sha="2" * 40,
        state="rejected",
        card=Card(),
        asked_at=NOON,
        deadline=NOON,
    )
    runs = (
        a_run(2, "failure", environment="Production"),
        a_run(1, "success", environment="Production"),
    )
    assert "commit 11111111" in deployments(*runs, releases=(refused,))["Production"].detail
    assert not deployments(*runs)["Production"].passed


def test_what_no_run_tells_github_is_asked() -> None:
    found = deployments()
    assert found["Testing"].detail == "commit 99999999, longer ago than runs are kept"
    assert found["Production"].detail == "none yet"


def test_ages_are_said_in_one_unit() -> None:
    ages = [timedelta(days=2, hours=3), timedelta(hours=1), timedelta(minutes=5), timedelta()]
    assert [ago(age) for age in ages] == ["2 days ago", "1 hour ago", "5 minutes ago", "just now"]


# ---------------------------------------------------------------- keys


def keys(*secrets: SecretFacts, day: int) -> Finding:
    """Return what is said of Development's key on a day."""
    asked: list[Principal] = []

    def held(principal: Principal) -> tuple[SecretFacts, ...]:
        asked.append(principal)
        return secrets

    described = {"Development": {"service_principal_id": 7, "client_id": "c"}}
    environments = a_spec().environments()[:1]
    now, life = NOON + timedelta(days=day), timedelta(days=90)
    (finding,) = key_ages(environments, described, held, now, life)
    assert (asked[0].number, asked[0].client_id) == ("7", "c")
    return finding


def test_a_key_tells_its_age_and_fails_two_weeks_before_its_end() -> None:
    key = SecretFacts(id="s", made_at=NOON, expires_at=NOON + timedelta(days=90))
    assert keys(key, day=10).passed
    assert keys(key, day=10).detail == "made 10 days ago, valid for 80 more days"
    assert not keys(key, day=76).passed
    assert "runs out soon" in keys(key, day=76).detail


def test_a_principal_without_a_valid_key_fails() -> None:
    assert keys(day=1).detail == "There is no key that is valid."
    ended = SecretFacts(id="s", made_at=NOON, expires_at=NOON + timedelta(days=1))
    assert not keys(ended, day=2).passed
