"""Takes secrets out of free text: known values, and whatever looks like a credential.

It would rather hide too much than too little, but leaves digests, UUIDs and resource ids alone:
a plan must stay readable. Redacting twice changes nothing more.
"""

import base64
import json
import re
from collections.abc import Iterable, Iterator
from urllib.parse import quote

REDACTED = "[redacted]"
SHORTEST_KNOWN = 6
"""Shorter known values would take ordinary words out of the text."""

LONGEST_PEM = 20_000

SECRET_WORDS = (
    *("password", "passwd", "passphrase", "pwd", "secret", "token", "credential", "credentials"),
    *("signature", "sig", "connectionstring", "connection_string", "connection-string"),
    *(
        f"{kind}{joint}key"
        for kind in ("api", "access", "account", "private", "secret", "signing", "encryption")
        for joint in ("", "_", "-")
    ),
)
NAMES = rf"(?<![\w.-])[\w.-]++(?:{'|'.join(f'(?<={word})' for word in SECRET_WORDS)})"
"""Names whose value is a secret: they end with such a word. Takes linear time on any text."""

NO_SECRET = (
    r"(?!\[redacted\]|\(|null\b|true\b|false\b|none\b|\{\{|\$\{|var\.|local\.|module\.|data\.)"
)
"""What follows such a name without being a secret: references and Terraform's placeholders."""

SHAPES = (
    r"\bgh[opsur]_[A-Za-z0-9_.-]{16,}",
    r"\bgithub_pat_[A-Za-z0-9_]{16,}",
    r"\bxox[a-z](?:\.xox[a-z])?-[A-Za-z0-9-]{8,}",
    r"\bxapp-[A-Za-z0-9-]{8,}",
    r"\bxwfp-[A-Za-z0-9-]{8,}",
    r"(?<=hooks\.slack\.com/)[A-Za-z0-9_/.-]{8,}",
    r"\b(?:dapi|dose|dkea)[0-9a-fA-F]{28,}(?:-\d+)?",
    r"\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}(?:\.[A-Za-z0-9_-]*)?",
    r"\b(?:AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{16}\b",
    r"\bAIza[A-Za-z0-9_-]{35}",
    r"\b[A-Za-z0-9_~.-]{3}[78]Q~[A-Za-z0-9_~.-]{31,}",
    r"\b(?:sk|rk)[-_](?:live|test|proj|ant)[-_][A-Za-z0-9_-]{16,}",
    r"\b(?:hvs|hvb|hvr)\.[A-Za-z0-9_-]{20,}",
    r"\b[A-Za-z0-9]{14}\.atlasv1\.[A-Za-z0-9_=-]{40,}",
    r"\bglpat-[A-Za-z0-9_-]{16,}",
    r"\bnpm_[A-Za-z0-9]{30,}",
    r"\bpypi-[A-Za-z0-9_-]{50,}",
)
"""Credentials that tell by themselves what they are."""

PEM = re.compile(
    r"-----BEGIN (?P<kind>[A-Z0-9 ]+)-----"
    rf"(?:[\s\S]{{0,{LONGEST_PEM}}}?-----END (?P=kind)-----|(?:[A-Za-z0-9+/=:,\s\\-]|\\[nr])*)"
)
SHAPED = re.compile("|".join(SHAPES))
HEADER = re.compile(
    r"(?P<keep>\b(?:proxy-)?authorization\b[\"'\\]*\s*[:=]\s*[\"'\\]*)(?!\[redacted\])"
    r"(?:(?:basic|bearer|token|digest|negotiate)\s+)?[^\s\"'\\,;]+",
    re.IGNORECASE,
)
BEARER = re.compile(r"(?P<keep>\b(?:bearer|basic)\s+)[A-Za-z0-9+/_=.~-]{16,}", re.IGNORECASE)
URL_LOGIN = re.compile(
    r"(?P<keep>\b[a-z][a-z0-9+.-]{0,20}+://)(?:[^\s/:@\"'<>]*:[^\s/\"'<>]+|[A-Za-z0-9_-]{20,})@",
    re.IGNORECASE,
)
QUOTED = re.compile(
    rf"(?P<keep>{NAMES}\\*[\"']?\s*(?:=>|[:=])\s*(?P<quote>\\*[\"'])){NO_SECRET}"
    r"(?:(?!(?P=quote))[^\r\n])+",
    re.IGNORECASE,
)
BARE = re.compile(
    rf"(?P<keep>(?P<name>{NAMES})\\*[\"']?\s*(?P<sign>=>|[:=])\s*){NO_SECRET}"
    r"(?P<value>[^\s\"'\\,;&<>(){}\[\]|]+)",
    re.IGNORECASE,
)
FLAG = re.compile(
    rf"(?P<keep>(?<!\S)(?=--?\w){NAMES}\s+[\"']?)(?!\[redacted\]|-)[^\s\"']+", re.IGNORECASE
)
PASSWORDS = re.compile(r"passw(?:or)?d|passphrase|pwd", re.IGNORECASE)
PLAIN_WORD = re.compile(r"[a-z]+[.!?:]?|[A-Z]?[a-z]+[.!?:]?|\d{1,5}", re.ASCII)


class SecretRedactor:
    """Implements `provisioning.ports.Redactor`. `known` are secrets' values, hidden wherever."""

    def __init__(self, known: Iterable[str] = ()) -> None:
        spellings = {spelling for value in known for spelling in _spellings(value)}
        self._longest = max((spelling.count("\n") for spelling in spellings), default=0)
        longest_first = sorted(spellings, key=len, reverse=True)
        self._known = re.compile("|".join(map(re.escape, longest_first))) if spellings else None

    def __call__(self, text: str) -> str:
        """Return the text with every known or likely secret replaced by `[redacted]`."""
        if self._known:
            text = self._known.sub(REDACTED, text)
        text = PEM.sub(_hide_pem, text)
        text = SHAPED.sub(REDACTED, text)
        text = URL_LOGIN.sub(rf"\g<keep>{REDACTED}@", text)
        for pattern in (HEADER, BEARER, QUOTED, FLAG):
            text = pattern.sub(rf"\g<keep>{REDACTED}", text)
        return BARE.sub(_hide_bare, text)

    def stream(self, chunks: Iterable[str]) -> Iterator[str]:
        """Redact text that arrives in pieces, cut anywhere; a secret across a cut is hidden too."""
        held = ""
        for chunk in chunks:
            held += chunk
            safe = self._safe_length(held)
            if safe:
                yield self(held[:safe])
                held = held[safe:]
        if held:
            yield self(held)

    def _safe_length(self, held: str) -> int:
        """Return up to where no secret can reach beyond: whole lines, no open PEM block."""
        end = len(held)
        for _ in range(self._longest + 1):
            end = max(held.rfind("\n", 0, end), 0)
        begin = held.rfind("-----BEGIN ")
        is_open = begin >= 0 and "-----END " not in held[begin:]
        if is_open and len(held) - begin <= LONGEST_PEM:
            end = min(end, begin)
        return self._before_any_secret(held, held.rfind("\n", 0, end + 1) + 1)

    def _before_any_secret(self, held: str, end: int) -> int:
        """Move a cut that would go through a secret of several lines to the line before it."""
        spans = [found.span() for found in PEM.finditer(held)]
        spans += [found.span() for found in self._known.finditer(held)] if self._known else []
        for start, stop in sorted(spans, reverse=True):
            if start < end < stop:
                end = held.rfind("\n", 0, start) + 1
        return end


def cut_middle(text: str, longest: int) -> str:
    """Return the text, its middle replaced by how much was left out if it is too long."""
    if len(text) <= longest:
        return text
    half = longest // 2
    left_out = len(text) - 2 * half
    return f"{text[:half]}\n\n… {left_out} characters left out here …\n\n{text[-half:]}"


def _spellings(value: str) -> Iterator[str]:
    value = value.strip()
    if len(value) < SHORTEST_KNOWN:
        return
    yield value
    yield json.dumps(value)[1:-1]
    yield json.dumps(value, ensure_ascii=False)[1:-1]
    yield quote(value, safe="")
    yield base64.b64encode(value.encode()).decode().rstrip("=")
    if "\n" in value:
        yield from (line for line in value.splitlines() if _is_telling(line))


def _is_telling(line: str) -> bool:
    return len(line) >= 32 and not line.startswith("-----")


def _hide_pem(found: "re.Match[str]") -> str:
    public = found["kind"] in ("CERTIFICATE", "PUBLIC KEY", "CERTIFICATE REQUEST")
    return found[0] if public else REDACTED


def _hide_bare(found: "re.Match[str]") -> str:
    """Hide an unquoted value, unless it reads as prose: `token: expected`, `Secret: denied`."""
    prose = PLAIN_WORD.fullmatch(found["value"])
    if prose and not PASSWORDS.search(found["name"]) and len(found["value"]) < 20:
        return found[0]
    return found["keep"] + REDACTED


__all__ = ["REDACTED", "SecretRedactor", "cut_middle"]
