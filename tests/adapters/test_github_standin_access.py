"""Who may do what at the stand-in GitHub, for how long, and how often."""

import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from github import BadCredentialsException, GithubException, RateLimitExceededException
from github_standin import Standin, one_vault, running

from playground.faults import Fault
from playground.github.limits import Limits
from playground.github.world import APP_ID, INSTALLATION_ID

TOKENS = f"/app/installations/{INSTALLATION_ID}/access_tokens"


@pytest.fixture
def world(tmp_path: Path) -> Iterator[Standin]:
    with running(tmp_path) as standin:
        yield standin


def signed(pem: str, **changes: object) -> str:
    """Return an App's JSON web token of this moment."""
    now = int(time.time())
    claims: dict[str, object] = {"iat": now - 10, "exp": now + 300, "iss": str(APP_ID)}
    return jwt.encode(claims | changes, pem, algorithm="RS256")


def other_key() -> str:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.TraditionalOpenSSL,
        serialization.NoEncryption(),
    ).decode()


def test_a_token_nobody_gave_out_is_bad_credentials(world: Standin) -> None:
    with pytest.raises(BadCredentialsException):
        world.client("ghs_forged").get_organization("acme").complete()


def test_a_web_token_of_another_key_cannot_be_decoded(world: Standin) -> None:
    answer = world.call("GET", "/app", token=signed(other_key()))
    assert answer.status_code == 401
    assert answer.json()["message"] == "A JSON web token could not be decoded"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"exp": -60}, "must be a numeric value representing the future time"),
        ({"exp": 3600}, "too far in the future"),
        ({"iss": "1"}, "Integration not found"),
        (
            {"iat": 600, "exp": 900},
            "must be an Integer representing the time that the assertion was issued",
        ),
    ],
)
def test_a_web_token_with_wrong_claims_is_refused(
    world: Standin, changes: dict[str, int | str], message: str
) -> None:
    now = int(time.time())  # the numbers are seconds from now
    moments = {name: now + it if isinstance(it, int) else it for name, it in changes.items()}
    token = signed(one_vault().app_private_key_pem, **moments)
    answer = world.call("GET", "/app", token=token)
    assert answer.status_code == 401
    assert message in answer.json()["message"]


def test_a_web_token_may_follow_the_moved_clock_or_the_machines(world: Standin) -> None:
    world.clock.advance(timedelta(hours=5))
    pem = one_vault().app_private_key_pem
    moved = int(world.clock.now().timestamp())
    assert world.call("GET", "/app", token=signed(pem)).status_code == 200
    ahead = signed(pem, iat=moved - 10, exp=moved + 300)
    assert world.call("GET", "/app", token=ahead).status_code == 200


def test_app_endpoints_take_the_app_alone_and_others_not_the_app(world: Standin) -> None:
    assert world.call("GET", "/app").status_code == 401
    token = signed(one_vault().app_private_key_pem)
    assert world.call("GET", "/orgs/acme/teams", token=token).status_code == 401
    assert world.call("GET", "/repos/acme/nothing/installation", token=token).status_code == 404
    path = "/repos/acme/sciclops-platform/installation"
    assert world.call("GET", path, token=token).json()["id"] == INSTALLATION_ID


def test_an_installation_token_expires_after_an_hour_of_moved_time(world: Standin) -> None:
    token = signed(one_vault().app_private_key_pem)
    given = world.call("POST", TOKENS, token=token).json()
    assert world.call("GET", "/orgs/acme", token=given["token"]).status_code == 200
    world.clock.advance(timedelta(minutes=59))
    assert world.call("GET", "/orgs/acme", token=given["token"]).status_code == 200
    world.clock.advance(timedelta(minutes=1))
    expired = world.call("GET", "/orgs/acme", token=given["token"])
    assert (expired.status_code, expired.json()["message"]) == (401, "Bad credentials")


def test_a_revoked_token_is_worthless(world: Standin) -> None:
    token = world.github.installation_token()
    assert world.call("DELETE", "/installation/token", token=token).status_code == 204
    assert world.call("GET", "/orgs/acme", token=token).status_code == 401


def test_a_token_can_be_narrowed_but_not_widened(world: Standin) -> None:
    repo = world.new_repo()
    app = signed(one_vault().app_private_key_pem)
    body = {"permissions": {"contents": "read"}, "repository_ids": [repo.id]}
    given = world.call("POST", TOKENS, body, token=app).json()
    assert given["permissions"] == {"contents": "read", "metadata": "read"}
    assert [r["name"] for r in given["repositories"]] == ["ada-7"]
    narrow = given["token"]
    assert world.call("GET", "/repos/acme/ada-7/branches", token=narrow).status_code == 200
    other = "/repos/acme/sciclops-platform"
    assert world.call("GET", other, token=narrow).status_code == 404
    new = {"content": "x"}
    refused = world.call("POST", "/repos/acme/ada-7/git/blobs", new, token=narrow)
    assert refused.status_code == 403
    listed = world.call("GET", "/installation/repositories", token=narrow).json()
    assert [r["name"] for r in listed["repositories"]] == ["ada-7"]
    for wish in ({"permissions": {"members": "write"}}, {"repository_ids": [1]}):
        assert world.call("POST", TOKENS, wish, token=app).status_code == 422


@pytest.mark.parametrize(
    ("permission", "method", "path", "body"),
    [
        ("administration", "POST", "/orgs/acme/repos", {"name": "x"}),
        ("administration", "PUT", "/repos/acme/ada-7/environments/Production", {}),
        ("members", "GET", "/orgs/acme/teams", None),
        ("contents", "GET", "/repos/acme/ada-7/contents/README.md", None),
        ("environments", "GET", "/repos/acme/ada-7/environments/Dev/variables", None),
        ("actions", "GET", "/repos/acme/ada-7/environments", None),
        ("organization_administration", "GET", "/orgs/acme/actions/permissions", None),
    ],
)
def test_a_permission_taken_from_the_app_is_missed_at_once(
    world: Standin, permission: str, method: str, path: str, body: object
) -> None:
    repo = world.new_repo()
    repo.create_environment("Dev")
    token = world.github.installation_token()
    del world.github.world.installation_permissions[permission]
    answer = world.call(method, path, body, token=token)
    assert answer.status_code == 403
    assert answer.json()["message"] == "Resource not accessible by integration"
    app = world.call("GET", "/app", token=signed(one_vault().app_private_key_pem)).json()
    assert permission not in app["permissions"]


def test_workflow_files_need_their_own_permission(world: Standin) -> None:
    world.new_repo()
    del world.github.world.installation_permissions["workflows"]
    item = {
        "path": ".github/workflows/x.yml",
        "mode": "100644",
        "type": "blob",
        "content": "on: push",
    }
    answer = world.call("POST", "/repos/acme/ada-7/git/trees", {"tree": [item]})
    assert answer.status_code == 403
    item["path"] = "x.yml"
    assert world.call("POST", "/repos/acme/ada-7/git/trees", {"tree": [item]}).status_code == 201


def test_a_private_repository_does_not_exist_for_strangers(world: Standin) -> None:
    world.new_repo()
    sam = world.github.user_token("sam")
    for token in (sam, ""):
        assert world.call("GET", "/repos/acme/ada-7", token=token).status_code == 404
    assert world.call("GET", "/orgs/acme/teams", token=sam).status_code == 404
    assert world.call("GET", "/orgs/acme/repos", token=sam).json() == []
    world.new_repo("open", visibility="public")
    listed = world.call("GET", "/orgs/acme/repos", token=sam).json()
    assert [repo["name"] for repo in listed] == ["open"]
    assert world.call("GET", "/repos/acme/open", token=sam).status_code == 200
    assert world.call("GET", "/repos/elsewhere/open", token=sam).status_code == 404


def test_a_person_does_what_their_role_allows(world: Standin) -> None:
    world.new_repo()
    path, blob = "/repos/acme/ada-7", {"content": "x"}
    ada, pat = world.github.user_token("ada"), world.github.user_token("pat")
    assert world.call("GET", "/user", token=ada).json()["login"] == "ada"
    assert world.call("GET", "/user").status_code == 403
    assert world.call("GET", path, token=ada).json()["permissions"]["push"] is False
    assert world.call("POST", f"{path}/git/blobs", blob, token=ada).status_code == 403
    refused = world.call("PATCH", path, {"description": "x"}, token=ada)
    assert (refused.status_code, refused.json()["message"]) == (
        403,
        "Must have admin rights to Repository.",
    )
    given = world.call("PUT", f"{path}/collaborators/ada", {"permission": "push"}, token=pat)
    assert given.status_code == 204
    assert world.call("POST", f"{path}/git/blobs", blob, token=ada).status_code == 201
    assert world.call("PATCH", path, {"description": "x"}, token=pat).status_code == 200
    assert world.call("POST", "/orgs/acme/repos", {"name": "mine"}, token=ada).status_code == 403
    names = [r["name"] for r in world.call("GET", "/orgs/acme/repos", token=ada).json()]
    assert names == ["sciclops-platform", "ada-7"]


def test_a_linked_persons_token_is_limited_by_the_apps_permissions_too(world: Standin) -> None:
    world.new_repo()
    world.github.world.installation_permissions["contents"] = "read"
    blob, path = {"content": "x"}, "/repos/acme/ada-7/git/blobs"
    assert world.call("POST", path, blob, token=world.github.user_token("pat")).status_code == 403
    own = world.github.personal_token("pat")
    assert world.call("POST", path, blob, token=own).status_code == 201


# Rate limits


def test_the_hourly_limit_refuses_until_the_window_ends(tmp_path: Path) -> None:
    with running(tmp_path, limits=Limits(per_hour=3)) as world:
        token = world.github.installation_token()
        left = [
            world.call("GET", "/orgs/acme", token=token).headers["x-ratelimit-remaining"]
            for _ in range(3)
        ]
        assert left == ["2", "1", "0"]
        refused = world.call("GET", "/orgs/acme", token=token)
        assert refused.status_code == 403
        assert "API rate limit exceeded for installation ID" in refused.json()["message"]
        assert refused.headers["x-ratelimit-remaining"] == "0"
        with pytest.raises(RateLimitExceededException):
            world.client(token).get_organization("acme").complete()
        assert world.call("GET", "/rate_limit", token=token).json()["rate"]["remaining"] == 0
        assert world.call("GET", "/orgs/acme", token=world.github.user_token("ada")).ok
        world.clock.advance(timedelta(hours=1))
        again = world.github.installation_token()
        assert world.call("GET", "/orgs/acme", token=again).status_code == 200


def test_creating_too_much_in_a_minute_or_an_hour_is_refused_with_retry_after(
    tmp_path: Path,
) -> None:
    with running(tmp_path, limits=Limits(creating_per_minute=2, creating_per_hour=3)) as world:
        path = "/repos/acme/sciclops-platform/topics"

        def put() -> tuple[int, int]:
            answer = world.call("PUT", path, {"names": ["x"]})
            return answer.status_code, int(answer.headers.get("Retry-After", "0"))

        assert [put()[0] for _ in range(2)] == [200, 200]
        status, wait = put()
        assert status == 403
        assert 50 <= wait <= 61
        assert world.call("GET", "/orgs/acme").status_code == 200
        world.clock.advance(timedelta(seconds=wait))
        assert put()[0] == 200
        status, wait = put()
        assert status == 403
        assert 3400 <= wait <= 3601


def test_points_are_limited_by_the_minute_and_writes_cost_five(tmp_path: Path) -> None:
    with running(tmp_path, limits=Limits(points_per_minute=7)) as world:
        assert world.call("PUT", "/repos/acme/sciclops-platform/topics", {"names": []}).ok
        statuses = [world.call("GET", "/orgs/acme").status_code for _ in range(3)]
        assert statuses == [200, 200, 403]
        refused = world.call("GET", "/orgs/acme")
        assert "secondary rate limit" in refused.json()["message"]
        world.clock.advance(timedelta(seconds=int(refused.headers["Retry-After"])))
        assert world.call("GET", "/orgs/acme").status_code == 200


def test_an_injected_limit_looks_like_github(world: Standin) -> None:
    world.faults.add(Fault("github", "status", "GET", status=429, seconds=3))
    refused = world.call("GET", "/orgs/acme")
    assert (refused.status_code, refused.headers["Retry-After"]) == (429, "3")
    assert set(refused.json()) == {"message", "documentation_url", "status"}
    assert "secondary rate limit" in refused.json()["message"]


def test_the_limits_are_githubs_unless_told_otherwise() -> None:
    assert Limits() == Limits(5000, 80, 500, 900)


def test_injected_faults_and_latency_reach_the_client(tmp_path: Path) -> None:
    with running(tmp_path, latency=0.05) as world:
        started = time.monotonic()
        assert world.call("GET", "/orgs/acme").ok
        assert time.monotonic() - started >= 0.05
        world.faults.add(Fault("github", "status", pattern="^POST", status=502, after_effect=True))
        with pytest.raises(GithubException):
            world.new_repo()
        assert "ada-7" in world.github.repos
