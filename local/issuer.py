"""The development token issuer: what an OIDC provider is to the deployed system. It trusts whoever asks."""

import base64
import hashlib
import json
import time
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

KEY_FILE: Final = "issuer.pem"
AUDIENCE: Final = "cauri"
DAY_SECONDS: Final = 86_400


@dataclass(frozen=True, slots=True)
class Bearer:
    """Who a token speaks for."""

    tenant: str
    roles: tuple[str, ...]
    subject: str
    customer_id: str | None = None
    vendor_id: str | None = None
    email: str | None = None
    """An address that counts as verified."""


class Issuer:
    """Signs RS256 tokens with a key kept in the state directory, so that tokens outlive a restart."""

    def __init__(self, directory: Path, url: str, audience: str = AUDIENCE) -> None:
        self.url = url
        self._audience = audience
        self._key = _load_or_make(directory / KEY_FILE)
        public = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(self._key.public_key()))
        self._jwk = public | {"kid": _thumbprint(public), "use": "sig", "alg": "RS256"}
        del self._jwk["key_ops"]

    def token(self, bearer: Bearer, days: float = 1.0) -> str:
        now = int(time.time())
        proven = True if bearer.email else None
        optional = {
            "customer_id": bearer.customer_id,
            "vendor_id": bearer.vendor_id,
            "email": bearer.email,
            "email_verified": proven,
        }
        claims: dict[str, Any] = {
            "iss": self.url,
            "aud": self._audience,
            "sub": bearer.subject,
            "tenant": bearer.tenant,
            "roles": list(bearer.roles),
            "iat": now,
            "exp": now + int(days * DAY_SECONDS),
            "jti": str(uuid.uuid4()),
        } | {name: value for name, value in optional.items() if value is not None}
        return jwt.encode(claims, self._key, algorithm="RS256", headers={"kid": self._jwk["kid"]})

    def keys(self) -> dict[str, Any]:
        """The body of /.well-known/jwks.json."""
        return {"keys": [self._jwk]}

    def configuration(self) -> dict[str, Any]:
        """The body of /.well-known/openid-configuration."""
        return {
            "issuer": self.url,
            "jwks_uri": f"{self.url}/.well-known/jwks.json",
            "id_token_signing_alg_values_supported": ["RS256"],
            "response_types_supported": ["token"],
            "subject_types_supported": ["public"],
        }


def _load_or_make(path: Path) -> rsa.RSAPrivateKey:
    if path.exists():
        key = serialization.load_pem_private_key(path.read_bytes(), password=None)
        assert isinstance(key, rsa.RSAPrivateKey)
        return key
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    path.touch(mode=0o600)
    path.write_bytes(pem)
    return key


def _thumbprint(public: dict[str, Any]) -> str:
    """The key's name, as RFC 7638 makes it."""
    required = json.dumps({name: public[name] for name in ("e", "kty", "n")}, separators=(",", ":"))
    return base64.urlsafe_b64encode(hashlib.sha256(required.encode()).digest()).rstrip(b"=").decode()
