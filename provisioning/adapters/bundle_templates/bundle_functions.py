"""The helper functions of bundle templates, without a workspace and without chance.

Rendering must be repeatable: the same request rendered again after a crash gives the same bytes.
So `uuid`, `bundle_uuid` and `random_int` are computed from the project's name, the file and the
number of the call. What only a workspace knows is taken from a `BundleContext`.
"""

import hashlib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from urllib.parse import SplitResult, unquote, urlsplit
from uuid import NAMESPACE_URL, UUID, uuid5

from provisioning.adapters.bundle_templates import go_regexp
from provisioning.adapters.bundle_templates.bugs import RefusedError
from provisioning.adapters.bundle_templates.functions import Function
from provisioning.adapters.bundle_templates.printing import sprintf
from provisioning.adapters.bundle_templates.values import (
    Pair,
    Record,
    Value,
    integer_of,
    text_of,
    type_name,
)
from provisioning.errors import UserError
from provisioning.questions import Answer


@dataclass(frozen=True)
class BundleContext:
    """What an installation of the bot knows; whatever helper is None is refused, with the reason.

    `seed` tells installations apart: two of them give projects of one name different ids.
    `answers` are the same for all its projects, e.g. the organisation.
    """

    seed: UUID = NAMESPACE_URL
    workspace_host: str | None = None
    user_name: str | None = None
    short_name: str | None = None
    is_service_principal: bool | None = None
    default_catalog: str | None = None
    smallest_node_type: str | None = None
    answers: Mapping[str, Answer] = field(default_factory=dict)


_FROM_WORKSPACE = (
    "workspace_host",
    "user_name",
    "short_name",
    "is_service_principal",
    "default_catalog",
    "smallest_node_type",
)


class Identities:
    """Numbers and ids that look random and are always the same for one project."""

    def __init__(self, context: BundleContext, project: str) -> None:
        self.seed = context.seed
        self.project = project
        self.calls: dict[str, int] = {}

    def bundle(self) -> str:
        """Return the id of the bundle."""
        return str(uuid5(self.seed, f"{self.project}/bundle"))

    def another(self, file: str) -> UUID:
        """Return an id that no other call in this rendering gets."""
        self.calls[file] = self.calls.get(file, 0) + 1
        return uuid5(self.seed, f"{self.project}/{file}/{self.calls[file]}")


def bundle_functions(
    context: BundleContext, identities: Identities, file: str, skip: Callable[[str], None]
) -> dict[str, Function]:
    """Return the helpers as a file calls them; `skip` hears the patterns of `{{skip}}`."""

    def skip_files(pattern: Value) -> str:
        skip(text_of(pattern))
        return ""

    def random_int(limit: Value) -> int:
        if integer_of(limit) <= 0:
            raise RefusedError("invalid argument to random_int: it must be more than 0")
        digest = hashlib.sha256(identities.another(file).bytes).digest()
        return int.from_bytes(digest[:16], "big") % integer_of(limit)

    return {
        "bundle_uuid": identities.bundle,
        "fail": _fail,
        "map": _map,
        "pair": lambda key, value: Pair(text_of(key), value),
        "path_separator": lambda: "/",
        "random_int": random_int,
        "regexp": _regexp,
        "skip": skip_files,
        "url": _url,
        "uuid": lambda: str(identities.another(file)),
        **{name: _from_workspace(context, name) for name in _FROM_WORKSPACE},
    }


def _fail(pattern: Value, *values: Value) -> str:
    raise UserError(sprintf(text_of(pattern), values))


def _map(*pairs: Value) -> dict[str, Value]:
    result: dict[str, Value] = {}
    for pair in pairs:
        if not isinstance(pair, Pair):
            raise RefusedError(f"map takes pairs, got {type_name(pair)}")
        result[pair.key] = pair.value
    return result


def _from_workspace(context: BundleContext, name: str) -> Function:
    def answer() -> Value:
        value: Value = getattr(context, name)
        if value is None:
            raise RefusedError(
                f"{{{{{name}}}}} is known only where a workspace is; this template is rendered "
                "for four stages at once, so use a bundle variable or a question instead"
            )
        return value

    return answer


def _regexp(source: Value) -> Record:
    text = text_of(source)
    pattern = go_regexp.compiled(text)

    def replace_literally(given: Value, replacement: Value) -> str:
        literal = text_of(replacement)
        return pattern.sub(lambda _: literal, text_of(given))

    return Record(
        "*regexp.Regexp",
        text,
        methods={
            "FindAllString": lambda given, limit: _find_all(pattern, given, limit),
            "FindString": lambda given: _first(pattern.search(text_of(given))),
            "FindStringSubmatch": lambda given: _groups(pattern.search(text_of(given))),
            "MatchString": lambda given: pattern.search(text_of(given)) is not None,
            "NumSubexp": lambda: pattern.groups,
            "ReplaceAllLiteralString": replace_literally,
            "ReplaceAllString": lambda given, template: _replace(pattern, given, template),
            "String": lambda: text,
        },
    )


def _first(found: re.Match[str] | None) -> str:
    return found.group() if found else ""


def _groups(found: re.Match[str] | None) -> list[str]:
    return [found.group(), *(group or "" for group in found.groups())] if found else []


def _find_all(pattern: re.Pattern[str], given: Value, limit: Value) -> list[str]:
    found = [match.group() for match in pattern.finditer(text_of(given))]
    return found if integer_of(limit) < 0 else found[: integer_of(limit)]


_EXPANSION = re.compile(r"\$(?:\$|(\w+)|\{(\w+)\})", re.ASCII)


def _replace(pattern: re.Pattern[str], given: Value, template: Value) -> str:
    def expand(match: re.Match[str]) -> str:
        def group(reference: re.Match[str]) -> str:
            name = reference[1] or reference[2]
            if name is None:
                return "$"
            known = int(name) if name.isdigit() else pattern.groupindex.get(name, -1)
            return (match.group(known) or "") if 0 <= known <= pattern.groups else ""

        return _EXPANSION.sub(group, text_of(template))

    return pattern.sub(expand, text_of(given))


def _url(source: Value) -> Record:
    text = text_of(source)
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError as bad:
        raise RefusedError(f'parse "{text}": {bad}') from bad
    if any(char < " " or char == "\x7f" for char in text):
        raise RefusedError(f"parse {text!r}: invalid control character in URL")
    if text.startswith(":") or " " in parts.netloc:
        raise RefusedError(f"parse {text!r}: no scheme, or invalid character in host name")
    return Record("*url.URL", text, _url_fields(parts), _url_methods(text, parts, port))


def _url_fields(parts: SplitResult) -> dict[str, Value]:
    opaque = bool(parts.scheme) and not parts.netloc and not parts.path.startswith("/")
    return {
        "Fragment": unquote(parts.fragment),
        "Host": parts.netloc.rpartition("@")[2],
        "Opaque": parts.path if opaque else "",
        "Path": "" if opaque else unquote(parts.path),
        "RawQuery": parts.query,
        "Scheme": parts.scheme,
    }


def _url_methods(text: str, parts: SplitResult, port: int | None) -> dict[str, Function]:
    # Python lower-cases `hostname`, Go does not.
    host = parts.netloc.rpartition("@")[2]
    if port is not None:
        host = host.rpartition(":")[0]
    return {
        "EscapedPath": lambda: parts.path,
        "Hostname": lambda: host.removesuffix(":").strip("[]"),
        "IsAbs": lambda: bool(parts.scheme),
        "Port": lambda: "" if port is None else str(port),
        "String": lambda: text,
    }
