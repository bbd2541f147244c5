"""What a change would do: pure functions over schemas and values, as provider SDKs do it."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field

from playground.terraform.overrides import EXACTLY_ONE
from playground.terraform.schemas import Attribute, Block, NestedBlock
from playground.terraform.values import UNKNOWN, Attributes, Value

Change = Callable[[Block, Attributes], Attributes]
EMPTY: tuple[Value, ...] = (None, False, 0, "", [], {})


@dataclass
class Plan:
    """What a resource will be, and which attributes force its replacement."""

    state: Attributes | None
    replaced_by: list[str] = field(default_factory=list)


def plan(block: Block, prior: Attributes | None, proposed: Attributes | None) -> Plan:
    """Return the planned state: defaults filled in, unknown what the vendor decides."""
    if proposed is None:
        return Plan(None)
    wanted = with_defaults(block, proposed)
    if prior is None:
        return Plan(_with_unknowns(block, wanted))
    _keep_lazy(block, prior, wanted)
    if same(block, prior, wanted):
        return Plan(prior)
    replaced_by = [
        name
        for name in block.with_rule("force_new")
        if not _same_attribute(block.attributes[name], prior.get(name), wanted.get(name))
    ]
    for name in block.with_rule("volatile"):
        wanted[name] = UNKNOWN
    return Plan(wanted, replaced_by)


def with_defaults(block: Block, value: Attributes) -> Attributes:
    """Return a copy in which what was left out has its default."""
    filled = dict(value)
    for name, attribute in block.attributes.items():
        if filled.get(name) is None and attribute.detail.default is not None:
            filled[name] = attribute.detail.default
    for name, nested in block.blocks.items():
        filled[name] = _each(nested, filled.get(name), with_defaults)
    return filled


def _each(nested: NestedBlock, value: Value, change: Change) -> Value:
    if isinstance(value, list):
        return [change(nested.block, each) if isinstance(each, dict) else each for each in value]
    if isinstance(value, dict):
        return change(nested.block, value)
    return value if value is UNKNOWN or nested.nesting == "single" else []


def _with_unknowns(block: Block, wanted: Attributes) -> Attributes:
    for name, attribute in block.attributes.items():
        if attribute.computed and wanted.get(name) is None:
            wanted[name] = UNKNOWN
    return wanted


def _keep_lazy(block: Block, prior: Attributes, wanted: Attributes) -> None:
    for name in block.with_rule("lazy"):
        wanted[name] = prior.get(name)


def conform(block: Block, value: Attributes) -> Attributes:
    """Return exactly the schema's attributes: absent ones null, unknown names dropped."""
    shaped: Attributes = {name: value.get(name) for name in block.attributes}
    for name, nested in block.blocks.items():
        shaped[name] = _each(nested, value.get(name), conform)
    for name, attribute in block.attributes.items():
        if attribute.nested is not None:
            shaped[name] = _conform_nested(attribute.nested, shaped[name])
    return shaped


def _conform_nested(nested: Block, value: Value) -> Value:
    if isinstance(value, dict):
        return conform(nested, value)
    if isinstance(value, list):
        return [conform(nested, each) if isinstance(each, dict) else each for each in value]
    return value


def same(block: Block, one: Attributes, other: Attributes) -> bool:
    """Tell whether two states mean the same; order in sets doesn't count."""
    return all(
        _same_attribute(attribute, one.get(name), other.get(name))
        for name, attribute in block.attributes.items()
    ) and all(
        _canonical_block(nested, one.get(name)) == _canonical_block(nested, other.get(name))
        for name, nested in block.blocks.items()
    )


def _same_attribute(attribute: Attribute, one: Value, other: Value) -> bool:
    if one is UNKNOWN or other is UNKNOWN:
        return one is other
    return _canonical(attribute, one) == _canonical(attribute, other)


def _canonical(attribute: Attribute, value: Value) -> str:
    if attribute.is_set and isinstance(value, list):
        return json.dumps(sorted(_text(each) for each in value))
    return _text(value)


def _canonical_block(nested: NestedBlock, value: Value) -> str:
    single = [value] if value not in EMPTY else []
    items = value if isinstance(value, list) else single
    parts = [_canonical_object(nested.block, item) for item in items]
    return json.dumps(sorted(parts) if nested.nesting == "set" else parts)


def _canonical_object(block: Block, value: Value) -> str:
    if not isinstance(value, dict):
        return _text(value)
    parts = {name: _canonical(each, value.get(name)) for name, each in block.attributes.items()}
    for name, nested in block.blocks.items():
        parts[name] = _canonical_block(nested, value.get(name))
    return json.dumps(parts, sort_keys=True)


def _text(value: Value) -> str:
    return json.dumps(value, sort_keys=True, default=repr)


def reconcile(block: Block, ours: Attributes, theirs: Attributes) -> Attributes:
    """Return the state after looking at the vendor: `theirs`, spelled as `ours` where equal.

    What the vendor calls false, zero or empty and we never set stays null; sets keep our order;
    what the vendor doesn't tell stays as we knew it.
    """
    merged = dict(ours)
    for name, value in theirs.items():
        if name in block.attributes:
            merged[name] = _settled(block.attributes[name], ours.get(name), value)
        elif name in block.blocks:
            merged[name] = _settled_block(block.blocks[name], ours.get(name), value)
    return conform(block, {name: _known(value) for name, value in merged.items()})


def _settled(attribute: Attribute, ours: Value, theirs: Value) -> Value:
    unset = ours in EMPTY and theirs in EMPTY and not (attribute.computed and ours is None)
    if unset or _same_attribute(attribute, ours, theirs):
        return ours
    if attribute.nested is not None and isinstance(ours, dict) and isinstance(theirs, dict):
        return _settled_object(attribute.nested, ours, theirs)
    return theirs


def _settled_block(nested: NestedBlock, ours: Value, theirs: Value) -> Value:
    mine, vendors = _as_list(ours), _as_list(theirs)
    if nested.nesting == "set":
        mine = []  # elements of sets have no position by which they could be matched
    blank = with_defaults(nested.block, {})
    settled = [
        _settled_object(nested.block, mine[at] if at < len(mine) else blank, each)
        for at, each in enumerate(vendors)
    ]
    return ours if _canonical_block(nested, settled) == _canonical_block(nested, ours) else settled


def _settled_object(block: Block, ours: Attributes, theirs: Attributes) -> Attributes:
    """Inside objects the vendor tells everything: what is absent there is absent."""
    return reconcile(block, ours, conform(block, theirs))


def _as_list(value: Value) -> list[Attributes]:
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def _known(value: Value) -> Value:
    return None if value is UNKNOWN else value


def faults(type_name: str, block: Block, config: Attributes) -> list[tuple[str, str]]:
    """Return what the provider's own validation finds: (attribute, sentence)."""
    found = list(_bad_choices(block, config))
    group = EXACTLY_ONE.get(type_name, ())
    given = [name for name in group if config.get(name) is not None]
    sure = [name for name in given if config[name] is not UNKNOWN]
    if len(sure) > 1 or (group and not given):
        rule = f"only one of `{','.join(group)}` can be specified, but"
        found.append((given[0] if given else group[0], f"{rule} `{','.join(sure)}` were specified"))
    return found


def _bad_choices(block: Block, config: Attributes) -> list[tuple[str, str]]:
    found = []
    for name, attribute in block.attributes.items():
        choices, value = attribute.detail.choices, config.get(name)
        if choices and isinstance(value, str) and value not in choices:
            found.append((name, f'expected {name} to be one of {list(choices)}, got "{value}"'))
    for name, nested in block.blocks.items():
        for each in _as_list(config.get(name)):
            found += [(name, sentence) for _, sentence in _bad_choices(nested.block, each)]
    return found
