"""Unity Catalog: schemas, volumes, grants."""

from playground.terraform.overrides import EXACTLY_ONE
from playground.terraform.resource import Call, Rest, fields, given, texts, told, vanished
from playground.terraform.values import Attributes
from playground.terraform.vendor import Api, Json

_SCHEMAS = "/api/2.1/unity-catalog/schemas"
_VOLUMES = "/api/2.1/unity-catalog/volumes"


class Schema(Rest):
    """`databricks_schema`: `force_destroy` counts as it stands in the state."""

    def create(self, api: Api, planned: Attributes) -> Attributes:
        """Make it; owner and predictive optimisation need a second request."""
        made = super().create(api, planned)
        extras = given(planned, ("owner", "enable_predictive_optimization"))
        return self.update(api, {}, {**planned, **made}) if extras else made

    def update(self, api: Api, prior: Attributes, planned: Attributes) -> Attributes:
        """Change it in place; `force_destroy` alone asks the vendor nothing."""
        names = ("comment", "owner", "enable_predictive_optimization", "properties")
        wanted = given(planned, names)
        body = {name: value for name, value in wanted.items() if value != prior.get(name)}
        if "comment" not in wanted and prior.get("comment"):
            body["comment"] = ""
        found = {**planned, "id": prior.get("id") or planned["id"]}
        if body:
            api.call("PATCH", api.path(self.look, found), body)
        return self.read(api, found) or vanished()

    def delete(self, api: Api, state: Attributes) -> None:
        """Delete it; one that is not empty is refused without force."""
        query = {"force": "true"} if state.get("force_destroy") else None
        if api.find(api.path(self.look, state)) is not None:
            api.call("DELETE", api.path(self.look, state), query=query)


_AT_CREATION = ("name", "catalog_name", "comment", "storage_root", "properties")
SCHEMA = Schema(
    make=Call("POST", _SCHEMAS, fields(*_AT_CREATION)),
    look=_SCHEMAS + "/{id}",
    remove=Call("DELETE", _SCHEMAS + "/{id}"),
    facts=told(
        *_AT_CREATION, "owner", "metastore_id", "schema_id", "enable_predictive_optimization"
    ),
    id="{catalog_name}.{name}",
    import_id="{id}",
    complete=True,
)

_VOLUME = ("name", "catalog_name", "schema_name", "volume_type", "comment")


def _volume_facts(answer: Json, _state: Attributes) -> Attributes:
    path = "/Volumes/" + str(answer["full_name"]).replace(".", "/")
    return {**{name: answer.get(name) for name in (*_VOLUME, "owner")}, "volume_path": path}


VOLUME = Rest(
    make=Call("POST", _VOLUMES, fields(*_VOLUME, "storage_location")),
    look=_VOLUMES + "/{id}",
    change=Call("PATCH", _VOLUMES + "/{id}", fields("comment", "owner", new_name="name")),
    remove=Call("DELETE", _VOLUMES + "/{id}"),
    facts=_volume_facts,
    id="{catalog_name}.{schema_name}.{name}",
    import_id="{id}",
    complete=True,
)


class Grant:
    """`databricks_grant`: all privileges of one principal on one securable, and no others."""

    def create(self, api: Api, planned: Attributes) -> Attributes:
        """Make the principal's privileges exactly these."""
        kind, name = _securable(planned)
        state = {**planned, "id": f"{kind}/{name}/{planned['principal']}"}
        self._set(api, state, {_plain(each) for each in texts(planned["privileges"])})
        return self.read(api, state) or vanished()

    def read(self, api: Api, state: Attributes) -> Attributes | None:
        """Look at the privileges; none is as good as gone."""
        kind, name, principal = str(state["id"]).split("/", 2)
        privileges = self._privileges(api, state)
        if not privileges:
            return None
        found: Attributes = {"id": state["id"], "privileges": sorted(privileges)}
        return {**found, kind: name, "principal": principal}

    def update(self, api: Api, prior: Attributes, planned: Attributes) -> Attributes:
        """Make the principal's privileges exactly these."""
        state = {**planned, "id": prior["id"]}
        self._set(api, state, {_plain(each) for each in texts(planned["privileges"])})
        return self.read(api, state) or vanished()

    def delete(self, api: Api, state: Attributes) -> None:
        """Take every privilege of the principal away."""
        if api.find(_permissions(api, state)) is not None:
            self._set(api, state, set())

    def identify(self, import_id: str) -> Attributes:
        """Imports give `securable/name/principal`."""
        return {"id": import_id}

    def _privileges(self, api: Api, state: Attributes) -> set[str]:
        principal = str(state["id"]).split("/", 2)[2]
        answer = api.find(_permissions(api, state)) or {}
        return {
            privilege
            for each in answer.get("privilege_assignments", [])
            if each["principal"] == principal
            for privilege in each.get("privileges", [])
        }

    def _set(self, api: Api, state: Attributes, wanted: set[str]) -> None:
        now = self._privileges(api, state)
        if now == wanted:
            return
        change: Json = {
            "principal": str(state["id"]).split("/", 2)[2],
            "add": sorted(wanted - now),
            "remove": sorted(now - wanted),
        }
        api.call("PATCH", _permissions(api, state), {"changes": [change]})


def _plain(privilege: str) -> str:
    return privilege.upper().replace(" ", "_")


def _securable(state: Attributes) -> tuple[str, str]:
    kind = next(name for name in EXACTLY_ONE["databricks_grant"] if state.get(name) is not None)
    return kind, str(state[kind])


def _permissions(api: Api, state: Attributes) -> str:
    kind, name, _ = str(state["id"]).split("/", 2)
    vendors = {"model": "function", "foreign_connection": "connection"}.get(kind, kind)
    parts = {"kind": vendors, "name": name}
    return api.path("/api/2.1/unity-catalog/permissions/{kind}/{name}", parts)
