"""What a Terraform type looks like: attributes, blocks, and the rules that come with them."""

import gzip
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any

from playground.terraform.messages import NESTING
from playground.terraform.overrides import OVERRIDES, PROVIDER_OVERRIDES, Detail
from playground.terraform.served import ProviderSource

Json = dict[str, Any]


@dataclass(frozen=True)
class Attribute:
    """One attribute: a plain type in Terraform's JSON notation, or nested attributes."""

    type: Any
    nesting: str = ""
    nested: "Block | None" = None
    required: bool = False
    optional: bool = False
    computed: bool = False
    detail: Detail = field(default_factory=Detail)

    def wire(self, name: str) -> Json:
        """Return the attribute as the protocol writes it."""
        shape: Json = {"type": json.dumps(self.type).encode()}
        if self.nested is not None:
            inner = [each.wire(key) for key, each in self.nested.attributes.items()]
            shape = {"nested_type": {"attributes": inner, "nesting": NESTING[self.nesting]}}
        flags = {flag: True for flag in ("required", "optional", "computed") if getattr(self, flag)}
        return {"name": name, **shape, **flags, "sensitive": self.detail.sensitive}

    @property
    def is_set(self) -> bool:
        """Tell whether the order of elements means nothing."""
        return isinstance(self.type, list) and self.type[0] == "set"


@dataclass(frozen=True)
class NestedBlock:
    """A block inside a block, once (`max` 1) or many times."""

    block: "Block"
    nesting: str
    min: int = 0
    max: int = 0

    def wire(self, name: str) -> Json:
        """Return the nested block as the protocol writes it."""
        return {
            "type_name": name,
            "block": self.block.wire(),
            "nesting": NESTING[self.nesting],
            "min_items": self.min,
            "max_items": self.max,
        }


@dataclass(frozen=True)
class Block:
    """Attributes and nested blocks, by name."""

    attributes: Mapping[str, Attribute]
    blocks: Mapping[str, NestedBlock] = field(default_factory=dict)

    def wire(self) -> Json:
        """Return the block as the protocol writes it."""
        return {
            "attributes": [each.wire(name) for name, each in self.attributes.items()],
            "block_types": [each.wire(name) for name, each in self.blocks.items()],
        }

    def with_rule(self, rule: str) -> Iterator[str]:
        """Yield the names whose detail has a rule, e.g. `force_new`."""
        for name, attribute in self.attributes.items():
            if getattr(attribute.detail, rule):
                yield name


@dataclass(frozen=True)
class Schemas:
    """Everything one provider serves."""

    provider: Block
    resources: Mapping[str, Block]
    data_sources: Mapping[str, Block]

    def wire(self) -> Json:
        """Return the answer to GetProviderSchema, without its capabilities."""
        return {
            "provider": {"block": self.provider.wire()},
            "resource_schemas": _wire(self.resources),
            "data_source_schemas": _wire(self.data_sources),
        }


def _wire(types: Mapping[str, Block]) -> Json:
    return {name: {"block": block.wire()} for name, block in types.items()}


@cache
def load(source: ProviderSource) -> Schemas:
    """Return the vendored schemas of a provider, with what the wheels don't say added."""
    raw = json.loads(gzip.decompress(source.schema_file.read_bytes()))
    resources = {
        name: _block(block, OVERRIDES.get(name, {}), "") for name, block in raw["resources"].items()
    }
    return Schemas(
        _provider(raw["provider"], source),
        resources,
        {name: _block(block, {}, "") for name, block in raw["data_sources"].items()},
    )


def _provider(raw: Json, source: ProviderSource) -> Block:
    attributes = {name: each for name, each in raw["attributes"].items() if name != "alias"}
    corrections, details = PROVIDER_OVERRIDES[source.name]
    for name in corrections:
        attributes.pop(name, None)
    blocks = {**raw.get("blocks", {}), **corrections}
    return _block({"attributes": attributes, "blocks": blocks}, details, "")


def _block(raw: Json, details: Mapping[str, Detail], prefix: str) -> Block:
    attributes = {
        name: _attribute(each, details, prefix + name) for name, each in raw["attributes"].items()
    }
    blocks = {
        name: _nested(each, details, f"{prefix}{name}")
        for name, each in raw.get("blocks", {}).items()
    }
    return Block(attributes, blocks)


def _attribute(raw: Json, details: Mapping[str, Detail], path: str) -> Attribute:
    flags = {flag: raw.get(flag, False) for flag in ("required", "optional", "computed")}
    detail = details.get(path, Detail())
    if "nested" not in raw:
        return Attribute(detail.type or raw["type"], detail=detail, **flags)
    nested = _block({"attributes": raw["nested"]["attributes"]}, details, f"{path}.")
    return Attribute(None, raw["nested"]["nesting"], nested, detail=detail, **flags)


def _nested(raw: Json, details: Mapping[str, Detail], path: str) -> NestedBlock:
    block = _block(raw["block"], details, f"{path}.")
    nested = NestedBlock(block, raw["nesting"], raw.get("min", 0), raw.get("max", 0))
    return replace(nested, max=details[path].max_items) if path in details else nested
