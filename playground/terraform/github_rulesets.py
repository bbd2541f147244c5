"""`github_repository_ruleset`: rules are a list of typed objects at GitHub, one block here."""

from typing import Any

from playground.terraform.resource import Call, Rest, block, blocks, texts
from playground.terraform.values import Attributes
from playground.terraform.vendor import Json, VendorError

_PLAIN = (
    "creation",
    "deletion",
    "non_fast_forward",
    "required_linear_history",
    "required_signatures",
)
_PATTERNS = (
    "branch_name_pattern", "commit_author_email_pattern", "commit_message_pattern",
    "committer_email_pattern", "tag_name_pattern",
)  # fmt: skip
_UNSUPPORTED = (
    "file_extension_restriction", "file_path_restriction", "max_file_path_length", "max_file_size",
    "merge_queue", "required_code_scanning", "required_deployments",
)  # fmt: skip
_PULL_REQUEST = (
    "dismiss_stale_reviews_on_push", "require_code_owner_review", "require_last_push_approval",
    "required_approving_review_count", "required_review_thread_resolution",
)  # fmt: skip


def _body(state: Attributes) -> Json:
    body: dict[str, Any] = {name: state[name] for name in ("name", "target", "enforcement")}
    body["bypass_actors"] = [
        {key: actor.get(key) for key in ("actor_id", "actor_type", "bypass_mode")}
        for actor in blocks(state, "bypass_actors")
    ]
    names = block(block(state, "conditions") or {}, "ref_name")
    if names is not None:
        body["conditions"] = {
            "ref_name": {key: texts(names.get(key)) for key in ("include", "exclude")}
        }
    body["rules"] = _rules(block(state, "rules") or {})
    return body


def _rules(wanted: Attributes) -> list[Json]:
    for name in _UNSUPPORTED:
        if blocks(wanted, name):
            raise VendorError(f"the playground's provider does not manage the rule {name}")
    rules: list[Json] = [{"type": name} for name in _PLAIN if wanted.get(name)]
    if wanted.get("update"):
        merges = bool(wanted.get("update_allows_fetch_and_merge"))
        parameters = {"update_allows_fetch_and_merge": merges}
        rules.append({"type": "update"} | ({"parameters": parameters} if merges else {}))
    rules += [_pattern(name, each) for name in _PATTERNS for each in blocks(wanted, name)]
    for each in blocks(wanted, "pull_request"):
        reviews = {name: each.get(name) for name in _PULL_REQUEST}
        rules.append({"type": "pull_request", "parameters": reviews})
    rules += [_status_checks(each) for each in blocks(wanted, "required_status_checks")]
    return rules


def _pattern(name: str, wanted: Attributes) -> Json:
    parameters = {key: wanted[key] for key in ("operator", "pattern")}
    parameters["negate"] = bool(wanted.get("negate"))
    if wanted.get("name"):
        parameters["name"] = wanted["name"]
    return {"type": name, "parameters": parameters}


def _status_checks(wanted: Attributes) -> Json:
    checks = []
    for check in blocks(wanted, "required_check"):
        integration = check.get("integration_id")
        pinned = {"integration_id": integration} if integration else {}
        checks.append({"context": check["context"], **pinned})
    strict = "strict_required_status_checks_policy"
    parameters = {
        "required_status_checks": checks,
        strict: bool(wanted.get(strict)),
        "do_not_enforce_on_create": bool(wanted.get("do_not_enforce_on_create")),
    }
    return {"type": "required_status_checks", "parameters": parameters}


def _facts(answer: Json, state: Attributes) -> Attributes:
    facts: Attributes = {name: answer[name] for name in ("name", "target", "enforcement")}
    facts |= {"node_id": answer.get("node_id"), "ruleset_id": answer["id"]}
    facts["repository"] = state["repository"]
    facts["bypass_actors"] = _same_order(answer.get("bypass_actors") or [], state)
    names = (answer.get("conditions") or {}).get("ref_name")
    facts["conditions"] = [{"ref_name": [names]}] if names else []
    facts["rules"] = [_flattened(answer.get("rules") or [])]
    return facts


def _same_order(actors: list[Json], state: Attributes) -> list[Json]:
    """The provider ignores the order in which GitHub lists the bypass actors."""
    wanted = [
        (each.get("actor_type"), each.get("actor_id")) for each in blocks(state, "bypass_actors")
    ]

    def position(actor: Json) -> int:
        key = (actor["actor_type"], actor["actor_id"])
        return wanted.index(key) if key in wanted else len(wanted)

    return sorted(actors, key=position)


def _flattened(rules: list[Json]) -> Attributes:
    flat: Attributes = dict.fromkeys((*_PLAIN, "update"), False)
    flat |= {name: [] for name in (*_PATTERNS, "pull_request", "required_status_checks")}
    for rule in rules:
        kind, parameters = rule["type"], rule.get("parameters") or {}
        if kind in _PLAIN or kind == "update":
            flat |= {kind: True, **(parameters if kind == "update" else {})}
        elif kind == "pull_request":
            flat[kind] = [{name: parameters[name] for name in _PULL_REQUEST}]
        elif kind == "required_status_checks":
            flat[kind] = [_flat_checks(parameters)]
        elif kind in _PATTERNS:
            flat[kind] = [parameters]
    return flat


def _flat_checks(parameters: Json) -> Attributes:
    flat = {key: value for key, value in parameters.items() if key != "required_status_checks"}
    flat["required_check"] = [
        {"context": check["context"], "integration_id": check.get("integration_id") or 0}
        for check in parameters["required_status_checks"]
    ]
    return flat


_ALL = "/repos/{owner}/{repository}/rulesets"
_ONE = _ALL + "/{id}"

RULESET = Rest(
    make=Call("POST", _ALL, _body),
    look=_ONE,
    change=Call("PUT", _ONE, _body),
    remove=Call("DELETE", _ONE),
    facts=_facts,
    id="{ruleset_id}",
    import_id="{repository}:{id}",
    complete=True,
)
