"""Versions of models as MLflow makes them: registered, filled with files, finished, tagged."""

import re

from playground.databricks.call import Call, Json, Route, millis, objects
from playground.databricks.deployed import ModelVersion
from playground.databricks.errors import api_error, invalid, missing
from playground.databricks.models import find, find_own, find_version
from playground.databricks.privileges import require
from playground.databricks.state import Securable

BASE = "/api/2.0/mlflow/unity-catalog"
VERSIONS = f"{BASE}/model-versions"
MODELS = f"{BASE}/registered-models"
ALIAS = f"{MODELS}/alias"
FILE = "/api/2.0/fs/files/Models/{catalog}/{schema}/{model}/{version}/{file:.+}"


def written(call: Call, model: Securable, version: ModelVersion) -> Json:
    """Return a version as MLflow's API writes it: with tags, its number a string."""
    aliases = [name for name, number in model.aliases.items() if number == version.version]
    place = f"s3://acme-metastore/{call.world.metastore.id}/models/{model.id}"
    return {
        "name": model.full_name,
        "version": str(version.version),
        "creation_timestamp": millis(version.created),
        "user_id": version.creator,
        "description": version.description,
        "source": version.source,
        "status": version.status,
        "storage_location": f"{place}/versions/{version.version}",
        "tags": [{"key": key, "value": value} for key, value in version.tags.items()],
        "aliases": [{"alias": each, "version": str(version.version)} for each in aliases],
    }


def _tags(body: Json) -> dict[str, str]:
    return {_text(each, "key"): _text(each, "value") for each in objects(body, "tags")}


def _text(body: Json, name: str) -> str:
    value = body.get(name, "")
    if not isinstance(value, str) or (name == "key" and not value):
        raise invalid(f"Invalid value for {name}: expected a string")
    return value


def create(call: Call) -> Json:
    """Register the next version of a model; its files come after, then it is finished."""
    model = find_own(call, call.text("name"))
    source, tags = call.text("source"), _tags(call.body)
    number = max(model.versions, default=0) + 1
    version = ModelVersion(number, call.now, call.caller.name, source)
    version.description, version.tags = call.optional_text("description"), tags
    model.versions[number] = version
    return {"model_version": written(call, model, version)}


def _named(call: Call) -> tuple[Securable, ModelVersion]:
    model = find_own(call, call.text("name"))
    return model, find_version(model, call.text("version"))


def finish(call: Call) -> Json:
    """Say that a version has all its files."""
    model, version = _named(call)
    version.status = "READY"
    return {"model_version": written(call, model, version)}


def get(call: Call) -> Json:
    """Return one version with its tags."""
    model = find(call, call.asked("name"))
    version = find_version(model, call.asked("version"))
    return {"model_version": written(call, model, version)}


def search(call: Call) -> Json:
    """List the versions of a model, newest first; the filter is `name='…'`."""
    asked = re.fullmatch(r"name\s*=\s*'([^']+)'", call.asked("filter"))
    if asked is None:
        raise invalid("Only the filter name='<full name>' is supported.")
    model = find(call, asked[1])
    found = [written(call, model, each) for each in reversed(model.versions.values())]
    plain = [{k: v for k, v in each.items() if k not in ("tags", "aliases")} for each in found]
    return call.paged("model_versions", plain, "max_results", 100)


def _tagged(call: Call) -> ModelVersion:
    model = find(call, call.text("name"))
    require(call.world, call.caller, model, "APPLY_TAG")
    return find_version(model, call.text("version"))


def set_tag(call: Call) -> Json:
    """Tag a version; one value per key."""
    _tagged(call).tags[call.text("key")] = call.optional_text("value")
    return {}


def get_model(call: Call) -> Json:
    """Return a model with its tags."""
    model = find(call, call.asked("name"))
    tags = [{"key": key, "value": value} for key, value in model.properties.items()]
    aliases = [{"alias": each, "version": str(n)} for each, n in model.aliases.items()]
    info = {"name": model.full_name, "description": model.comment, "user_id": model.owner}
    return {"registered_model": {**info, "tags": tags, "aliases": aliases}}


def set_model_tag(call: Call) -> Json:
    """Tag a model itself."""
    model = find(call, call.text("name"))
    require(call.world, call.caller, model, "APPLY_TAG")
    model.properties[call.text("key")] = call.optional_text("value")
    return {}


def delete_model_tag(call: Call) -> Json:
    """Take a tag of the model itself away."""
    model = find(call, call.text("name"))
    require(call.world, call.caller, model, "APPLY_TAG")
    if model.properties.pop(call.text("key"), None) is None:
        raise missing(f"Tag {call.text('key')} does not exist.")
    return {}


def delete_tag(call: Call) -> Json:
    """Take a tag away."""
    if _tagged(call).tags.pop(call.text("key"), None) is None:
        raise missing(f"Tag {call.text('key')} does not exist.")
    return {}


def get_by_alias(call: Call) -> Json:
    """Return the version that an alias points to."""
    model, alias = find(call, call.asked("name")), call.asked("alias")
    if alias not in model.aliases:
        raise missing(f"Alias '{alias}' of model '{model.full_name}' does not exist.")
    version = find_version(model, model.aliases[alias])
    return {"model_version": written(call, model, version)}


def set_alias(call: Call) -> Json:
    """Point an alias to a version."""
    model, version = _named(call)
    model.aliases[call.text("alias")] = version.version
    return {}


def delete_alias(call: Call) -> Json:
    """Remove an alias."""
    find_own(call, call.text("name")).aliases.pop(call.text("alias"), None)
    return {}


def _of_path(call: Call) -> tuple[str, str]:
    names = [call.path[each] for each in ("catalog", "schema", "model")]
    return ".".join(names), call.path["version"]


def put_file(call: Call) -> None:
    """Store a file of a version that isn't finished."""
    name, number = _of_path(call)
    version = find_version(find_own(call, name), number)
    if version.status != "PENDING_REGISTRATION":
        raise api_error(403, "PERMISSION_DENIED", "The files of a finished version cannot change.")
    if call.path["file"] in version.files and not call.flag("overwrite"):
        raise api_error(409, "ALREADY_EXISTS", f"The file {call.path['file']} already exists.")
    version.files[call.path["file"]] = call.content


def get_file(call: Call) -> bytes:
    """Return a file of a version."""
    name, number = _of_path(call)
    model = find(call, name)
    require(call.world, call.caller, model, "EXECUTE")
    version = find_version(model, number)
    if call.path["file"] not in version.files:
        raise api_error(404, "NOT_FOUND", f"The file {call.path['file']} does not exist.")
    return version.files[call.path["file"]]


ROUTES = (
    Route("POST", f"{VERSIONS}/create", create, "anyone", "workspace"),
    Route("POST", f"{VERSIONS}/finalize", finish, "anyone", "workspace"),
    Route("GET", f"{VERSIONS}/get", get, "anyone", "workspace"),
    Route("GET", f"{VERSIONS}/search", search, "anyone", "workspace"),
    Route("POST", f"{VERSIONS}/set-tag", set_tag, "anyone", "workspace"),
    Route("DELETE", f"{VERSIONS}/delete-tag", delete_tag, "anyone", "workspace"),
    Route("GET", f"{MODELS}/get", get_model, "anyone", "workspace"),
    Route("POST", f"{MODELS}/set-tag", set_model_tag, "anyone", "workspace"),
    Route("DELETE", f"{MODELS}/delete-tag", delete_model_tag, "anyone", "workspace"),
    Route("GET", ALIAS, get_by_alias, "anyone", "workspace"),
    Route("POST", ALIAS, set_alias, "anyone", "workspace"),
    Route("DELETE", ALIAS, delete_alias, "anyone", "workspace"),
    Route("PUT", FILE, put_file, "anyone", "workspace", status=204, raw=True),
    Route("GET", FILE, get_file, "anyone", "workspace"),
)
