"""Read provider schemas out of the `cdktf-cdktf-provider-*` wheels; write the subset we serve.

The registry that has the providers can't be reached from everywhere; the wheels can. Each of their
JavaScript files ends with an inline source map that holds the original TypeScript, whose comments
say of every attribute whether it is computed, optional or required. What the wheels don't say
(sensitive, forces replacement, defaults) is written by hand in `overrides.py`.

Usage: python -m playground.terraform.extract_schemas GITHUB.whl DATABRICKS.whl
"""

import base64
import gzip
import json
import re
import sys
import tarfile
import zipfile
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import NamedTuple

from playground.terraform.served import PROVIDERS, ProviderSource

Json = dict[str, object]


class Shape(NamedTuple):
    """How the binding writes one settable attribute as HCL."""

    collection: str
    storage: str


_CLASS = re.compile(r"^export class (\w+) extends ", re.MULTILINE)
_ATTRIBUTE = re.compile(
    r"// (\w+) - computed: (true|false), optional: (true|false), required: (true|false)\n"
    r"(.*?)\n  }",
    re.DOTALL,
)
_NESTED = re.compile(r'= new (\w+)\(this, "\w+"(?:, (?:true|false))?\)')
_GETTER = re.compile(r"(Fn\.tolist\()?this\.(get\w+Attribute|interpolationForAttribute)\(")
_HCL_FUNCTION = re.compile(r"^export function (\w+)ToHclTerraform\(", re.MULTILINE)
_HCL_ATTRIBUTE = re.compile(
    r'^ +(\w+): \{\n +value: .*\n +isBlock: \w+,\n +type: "(\w+)",\n'
    r' +storageClassType: "(\w+)"',
    re.MULTILINE,
)
_BLOCK_COMMENT = re.compile(r"^  \* (\w+) block$", re.MULTILINE)
_COLLECTION = re.compile(r"= new cdktf\.(\w+)\(this")
_COLLECTIONS: dict[str, object] = {
    "StringMap": ["map", "string"],
    "NumberMap": ["map", "number"],
    "BooleanMap": ["map", "bool"],
    "StringMapList": ["list", ["map", "string"]],
}
_STORAGE = {"string": "string", "number": "number", "boolean": "bool"}
_PRIMITIVES: dict[str, object] = {
    "getStringAttribute": "string",
    "getNumberAttribute": "number",
    "getBooleanAttribute": "bool",
    "getListAttribute": ["list", "string"],
    "getNumberListAttribute": ["list", "number"],
    "getStringMapAttribute": ["map", "string"],
    "getNumberMapAttribute": ["map", "number"],
    "getBooleanMapAttribute": ["map", "bool"],
    "interpolationForAttribute": "dynamic",
}


class Source:
    """One TypeScript file: the classes of a resource, data source or provider."""

    def __init__(self, text: str) -> None:
        self.classes = dict(_pieces(_CLASS, text))
        self.hcl = {name: _hcl(body) for name, body in _pieces(_HCL_FUNCTION, text)}
        self.documented_blocks = set(_BLOCK_COMMENT.findall(text))
        self.main = list(self.classes)[-1]
        self.terraform_type = _terraform_type(self.classes[self.main])

    def block(self, name: str) -> Json:
        """Return the schema of one class: its attributes, and its blocks where it has any."""
        body = self.classes[name]
        shapes = self._shapes(name, body)
        attributes: Json = {}
        blocks: Json = {}
        for attribute, flags, rest in _attributes(body):
            shape = shapes.get(attribute)
            nested = _NESTED.search(rest)
            if nested and shape and attribute in self.documented_blocks:
                blocks[attribute] = self._nested_block(nested[1], shape.collection, flags)
            else:
                attributes[attribute] = self._attribute(nested, shape, rest) | flags
        return {"attributes": attributes, **({"blocks": blocks} if blocks else {})}

    def _shapes(self, name: str, body: str) -> dict[str, Shape]:
        if name == self.main:
            return _hcl(body[body.find("synthesizeHclAttributes") :])
        function = name.removesuffix("OutputReference")
        return self.hcl.get(function[0].lower() + function[1:], {})

    def _nested_block(self, name: str, nesting: str, flags: Json) -> Json:
        block: Json = {"nesting": "single" if nesting == "struct" else nesting}
        if flags.get("required"):
            block["min"] = 1
        if nesting != "struct" and name.endswith("OutputReference"):
            block["max"] = 1
        return block | {"block": self.block(_element(name))}

    def _attribute(self, nested: re.Match[str] | None, shape: Shape | None, rest: str) -> Json:
        if nested is None:
            return {"type": _read_type(rest) or _stored_type(shape)}
        inner = self.block(_element(nested[1]))["attributes"]
        if shape is None:  # computed only: a plain attribute of objects, nothing is configurable
            return {"type": ["list", _object_type(inner)]}
        nesting = "single" if shape.collection == "struct" else shape.collection
        return {"nested": {"nesting": nesting, "attributes": inner}}


def _pieces(pattern: re.Pattern[str], text: str) -> Iterator[tuple[str, str]]:
    matches = list(pattern.finditer(text))
    ends = [*(match.start() for match in matches), len(text)][1:]
    for match, end in zip(matches, ends, strict=False):
        yield match[1], text[match.start() : end]


def _terraform_type(body: str) -> str:
    found = re.search(r'tfResourceType = "(\w+)"', body)
    if found is None:
        raise ValueError("not a generated provider binding")
    return found[1]


def _hcl(body: str) -> dict[str, Shape]:
    return {m[1]: Shape(m[2], m[3]) for m in _HCL_ATTRIBUTE.finditer(body)}


def _attributes(body: str) -> Iterator[tuple[str, Json, str]]:
    for match in _ATTRIBUTE.finditer(body):
        flags = zip(("computed", "optional", "required"), match.groups()[1:4], strict=True)
        yield match[1], {flag: True for flag, value in flags if value == "true"}, match[5]


def _read_type(rest: str) -> object | None:
    collection = _COLLECTION.search(rest)
    if collection:
        return _COLLECTIONS[collection[1]]
    getter = _GETTER.search(rest)
    if getter is None:
        return None
    plain = _PRIMITIVES[getter[2]]
    return ["set", plain[1]] if getter[1] and isinstance(plain, list) else plain


def _stored_type(shape: Shape | None) -> object:
    if shape is None:
        raise ValueError("only settable attributes are stored")
    element = _STORAGE.get(re.sub("(List|Map)$", "", shape.storage), "string")
    return element if shape.collection == "simple" else [shape.collection, element]


def _element(name: str) -> str:
    if name.endswith("OutputReference"):
        return name
    return re.sub(r"(List|Map)$", "", name) + "OutputReference"


def _object_type(attributes: object) -> object:
    if not isinstance(attributes, dict):
        raise TypeError("a nested object has attributes")
    members = {name: attribute["type"] for name, attribute in sorted(attributes.items())}
    return ["object", members]


def sources(wheel: Path) -> Iterator[Source]:
    """Yield every binding of a wheel that has a Terraform type."""
    with zipfile.ZipFile(wheel) as outer:
        (package,) = [name for name in outer.namelist() if name.endswith(".jsii.tgz")]
        with tarfile.open(fileobj=BytesIO(outer.read(package))) as inner:
            for member in inner:
                if re.fullmatch(r"package/lib/[^/]+/index\.js", member.name):
                    content = inner.extractfile(member)
                    if content is not None:
                        yield Source(_original(content.read().decode()))


def _original(javascript: str) -> str:
    source_map = json.loads(base64.b64decode(javascript.rsplit("base64,", 1)[1]))
    return str(source_map["sourcesContent"][0])


def extract(wheel: Path, wanted: ProviderSource) -> Json:
    """Return the schemas of the provider itself and of the types that we serve."""
    found: dict[str, Json] = {"resources": {}, "data_sources": {}}
    provider: Json = {}
    for source in sources(wheel):
        name = source.terraform_type
        if name == wanted.name:
            provider = source.block(source.main)
        elif source.main.startswith("Data") and name in wanted.data_sources:
            found["data_sources"][name] = source.block(source.main)
        elif not source.main.startswith("Data") and name in wanted.resources:
            found["resources"][name] = source.block(source.main)
    missing = {*wanted.resources} - {*found["resources"]}
    missing |= {*wanted.data_sources} - {*found["data_sources"]}
    if missing or not provider:
        raise ValueError(f"{wheel.name} lacks {sorted(missing) or 'the provider'}")
    return {"provider": provider, **found}


def write(schemas: Json, path: Path) -> None:
    """Write compact, reproducible, gzipped JSON."""
    text = json.dumps(schemas, sort_keys=True, separators=(",", ":"))
    path.write_bytes(gzip.compress(text.encode(), mtime=0))


def main(wheels: list[str]) -> None:
    """Extract both providers from their wheels, in the order github, databricks."""
    for wheel, provider in zip(wheels, PROVIDERS, strict=True):
        write(extract(Path(wheel), provider), provider.schema_file)


if __name__ == "__main__":
    main(sys.argv[1:])
