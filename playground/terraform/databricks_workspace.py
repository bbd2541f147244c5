"""What lives in a workspace, and budget policies: cluster policies, permissions, secrets."""

from playground.terraform.overrides import EXACTLY_ONE
from playground.terraform.resource import (
    Call,
    Rest,
    blocks,
    fields,
    given,
    parsed_id,
    told,
    unless_gone,
    vanished,
)
from playground.terraform.values import Attributes
from playground.terraform.vendor import Api, Json, VendorError

_POLICIES = "/api/2.0/policies/clusters"
_POLICY_FIELDS = (
    "name", "definition", "description", "max_clusters_per_user", "policy_family_id",
    "policy_family_definition_overrides",
)  # fmt: skip


class ClusterPolicy:
    """`databricks_cluster_policy`: own definition, or overrides of a policy family's."""

    def create(self, api: Api, planned: Attributes) -> Attributes:
        """Make it."""
        answer = api.call("POST", f"{_POLICIES}/create", self._body(planned))
        return self.read(api, {"id": answer["policy_id"]}) or vanished()

    def read(self, api: Api, state: Attributes) -> Attributes | None:
        """Look at it; a family's definition is merged by the vendor."""
        answer = api.find(f"{_POLICIES}/get", query={"policy_id": str(state["id"])})
        if answer is None:
            return None
        known = {name: answer.get(name) for name in _POLICY_FIELDS}
        return {"id": answer["policy_id"], "policy_id": answer["policy_id"], **known}

    def update(self, api: Api, prior: Attributes, planned: Attributes) -> Attributes:
        """Replace it in place."""
        body = {"policy_id": prior["id"], **self._body(planned)}
        api.call("POST", f"{_POLICIES}/edit", body)
        return self.read(api, {"id": prior["id"]}) or vanished()

    def delete(self, api: Api, state: Attributes) -> None:
        """Delete it."""
        body = {"policy_id": state["id"]}
        unless_gone(lambda: api.call("POST", f"{_POLICIES}/delete", body))

    def identify(self, import_id: str) -> Attributes:
        """Imports give the policy's id."""
        return {"id": import_id}

    def _body(self, state: Attributes) -> Json:
        if blocks(state, "libraries"):
            raise VendorError("the playground's provider does not manage `libraries`")
        body = given(state, _POLICY_FIELDS)
        if "policy_family_id" in body:
            body.pop("definition", None)  # computed from the family: never sent beside it
        return body


_OBJECTS = {
    "cluster_policy_id": "cluster-policies",
    "job_id": "jobs",
    "pipeline_id": "pipelines",
}


class Permissions:
    """`databricks_permissions`: authoritative; workspace admins are not listed."""

    def create(self, api: Api, planned: Attributes) -> Attributes:
        """Set the whole access list of one object."""
        field = next(
            name for name in EXACTLY_ONE["databricks_permissions"] if planned.get(name) is not None
        )
        if field not in _OBJECTS:
            raise VendorError(f"the playground's provider does not manage `{field}`")
        state = {**planned, "id": f"/{_OBJECTS[field]}/{planned[field]}"}
        rules = [
            {key: value for key, value in rule.items() if value}
            for rule in blocks(planned, "access_control")
        ]
        api.call("PUT", _permissions(state), {"access_control_list": rules})
        return self.read(api, state) or vanished()

    def read(self, api: Api, state: Attributes) -> Attributes | None:
        """Look at what is granted directly, inherited rights of admins left out."""
        answer = api.find(_permissions(state))
        if answer is None:
            return None
        kind, number = str(state["id"]).strip("/").split("/", 1)
        field = next(name for name, path in _OBJECTS.items() if path == kind)
        rules = [rule for each in answer["access_control_list"] for rule in _direct(each)]
        facts = {"id": state["id"], field: number, "access_control": rules}
        return facts | {"object_type": answer.get("object_type")}

    def update(self, api: Api, _prior: Attributes, planned: Attributes) -> Attributes:
        """Set the whole access list."""
        return self.create(api, planned)

    def delete(self, api: Api, state: Attributes) -> None:
        """Take every direct right away."""
        body: Json = {"access_control_list": []}
        unless_gone(lambda: api.call("PUT", _permissions(state), body))

    def identify(self, import_id: str) -> Attributes:
        """Imports give `/kind/id`."""
        return {"id": import_id}


def _permissions(state: Attributes) -> str:
    return f"/api/2.0/permissions{state['id']}"


def _direct(entry: Json) -> list[Attributes]:
    names = ("user_name", "group_name", "service_principal_name")
    who = {name: entry[name] for name in names if entry.get(name)}
    if who.get("group_name") == "admins":
        return []
    return [
        {**who, "permission_level": each["permission_level"]}
        for each in entry.get("all_permissions", [])
        if not each.get("inherited")
    ]


class SecretScope:
    """`databricks_secret_scope`: the vendor has no way to read one, only to list all."""

    def create(self, api: Api, planned: Attributes) -> Attributes:
        """Make it."""
        body = fields("initial_manage_principal", scope="name")(planned)
        api.call("POST", "/api/2.0/secrets/scopes/create", body)
        return self.read(api, {"id": planned["name"]}) or vanished()

    def read(self, api: Api, state: Attributes) -> Attributes | None:
        """Look for it in the list."""
        for scope in api.call("GET", "/api/2.0/secrets/scopes/list").get("scopes", []):
            if scope["name"] == state["id"]:
                backend = scope.get("backend_type")
                return {"id": scope["name"], "name": scope["name"], "backend_type": backend}
        return None

    def update(self, _api: Api, prior: Attributes, planned: Attributes) -> Attributes:
        """Every attribute forces a replacement."""
        raise VendorError(f"secret scope {prior['id']} cannot be changed to {planned['name']}")

    def delete(self, api: Api, state: Attributes) -> None:
        """Delete it with its secrets."""
        body = {"scope": state["id"]}
        unless_gone(lambda: api.call("POST", "/api/2.0/secrets/scopes/delete", body))

    def identify(self, import_id: str) -> Attributes:
        """Imports give the name."""
        return {"id": import_id}


class SecretAcl:
    """`databricks_secret_acl`: one principal's right on one scope."""

    def create(self, api: Api, planned: Attributes) -> Attributes:
        """Grant it."""
        body = fields("scope", "principal", "permission")(planned)
        api.call("POST", "/api/2.0/secrets/acls/put", body)
        found = {**planned, "id": f"{planned['scope']}|||{planned['principal']}"}
        return self.read(api, found) or vanished()

    def read(self, api: Api, state: Attributes) -> Attributes | None:
        """Look at it."""
        who = {name: str(state[name]) for name in ("scope", "principal")}
        answer = api.find("/api/2.0/secrets/acls/get", query=who)
        if answer is None:
            return None
        return {"id": state["id"], **who, "permission": answer["permission"]}

    def update(self, api: Api, _prior: Attributes, planned: Attributes) -> Attributes:
        """Every attribute forces a replacement."""
        return self.create(api, planned)

    def delete(self, api: Api, state: Attributes) -> None:
        """Take it away."""
        body = fields("scope", "principal")(state)
        unless_gone(lambda: api.call("POST", "/api/2.0/secrets/acls/delete", body))

    def identify(self, import_id: str) -> Attributes:
        """Imports give `scope|||principal`."""
        return parsed_id("{scope}|||{principal}", import_id)


_BUDGETS = "/api/2.1/accounts/{account_id}/budget-policies"


def _budget(state: Attributes) -> Json:
    return given(state, ("policy_name", "binding_workspace_ids", "custom_tags"))


class BudgetPolicy(Rest):
    """`databricks_budget_policy`: account level; the type has no `id`."""

    def create(self, api: Api, planned: Attributes) -> Attributes:
        """Make it."""
        body = {"policy": _budget(planned)}
        answer = api.call("POST", api.path(_BUDGETS, {}), body)
        return self.facts(answer, planned)

    def read(self, api: Api, state: Attributes) -> Attributes | None:
        """Look at it."""
        answer = api.find(api.path(self.look, state))
        return None if answer is None else self.facts(answer, state)

    def update(self, api: Api, _prior: Attributes, planned: Attributes) -> Attributes:
        """Change it in place."""
        answer = api.call("PATCH", api.path(self.look, planned), _budget(planned))
        return self.facts(answer, planned)


BUDGET_POLICY = BudgetPolicy(
    make=Call("POST", _BUDGETS),
    look=_BUDGETS + "/{policy_id}",
    remove=Call("DELETE", _BUDGETS + "/{policy_id}"),
    facts=told("policy_id", "policy_name", "binding_workspace_ids", "custom_tags"),
    id="{policy_id}",
)
