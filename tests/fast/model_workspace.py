"""A workspace that knows models only, strictly: what a project may do while it registers a version.

The whole stand-in workspace has this, too; here a test of one template needs no login, no schema
and no bundle. What a workspace refuses is refused: a missing model, files after the end, aliases
of versions that are not there, an endpoint before its version.
"""

import json
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote, urlsplit

PENDING, READY = "PENDING_REGISTRATION", "READY"


class RefusedError(Exception):
    """What the workspace answers instead."""

    def __init__(self, status: HTTPStatus, code: str, message: str) -> None:
        super().__init__(message)
        self.status, self.code = status, code


@dataclass
class Version:
    """One version of a model."""

    tags: dict[str, str]
    status: str = PENDING
    files: dict[str, bytes] = field(default_factory=dict)


@dataclass
class Model:
    """One registered model."""

    versions: list[Version] = field(default_factory=list)
    aliases: dict[str, int] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)

    def version(self, number: object) -> Version:
        """Return a version; a workspace answers 404 for one that isn't there."""
        place = int(str(number)) - 1
        if not 0 <= place < len(self.versions):
            raise _missing(f"version {number}")
        return self.versions[place]


@dataclass
class ModelWorkspace:
    """Models by full name, and what each serving endpoint serves."""

    models: dict[str, Model] = field(default_factory=dict)
    endpoints: dict[str, list[dict[str, Any]]] = field(default_factory=dict)

    def model(self, name: str) -> Model:
        """Return a model that was deployed."""
        if name not in self.models:
            raise _missing(f"model {name}")
        return self.models[name]

    def answer(self, method: str, path: str, body: bytes) -> bytes:
        """Do what a request asks for; raises `RefusedError`."""
        for verb, pattern, act in _ROUTES:
            if verb == method and (found := re.fullmatch(pattern, path)):
                words = [unquote(word) for word in found.groups()]
                answer = act(self, *words, body)
                return answer if isinstance(answer, bytes) else json.dumps(answer).encode()
        raise RefusedError(HTTPStatus.NOT_FOUND, "ENDPOINT_NOT_FOUND", f"{method} {path}")


def _missing(what: str) -> RefusedError:
    return RefusedError(HTTPStatus.NOT_FOUND, "RESOURCE_DOES_NOT_EXIST", f"no {what}")


def _model(world: ModelWorkspace, name: str, _: bytes) -> object:
    aliases = world.model(name).aliases.items()
    listed = [{"alias_name": alias, "version_num": version} for alias, version in aliases]
    return {"full_name": name, **({"aliases": listed} if listed else {})}


def _create(world: ModelWorkspace, body: bytes) -> object:
    given = json.loads(body)
    if not given.get("source"):
        raise RefusedError(HTTPStatus.BAD_REQUEST, "INVALID_PARAMETER_VALUE", "source is required")
    versions = world.model(given["name"]).versions
    versions.append(Version({tag["key"]: tag["value"] for tag in given.get("tags", ())}))
    return {"model_version": {"version": str(len(versions)), "status": PENDING}}


def _upload(world: ModelWorkspace, *words: Any) -> object:
    version, file, body = _stored(world, *words[:4]), words[4], words[5]
    if version.status != PENDING:
        raise RefusedError(HTTPStatus.CONFLICT, "ABORTED", "the version is complete")
    version.files[file] = body
    return b""


def _download(world: ModelWorkspace, *words: Any) -> object:
    files = _stored(world, *words[:4]).files
    if words[4] not in files:
        raise _missing(f"file {words[4]}")
    return files[words[4]]


def _stored(world: ModelWorkspace, catalog: str, schema: str, name: str, version: str) -> Version:
    return world.model(f"{catalog}.{schema}.{name}").version(version)


def _finalize(world: ModelWorkspace, body: bytes) -> object:
    given = json.loads(body)
    version = world.model(given["name"]).version(given["version"])
    version.status = READY
    return {"model_version": {"version": given["version"], "status": READY}}


def _set_alias(world: ModelWorkspace, name: str, alias: str, body: bytes) -> object:
    number = json.loads(body)["version_num"]
    world.model(name).version(number)
    world.model(name).aliases[alias] = number
    return {"alias_name": alias, "version_num": number}


def _remove_alias(world: ModelWorkspace, name: str, alias: str, _: bytes) -> object:
    if world.model(name).aliases.pop(alias, None) is None:
        raise _missing(f"alias {alias}")
    return {}


def _tag_version(world: ModelWorkspace, body: bytes) -> object:
    given = json.loads(body)
    world.model(given["name"]).version(given["version"]).tags[given["key"]] = given["value"]
    return {}


def _tag_model(world: ModelWorkspace, body: bytes) -> object:
    given = json.loads(body)
    world.model(given["name"]).tags[given["key"]] = given["value"]
    return {}


def _endpoint(world: ModelWorkspace, name: str, _: bytes) -> object:
    if name not in world.endpoints:
        raise _missing(f"endpoint {name}")
    return {"name": name}


def _create_endpoint(world: ModelWorkspace, body: bytes) -> object:
    given = json.loads(body)
    return _serve(world, given["name"], given["config"]["served_entities"])


def _update_endpoint(world: ModelWorkspace, name: str, body: bytes) -> object:
    _endpoint(world, name, body)
    return _serve(world, name, json.loads(body)["served_entities"])


def _serve(world: ModelWorkspace, name: str, entities: list[dict[str, Any]]) -> object:
    for entity in entities:
        if world.model(entity["entity_name"]).version(entity["entity_version"]).status != READY:
            raise _missing("version that is complete")
    world.endpoints[name] = entities
    return {"name": name}


def _response(
    world: ModelWorkspace, method: str, path: str, body: bytes
) -> tuple[HTTPStatus, bytes]:
    try:
        return HTTPStatus.OK, world.answer(method, path, body)
    except RefusedError as refusal:
        error = {"error_code": refusal.code, "message": str(refusal)}
        return refusal.status, json.dumps(error).encode()


_FILE = r"/api/2\.0/fs/files/Models/([^/]+)/([^/]+)/([^/]+)/(\d+)/([^/]+)"
_MODELS = r"/api/2\.1/unity-catalog/models/([^/]+)"
_MLFLOW = r"/api/2\.0/mlflow/unity-catalog"
_SERVING = r"/api/2\.0/serving-endpoints"
_ROUTES: tuple[tuple[str, str, Callable[..., object]], ...] = (
    ("GET", _MODELS, _model),
    ("PUT", _MODELS + r"/aliases/([^/]+)", _set_alias),
    ("DELETE", _MODELS + r"/aliases/([^/]+)", _remove_alias),
    ("POST", _MLFLOW + "/model-versions/create", _create),
    ("POST", _MLFLOW + "/model-versions/finalize", _finalize),
    ("POST", _MLFLOW + "/model-versions/set-tag", _tag_version),
    ("POST", _MLFLOW + "/registered-models/set-tag", _tag_model),
    ("PUT", _FILE, _upload),
    ("GET", _FILE, _download),
    ("GET", _SERVING + "/([^/]+)", _endpoint),
    ("POST", _SERVING, _create_endpoint),
    ("PUT", _SERVING + "/([^/]+)/config", _update_endpoint),
)


@contextmanager
def served(world: ModelWorkspace) -> Iterator[str]:
    """Answer requests on loopback; yields the address."""

    class Requests(BaseHTTPRequestHandler):
        """Brings requests to the workspace."""

        def answer(self) -> None:
            """Answer with what the workspace says, or why it refuses."""
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            status, content = _response(world, self.command, urlsplit(self.path).path, body)
            self.send_response(status)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    for method in ("GET", "PUT", "POST", "DELETE"):
        setattr(Requests, f"do_{method}", Requests.answer)
    server = ThreadingHTTPServer(("127.0.0.1", 0), Requests)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
