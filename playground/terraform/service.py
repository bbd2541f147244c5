"""The plugin protocol's service: one instance per provider, one session per connection."""

import json
import logging
from collections import OrderedDict
from collections.abc import Callable, Mapping
from threading import Event, Lock
from typing import Any

import grpc

from playground.terraform import messages, planning
from playground.terraform.data_sources import DATA_SOURCES
from playground.terraform.parent import Verdict
from playground.terraform.registry import RESOURCES
from playground.terraform.schemas import Attribute, Block, load
from playground.terraform.served import ProviderSource
from playground.terraform.values import (
    Attributes,
    Value,
    decode_attributes,
    encode,
    known,
)
from playground.terraform.vendor import Api, VendorError
from playground.terraform.wire import Message, Values

Connect = Callable[[Attributes], Api]
Handle = Callable[[Values, str], Mapping[str, object]]
SESSIONS = 4096
HELD_SECONDS = 0.05
CAPABILITIES = {"get_provider_schema_optional": True}

_log = logging.getLogger(__name__)


class ProviderService:
    """One provider for all Terraform processes.

    Terraform opens a connection of its own for every provider configuration, so the peer's address
    tells the configurations (and processes) apart.
    """

    def __init__(
        self, source: ProviderSource, connect: Connect, verdict: Callable[[str], Verdict]
    ) -> None:
        self._schemas = load(source)
        self._connect = connect
        self._verdict = verdict
        self._sessions: OrderedDict[str, Api] = OrderedDict()
        self._lock = Lock()
        wire = self._schemas.wire() | {"server_capabilities": CAPABILITIES}
        self._schema_answer = messages.PROVIDER_SCHEMA.encode(wire)

    def handler(self) -> "grpc.GenericRpcHandler[bytes, bytes]":
        """Return the gRPC handler of `tfplugin6.Provider`."""
        methods = {
            "GetMetadata": self._rpc(messages.EMPTY, messages.METADATA, self._metadata),
            "ValidateProviderConfig": self._rpc(
                messages.VALIDATE_PROVIDER, messages.VALIDATED_PROVIDER, _nothing
            ),
            "ValidateResourceConfig": self._rpc(
                messages.VALIDATE, messages.DIAGNOSTICS, self._validate
            ),
            "ValidateDataResourceConfig": self._rpc(
                messages.VALIDATE, messages.DIAGNOSTICS, _nothing
            ),
            "UpgradeResourceState": self._rpc(messages.UPGRADE, messages.UPGRADED, self._upgrade),
            "ConfigureProvider": self._rpc(
                messages.CONFIGURE, messages.DIAGNOSTICS, self._configure
            ),
            "ReadResource": self._rpc(messages.READ, messages.WAS_READ, self._read),
            "PlanResourceChange": self._rpc(messages.PLAN, messages.PLANNED, self._plan),
            "ApplyResourceChange": self._rpc(messages.APPLY, messages.APPLIED, self._apply),
            "ImportResourceState": self._rpc(messages.IMPORT, messages.IMPORTED, self._import),
            "ReadDataSource": self._rpc(messages.READ_DATA, messages.DATA, self._read_data),
            "StopProvider": self._rpc(messages.EMPTY, messages.STOPPED, _nothing),
        }
        methods["GetProviderSchema"] = grpc.unary_unary_rpc_method_handler(
            lambda _request, _context: self._schema_answer
        )
        return grpc.method_handlers_generic_handler("tfplugin6.Provider", methods)

    def _rpc(
        self, asked: Message, answered: Message, handle: Handle
    ) -> "grpc.RpcMethodHandler[bytes, bytes]":
        def call(request: bytes, context: grpc.ServicerContext) -> bytes:
            values = asked.decode(request)
            try:
                return answered.encode(handle(values, context.peer()))
            except VendorError as error:
                return answered.encode({"diagnostics": [_error(error)]})
            except Exception as error:  # noqa: BLE001 - Terraform must get an answer
                _log.exception("a call of Terraform's failed")
                return answered.encode({"diagnostics": [_error(error)]})

        return grpc.unary_unary_rpc_method_handler(call)

    def _metadata(self, _asked: Values, _peer: str) -> Mapping[str, object]:
        return {
            "server_capabilities": CAPABILITIES,
            "resources": [{"type_name": name} for name in self._schemas.resources],
            "data_sources": [{"type_name": name} for name in self._schemas.data_sources],
        }

    def _configure(self, asked: Values, peer: str) -> Mapping[str, object]:
        config = decode_attributes(asked.get("config")) or {}
        if not known(config):
            return {}  # planned before its values exist: whoever needs it is told by `_session`
        api = self._connect(config)
        with self._lock:
            self._sessions[peer] = api
            self._sessions.move_to_end(peer)
            while len(self._sessions) > SESSIONS:
                self._sessions.popitem(last=False)
        return {}

    def _session(self, peer: str) -> Api:
        with self._lock:
            api = self._sessions.get(peer)
        if api is None:
            raise VendorError("the provider is not configured: its configuration is not known yet")
        return api

    def _validate(self, asked: Values, _peer: str) -> Mapping[str, object]:
        name, block = self._resource(asked)
        config = decode_attributes(asked.get("config")) or {}
        return {
            "diagnostics": [
                {
                    "severity": messages.ERROR,
                    "summary": sentence,
                    "attribute": {"steps": [{"attribute_name": attribute}]},
                }
                for attribute, sentence in planning.faults(name, block, config)
            ]
        }

    def _upgrade(self, asked: Values, _peer: str) -> Mapping[str, object]:
        _, block = self._resource(asked)
        raw = asked.get("raw_state")
        state = json.loads(raw["json"]) if isinstance(raw, dict) else {}
        return {"upgraded_state": encode(planning.conform(block, state))}

    def _read(self, asked: Values, peer: str) -> Mapping[str, object]:
        name, block = self._resource(asked)
        state = decode_attributes(asked.get("current_state"))
        if state is None:
            return {"new_state": encode(None)}
        facts = RESOURCES[name].read(self._session(peer), state)
        new = None if facts is None else planning.reconcile(block, state, facts)
        return {"new_state": encode(new), "private": asked.get("private")}

    def _plan(self, asked: Values, _peer: str) -> Mapping[str, object]:
        _, block = self._resource(asked)
        prior = decode_attributes(asked.get("prior_state"))
        proposed = decode_attributes(asked.get("proposed_new_state"))
        plan = planning.plan(block, prior, proposed)
        return {
            "planned_state": encode(plan.state),
            "requires_replace": [
                {"steps": [{"attribute_name": attribute}]} for attribute in plan.replaced_by
            ],
            "legacy_type_system": True,
        }

    def _apply(self, asked: Values, peer: str) -> Mapping[str, object]:
        name, block = self._resource(asked)
        prior = decode_attributes(asked.get("prior_state"))
        planned = decode_attributes(asked.get("planned_state"))
        try:
            verdict = self._suffer(name)
            state = self._act(name, block, prior, planned, self._session(peer))
            if verdict.failure:
                raise VendorError(verdict.failure)
        except VendorError as error:
            # Not created means no state; a failed update or delete leaves what was there.
            return {"new_state": encode(prior), "diagnostics": [_error(error)]}
        return {"new_state": encode(state), "legacy_type_system": True}

    def _suffer(self, name: str) -> Verdict:
        while (verdict := self._verdict(name)).held:
            Event().wait(HELD_SECONDS)
        if verdict.seconds:
            Event().wait(verdict.seconds)
        if verdict.failure and not verdict.after_effect:
            raise VendorError(verdict.failure)
        return verdict

    def _act(
        self,
        name: str,
        block: Block,
        prior: Attributes | None,
        planned: Attributes | None,
        api: Api,
    ) -> Attributes | None:
        resource = RESOURCES[name]
        if planned is None:
            resource.delete(api, prior or {})
            return None
        wanted = {key: value for key, value in planned.items() if known(value)}
        if prior is None:
            facts = resource.create(api, wanted)
        else:
            facts = resource.update(api, prior, wanted)
        return planning.reconcile(block, planned, facts)

    def _import(self, asked: Values, _peer: str) -> Mapping[str, object]:
        name, block = self._resource(asked)
        state = RESOURCES[name].identify(str(asked.get("id", "")))
        typed = {key: _typed(block.attributes.get(key), value) for key, value in state.items()}
        found = {"type_name": name, "state": encode(planning.conform(block, typed))}
        return {"imported_resources": [found]}

    def _read_data(self, asked: Values, peer: str) -> Mapping[str, object]:
        name = str(asked["type_name"])
        block = self._schemas.data_sources[name]
        config = decode_attributes(asked.get("config")) or {}
        facts = DATA_SOURCES[name](self._session(peer), config)
        return {"state": encode(planning.conform(block, {**config, **facts}))}

    def _resource(self, asked: Values) -> tuple[str, Block]:
        name = str(asked["type_name"])
        return name, self._schemas.resources[name]


def _typed(attribute: Attribute | None, value: Value) -> Value:
    is_number = attribute is not None and attribute.type == "number"
    if is_number and isinstance(value, str):
        if not value.isdecimal():
            raise VendorError(f"a number is required, not {value}")
        return int(value)
    return value


def _nothing(_asked: Values, _peer: str) -> Mapping[str, object]:
    return {}


def _error(error: Exception) -> dict[str, Any]:
    known_cause = isinstance(error, VendorError)
    sentence = str(error) if known_cause else f"the provider failed: {error!r}"
    return {"severity": messages.ERROR, "summary": sentence}
