"""Environments of a repository: protection, deployment branches, variables."""

from playground.terraform.resource import (
    Call,
    Rest,
    block,
    blocks,
    fields,
    told,
    vanished,
)
from playground.terraform.values import Attributes
from playground.terraform.vendor import Api, Json, VendorError

_ENVIRONMENT = "/repos/{owner}/{repository}/environments/{environment}"


def _environment_body(state: Attributes) -> Json:
    switches = ("can_admins_bypass", "prevent_self_review")
    body: Attributes = {name: bool(state.get(name)) for name in switches}
    if state.get("wait_timer"):
        body["wait_timer"] = state["wait_timer"]
    reviewers = [
        {"type": kind, "id": each}
        for reviewers in blocks(state, "reviewers")
        for kind, name in (("Team", "teams"), ("User", "users"))
        for each in _numbers(reviewers.get(name))
    ]
    policy = block(state, "deployment_branch_policy")
    return {
        **body,
        **({"reviewers": reviewers} if blocks(state, "reviewers") else {}),
        **({"deployment_branch_policy": policy} if policy else {}),
    }


def _numbers(value: object) -> list[int]:
    return [int(each) for each in value] if isinstance(value, list) else []


def _environment_facts(answer: Json, _state: Attributes) -> Attributes:
    policy = answer.get("deployment_branch_policy")
    facts: Attributes = {
        "wait_timer": 0,
        "reviewers": [],
        "prevent_self_review": False,
        "deployment_branch_policy": [policy] if policy else [],
    }
    if "can_admins_bypass" in answer:
        facts["can_admins_bypass"] = answer["can_admins_bypass"]
    for rule in answer.get("protection_rules", []):
        if rule["type"] == "wait_timer":
            facts["wait_timer"] = rule["wait_timer"]
        elif rule["type"] == "required_reviewers":
            facts["reviewers"] = [_reviewers(rule.get("reviewers", []))]
            facts["prevent_self_review"] = rule.get("prevent_self_review", False)
    return facts


def _reviewers(reviewers: list[Json]) -> Attributes:
    return {
        name: [each["reviewer"]["id"] for each in reviewers if each["type"] == kind]
        for kind, name in (("Team", "teams"), ("User", "users"))
    }


ENVIRONMENT = Rest(
    make=Call("PUT", _ENVIRONMENT, _environment_body),
    change=Call("PUT", _ENVIRONMENT, _environment_body),
    look=_ENVIRONMENT,
    remove=Call("DELETE", _ENVIRONMENT),
    facts=_environment_facts,
    id="{repository}:{environment}",
)


class DeploymentPolicy(Rest):
    """`github_repository_environment_deployment_policy`: branch and tag are different kinds."""

    def update(self, api: Api, prior: Attributes, planned: Attributes) -> Attributes:
        """Change the pattern; the vendor's id is the last part of ours."""
        number = str(prior["id"]).rpartition(":")[2]
        where = api.path(_POLICIES + "/{number}", {**planned, "number": number})
        answer = api.call("PUT", where, {"name": _pattern(planned)})
        return {"id": _policy_id(planned, answer["id"]), **_policy_facts(answer, planned)}

    def read(self, api: Api, state: Attributes) -> Attributes | None:
        """Look at it."""
        number = str(state["id"]).rpartition(":")[2]
        answer = api.find(api.path(_POLICIES + "/{number}", {**state, "number": number}))
        return None if answer is None else {"id": state["id"], **_policy_facts(answer, state)}

    def create(self, api: Api, planned: Attributes) -> Attributes:
        """Make it; 404 where the environment does not allow custom policies."""
        answer = self.make.send(api, planned)
        found = {**planned, "id": _policy_id(planned, answer["id"])}
        return self.read(api, found) or vanished()

    def delete(self, api: Api, state: Attributes) -> None:
        """Remove it."""
        super().delete(api, {**state, "number": str(state["id"]).rpartition(":")[2]})


def _pattern(state: Attributes) -> object:
    branch = state.get("branch_pattern")
    return state.get("tag_pattern") if branch is None else branch


def _policy_id(state: Attributes, number: object) -> str:
    return f"{state['repository']}:{state['environment']}:{number}"


def _policy_facts(answer: Json, state: Attributes) -> Attributes:
    kind = "tag_pattern" if answer.get("type") == "tag" else "branch_pattern"
    known = {name: state[name] for name in ("repository", "environment")}
    return {**known, "branch_pattern": None, "tag_pattern": None, kind: answer["name"]}


def _policy_body(state: Attributes) -> Json:
    kind = "tag" if state.get("branch_pattern") is None else "branch"
    return {"name": _pattern(state), "type": kind}


_POLICIES = f"{_ENVIRONMENT}/deployment-branch-policies"
DEPLOYMENT_POLICY = DeploymentPolicy(
    make=Call("POST", _POLICIES, _policy_body),
    look=_POLICIES + "/{number}",
    remove=Call("DELETE", _POLICIES + "/{number}"),
    facts=_policy_facts,
    id="{repository}:{environment}:{number}",
)


class Variable(Rest):
    """`github_actions_environment_variable`: an existing variable is adopted and overwritten."""

    def create(self, api: Api, planned: Attributes) -> Attributes:
        """Make it, or change the one that is there."""
        try:
            return super().create(api, planned)
        except VendorError as error:
            if error.status != 409:
                raise
        return self.update(api, {**planned, "id": ""}, planned)


_VARIABLE = f"{_ENVIRONMENT}/variables/{{variable_name}}"
VARIABLE = Variable(
    make=Call("POST", f"{_ENVIRONMENT}/variables", fields("value", name="variable_name")),
    change=Call("PATCH", _VARIABLE, fields("value", name="variable_name")),
    look=_VARIABLE,
    remove=Call("DELETE", _VARIABLE),
    facts=told("value", "created_at", "updated_at"),
    id="{repository}:{environment}:{variable_name}",
)
