"""Checks request and answer bodies against GitHub's own OpenAPI description."""

import gzip
import hashlib
import json
from collections.abc import Hashable
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import cast
from urllib.parse import urlsplit

from jsonschema import Draft202012Validator, FormatChecker
from jsonschema.exceptions import best_match
from referencing import Registry
from referencing.jsonschema import DRAFT202012, Schema, SchemaRegistry

from playground.github.world import Json

DESCRIPTION = Path(__file__).with_name("openapi.json.gz")
UNDOCUMENTED = {
    ("PUT", "/repos/{owner}/{repo}/environments/{environment_name}"): "can_admins_bypass"
}
"""A request field that GitHub takes (its Go client sends it) though its description forbids it."""
MOST_REMEMBERED = 10_000
_ROOT = "urn:github"
_WORDS = ("action", "conclusion", "state", "status", "type", "visibility", "author_association")
_REFERENCE = "#/components/schemas/"


class Description:
    """GitHub's description of the operations that the stand-in serves."""

    def __init__(self, content: Json) -> None:
        self._paths = cast("dict[str, dict[str, Json]]", content["paths"])
        self._webhooks = cast("dict[str, dict[str, Json]]", content["x-webhooks"])
        schemas = cast("Schema", _draft_2020({"components": content["components"]}))
        resource = DRAFT202012.create_resource(schemas)
        self._registry: SchemaRegistry = Registry().with_resource(_ROOT, resource)
        self._proved: set[bytes] = set()
        self._proved_shapes: set[tuple[str, Hashable]] = set()
        self._validators: dict[tuple[str, ...], Draft202012Validator | None] = {}

    def request_problem(self, method: str, path: str, body: object) -> str | None:
        """Return what is wrong with a request's body and where, or None."""
        key = (method, path, "request")
        if key not in self._validators:
            request = cast("Json", self._operation(method, path).get("requestBody", {}))
            self._validators[key] = self._validator(request, object)
        hidden = UNDOCUMENTED.get((method, path))
        if hidden and isinstance(body, dict):
            body = {name: value for name, value in body.items() if name != hidden}
        return _problem(self._validators[key], body)

    def answer_problem(self, method: str, path: str, status: int, body: object) -> str | None:
        """Return what is wrong with an answer's body and where, or None.

        Statuses that GitHub doesn't list for an operation (401, 403, 429…) must be `basic-error`.
        """
        key = (method, path, str(status))
        if key not in self._validators:
            self._validators[key] = self._answer_validator(method, path, status)
        fingerprint = hashlib.sha256(repr((key, body)).encode()).digest()
        if fingerprint in self._proved:
            return None
        problem = _problem(self._validators[key], body)
        if problem is None:
            self._remember(fingerprint)
        return problem

    def webhook_problem(self, name: str, payload: Json) -> str | None:
        """Return what is wrong with the payload of an event (`workflow_run-completed`), or None.

        A check takes milliseconds, and a run tells dozens of events: one shape is checked once.
        """
        shape = (name, _shape(payload))
        if shape in self._proved_shapes:
            return None
        key = ("webhook", name)
        if key not in self._validators:
            webhook = self._webhooks[name.replace("_", "-")]["post"]
            self._validators[key] = self._validator(cast("Json", webhook["requestBody"]), object)
        problem = _problem(self._validators[key], payload)
        if problem is None:
            self._proved_shapes.add(shape)
        return problem

    def _remember(self, fingerprint: bytes) -> None:
        """Long lists take 50 ms to check, and people who type ask for the same ones again."""
        if len(self._proved) >= MOST_REMEMBERED:
            self._proved.clear()
        self._proved.add(fingerprint)

    def _answer_validator(self, method: str, path: str, status: int) -> Draft202012Validator | None:
        answers = cast("dict[str, Json]", self._operation(method, path)["responses"])
        if str(status) in answers and ("content" in answers[str(status)] or status < 400):
            return self._validator(answers[str(status)], type(None))
        if status < 400:
            return self._build({"not": {}})
        return self._build({"$ref": f"{_REFERENCE}basic-error"})

    def _operation(self, method: str, path: str) -> Json:
        return self._paths[path][method.lower()]

    def _validator(self, holder: Json, empty: type) -> Draft202012Validator | None:
        """Return the validator of a body, of nothing, or None where anything goes."""
        content = cast("dict[str, Json]", holder.get("content", {}))
        for kind in ("application/json", "application/scim+json"):
            if kind in content and "schema" in content[kind]:
                return self._build(content[kind]["schema"])
        return self._build({"type": "null"}) if empty is type(None) else None

    def _build(self, schema: object) -> Draft202012Validator:
        whole = cast("Json", _draft_2020(schema))
        return Draft202012Validator(whole, registry=self._registry, format_checker=FORMATS)


FORMATS = FormatChecker(formats=())


@FORMATS.checks("date-time", raises=ValueError)
def _is_moment(value: object) -> bool:
    return not isinstance(value, str) or datetime.fromisoformat(value).tzinfo is not None


@FORMATS.checks("uri")
def _is_address(value: object) -> bool:
    return not isinstance(value, str) or bool(urlsplit(value).scheme)


def _shape(part: object) -> Hashable:
    """Return the names and types of a payload, and the words of which only some are allowed."""
    if isinstance(part, dict):
        return tuple((name, _shape_of(name, value)) for name, value in part.items())
    if isinstance(part, list):
        return frozenset(_shape(one) for one in part)
    return type(part).__name__


def _shape_of(name: str, value: object) -> Hashable:
    return value if name in _WORDS and isinstance(value, str) else _shape(value)


def _draft_2020(part: object) -> object:
    """Translate OpenAPI 3.0's `nullable` and references into JSON Schema."""
    if isinstance(part, list):
        return [_draft_2020(value) for value in part]
    if not isinstance(part, dict):
        return part
    done = {key: _draft_2020(value) for key, value in part.items() if key != "nullable"}
    reference = part.get("$ref")
    if isinstance(reference, str):
        done["$ref"] = _ROOT + reference
    if part.get("nullable") is True:
        return {"anyOf": [done, {"type": "null"}]}
    return done


def _problem(validator: Draft202012Validator | None, body: object) -> str | None:
    if validator is None or validator.is_valid(body):
        return None
    error = best_match(validator.iter_errors(body))
    pointer = "/" + "/".join(str(part) for part in error.absolute_path)
    return f"{pointer}: {error.message[:500]}"


@cache
def description() -> Description:
    """Return the vendored description, read once."""
    return Description(json.loads(gzip.decompress(DESCRIPTION.read_bytes())))
