"""Registered models of Unity Catalog with their aliases, and versions as its own API knows them."""

from typing import Any

from playground.databricks.call import Call, Json, Route, millis
from playground.databricks.deployed import ModelVersion
from playground.databricks.errors import denied, invalid, missing
from playground.databricks.grants import BASE
from playground.databricks.privileges import find as find_securable
from playground.databricks.privileges import may_see, owns, require, require_reach
from playground.databricks.state import Securable
from playground.databricks.unity_catalog import list_in, new, stored, update, written

MODELS = f"{BASE}/models"
ONE = f"{MODELS}/{{full_name}}"


def find(call: Call, full_name: str) -> Securable:
    """Return a model that the caller may see, or refuse."""
    model = call.world.securables.get(("MODEL", full_name.lower()))
    if model is None:
        raise missing(f"Registered model '{full_name}' does not exist.")
    require_reach(call.world, call.caller, model)
    if not may_see(call.world, call.caller, model):
        raise denied(f"User does not have permission to view Model '{model.full_name}'.")
    return model


def find_own(call: Call, full_name: str) -> Securable:
    """Return a model that the caller owns, or refuse."""
    model = find(call, full_name)
    if not owns(call.world, call.caller, model):
        raise denied(f"User is not an owner of Model '{model.full_name}'.")
    return model


def find_version(model: Securable, raw: Any) -> ModelVersion:
    """Return a version of a model, or refuse."""
    version = model.versions.get(int(raw)) if str(raw).isdecimal() else None
    if version is None:
        raise missing(f"Model version '{model.full_name}' version {raw} does not exist.")
    return version


def described(call: Call, model: Securable) -> Json:
    """Return a model as the API writes it."""
    known = written(call, model)
    known["storage_location"] = f"s3://acme-metastore/{call.world.metastore.id}/models/{model.id}"
    if call.flag("include_aliases") and model.aliases:
        known["aliases"] = [_alias(name, number) for name, number in model.aliases.items()]
    return known


def _alias(name: str, number: int) -> Json:
    return {"alias_name": name, "version_num": number}


def create(call: Call) -> Json:
    """Create a model in a schema."""
    parent = find_securable(
        call.world, "SCHEMA", f"{call.text('catalog_name')}.{call.text('schema_name')}"
    )
    require_reach(call.world, call.caller, parent)
    require(call.world, call.caller, parent, "USE_SCHEMA", "CREATE_MODEL")
    model = new(call, "MODEL", parent)
    stored(call, model)
    return described(call, model)


def get(call: Call) -> Json:
    """Return one model."""
    return described(call, find(call, call.path["full_name"]))


def list_models(call: Call) -> Json:
    """List the visible models of a schema."""
    schema = f"{call.asked('catalog_name')}.{call.asked('schema_name')}"
    parent = find_securable(call.world, "SCHEMA", schema)
    require_reach(call.world, call.caller, parent)
    names = [f"{parent.full_name}.{each['name']}" for each in list_in(call, "MODEL", schema)]
    found = [described(call, call.world.securables[("MODEL", name)]) for name in names]
    return call.paged("registered_models", found, "max_results", 1000)


def change(call: Call) -> Json:
    """Change a model's comment, owner or name."""
    model = find(call, call.path["full_name"])
    update(call, "MODEL")
    return described(call, model)


def delete(call: Call) -> Json:
    """Delete a model with all its versions."""
    model = find_own(call, call.path["full_name"])
    del call.world.securables[("MODEL", model.full_name)]
    return {}


def version_info(model: Securable, version: ModelVersion) -> Json:
    """Return a version as Unity Catalog's API writes it; its tags are MLflow's."""
    catalog, schema, name = model.full_name.split(".")
    aliases = [n for n, number in model.aliases.items() if number == version.version]
    return {
        "catalog_name": catalog,
        "schema_name": schema,
        "model_name": name,
        "version": version.version,
        "status": version.status,
        "comment": version.description,
        "source": version.source,
        "created_at": millis(version.created),
        "created_by": version.creator,
        "aliases": [_alias(each, version.version) for each in aliases],
    }


def _version(call: Call) -> tuple[Securable, ModelVersion]:
    model = find(call, call.path["full_name"])
    return model, find_version(model, call.path["version"])


def list_versions(call: Call) -> Json:
    """List a model's versions, newest first."""
    model = find(call, call.path["full_name"])
    found = [version_info(model, each) for each in reversed(model.versions.values())]
    return call.paged("model_versions", found, "max_results", 100)


def get_version(call: Call) -> Json:
    """Return one version."""
    return version_info(*_version(call))


def change_version(call: Call) -> Json:
    """Change a version's comment."""
    model, version = _version(call)
    find_own(call, model.full_name)
    version.description = call.optional_text("comment")
    return version_info(model, version)


def delete_version(call: Call) -> Json:
    """Delete a version and the aliases that point to it."""
    model, version = _version(call)
    find_own(call, model.full_name)
    del model.versions[version.version]
    model.aliases = {k: number for k, number in model.aliases.items() if number != version.version}
    return {}


def set_alias(call: Call) -> Json:
    """Point an alias to a version; it leaves the version that it pointed to before."""
    model = find_own(call, call.path["full_name"])
    number = call.body.get("version_num")
    if not isinstance(number, int):
        raise invalid("version_num must be a number.")
    find_version(model, number)
    model.aliases[call.path["alias"]] = number
    catalog, schema, name = model.full_name.split(".")
    inside = {"catalog_name": catalog, "schema_name": schema, "model_name": name}
    return _alias(call.path["alias"], number) | inside


def get_by_alias(call: Call) -> Json:
    """Return the version that an alias points to."""
    model, alias = find(call, call.path["full_name"]), call.path["alias"]
    if alias not in model.aliases:
        raise missing(f"Alias '{alias}' of model '{model.full_name}' does not exist.")
    return version_info(model, find_version(model, model.aliases[alias]))


def delete_alias(call: Call) -> Json:
    """Remove an alias; one that isn't there is gone already."""
    find_own(call, call.path["full_name"]).aliases.pop(call.path["alias"], None)
    return {}


ROUTES = (
    Route("POST", MODELS, create, "anyone", "workspace"),
    Route("GET", MODELS, list_models, "anyone", "workspace"),
    Route("GET", ONE, get, "anyone", "workspace"),
    Route("PATCH", ONE, change, "anyone", "workspace"),
    Route("DELETE", ONE, delete, "anyone", "workspace"),
    Route("GET", f"{ONE}/versions", list_versions, "anyone", "workspace"),
    Route("GET", f"{ONE}/versions/{{version}}", get_version, "anyone", "workspace"),
    Route("PATCH", f"{ONE}/versions/{{version}}", change_version, "anyone", "workspace"),
    Route("DELETE", f"{ONE}/versions/{{version}}", delete_version, "anyone", "workspace"),
    Route("PUT", f"{ONE}/aliases/{{alias}}", set_alias, "anyone", "workspace"),
    Route("GET", f"{ONE}/aliases/{{alias}}", get_by_alias, "anyone", "workspace"),
    Route("DELETE", f"{ONE}/aliases/{{alias}}", delete_alias, "anyone", "workspace"),
)
