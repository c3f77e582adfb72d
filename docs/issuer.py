"""An issuer of tokens for a trial: `issuer.py keys`, then `issuer.py token tenant=soko roles=admin,finance …`.

ISSUER_URL is where jwks.json will be, under /.well-known; AUDIENCE is the template's TokenAudience, else "cauri".
Tokens are good for a day.
"""

import json
import os
import sys
import time
from pathlib import Path

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

PRIVATE = Path("issuer.pem")
KEY_ID = "trial"


def keys() -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    PRIVATE.touch(mode=0o600)
    PRIVATE.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    public = jwt.algorithms.ECAlgorithm.to_jwk(key.public_key(), as_dict=True)
    listed = {"keys": [{**public, "kid": KEY_ID, "use": "sig", "alg": "ES256"}]}
    Path("jwks.json").write_text(json.dumps(listed, indent=2) + "\n")


def token(claims: dict[str, str]) -> str:
    said = {
        "iss": os.environ["ISSUER_URL"],
        "aud": os.environ.get("AUDIENCE", "cauri"),
        "exp": int(time.time()) + 24 * 3600,
        "sub": "admin",
        **claims,
        "roles": claims["roles"].split(","),
    }
    return jwt.encode(said, PRIVATE.read_bytes(), algorithm="ES256", headers={"kid": KEY_ID})


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["keys"]:
            keys()
        case ["token", *claims]:
            print(token(dict(claim.split("=", 1) for claim in claims)))  # noqa: T201
        case _:
            sys.exit(__doc__)
