"""The schemas that Terraform sees are the vendored ones, and the vendored ones are extracted."""

import base64
import gzip
import io
import json
import tarfile
import zipfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest_asyncio
from terraform_world import TerraformWorld, Workbench, binaries

from playground.terraform.data_sources import DATA_SOURCES
from playground.terraform.extract_schemas import extract
from playground.terraform.overrides import OVERRIDES
from playground.terraform.registry import RESOURCES
from playground.terraform.served import PROVIDERS, ProviderSource

BINDING = """
export interface ThingConfig extends cdktf.TerraformMetaArguments {
  /**
  * rule block
  */
  readonly rule?: ThingRule[];
}
export function thingOptionsToHclTerraform(struct?: ThingOptions): any {
  const attrs = {
    level: {
      value: cdktf.numberToHclTerraform(struct!.level),
      isBlock: false,
      type: "simple",
      storageClassType: "number",
    },
  };
}
export class ThingOptionsOutputReference extends cdktf.ComplexObject {
  // level - computed: false, optional: true, required: false
  private _level?: number;
  public get level() {
    return this.getNumberAttribute('level');
  }
}
export class ThingRuleOutputReference extends cdktf.ComplexObject {
  // who - computed: false, optional: false, required: true
  private _who?: string[];
  public get who() {
    return cdktf.Fn.tolist(this.getListAttribute('who'));
  }
}
export class ThingRuleList extends cdktf.ComplexList {
}
export class Thing extends cdktf.TerraformResource {
  public static readonly tfResourceType = "acme_thing";

  // name - computed: true, optional: true, required: false
  private _name?: string;
  public get name() {
    return this.getStringAttribute('name');
  }
  // seen - computed: true, optional: false, required: false
  public get seen() {
    return this.getBooleanAttribute('seen');
  }
  // options - computed: false, optional: true, required: false
  private _options = new ThingOptionsOutputReference(this, "options");
  public get options() {
    return this._options;
  }
  // rule - computed: false, optional: true, required: false
  private _rule = new ThingRuleList(this, "rule", true);
  public get rule() {
    return this._rule;
  }
  protected synthesizeHclAttributes(): { [name: string]: any } {
    const attrs = {
      name: {
        value: cdktf.stringToHclTerraform(this._name),
        isBlock: false,
        type: "simple",
        storageClassType: "string",
      },
      options: {
        value: thingOptionsToHclTerraform(this._options.internalValue),
        isBlock: true,
        type: "struct",
        storageClassType: "ThingOptions",
      },
      rule: {
        value: cdktf.listMapperHcl(thingRuleToHclTerraform, true)(this._rule.internalValue),
        isBlock: true,
        type: "set",
        storageClassType: "ThingRuleList",
      },
    };
  }
}
"""
PROVIDER = """
export class AcmeProvider extends cdktf.TerraformProvider {
  public static readonly tfResourceType = "acme";

  // token - computed: false, optional: true, required: false
  private _token?: string;
  public get token() {
    return this._token;
  }
  protected synthesizeHclAttributes(): { [name: string]: any } {
    const attrs = {
      token: {
        value: cdktf.stringToHclTerraform(this._token),
        isBlock: false,
        type: "simple",
        storageClassType: "string",
      },
    };
  }
}
"""


@pytest_asyncio.fixture
async def bench(tmp_path: Path) -> AsyncIterator[Workbench]:
    world = TerraformWorld(tmp_path)
    await world.start()
    yield Workbench(world, tmp_path, next(iter(binaries().values())))
    await world.stop()


def wheel(path: Path, *sources: str) -> Path:
    """Write a wheel as the generator of bindings does: TypeScript inside a source map."""
    package = io.BytesIO()
    with tarfile.open(fileobj=package, mode="w:gz") as inner:
        for number, text in enumerate(sources):
            source_map = json.dumps({"sourcesContent": [text]}).encode()
            line = "//# sourceMappingURL=data:application/json;base64,"
            content = b'"use strict";\n' + line.encode() + base64.b64encode(source_map)
            entry = tarfile.TarInfo(f"package/lib/thing-{number}/index.js")
            entry.size = len(content)
            inner.addfile(entry, io.BytesIO(content))
    with zipfile.ZipFile(path, "w") as outer:
        outer.writestr("acme/_jsii/provider-acme@1.0.0.jsii.tgz", package.getvalue())
    return path


def test_the_extractor_tells_blocks_from_nested_attributes_and_sets_from_lists(
    tmp_path: Path,
) -> None:
    acme = ProviderSource("acme", "registry/acme", "1.0.0", ("acme_thing",), ())
    found = extract(wheel(tmp_path / "acme.whl", BINDING, PROVIDER), acme)
    assert found["provider"] == {"attributes": {"token": {"type": "string", "optional": True}}}
    resources: Any = found["resources"]
    level = {"type": "number", "optional": True}
    assert resources["acme_thing"] == {
        "attributes": {
            "name": {"type": "string", "computed": True, "optional": True},
            "seen": {"type": "bool", "computed": True},
            "options": {
                "nested": {"nesting": "single", "attributes": {"level": level}},
                "optional": True,
            },
        },
        "blocks": {
            "rule": {
                "nesting": "set",
                "block": {"attributes": {"who": {"type": ["set", "string"], "required": True}}},
            }
        },
    }


async def test_terraform_reads_the_vendored_schemas(bench: Workbench) -> None:
    await bench.ready(bench.world.scratch())
    shown = json.loads((await bench.run("providers", "schema", "-json")).text)
    seen_by = {name.partition("/")[2]: each for name, each in shown["provider_schemas"].items()}
    for source in PROVIDERS:
        vendored = json.loads(gzip.decompress(source.schema_file.read_bytes()))
        seen = seen_by[source.address]
        assert set(seen["resource_schemas"]) == set(source.resources)
        assert set(seen["data_source_schemas"]) == set(source.data_sources)
        for kind, part in (
            ("resources", "resource_schemas"),
            ("data_sources", "data_source_schemas"),
        ):
            for name, block in vendored[kind].items():
                overridden = OVERRIDES.get(name, {}) if kind == "resources" else {}
                assert as_vendored(seen[part][name]["block"]) == corrected(block, overridden), name
        assert "alias" not in seen["provider"]["block"]["attributes"]
    github = seen_by[PROVIDERS[0].address]["provider"]["block"]
    assert github["block_types"]["app_auth"]["max_items"] == 1
    pem = github["block_types"]["app_auth"]["block"]["attributes"]["pem_file"]
    assert pem["sensitive"] is True


def as_vendored(block: Any) -> Any:
    attributes = {name: attribute(each) for name, each in block.get("attributes", {}).items()}
    blocks = {name: nested(each) for name, each in block.get("block_types", {}).items()}
    return {"attributes": attributes} | ({"blocks": blocks} if blocks else {})


def attribute(seen: Any) -> Any:
    flags = {name: True for name in ("required", "optional", "computed") if seen.get(name)}
    if "nested_type" not in seen:
        return {"type": seen["type"], **flags}
    inner = seen["nested_type"]
    attributes = {name: attribute(each) for name, each in inner["attributes"].items()}
    return {"nested": {"nesting": inner["nesting_mode"], "attributes": attributes}, **flags}


def nested(seen: Any) -> Any:
    limits = {key: seen[f"{key}_items"] for key in ("min", "max") if seen.get(f"{key}_items")}
    return {"nesting": seen["nesting_mode"], "block": as_vendored(seen["block"]), **limits}


def corrected(block: Any, overrides: Any) -> Any:
    """What the wheels get wrong is corrected by hand, and nothing else."""
    for path, detail in overrides.items():
        if detail.type:
            block["attributes"][path]["type"] = detail.type
        if detail.max_items:
            block["blocks"][path]["max"] = detail.max_items
    return block


def test_every_override_names_an_attribute_that_exists() -> None:
    missing = []
    for source in PROVIDERS:
        vendored = json.loads(gzip.decompress(source.schema_file.read_bytes()))["resources"]
        for name in OVERRIDES.keys() & vendored.keys():
            missing += [(name, path) for path in OVERRIDES[name] if not has(vendored[name], path)]
    assert missing == []


def has(block: Any, path: str) -> bool:
    head, _, rest = path.partition(".")
    if not rest:
        return head in block["attributes"] or head in block.get("blocks", {})
    return head in block.get("blocks", {}) and has(block["blocks"][head]["block"], rest)


def test_every_type_that_is_served_has_code_behind_it() -> None:
    assert {name for source in PROVIDERS for name in source.resources} == set(RESOURCES)
    assert {name for source in PROVIDERS for name in source.data_sources} == set(DATA_SOURCES)
    assert set(OVERRIDES) <= set(RESOURCES)


def test_the_licence_of_the_schemas_lies_beside_them() -> None:
    folder = PROVIDERS[0].schema_file.parent
    text = (folder / "LICENSE-MPL-2.0.txt").read_text()
    assert "Mozilla Public License, version 2.0" in text
