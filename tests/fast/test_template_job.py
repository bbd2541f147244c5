"""The job template: what people may answer, and that their words arrive as they wrote them."""

import json
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st

from provisioning.adapters.bundle_templates import BundleTemplates
from provisioning.adapters.bundle_templates.schema import BOT_ANSWERS
from provisioning.errors import UserError
from provisioning.questions import Answer

TEMPLATES = BundleTemplates(Path(__file__).parents[2] / "bundle_templates")
LINE = st.text(st.characters(exclude_categories=("Cs", "Cc")), max_size=200)


def render(**answers: Answer) -> dict[str, str]:
    files = TEMPLATES.render("job", {"project_name": "ada-7", **answers})
    return {path: data.decode() for path, data in files.items()}


def job(files: dict[str, str]) -> Any:
    (resource,) = [path for path in files if path.endswith(".job.yml")]
    (found,) = yaml.safe_load(files[resource])["resources"]["jobs"].values()
    return found


def test_the_form_asks_five_questions_of_its_own() -> None:
    names = [question.name for question in TEMPLATES.questions("job")]
    assert names == [
        "job_description", "schedule", "start_hour", "notification_email", "compute",
    ]  # fmt: skip
    assert not BOT_ANSWERS & set(names)


@pytest.mark.parametrize("schedule", ["hourly", "only by hand"])
def test_the_hour_is_not_asked_where_it_means_nothing(schedule: str) -> None:
    names = {question.name for question in TEMPLATES.questions("job", {"schedule": schedule})}
    assert "start_hour" not in names


def is_refused(text: str) -> bool:
    """Tell what the pattern means: one line that begins with a sign and holds no reference."""
    first = text.lstrip("$")[:1]
    return first in ("", " ") or "${" in text


@settings(max_examples=40, deadline=None)
@given(LINE)
@example("{{.project_name}} {{`}} ${{ github.token }")
@example("$(reboot) `id` '\"\\ <!channel> %{if} # - : & * !!str \u202e\u200b $5 $")
def test_a_description_arrives_verbatim_or_is_refused(text: str) -> None:
    if is_refused(text):
        with pytest.raises(UserError) as refused:
            render(job_description=text)
        assert refused.value.field == "job_description"
        return
    files = render(job_description=text)
    assert job(files)["description"] == text
    assert tomllib.loads(files["pyproject.toml"])["project"]["description"] == text
    assert f"\n    {text}\n" in files["README.md"]
    assert set(files) == set(render())


@pytest.mark.parametrize("text", ["", " ", "a\nb", "${var.catalog}", "x ${bundle.name}", "$${a}"])
def test_a_description_that_would_not_stay_text_is_refused(text: str) -> None:
    with pytest.raises(UserError, match=r"without \$\{") as refused:
        render(job_description=text)
    assert refused.value.field == "job_description"


@pytest.mark.parametrize("text", ["a", "Costs $5 or $$", "50 € {braces} $ {x}", "ends with $"])
def test_an_ordinary_description_is_accepted(text: str) -> None:
    assert job(render(job_description=text))["description"] == text


@pytest.mark.parametrize(
    "address", ["x", "a@b@c", "a b@c.d", "a@b\n", '"a"@b.c', "a@-b", "<!channel>", "a@b.c,d@e.f"]
)
def test_what_is_no_address_is_refused(address: str) -> None:
    with pytest.raises(UserError, match="One e-mail address") as refused:
        render(notification_email=address)
    assert refused.value.field == "notification_email"


def test_failures_are_mailed_only_where_somebody_wants_them() -> None:
    mailed = job(render(notification_email="a+b@example.com"))["email_notifications"]
    assert mailed == {"on_failure": ["a+b@example.com"], "no_alert_for_skipped_runs": True}
    assert "email_notifications" not in job(render())


@pytest.mark.parametrize(
    ("schedule", "cron"),
    [
        ("hourly", "0 0 * * * ?"),
        ("daily", "0 0 5 * * ?"),
        ("weekdays", "0 0 5 ? * MON-FRI"),
        ("weekly", "0 0 5 ? * MON"),
        ("monthly", "0 0 5 1 * ?"),
    ],
)
def test_schedules_become_quartz_expressions(schedule: str, cron: str) -> None:
    found = job(render(schedule=schedule, start_hour=5))["schedule"]
    assert found == {"quartz_cron_expression": cron, "timezone_id": "UTC"}


def test_a_job_that_is_started_by_hand_has_no_schedule() -> None:
    assert "schedule" not in job(render(schedule="only by hand"))


def test_compute_is_serverless_or_follows_the_policy() -> None:
    serverless, cluster = job(render()), job(render(compute="cluster policy"))
    assert "job_clusters" not in serverless
    assert "environments" not in cluster
    assert "${var.job_cluster_policy_id}" in json.dumps(cluster)
    assert "policy" not in render()["databricks.yml"]


@pytest.mark.parametrize("name", ["", "A", "../x", "a/b", "a_b", "-a", "a-", "1a", "a\n", "ä-b"])
def test_project_names_that_are_no_directory_names_are_refused(name: str) -> None:
    with pytest.raises(UserError) as refused:
        render(project_name=name)
    assert refused.value.field == "project_name"


def test_the_bundle_keeps_its_id_forever() -> None:
    ids = {
        yaml.safe_load(render(**answers)["databricks.yml"])["bundle"]["uuid"]
        for answers in ({}, {"schedule": "hourly"}, {"compute": "cluster policy"})
    }
    assert ids == {"9ea779c2-1ac5-5db6-aa24-6cb2b86dbde3"}


def test_tables_of_copies_in_development_have_a_name_of_their_own() -> None:
    targets = yaml.safe_load(render()["databricks.yml"])["targets"]
    prefixes = {name: about["variables"]["prefix"] for name, about in targets.items()}
    own = "dev_${workspace.current_user.short_name}${var.copy}_"
    assert prefixes == {"development": own, "testing": "", "staging": "", "production": ""}
    assert {"name": "prefix", "default": "${var.prefix}"} in job(render())["parameters"]


def test_one_team_may_own_everything() -> None:
    files = render(organisation="Example", github_team="a.b_c", platform_team="a.b_c")
    assert "* @Example/a.b_c\n" in files["CODEOWNERS"]
