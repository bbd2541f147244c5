"""The stand-in's keys: the App's, the OIDC issuer's and one per repository for sealed secrets."""

import base64
import hashlib

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from nacl.exceptions import CryptoError
from nacl.public import PrivateKey, SealedBox

from playground.github.calls import Refusal


class Vault:
    """Keys made at construction; nothing of them is ever written down."""

    def __init__(self) -> None:
        self.app_key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self.oidc_key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self._boxes: dict[int, PrivateKey] = {}

    @property
    def app_private_key_pem(self) -> str:
        """The App's private key, as GitHub offers it for download once."""
        return self.app_key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.TraditionalOpenSSL,
            serialization.NoEncryption(),
        ).decode()

    def public_key(self, repo_id: int) -> tuple[str, str]:
        """Return (key id, key in base64) to seal a repository's secrets with."""
        key = bytes(self._box(repo_id).public_key)
        number = int.from_bytes(hashlib.sha256(key).digest()[:8])
        return str(number), base64.b64encode(key).decode()

    def open(self, repo_id: int, key_id: str, sealed: str) -> bytes:
        """Return what a sealed box holds; refuse one that this repository's key doesn't open."""
        if key_id != self.public_key(repo_id)[0]:
            raise Refusal(422, "Invalid request.\n\nkey_id does not match the public key.")
        try:
            return SealedBox(self._box(repo_id)).decrypt(base64.b64decode(sealed))
        except CryptoError:
            raise Refusal(
                422, "Invalid request.\n\nencrypted_value could not be decrypted."
            ) from None

    def _box(self, repo_id: int) -> PrivateKey:
        return self._boxes.setdefault(repo_id, PrivateKey.generate())
