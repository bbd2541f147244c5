"""The messages of Terraform's plugin protocol, version 6 (tfplugin6.proto), that we speak.

Field numbers are the protocol's; what Terraform sends and we don't use is left out.
"""

from playground.terraform.wire import Message, boolean, by_name, integer, many, one, raw, string

ERROR, WARNING = 1, 2
NESTING = {"single": 1, "list": 2, "set": 3, "map": 4}
"""`NestedBlock.NestingMode` and `Object.NestingMode`, which agree in what we use."""

DYNAMIC_VALUE = Message(msgpack=raw(1), json=raw(2))
STEP = Message(attribute_name=string(1), element_key_string=string(2), element_key_int=integer(3))
ATTRIBUTE_PATH = Message(steps=many(1, STEP))
DIAGNOSTIC = Message(
    severity=integer(1), summary=string(2), detail=string(3), attribute=one(4, ATTRIBUTE_PATH)
)

OBJECT = Message()
ATTRIBUTE = Message(
    name=string(1),
    type=raw(2),
    nested_type=one(10, OBJECT),
    required=boolean(4),
    optional=boolean(5),
    computed=boolean(6),
    sensitive=boolean(7),
)
OBJECT.declare(attributes=many(1, ATTRIBUTE), nesting=integer(3))
BLOCK = Message()
NESTED_BLOCK = Message(
    type_name=string(1),
    block=one(2, BLOCK),
    nesting=integer(3),
    min_items=integer(4),
    max_items=integer(5),
)
BLOCK.declare(version=integer(1), attributes=many(2, ATTRIBUTE), block_types=many(3, NESTED_BLOCK))
SCHEMA = Message(version=integer(1), block=one(2, BLOCK))
CAPABILITIES = Message(plan_destroy=boolean(1), get_provider_schema_optional=boolean(2))

EMPTY = Message()
TYPE_NAME = Message(type_name=string(1))
STOPPED = Message(error=string(1))
METADATA = Message(
    server_capabilities=one(1, CAPABILITIES),
    data_sources=many(3, TYPE_NAME),
    resources=many(4, TYPE_NAME),
)
PROVIDER_SCHEMA = Message(
    provider=one(1, SCHEMA),
    resource_schemas=by_name(2, SCHEMA),
    data_source_schemas=by_name(3, SCHEMA),
    server_capabilities=one(6, CAPABILITIES),
)
VALIDATE_PROVIDER = Message(config=one(1, DYNAMIC_VALUE))
VALIDATED_PROVIDER = Message(diagnostics=many(2, DIAGNOSTIC))
CONFIGURE = Message(terraform_version=string(1), config=one(2, DYNAMIC_VALUE))
VALIDATE = Message(type_name=string(1), config=one(2, DYNAMIC_VALUE))
DIAGNOSTICS = Message(diagnostics=many(1, DIAGNOSTIC))
RAW_STATE = Message(json=raw(1))
UPGRADE = Message(type_name=string(1), version=integer(2), raw_state=one(3, RAW_STATE))
UPGRADED = Message(upgraded_state=one(1, DYNAMIC_VALUE), diagnostics=many(2, DIAGNOSTIC))
READ = Message(type_name=string(1), current_state=one(2, DYNAMIC_VALUE), private=raw(3))
WAS_READ = Message(new_state=one(1, DYNAMIC_VALUE), diagnostics=many(2, DIAGNOSTIC), private=raw(3))
PLAN = Message(
    type_name=string(1),
    prior_state=one(2, DYNAMIC_VALUE),
    proposed_new_state=one(3, DYNAMIC_VALUE),
    config=one(4, DYNAMIC_VALUE),
)
PLANNED = Message(
    planned_state=one(1, DYNAMIC_VALUE),
    requires_replace=many(2, ATTRIBUTE_PATH),
    diagnostics=many(4, DIAGNOSTIC),
    legacy_type_system=boolean(5),
)
APPLY = Message(
    type_name=string(1),
    prior_state=one(2, DYNAMIC_VALUE),
    planned_state=one(3, DYNAMIC_VALUE),
    config=one(4, DYNAMIC_VALUE),
)
APPLIED = Message(
    new_state=one(1, DYNAMIC_VALUE),
    diagnostics=many(3, DIAGNOSTIC),
    legacy_type_system=boolean(4),
)
IMPORT = Message(type_name=string(1), id=string(2))
IMPORTED_RESOURCE = Message(type_name=string(1), state=one(2, DYNAMIC_VALUE))
IMPORTED = Message(imported_resources=many(1, IMPORTED_RESOURCE), diagnostics=many(2, DIAGNOSTIC))
READ_DATA = Message(type_name=string(1), config=one(2, DYNAMIC_VALUE))
DATA = Message(state=one(1, DYNAMIC_VALUE), diagnostics=many(2, DIAGNOSTIC))
