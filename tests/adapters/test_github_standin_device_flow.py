"""The stand-in's device flow refuses what GitHub refuses, in GitHub's words."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import requests
from github_standin import Standin, running

from playground.github.device_flow import DEVICE_GRANT, LETTERS
from playground.github.world import APP_CLIENT_ID

JSON = dict[str, Any]


@pytest.fixture
def world(tmp_path: Path) -> Iterator[Standin]:
    with running(tmp_path) as standin:
        yield standin


def post(world: Standin, path: str, **form: str) -> JSON:
    """Ask on the site, as our App unless told otherwise."""
    sent = {"client_id": APP_CLIENT_ID, **form}
    answer = world.session.post(world.github.root + path, data=sent, timeout=10)
    found: JSON = answer.json()
    return found


def a_code(world: Standin) -> JSON:
    return post(world, "/login/device/code")


def ask(world: Standin, code: str) -> JSON:
    return post(world, "/login/oauth/access_token", grant_type=DEVICE_GRANT, device_code=code)


def tokens(world: Standin, login: str = "ada") -> JSON:
    code = a_code(world)
    world.github.device_flow.enter(login, code["user_code"])
    return ask(world, code["device_code"])


def renew(world: Standin, token: str) -> JSON:
    path = "/login/oauth/access_token"
    return post(world, path, grant_type="refresh_token", refresh_token=token)


def revoke(world: Standin, body: object, **headers: str) -> requests.Response:
    url = f"{world.github.base_url}/credentials/revoke"
    return world.session.post(url, json=body, headers=headers, timeout=10)


def test_a_code_looks_like_githubs(world: Standin) -> None:
    code = a_code(world)
    assert code.pop("device_code").isalnum()
    first, _, second = code.pop("user_code").partition("-")
    assert len(first) == len(second) == 4
    assert set(first + second) <= set(LETTERS)
    here = f"{world.github.root}/login/device"
    assert code == {"verification_uri": here, "expires_in": 900, "interval": 5}


def test_tokens_look_like_githubs_and_say_who_one_is(world: Standin) -> None:
    given = tokens(world, "rosa")
    assert given["access_token"].startswith("ghu_")
    assert given["refresh_token"].startswith("ghr_")
    assert (given["expires_in"], given["refresh_token_expires_in"]) == (28_800, 15_897_600)
    assert (given["token_type"], given["scope"]) == ("bearer", "")
    me = world.call("GET", "/user", token=given["access_token"])
    assert (me.json()["login"], me.json()["id"]) == ("rosa", 1003)
    assert world.github.violations == []


def test_an_answer_before_its_time_slows_the_asker_down(world: Standin) -> None:
    code = a_code(world)["device_code"]
    assert ask(world, code)["error"] == "authorization_pending"
    for interval in (10, 15):
        said = ask(world, code)
        assert (said["error"], said["interval"]) == ("slow_down", interval)
    world.clock.advance(timedelta(seconds=14))
    assert ask(world, code)["error"] == "slow_down"
    world.clock.advance(timedelta(seconds=20))
    assert ask(world, code)["error"] == "authorization_pending"


def test_a_code_is_answered_once(world: Standin) -> None:
    code = a_code(world)
    world.github.device_flow.enter("ada", code["user_code"].lower())
    assert "access_token" in ask(world, code["device_code"])
    world.clock.advance(timedelta(minutes=1))
    assert ask(world, code["device_code"])["error"] == "incorrect_device_code"
    assert "used" in world.github.device_flow.enter("ada", code["user_code"])


@pytest.mark.parametrize(
    ("form", "error"),
    [
        ({"client_id": "Iv1.other"}, "incorrect_client_credentials"),
        ({"grant_type": "password"}, "unsupported_grant_type"),
        ({"grant_type": DEVICE_GRANT}, "incorrect_device_code"),
        ({"grant_type": DEVICE_GRANT, "device_code": "0" * 40}, "incorrect_device_code"),
        ({"grant_type": "refresh_token", "refresh_token": "ghr_no"}, "bad_refresh_token"),
    ],
)
def test_what_is_asked_wrongly_is_refused(world: Standin, form: JSON, error: str) -> None:
    assert post(world, "/login/oauth/access_token", **form)["error"] == error


def test_an_unknown_app_gets_no_code(world: Standin) -> None:
    answer = world.session.post(
        f"{world.github.root}/login/device/code", data={"client_id": "x"}, timeout=10
    )
    assert answer.status_code == 404


def test_an_app_that_has_not_enabled_the_flow_gets_nothing(world: Standin) -> None:
    code = a_code(world)["device_code"]
    world.github.device_flow.enabled = False
    assert a_code(world)["error"] == "device_flow_disabled"
    assert ask(world, code)["error"] == "device_flow_disabled"


def test_a_denied_code_stays_denied(world: Standin) -> None:
    code = a_code(world)
    flow = world.github.device_flow
    assert "denied" in flow.enter("ada", code["user_code"], allow=False)
    assert "not valid" in flow.enter("ada", code["user_code"])
    assert ask(world, code["device_code"])["error"] == "access_denied"


def test_a_code_runs_out(world: Standin) -> None:
    code = a_code(world)
    world.clock.advance(timedelta(minutes=15))
    assert "expired" in world.github.device_flow.enter("ada", code["user_code"])
    assert ask(world, code["device_code"])["error"] == "expired_token"


def test_codes_of_strangers_and_of_nobody_are_refused_and_guessing_is_limited(
    world: Standin,
) -> None:
    flow, code = world.github.device_flow, a_code(world)["user_code"]
    assert "not valid" in flow.enter("nobody-at-all", code)
    for _ in range(49):
        assert "not valid" in flow.enter("ada", "AAAA-AAAA")
    assert "Too many" in flow.enter("ada", code)
    world.clock.advance(timedelta(hours=1))
    assert "Too many" not in flow.enter("ada", code)


def test_a_token_expires_and_is_renewed_once(world: Standin) -> None:
    first = tokens(world)
    second = renew(world, first["refresh_token"])
    assert world.call("GET", "/user", token=first["access_token"]).status_code == 401
    assert world.call("GET", "/user", token=second["access_token"]).status_code == 200
    assert renew(world, first["refresh_token"])["error"] == "bad_refresh_token"
    world.clock.advance(timedelta(hours=8, seconds=1))
    assert world.call("GET", "/user", token=second["access_token"]).status_code == 401
    world.clock.advance(timedelta(days=184))
    assert renew(world, second["refresh_token"])["error"] == "bad_refresh_token"


def test_a_withdrawn_authorisation_ends_both_tokens(world: Standin) -> None:
    ada, rosa = tokens(world), tokens(world, "rosa")
    world.github.device_flow.withdraw("ada")
    assert world.call("GET", "/user", token=ada["access_token"]).status_code == 401
    assert renew(world, ada["refresh_token"])["error"] == "bad_refresh_token"
    assert world.call("GET", "/user", token=rosa["access_token"]).status_code == 200


def test_whoever_knows_tokens_can_revoke_them(world: Standin) -> None:
    given = tokens(world)
    body = {"credentials": [given["access_token"], given["refresh_token"], "ghu_unknown"]}
    assert revoke(world, body).status_code == 202
    assert world.call("GET", "/user", token=given["access_token"]).status_code == 401
    assert renew(world, given["refresh_token"])["error"] == "bad_refresh_token"
    assert revoke(world, body).status_code == 202


NO_LISTS: tuple[object, ...] = (
    {},
    [],
    {"credentials": []},
    {"credentials": [7]},
    {"credentials": "x"},
    {"credentials": ["x"] * 1001},
)


@pytest.mark.parametrize("body", NO_LISTS)
def test_a_revocation_needs_a_list_of_credentials(world: Standin, body: object) -> None:
    assert revoke(world, body).status_code == 422


def test_revocation_takes_no_login_and_not_more_than_sixty_an_hour(world: Standin) -> None:
    body = {"credentials": ["ghu_x"]}
    assert revoke(world, body, Authorization="Bearer x").status_code == 403
    assert [revoke(world, body).status_code for _ in range(60)] == [202] * 60
    refused = revoke(world, body)
    assert refused.status_code == 403
    assert refused.headers["x-ratelimit-remaining"] == "0"


def test_a_token_may_do_what_both_the_app_and_the_person_may(world: Standin) -> None:
    world.new_repo()
    ada, pat = tokens(world, "ada")["access_token"], tokens(world, "pat")["access_token"]
    path = "/repos/acme/ada-7/environments/Production"
    assert world.call("PUT", path, {}, token=ada).status_code == 403, "she may only read"
    assert world.call("PUT", path, {}, token=pat).status_code == 200
    world.github.world.installation_permissions["administration"] = "read"
    assert world.call("PUT", path, {}, token=pat).status_code == 403, "nor may the App now"
    assert world.call("GET", "/orgs/acme/teams", token=ada).status_code == 200
    sam = tokens(world, "sam")["access_token"]
    assert world.call("GET", "/repos/acme/ada-7", token=sam).status_code == 404


def test_the_page_connects_a_person_who_enters_the_code(world: Standin) -> None:
    code, page = a_code(world), f"{world.github.root}/login/device"
    shown = world.session.get(page, timeout=10)
    assert '<option value="rosa">Rosa Parks (rosa)</option>' in shown.text
    assert "script" not in shown.text
    assert "form-action 'self'" in shown.headers["Content-Security-Policy"]
    form = {"login": "rosa", "user_code": code["user_code"], "answer": "authorize"}
    foreign = {"Origin": "http://evil.example"}
    assert world.session.post(page, data=form, headers=foreign, timeout=10).status_code == 403
    own = {"Origin": world.github.root}
    said = world.session.post(page, data=form, headers=own, timeout=10)
    assert "Your device is now connected." in said.text
    assert "access_token" in ask(world, code["device_code"])


def test_the_page_takes_a_no_and_shows_nothing_that_was_typed(world: Standin) -> None:
    code, page = a_code(world), f"{world.github.root}/login/device"
    typed = {"login": "ada", "user_code": "<script>1</script>", "answer": "authorize"}
    said = world.session.post(page, data=typed, timeout=10)
    assert "not valid" in said.text
    assert "<script>" not in said.text
    form = {"login": "ada", "user_code": code["user_code"], "answer": "deny"}
    assert "denied access" in world.session.post(page, data=form, timeout=10).text
    assert ask(world, code["device_code"])["error"] == "access_denied"
