"""Makes `openapi.json.gz`: the part of GitHub's OpenAPI description that the stand-in serves.

    npm pack @octokit/openapi@23.0.2 && tar xzf octokit-openapi-23.0.2.tgz
    python -m playground.github.openapi_subset package/generated/api.github.com.json

The source is the MIT-licensed npm package @octokit/openapi (licence: `openapi.LICENSE`), generated
from github/rest-api-description. Kept are the operations of `endpoints.OPERATIONS` with their
bodies, the payloads of the webhooks that are sent, and every schema these reach; examples and
descriptions are dropped. Run it again after adding an operation.
"""

import gzip
import json
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import cast

from playground.github.endpoints import OPERATIONS
from playground.github.world import Json

TARGET = Path(__file__).with_name("openapi.json.gz")
SOURCE = "@octokit/openapi 23.0.2, generated/api.github.com.json"
_SCHEMA = "#/components/schemas/"
CORRECTED: dict[tuple[str, str, str], Json] = {
    ("GET", "/app/installations", "200"): {
        "type": "array",
        "items": {"$ref": f"{_SCHEMA}installation"},
    },
    ("POST", "/repos/{owner}/{repo}/git/blobs", "422"): {
        "anyOf": [
            {"$ref": f"{_SCHEMA}validation-error"},
            {"$ref": f"{_SCHEMA}repository-rule-violation-error"},
        ]
    },
}
"""Answers whose description no answer can satisfy: every account a user and an enterprise at once
(`allOf` where the component says `anyOf`), and two errors that exclude each other (`oneOf`) though
every instance of one is an instance of the other."""
WEBHOOKS = (
    "deployment-protection-rule-requested",
    "deployment-review-approved",
    "deployment-review-rejected",
    "deployment-review-requested",
    "deployment-status-created",
    "pull-request-closed",
    "pull-request-opened",
    "pull-request-reopened",
    "pull-request-synchronize",
    "push",
    "workflow-job-completed",
    "workflow-job-in-progress",
    "workflow-job-queued",
    "workflow-job-waiting",
    "workflow-run-completed",
    "workflow-run-in-progress",
    "workflow-run-requested",
)
"""The events, with their actions, that the stand-in tells."""
_PROSE = (
    "example",
    "examples",
    "externalDocs",
    "headers",
    "operationId",
    "summary",
    "tags",
    "x-github",
)


def subset(whole: Json, operations: Iterable[tuple[str, str]]) -> Json:
    """Return the description of these (method, path) operations and all they refer to."""
    paths = cast("dict[str, Json]", whole["paths"])
    kept: dict[str, Json] = {}
    for method, path in sorted(operations):
        operation = cast("Json", paths[path][method.lower()])
        _correct(operation, method, path)
        bodies: Json = {k: operation[k] for k in ("requestBody", "responses") if k in operation}
        kept.setdefault(path, {})[method.lower()] = _without_prose(_resolved(whole, bodies))
    told = {name: _payload(whole, name) for name in WEBHOOKS}
    schemas: Json = {}
    _collect(whole, [kept, told], schemas)
    return {
        "source": SOURCE,
        "paths": kept,
        "x-webhooks": told,
        "components": {"schemas": schemas},
    }


def _payload(whole: Json, name: str) -> Json:
    webhook = cast("dict[str, dict[str, Json]]", whole["x-webhooks"])[name]
    body = {"requestBody": webhook["post"]["requestBody"]}
    return {"post": cast("Json", _without_prose(body))}


def _correct(operation: Json, method: str, path: str) -> None:
    answers = cast("dict[str, dict[str, dict[str, Json]]]", operation["responses"])
    for status in answers:
        if (method, path, status) in CORRECTED:
            content = answers[status]["content"]["application/json"]
            content["schema"] = CORRECTED[method, path, status]


def _resolved(whole: Json, bodies: Json) -> Json:
    """Return an operation's bodies with shared responses put in place."""
    responses = {
        status: _look_up(whole, cast("str", cast("Json", answer)["$ref"]))
        if "$ref" in cast("Json", answer)
        else answer
        for status, answer in cast("Json", bodies["responses"]).items()
    }
    return bodies | {"responses": responses}


def _look_up(whole: Json, pointer: str) -> object:
    found: object = whole
    for part in pointer.removeprefix("#/").split("/"):
        found = cast("Json", found)[part]
    return found


def _collect(whole: Json, part: object, into: Json) -> None:
    for pointer in _pointers(part):
        name = pointer.rpartition("/")[2]
        if name not in into:
            schema = _without_prose(_look_up(whole, pointer))
            into[name] = schema
            _collect(whole, schema, into)


def _pointers(part: object) -> Iterator[str]:
    if isinstance(part, dict):
        if isinstance(part.get("$ref"), str):
            yield part["$ref"]
        for value in part.values():
            yield from _pointers(value)
    elif isinstance(part, list):
        for value in part:
            yield from _pointers(value)


def _without_prose(part: object, *, names: bool = False) -> object:
    """Drop examples and texts; below `properties` every key is a name and stays."""
    if isinstance(part, list):
        return [_without_prose(value) for value in part]
    if not isinstance(part, dict):
        return part
    return {
        key: _without_prose(value, names=key == "properties" and not names)
        for key, value in part.items()
        if names or not (key in _PROSE or (key == "description" and isinstance(value, str)))
    }


def main() -> None:
    """Write the subset of the file named on the command line."""
    whole = json.loads(Path(sys.argv[1]).read_text())
    wanted = [(operation.method, operation.path) for operation in OPERATIONS]
    text = json.dumps(subset(whole, wanted), separators=(",", ":"), sort_keys=True)
    TARGET.write_bytes(gzip.compress(text.encode(), 9, mtime=0))


if __name__ == "__main__":
    main()
