"""What the account knows about itself: workspaces, metastore, budget policies."""

from typing import Any
from uuid import uuid4

from playground.databricks.assignments import workspace_by_id
from playground.databricks.call import Call, Json, Route, millis, objects
from playground.databricks.errors import api_error, invalid, missing
from playground.databricks.state import BudgetPolicy, Workspace

BASE = "/api/2.0/accounts/{account_id}"
BUDGETS = "/api/2.1/accounts/{account_id}/budget-policies"
TAGS_EACH = 20


def written(call: Call, workspace: Workspace) -> Json:
    """Return a workspace as the account writes it."""
    return {
        "account_id": call.world.account_id,
        "workspace_id": workspace.id,
        "workspace_name": workspace.name,
        "deployment_name": workspace.name,
        "workspace_status": "RUNNING",
        "workspace_status_message": "Workspace is running.",
        "creation_time": millis(workspace.created),
        "aws_region": "us-east-1",
        "cloud": "aws",
        "pricing_tier": "ENTERPRISE",
    }


def list_workspaces(call: Call) -> Any:
    """List all workspaces; the vendor answers with a bare array."""
    return [written(call, each) for each in call.world.workspaces.values()]


def get_workspace(call: Call) -> Json:
    """Return one workspace."""
    return written(call, workspace_by_id(call))


def metastore_of_workspace(call: Call) -> Json:
    """Return which metastore a workspace uses."""
    workspace = workspace_by_id(call)
    return {
        "metastore_assignment": {
            "workspace_id": workspace.id,
            "metastore_id": call.world.metastore.id,
        }
    }


def budget(policy: BudgetPolicy) -> Json:
    """Return a budget policy as the API writes it."""
    return {
        "policy_id": policy.policy_id,
        "policy_name": policy.name,
        "binding_workspace_ids": policy.workspace_ids,
        "custom_tags": policy.tags,
    }


def create_budget(call: Call) -> Json:
    """Create a budget policy; a repeated `request_id` returns the first one."""
    request_id, body = call.optional_text("request_id"), call.body.get("policy")
    if not isinstance(body, dict):
        raise invalid("Missing required field: policy")
    for policy in call.world.budget_policies.values():
        if request_id and policy.request_id == request_id:
            return budget(policy)
    policy = BudgetPolicy(str(uuid4()), "", [], [], request_id)
    _fill(call, policy, body)
    call.world.budget_policies[policy.policy_id] = policy
    return budget(policy)


def _fill(call: Call, policy: BudgetPolicy, body: Json) -> None:
    name, ids, tags = body.get("policy_name"), _ids(call, body), objects(body, "custom_tags")
    if not isinstance(name, str) or not name:
        raise invalid("Missing required field: policy.policy_name")
    others = (each for each in call.world.budget_policies.values() if each is not policy)
    if any(each.name == name for each in others):
        raise api_error(409, "ALREADY_EXISTS", f"Budget policy with name {name} already exists.")
    _refuse_bad_tags(tags)
    policy.name, policy.workspace_ids, policy.tags = name, ids, tags


def _ids(call: Call, body: Json) -> list[int]:
    raw = body.get("binding_workspace_ids") or []
    if not isinstance(raw, list):
        raise invalid("binding_workspace_ids must be a list of numbers.")
    ids = [int(each) for each in raw if str(each).isdecimal()]
    if unknown := [each for each in raw if str(each) not in map(str, call.world.workspaces)]:
        raise invalid(f"Workspaces {unknown} do not exist in this account.")
    return ids


def _refuse_bad_tags(tags: list[Json]) -> None:
    if len(tags) > TAGS_EACH:
        raise invalid(f"A budget policy has at most {TAGS_EACH} tags.")
    keys = [each.get("key") for each in tags]
    if not all(isinstance(key, str) and key for key in keys) or len(set(keys)) < len(keys):
        raise invalid("custom_tags need keys, each once.")


def find_budget(call: Call) -> BudgetPolicy:
    """Return the budget policy of the path, or refuse."""
    policy = call.world.budget_policies.get(call.path["policy_id"])
    if policy is None:
        raise missing(f"Budget policy {call.path['policy_id']} does not exist.")
    return policy


def update_budget(call: Call) -> Json:
    """Replace a budget policy's settings."""
    policy = find_budget(call)
    _fill(call, policy, call.body)
    return budget(policy)


def list_budgets(call: Call) -> Json:
    """List budget policies by name."""
    ordered = sorted(call.world.budget_policies.values(), key=lambda policy: policy.name)
    return call.paged("policies", [budget(each) for each in ordered], "page_size", 1000)


def delete_budget(call: Call) -> Json:
    """Delete a budget policy and its rule set."""
    policy = find_budget(call)
    name = f"accounts/{call.world.account_id}/budgetPolicies/{policy.policy_id}/ruleSets/default"
    call.world.rule_sets.pop(name, None)
    del call.world.budget_policies[policy.policy_id]
    return {}


ROUTES = (
    Route("GET", f"{BASE}/workspaces", list_workspaces, "account admin", "account"),
    Route("GET", f"{BASE}/workspaces/{{workspace_id}}", get_workspace, "account admin", "account"),
    Route(
        "GET", f"{BASE}/workspaces/{{workspace_id}}/metastore", metastore_of_workspace,
        "account admin", "account",
    ),
    Route("POST", BUDGETS, create_budget, "account admin", "account"),
    Route("GET", BUDGETS, list_budgets, "account admin", "account"),
    Route("GET", f"{BUDGETS}/{{policy_id}}", lambda call: budget(find_budget(call)),
          "account admin", "account"),
    Route("PATCH", f"{BUDGETS}/{{policy_id}}", update_budget, "account admin", "account"),
    Route("DELETE", f"{BUDGETS}/{{policy_id}}", delete_budget, "account admin", "account"),
)  # fmt: skip
