"""The provider's pure parts: protobuf, msgpack values, planning."""

from threading import Event, Thread
from time import monotonic

import msgpack
import pytest

from playground.terraform import planning
from playground.terraform.logins import rest_root
from playground.terraform.resource import blocks, parsed_id
from playground.terraform.schemas import Block, load
from playground.terraform.served import DATABRICKS, GITHUB
from playground.terraform.values import UNKNOWN, Attributes, decode, encode, known
from playground.terraform.vendor import Pace, VendorError
from playground.terraform.wire import Message, boolean, by_name, integer, many, one, raw, string

INNER = Message(text=string(1))
OUTER = Message(
    name=string(1),
    number=integer(2),
    flag=boolean(3),
    blob=raw(4),
    inner=one(5, INNER),
    several=many(6, INNER),
    named=by_name(7, INNER),
)


def github(name: str) -> Block:
    return load(GITHUB).resources[name]


def databricks(name: str) -> Block:
    return load(DATABRICKS).resources[name]


def empty(block: Block, **given: object) -> Attributes:
    return planning.conform(block, dict(given))


def test_a_message_survives_its_bytes() -> None:
    values = {
        "name": "Zoë",
        "number": 1 << 40,
        "flag": True,
        "blob": b"\x00\xff",
        "inner": {"text": "a"},
        "several": [{"text": "b"}, {"text": ""}],
        "named": {"x": {"text": "c"}, "y": {}},
    }
    assert OUTER.decode(OUTER.encode(values)) == values


def test_numbers_are_written_as_protobuf_writes_them() -> None:
    assert OUTER.encode({"number": 300}) == b"\x10\xac\x02"
    assert OUTER.encode({"number": -1}) == b"\x10" + b"\xff" * 9 + b"\x01"
    assert OUTER.decode(b"\x10" + b"\xff" * 9 + b"\x01") == {"number": -1}


def test_fields_that_we_do_not_know_are_skipped() -> None:
    unknown = b"\x78\x05" + b"\x7a\x01z" + b"\x79" + b"\0" * 8 + b"\x7d" + b"\0" * 4
    assert OUTER.decode(unknown + b"\x0a\x01a") == {"name": "a"}


def test_a_message_that_is_cut_off_is_refused() -> None:
    with pytest.raises(ValueError, match="ends after its message"):
        OUTER.decode(b"\x0a\x05ab")


def test_unknown_values_travel_inside_known_ones() -> None:
    value = {"a": [1, UNKNOWN, None], "b": {"c": "d"}}
    back = decode(encode(value))
    assert back == value
    assert not known(back)
    assert known({"a": [1, None]})


def test_whole_numbers_stay_whole_and_null_stays_null() -> None:
    assert encode(2.0) == {"msgpack": msgpack.packb(2)}
    assert decode(encode(None)) is None
    assert decode({"json": b'{"a": 1}'}) == {"a": 1}


def test_a_new_resource_has_defaults_and_unknowns() -> None:
    block = github("github_repository")
    planned = planning.plan(block, None, empty(block, name="x")).state
    assert planned is not None
    assert planned["allow_merge_commit"] is True
    assert planned["has_wiki"] is None
    assert planned["repo_id"] is UNKNOWN
    assert planned["pages"] == []


def test_defaults_reach_into_nested_blocks() -> None:
    block = github("github_repository_ruleset")
    rules = [{"pull_request": [{"require_code_owner_review": True}]}]
    planned = planning.plan(block, None, empty(block, name="x", rules=rules)).state
    assert planned is not None
    (inner,) = blocks(blocks(planned, "rules")[0], "pull_request")
    assert inner["require_code_owner_review"] is True
    assert inner["dismiss_stale_reviews_on_push"] is False
    assert inner["required_approving_review_count"] == 0


def test_nothing_is_planned_where_only_the_order_of_a_set_differs() -> None:
    block = databricks("databricks_grant")
    prior = empty(block, id="x", schema="a.b", principal="p", privileges=["SELECT", "MODIFY"])
    proposed = {**prior, "privileges": ["MODIFY", "SELECT"]}
    plan = planning.plan(block, prior, proposed)
    assert plan.state == prior
    assert plan.replaced_by == []


def test_a_change_in_place_renews_only_what_changes_with_it() -> None:
    block = github("github_actions_environment_variable")
    prior = empty(block, id="r:e:N", value="old", created_at="then", updated_at="then")
    plan = planning.plan(block, prior, {**prior, "value": "new"})
    assert plan.replaced_by == []
    assert plan.state is not None
    assert plan.state["updated_at"] is UNKNOWN
    assert plan.state["created_at"] == "then"


def test_a_change_that_cannot_be_made_in_place_replaces() -> None:
    block = databricks("databricks_schema")
    prior = empty(block, id="a.b", name="b", catalog_name="a", force_destroy=False)
    plan = planning.plan(block, prior, {**prior, "catalog_name": UNKNOWN})
    assert plan.replaced_by == ["catalog_name"]


def test_what_the_provider_never_compares_is_no_change() -> None:
    block = databricks("databricks_service_principal")
    prior = empty(block, id="1", external_id="old", active=True, display_name="x")
    assert planning.plan(block, prior, {**prior, "external_id": "new"}).state == prior


def test_a_vendors_empty_values_do_not_look_like_drift() -> None:
    block = github("github_repository_environment")
    ours = empty(block, environment="E", wait_timer=None, prevent_self_review=False)
    theirs = {"wait_timer": 0, "reviewers": [], "prevent_self_review": False}
    assert planning.reconcile(block, ours, theirs) == ours


def test_drift_inside_blocks_is_seen() -> None:
    block = github("github_repository_ruleset")
    ours = empty(block, name="x", rules=[{"deletion": True, "pull_request": [{}]}])
    seen = planning.reconcile(block, ours, {"rules": [{"deletion": False}]})
    assert not planning.same(block, ours, seen)
    assert seen["rules"] == [empty(block.blocks["rules"].block, deletion=False)]


def test_elements_of_a_set_are_not_mixed_up_with_each_other() -> None:
    block = databricks("databricks_permissions")
    by_group = {"group_name": "g", "permission_level": "CAN_USE"}
    by_user = {"user_name": "u", "permission_level": "CAN_USE"}
    ours = empty(block, cluster_policy_id="1", access_control=[by_group, by_user])
    seen = planning.reconcile(block, ours, {"access_control": [by_user, by_group]})
    assert seen == ours


@pytest.mark.parametrize(
    ("name", "given", "complaint"),
    [
        ("github_repository", {"visibility": "secret"}, "expected visibility to be one of"),
        ("github_repository_environment_deployment_policy", {}, "only one of"),
        (
            "github_repository_environment_deployment_policy",
            {"branch_pattern": "main", "tag_pattern": "v*"},
            "`branch_pattern,tag_pattern` were specified",
        ),
        (
            "github_repository_ruleset",
            {"bypass_actors": [{"actor_type": "Robot", "bypass_mode": "always"}]},
            "expected actor_type to be one of",
        ),
    ],
)
def test_configuration_that_the_provider_refuses(
    name: str, given: Attributes, complaint: str
) -> None:
    block = github(name)
    found = planning.faults(name, block, empty(block, **given))
    assert [sentence for _, sentence in found if complaint in sentence]


def test_what_may_yet_become_null_is_not_refused() -> None:
    block = databricks("databricks_grant")
    config = empty(block, catalog=UNKNOWN, schema=UNKNOWN, principal="p", privileges=[])
    assert planning.faults("databricks_grant", block, config) == []


def test_import_ids_are_taken_apart_or_refused_with_their_form() -> None:
    found = parsed_id("{repository}:{environment}:{variable_name}", "r:e:N:M")
    assert (found["repository"], found["environment"]) == ("r", "e")
    assert parsed_id("{scope}|||{principal}", "s|||p")["principal"] == "p"
    with pytest.raises(VendorError, match=r"expected \{repository\}:\{environment\}"):
        parsed_id("{repository}:{environment}", "only")


def test_writes_keep_their_distance_and_reads_need_none() -> None:
    pace = Pace(after_write=0.05, parallel=False)
    began = monotonic()
    for method in ("GET", "GET", "GET"):
        with pace.turn(method):
            pass
    assert monotonic() - began < 0.05
    for method in ("POST", "PATCH", "DELETE"):
        with pace.turn(method):
            pass
    assert monotonic() - began >= 0.1


def test_requests_run_one_at_a_time_unless_parallel_ones_are_allowed() -> None:
    for parallel in (False, True):
        pace = Pace(parallel=parallel)
        entered = Event()

        def enter(pace: Pace = pace, entered: Event = entered) -> None:
            with pace.turn("GET"):
                entered.set()

        other = Thread(target=enter)
        with pace.turn("GET"):
            other.start()
            assert entered.wait(5 if parallel else 0.1) is parallel
        other.join()
        assert entered.is_set()


@pytest.mark.parametrize(
    ("base_url", "root"),
    [
        ("https://api.github.com/", "https://api.github.com"),
        ("https://api.acme.ghe.com/", "https://api.acme.ghe.com"),
        ("https://ghes.acme.example/", "https://ghes.acme.example/api/v3"),
        ("http://127.0.0.1:1/api/v3/", "http://127.0.0.1:1/api/v3/api/v3"),
    ],
)
def test_the_rest_api_of_an_own_server_is_below_a_path(base_url: str, root: str) -> None:
    assert rest_root(base_url) == root
