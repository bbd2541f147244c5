"""Who exists in an account and what they may be: principals, groups, assignments, federation."""

from playground.terraform.resource import (
    Call,
    Rest,
    blocks,
    fields,
    given,
    parsed_id,
    texts,
    told,
    unless_gone,
    vanished,
)
from playground.terraform.values import Attributes
from playground.terraform.vendor import Api, Json, VendorError

_PATCH = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
_SCHEMA = "urn:ietf:params:scim:schemas:core:2.0:"
_ENTITLEMENTS = {
    "allow_cluster_create": "allow-cluster-create",
    "allow_instance_pool_create": "allow-instance-pool-create",
    "databricks_sql_access": "databricks-sql-access",
    "workspace_access": "workspace-access",
    "workspace_consume": "workspace-consume",
}


def scim(api: Api, kind: str, number: object = None) -> str:
    """Return the SCIM path of a kind, of the account or of the workspace that is configured."""
    account = api.context["account_id"]
    base = f"/api/2.0/accounts/{account}/scim/v2" if account else "/api/2.0/preview/scim/v2"
    return f"{base}/{kind}" if number is None else api.path(f"{base}/{kind}/{{n}}", {"n": number})


def _patch(operation: str, path: str, value: Json = None) -> Json:
    change = {"op": operation, "path": path} | ({} if value is None else {"value": value})
    return {"schemas": [_PATCH], "Operations": [change]}


def _entitlements(state: Attributes) -> list[Json]:
    return [{"value": word} for name, word in _ENTITLEMENTS.items() if state.get(name)]


def _told_entitlements(answer: Json) -> Attributes:
    held = {each["value"] for each in answer.get("entitlements", [])}
    return {name: word in held for name, word in _ENTITLEMENTS.items()}


class ServicePrincipal:
    """`databricks_service_principal`: at account level a destroy only deactivates by default."""

    def create(self, api: Api, planned: Attributes) -> Attributes:
        """Make it; names are not unique, so a second try makes a twin."""
        answer = api.call("POST", scim(api, "ServicePrincipals"), self._body(planned))
        return self.read(api, {"id": answer["id"]}) or vanished()

    def read(self, api: Api, state: Attributes) -> Attributes | None:
        """Look at it."""
        answer = api.find(scim(api, "ServicePrincipals", state["id"]))
        if answer is None:
            return None
        application = answer["applicationId"]
        return {
            "id": str(answer["id"]),
            "application_id": application,
            "acl_principal_id": f"servicePrincipals/{application}",
            "display_name": answer.get("displayName"),
            "external_id": answer.get("externalId"),
            "active": answer.get("active", True),
            "home": f"/Users/{application}",
            "repos": f"/Repos/{application}",
            **_told_entitlements(answer),
        }

    def update(self, api: Api, prior: Attributes, planned: Attributes) -> Attributes:
        """Replace it by what is planned; groups and roles are sent back as they are."""
        where = scim(api, "ServicePrincipals", prior["id"])
        now = api.call("GET", where)
        kept = {name: now[name] for name in ("groups", "roles", "applicationId") if name in now}
        api.call("PUT", where, {**self._body(planned), **kept})
        return self.read(api, {"id": prior["id"]}) or vanished()

    def delete(self, api: Api, state: Attributes) -> None:
        """Delete it, or only deactivate it where the flag does not say otherwise."""
        where = scim(api, "ServicePrincipals", state["id"])
        flag = state.get("disable_as_user_deletion")
        if bool(api.context["account_id"]) if flag is None else flag:
            unless_gone(lambda: api.call("PATCH", where, _patch("replace", "active", "false")))
        else:
            unless_gone(lambda: api.call("DELETE", where))

    def identify(self, import_id: str) -> Attributes:
        """Imports give the SCIM id."""
        return {"id": import_id}

    def _body(self, state: Attributes) -> Json:
        renamed = {"applicationId": "application_id", "displayName": "display_name"}
        names = fields("active", externalId="external_id", **renamed)
        words = _entitlements(state)
        return {
            "schemas": [_SCHEMA + "ServicePrincipal"],
            **names(state),
            **({"entitlements": words} if words else {}),
        }


class Group:
    """`databricks_group`; a name that is taken is an error unless `force` adopts it."""

    def create(self, api: Api, planned: Attributes) -> Attributes:
        """Make it, or adopt the one of this name."""
        body = {"schemas": [_SCHEMA + "Group"], **self._body(planned)}
        try:
            number = api.call("POST", scim(api, "Groups"), body)["id"]
        except VendorError as error:
            if error.status != 409 or not planned.get("force"):
                raise
            number = find_group(api, str(planned["display_name"]))["id"]
        return self.read(api, {"id": number}) or vanished()

    def read(self, api: Api, state: Attributes) -> Attributes | None:
        """Look at it, without its members."""
        query = {"attributes": "displayName,externalId,entitlements"}
        answer = api.find(scim(api, "Groups", state["id"]), query=query)
        if answer is None:
            return None
        name = answer["displayName"]
        return {
            "id": str(answer["id"]),
            "display_name": name,
            "external_id": answer.get("externalId"),
            "acl_principal_id": f"groups/{name}",
            "url": f"{api.root}/#setting/accounts/groups/{answer['id']}",
            **_told_entitlements(answer),
        }

    def update(self, api: Api, prior: Attributes, planned: Attributes) -> Attributes:
        """Rename it in place."""
        where = scim(api, "Groups", prior["id"])
        api.call("PATCH", where, _patch("replace", "displayName", planned["display_name"]))
        return self.read(api, {"id": prior["id"]}) or vanished()

    def delete(self, api: Api, state: Attributes) -> None:
        """Delete it."""
        unless_gone(lambda: api.call("DELETE", scim(api, "Groups", state["id"])))

    def identify(self, import_id: str) -> Attributes:
        """Imports give the SCIM id."""
        return {"id": import_id}

    def _body(self, state: Attributes) -> Json:
        words = _entitlements(state)
        names = fields(displayName="display_name", externalId="external_id")(state)
        return names | ({"entitlements": words} if words else {})


def find_group(api: Api, name: str) -> Json:
    """Return the group with this display name, as the list tells it (no members)."""
    query = {"filter": f'displayName eq "{name}"', "attributes": "id"}
    found = api.call("GET", scim(api, "Groups"), query=query).get("Resources", [])
    if not found:
        raise VendorError(f"cannot find group: {name}", 404)
    return found[0]


class GroupMember:
    """`databricks_group_member`: one member, whatever else the group holds."""

    def create(self, api: Api, planned: Attributes) -> Attributes:
        """Add the member."""
        where = scim(api, "Groups", planned["group_id"])
        members = [{"value": planned["member_id"]}]
        api.call("PATCH", where, _patch("add", "members", members))
        found = {**planned, "id": f"{planned['group_id']}|{planned['member_id']}"}
        return self.read(api, found) or vanished()

    def read(self, api: Api, state: Attributes) -> Attributes | None:
        """Look for the member."""
        where = scim(api, "Groups", state["group_id"])
        group = api.find(where, query={"attributes": "members"})
        members = {each["value"] for each in (group or {}).get("members", [])}
        if str(state["member_id"]) not in members:
            return None
        return {name: state[name] for name in ("id", "group_id", "member_id")}

    def update(self, api: Api, _prior: Attributes, planned: Attributes) -> Attributes:
        """Every attribute forces a replacement."""
        return self.create(api, planned)

    def delete(self, api: Api, state: Attributes) -> None:
        """Take the member out."""
        where = scim(api, "Groups", state["group_id"])
        path = f'members[value eq "{state["member_id"]}"]'
        unless_gone(lambda: api.call("PATCH", where, _patch("remove", path)))

    def identify(self, import_id: str) -> Attributes:
        """Imports give `group|member`."""
        return parsed_id("{group_id}|{member_id}", import_id)


class PermissionAssignment:
    """`databricks_permission_assignment`: a principal's entry to the configured workspace."""

    path = "/api/2.0/preview/permissionassignments"
    names = ("user_name", "group_name", "service_principal_name")

    def create(self, api: Api, planned: Attributes) -> Attributes:
        """Let the principal in."""
        body = {"permissions": planned["permissions"]}
        number = planned.get("principal_id")
        if number is not None:
            where = api.path(self.path + "/principals/{n}", {"n": number})
            answer = api.call("PUT", where, body)
        else:
            item = {**body, **given(planned, self.names)}
            answer = api.call("POST", self.path, {"permission_assignments": [item]})
            answer = answer["permission_assignments"][0]
        if answer.get("error"):
            raise VendorError(answer["error"])
        return self.read(api, {"id": str(answer["principal"]["principal_id"])}) or vanished()

    def read(self, api: Api, state: Attributes) -> Attributes | None:
        """Look for the principal among all assignments, as the provider does."""
        for each in api.call("GET", self.path).get("permission_assignments", []):
            principal = each["principal"]
            if str(principal["principal_id"]) == str(state["id"]):
                named = {name: principal.get(name) for name in (*self.names, "display_name")}
                number = principal["principal_id"]
                return {
                    "id": str(number),
                    "principal_id": number,
                    "permissions": each["permissions"],
                    **named,
                }
        return None

    def update(self, api: Api, prior: Attributes, planned: Attributes) -> Attributes:
        """Set another level."""
        return self.create(api, {**planned, "principal_id": prior["id"]})

    def delete(self, api: Api, state: Attributes) -> None:
        """Take the principal out of the workspace."""
        where = api.path(self.path + "/principals/{id}", state)
        unless_gone(lambda: api.call("DELETE", where))

    def identify(self, import_id: str) -> Attributes:
        """Imports give the principal's number."""
        return {"id": import_id}


_PRINCIPAL = "/api/2.0/accounts/{account_id}/servicePrincipals/{service_principal_id}"
_POLICY_FIELDS = ("audiences", "issuer", "jwks_json", "jwks_uri", "subject", "subject_claim")


class FederationPolicy(Rest):
    """`databricks_service_principal_federation_policy`: account level only."""

    def create(self, api: Api, planned: Attributes) -> Attributes:
        """Make it; its id may be chosen."""
        _needs_account(api)
        query = {"policy_id": str(planned["policy_id"])} if planned.get("policy_id") else None
        where = api.path(_PRINCIPAL + "/federationPolicies", planned)
        return _policy_facts(api.call("POST", where, _policy_body(planned), query=query), planned)

    def read(self, api: Api, state: Attributes) -> Attributes | None:
        """Look at it; the type has no `id`."""
        answer = api.find(api.path(self.look, state))
        return None if answer is None else _policy_facts(answer, state)

    def update(self, api: Api, _prior: Attributes, planned: Attributes) -> Attributes:
        """Change it in place, the subject included."""
        where = api.path(self.look, planned)
        query = {"update_mask": "description,oidc_policy"}
        return _policy_facts(api.call("PATCH", where, _policy_body(planned), query=query), planned)


def _needs_account(api: Api) -> None:
    if not api.context["account_id"]:
        raise VendorError("invalid Databricks Account configuration: account_id is not set")


def _policy_body(state: Attributes) -> Json:
    policy = state.get("oidc_policy")
    wanted = given(policy, _POLICY_FIELDS) if isinstance(policy, dict) else {}
    return {"oidc_policy": wanted, **given(state, ("description",))}


def _policy_facts(answer: Json, state: Attributes) -> Attributes:
    known = told("policy_id", "uid", "name", "create_time", "update_time", "description")
    number = {"service_principal_id": int(str(state["service_principal_id"]))}
    policy = {name: answer["oidc_policy"].get(name) for name in _POLICY_FIELDS}
    return {**known(answer, state), **number, "oidc_policy": policy}


FEDERATION_POLICY = FederationPolicy(
    make=Call("POST", ""),
    look=_PRINCIPAL + "/federationPolicies/{policy_id}",
    remove=Call("DELETE", _PRINCIPAL + "/federationPolicies/{policy_id}"),
    facts=_policy_facts,
    id="{service_principal_id},{policy_id}",
)


class RuleSet:
    """`databricks_access_control_rule_set`: authoritative, always over the latest version."""

    def create(self, api: Api, planned: Attributes) -> Attributes:
        """Replace every rule."""
        rules = [
            {"role": rule["role"], "principals": texts(rule.get("principals"))}
            for rule in blocks(planned, "grant_rules")
        ]
        return self._put(api, str(planned["name"]), rules)

    def read(self, api: Api, state: Attributes) -> Attributes | None:
        """Look at the rules."""
        query = {"name": str(state["id"]), "etag": ""}
        answer = api.find(_rule_sets(api), query=query)
        return None if answer is None else _rule_facts(answer)

    def update(self, api: Api, _prior: Attributes, planned: Attributes) -> Attributes:
        """Replace every rule."""
        return self.create(api, planned)

    def delete(self, api: Api, state: Attributes) -> None:
        """Remove every rule; the set itself stays."""
        unless_gone(lambda: self._put(api, str(state["id"]), []))

    def identify(self, import_id: str) -> Attributes:
        """Imports give the rule set's name."""
        return {"id": import_id, "name": import_id}

    def _put(self, api: Api, name: str, rules: list[Json]) -> Attributes:
        latest = api.call("GET", _rule_sets(api), query={"name": name, "etag": ""})["etag"]
        rule_set = {"name": name, "etag": latest, "grant_rules": rules}
        answer = api.call("PUT", _rule_sets(api), {"name": name, "rule_set": rule_set})
        return _rule_facts({"name": name, **answer})


def _rule_sets(api: Api) -> str:
    account = api.context["account_id"]
    middle = f"{account}/access-control" if account else "access-control"
    return f"/api/2.0/preview/accounts/{middle}/rule-sets"


def _rule_facts(answer: Json) -> Attributes:
    # The provider stores no version: it always takes the latest.
    rules = [
        {"role": rule["role"], "principals": rule.get("principals", [])}
        for rule in answer.get("grant_rules", [])
    ]
    return {"id": answer["name"], "name": answer["name"], "etag": "", "grant_rules": rules}
