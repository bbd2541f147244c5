"""The check against GitHub's OpenAPI description: it is on, and it catches what is wrong."""

import gzip
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from github_standin import Standin, running

from playground.github import openapi, payloads_repo
from playground.github.calls import Refusal
from playground.github.endpoints import OPERATIONS
from playground.github.openapi_subset import subset
from playground.github.world import Json

REPO = "/repos/{owner}/{repo}"


@pytest.fixture
def world(tmp_path: Path) -> Iterator[Standin]:
    with running(tmp_path) as standin:
        yield standin


def a_repository(world: Standin) -> Json:
    here = world.github
    return payloads_repo.full_repository(
        here.root, here.world, here.repos["sciclops-platform"], "admin"
    )


def answer(body: object, status: int = 200) -> str | None:
    return openapi.description().answer_problem("GET", REPO, status, body)


def test_a_whole_repository_passes(world: Standin) -> None:
    assert answer(a_repository(world)) is None


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"id": "7"}, "/id: '7' is not of type 'integer'"),
        ({"owner": {"login": "acme"}}, "/owner: "),
        ({"archived": None}, "/archived: None is not of type 'boolean'"),
        ({"created_at": "yesterday"}, "/created_at: 'yesterday' is not a 'date-time'"),
        ({"url": "nowhere"}, "/url: 'nowhere' is not a 'uri'"),
        ({"permissions": {"admin": True}}, "/permissions: 'pull' is a required property"),
    ],
)
def test_a_wrong_field_is_found_with_its_pointer(
    world: Standin, changes: Json, pointer: str
) -> None:
    problem = answer(a_repository(world) | changes)
    assert problem is not None
    assert problem.startswith(pointer)


def test_a_missing_field_a_wrong_status_and_a_needless_body_are_found(world: Standin) -> None:
    whole = a_repository(world)
    del whole["node_id"]
    assert answer(whole) == "/: 'node_id' is a required property"
    assert answer(a_repository(world), 201) is not None
    assert answer({"message": 7}, 429) is not None
    assert answer(Refusal(429, "slow down").body, 429) is None
    description = openapi.description()
    assert description.answer_problem("DELETE", REPO, 204, {}) is not None
    assert description.answer_problem("DELETE", REPO, 204, None) is None


def test_a_null_passes_only_where_github_allows_it(world: Standin) -> None:
    assert answer(a_repository(world) | {"description": None}) is None
    assert answer(a_repository(world) | {"name": None}) is not None


def test_a_sabotaged_answer_never_reaches_the_client(world: Standin) -> None:
    world.github.repos["sciclops-platform"].settings["has_wiki"] = "maybe"
    broken = world.call("GET", "/repos/acme/sciclops-platform")
    assert broken.status_code == 500
    assert "/has_wiki: 'maybe' is not of type 'boolean'" in broken.json()["message"]
    assert len(world.github.violations) == 1
    assert world.github.violations[0].startswith(f"answer GET {REPO} 200 /has_wiki")


def test_a_request_that_breaks_the_description_is_refused_and_recorded(world: Standin) -> None:
    refused = world.call("POST", "/orgs/acme/repos", {"name": 7})
    assert refused.status_code == 422
    assert "/name: 7 is not of type 'string'" in refused.json()["message"]
    assert world.github.violations == [
        "request POST /orgs/{org}/repos /name: 7 is not of type 'string'"
    ]
    assert world.call("POST", "/orgs/acme/repos").status_code == 422
    assert set(world.github.repos) == {"sciclops-platform"}


def test_a_body_that_is_not_json_is_a_bad_request(world: Standin) -> None:
    url = f"{world.github.base_url}/orgs/acme/repos"
    headers = {"Authorization": f"Bearer {world.github.installation_token()}"}
    answered = world.session.post(url, data="{", headers=headers, timeout=10)
    assert answered.status_code == 400
    assert answered.json()["message"] == "Problems parsing JSON"


def test_what_no_endpoint_serves_is_not_found_and_recorded(world: Standin) -> None:
    assert world.call("GET", "/orgs/acme/hooks").status_code == 404
    assert world.call("PATCH", "/orgs/acme/teams").status_code == 404
    assert world.github.unknown_calls == [
        "GET /api/v3/orgs/acme/hooks",
        "PATCH /api/v3/orgs/acme/teams",
    ]


def test_every_operation_is_described_and_its_refusals_can_be_said() -> None:
    description = openapi.description()
    for operation in OPERATIONS:
        for status in (400, 401, 403, 404, 409, 422, 429):
            body = Refusal(status, "no").body
            problem = description.answer_problem(operation.method, operation.path, status, body)
            assert problem is None, (operation, status)
    assert len(OPERATIONS) == len({(o.method, o.path) for o in OPERATIONS})


def test_the_subset_is_its_own_subset() -> None:
    content = json.loads(gzip.decompress(openapi.DESCRIPTION.read_bytes()))
    served = [(operation.method, operation.path) for operation in OPERATIONS]
    assert subset(content, served) == content
    assert subset(content, served[:1])["components"] != content["components"]


def test_the_licence_of_the_description_lies_beside_it() -> None:
    licence = openapi.DESCRIPTION.with_name("openapi.LICENSE").read_text()
    assert licence.startswith("MIT License")
