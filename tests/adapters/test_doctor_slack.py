"""Each fact about Slack, broken alone, is found by its own check, which says how to mend it."""

import socket
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from doctor_patient import MISSING, Patient, changed, only, patient, patient_in
from pydantic import SecretStr

from bot.settings import Settings
from playground.cast import BOT_USER_ID
from playground.faults import Fault
from playground.slack.entities import UserGroup
from playground.slack.methods import FACTS
from playground.world import Choices

__all__ = ["patient"]
SLACK = "Slack"


@pytest.fixture(autouse=True)
def quiet(patient: Patient) -> Iterator[None]:
    """Wait for Slack's limits to pass before each test, and leave no fault behind."""
    patient.world.clock.advance(timedelta(minutes=2))
    yield
    patient.world.faults.clear()


def test_all_is_well(patient: Patient) -> None:
    assert patient.wrong(SLACK) == {}


@pytest.mark.parametrize("token", ["", "xoxp-a-persons-token", "xoxb-of-another-app"])
def test_a_wrong_bot_token(patient: Patient, token: str) -> None:
    settings = patient.with_("slack", bot_token=SecretStr(token))
    said = only(patient.wrong(SLACK, settings), "bot token")
    assert "SCICLOPS__SLACK__BOT_TOKEN" in said
    assert "xoxb-" in said
    assert not token or token not in said


def test_without_a_bot_token_only_the_app_token_is_looked_at(patient: Patient) -> None:
    settings = patient.with_("slack", bot_token=SecretStr(""))
    results = patient.examine(SLACK, settings)
    looked_at = [result.name for result in results if result.verdict.level != "skipped"]
    assert looked_at == ["bot token", "app token"]


@pytest.mark.parametrize(
    "scope", ["channels:history", "chat:write", "commands", "files:write", "im:write"]
)
def test_a_missing_scope(patient: Patient, scope: str) -> None:
    api = patient.world.slack._api
    with changed(api, "scopes", api.scopes - {scope}):
        said = only(patient.wrong(SLACK), "scopes")
    assert f"lacks {scope}\n" in said
    assert "Reinstall to Workspace" in said


@pytest.mark.parametrize("scope", ["channels:read", "usergroups:read", "users:read"])
def test_a_missing_scope_hides_what_it_would_have_shown(patient: Patient, scope: str) -> None:
    api = patient.world.slack._api
    without = api.scopes - {scope, "groups:read"}
    with changed(api, "scopes", without):
        results = patient.examine(SLACK)
    levels = {result.name: result.verdict.level for result in results}
    assert levels.pop("scopes") == "problem"
    assert set(levels.values()) <= {"ok", "skipped"}
    assert "skipped" in levels.values()


def test_every_scope_that_the_calls_need_is_checked(patient: Patient) -> None:
    api = patient.world.slack._api
    patient.examine(SLACK)
    called = {call.method for call in api.calls} | {"chat.postMessage", "chat.update"}
    with changed(api, "scopes", set()):
        (scopes,) = [r for r in patient.examine(SLACK) if r.name == "scopes"]
    for method in called:
        known = FACTS[method].scopes
        assert not known or any(scope in scopes.verdict.detail for scope in known), method


@pytest.mark.parametrize("token", ["", "xoxb-playground", "xapp-unknown"])
def test_a_wrong_app_token(patient: Patient, token: str) -> None:
    settings = patient.with_("slack", app_token=SecretStr(token))
    said = only(patient.wrong(SLACK, settings), "app token")
    assert "SCICLOPS__SLACK__APP_TOKEN" in said
    assert "connections:write" in said


def test_socket_mode_is_switched_off(patient: Patient) -> None:
    with changed(patient.world.slack._api, "open_socket", None):
        said = only(patient.wrong(SLACK), "app token")
    assert "Socket Mode" in said
    assert 'slack.mode = "http"' in said


@pytest.mark.parametrize("key", ["channel", "announcements"])
def test_a_channel_that_does_not_exist(patient: Patient, key: str) -> None:
    said = only(patient.wrong(SLACK, patient.with_("slack", **{key: "C0NOWHERE"})), key)
    assert "C0NOWHERE" in said
    assert f"slack.{key}" in said


def test_a_name_instead_of_a_channel_id(patient: Patient) -> None:
    said = only(patient.wrong(SLACK, patient.with_("slack", channel="#sciclops")), "channel")
    assert "slack.channel" in said
    assert "Channel ID" in said


def test_an_archived_channel(patient: Patient) -> None:
    with changed(patient.world.slack.workspace.channels["C0COMMUNITY"], "archived", True):
        said = only(patient.wrong(SLACK), "announcements")
    assert "#sciclops-community is archived" in said


def test_a_channel_without_the_bot(patient: Patient) -> None:
    channel = patient.world.slack.workspace.channels["C0SCICLOPS"]
    with changed(channel, "members", channel.members - {BOT_USER_ID}):
        said = only(patient.wrong(SLACK), "channel")
    assert "/invite" in said
    assert "#sciclops" in said


def test_a_private_channel_without_the_bot(patient: Patient) -> None:
    channel = patient.world.slack.workspace.channels["C0SCICLOPS"]
    with (
        changed(channel, "members", channel.members - {BOT_USER_ID}),
        changed(channel, "kind", "private"),
    ):
        assert "invite the bot" in only(patient.wrong(SLACK), "channel")


@pytest.mark.parametrize("role", ["platform", "users", "release", "break_glass"])
def test_a_role_without_its_user_group(patient: Patient, role: str) -> None:
    settings = patient.with_("roles", **{role: "S0NOBODY"})
    said = only(patient.wrong(SLACK, settings), f"role {role}")
    assert "S0NOBODY" in said
    assert f"roles.{role}" in said


def test_a_role_whose_members_have_left(patient: Patient) -> None:
    with changed(patient.world.slack.workspace.people["U0PAT"], "deleted", True):
        said = only(patient.wrong(SLACK), "role platform")
    assert "no active member" in said
    assert "roles.platform" in said


@pytest.mark.parametrize("confirmer", ["platform", "second_person"])
def test_a_confirmation_that_an_empty_platform_group_cannot_give(
    patient: Patient, confirmer: str
) -> None:
    settings = patient.with_("confirmation", create=confirmer)
    groups = patient.world.slack.workspace.user_groups
    with changed(groups, "S0PLATFORM", UserGroup("S0PLATFORM", "platform-team", [])):
        said = only(patient.wrong(SLACK, settings), "role platform")
    assert f'confirmation.create = "{confirmer}"' in said


def test_a_second_person_who_does_not_exist(patient: Patient) -> None:
    settings = patient.with_("confirmation", create="second_person")
    said = only(patient.wrong(SLACK, settings), "confirmation")
    assert "roles.platform" in said
    pair = UserGroup("S0PLATFORM", "platform-team", ["U0PAT", "U0GRACE"])
    with changed(patient.world.slack.workspace.user_groups, "S0PLATFORM", pair):
        assert patient.wrong(SLACK, settings) == {}


def ruled(patient: Patient, needed: int, *members: str, **github: object) -> Settings:
    """Return settings with the App's rule, and put these people into roles.release."""
    group = UserGroup("S0RELEASE", "release-managers", list(members))
    patient.world.slack.workspace.user_groups["S0RELEASE"] = group
    deployment = patient.settings.deployment.model_copy(
        update={"gate": "app_rule", "approvals_needed": needed}
    )
    roles = patient.settings.roles.model_copy(update={"release": "S0RELEASE"})
    changed = patient.with_("github", **github)
    return changed.model_copy(update={"deployment": deployment, "roles": roles})


def test_fewer_people_than_approvals(patient: Patient) -> None:
    settings = ruled(patient, 3, "U0PAT", "U0GRACE", "U0GIL")
    said = only(patient.wrong(SLACK, settings), "approvals")
    assert "3 approvals are needed, but roles.release has 2 active" in said


def test_just_as_many_people_as_approvals_leave_nobody_for_their_own(patient: Patient) -> None:
    settings = ruled(patient, 2, "U0PAT", "U0GRACE")
    said = only(patient.wrong(SLACK, settings), "approvals", "warning")
    assert "nobody could release what one of them has begun" in said
    assert patient.wrong(SLACK, ruled(patient, 2, "U0PAT", "U0GRACE", "U0ROSA")) == {}


def test_where_nobody_can_link_those_who_release_are_named(patient: Patient) -> None:
    who, named = ("U0PAT", "U0GRACE"), {"U0PAT": "pat"}
    said = only(
        patient.wrong(SLACK, ruled(patient, 1, *who, client_id="", logins=named)), "approvals"
    )
    assert "U0GRACE" in said
    assert "U0PAT" not in said
    everybody = named | {"U0GRACE": "grace"}
    assert patient.wrong(SLACK, ruled(patient, 1, *who, client_id="", logins=everybody)) == {}


def test_data_without_an_active_owner(patient: Patient) -> None:
    with changed(patient.world.slack.workspace.user_groups, "S0DATAOWN", MISSING):
        said = only(patient.wrong(SLACK), "data owners")
    assert "gbx1_prod.sales" in said
    assert "S0DATAOWN" in said
    with changed(patient.world.slack.workspace.people["U0DORA"], "deleted", True):
        assert "gbx1_prod.loyalty" in only(patient.wrong(SLACK), "data owners")


def test_too_many_questions_are_told_as_such(patient: Patient) -> None:
    fault = Fault("slack", "status", "conversations.info", times=1, status=429, seconds=7)
    patient.world.faults.add(fault)
    found = patient.wrong(SLACK)
    assert len(found) == 1
    assert set(found) <= {"channel", "announcements"}


def test_nobody_answers_at_slacks_address(patient: Patient) -> None:
    settings = patient.with_("slack", api_url="http://127.0.0.1:9/api/")
    found = patient.wrong(SLACK, settings)
    assert set(found) == {"bot token", "app token"}
    assert all("slack.api_url" in verdict.remedy for verdict in found.values())


def test_over_http_the_signing_secret_and_the_port_count(tmp_path: Path) -> None:
    with patient_in(tmp_path / "http", Choices(mode="http")) as patient:
        assert patient.wrong(SLACK) == {}
        without = patient.with_("slack", signing_secret=SecretStr(""))
        said = only(patient.wrong(SLACK, without), "signing secret")
        assert "SCICLOPS__SLACK__SIGNING_SECRET" in said
        with socket.create_server(("127.0.0.1", 0)) as taken:
            busy = patient.with_("slack", port=taken.getsockname()[1])
            said = only(patient.wrong(SLACK, busy), "port", "warning")
            assert "slack.port" in said
