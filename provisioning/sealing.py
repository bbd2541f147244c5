"""Seals what must not lie readable in the database: AES-256-GCM with keys from the settings.

Each sealed text is bound to its place (whose it is, what it is for): somebody who can write to the
database but has no key cannot make one person's token another's. The first key seals, all of them
open; a sweep seals anew what an older key had sealed.
"""

import base64
import binascii
import hashlib
import os
from collections.abc import Sequence

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from provisioning.errors import PermanentError, UserError

KEY_BYTES = 32
NONCE_BYTES = 12
VERSION = "v1"
MAKE_ONE = "openssl rand -base64 32"


class Seal:
    """Seals and opens texts. `keys` are 32 bytes each, the one that seals first."""

    def __init__(self, keys: Sequence[bytes]) -> None:
        if not keys:
            raise ValueError("a seal needs a key")
        self._keys = {_name(key): AESGCM(key) for key in keys}
        self.current = f"{VERSION}.{_name(keys[0])}."
        """How everything begins that the first key has sealed."""

    def close(self, text: str, place: str) -> str:
        """Seal a text for one place."""
        nonce = os.urandom(NONCE_BYTES)
        name = self.current.split(".")[1]
        sealed = self._keys[name].encrypt(nonce, text.encode(), _bound(self.current, place))
        return self.current + base64.urlsafe_b64encode(nonce + sealed).decode()

    def open(self, sealed: str, place: str) -> str:
        """Return what was sealed for this place; raises PermanentError if that cannot be."""
        head, _, body = sealed.rpartition(".")
        key = self._keys.get(head.removeprefix(f"{VERSION}."))
        if key is None:
            raise PermanentError(
                "A stored token was sealed with a key that is not in security.seal_keys any more. "
                "Nothing was changed. Add that key again, or link the GitHub account again."
            )
        try:
            raw = base64.urlsafe_b64decode(body)
            bound = _bound(f"{head}.", place)
            return key.decrypt(raw[:NONCE_BYTES], raw[NONCE_BYTES:], bound).decode()
        except (InvalidTag, ValueError) as broken:
            raise PermanentError(
                "A stored token was changed or moved in the database, so it is not used. Nothing "
                "was changed. The platform team must find out how; then link the account again."
            ) from broken


def keys_of(setting: str) -> tuple[bytes, ...]:
    """Return the keys in the setting, separated by commas or spaces; raises UserError."""
    return tuple(_key(word, at) for at, word in enumerate(setting.replace(",", " ").split(), 1))


def _key(word: str, position: int) -> bytes:
    try:
        key = base64.b64decode(word.replace("-", "+").replace("_", "/"), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if len(key) != KEY_BYTES:
        raise UserError(
            f"security.seal_keys: key {position} is not {KEY_BYTES} bytes in base64. "
            f"Make one with: {MAKE_ONE}"
        )
    return key


def _name(key: bytes) -> str:
    """Return a key's public name: it tells keys apart and nothing about them."""
    return hashlib.sha256(b"sciclops seal key" + key).hexdigest()[:12]


def _bound(head: str, place: str) -> bytes:
    return f"{head}{place}".encode()
