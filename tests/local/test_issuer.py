"""Tokens that a verifier accepts, by the keys that the issuer publishes."""

from pathlib import Path
from typing import Any

import jwt
import pytest

from local.issuer import Bearer, Issuer

URL = "http://127.0.0.1:8001"


def claims(issuer: Issuer, token: str) -> dict[str, Any]:
    [published] = issuer.keys()["keys"]
    decoded: dict[str, Any] = jwt.decode(
        token, jwt.PyJWK(published), algorithms=["RS256"], audience="cauri", issuer=issuer.url
    )
    return decoded


def test_a_token_says_who_it_speaks_for(tmp_path: Path) -> None:
    issuer = Issuer(tmp_path, URL)
    found = claims(issuer, issuer.token(Bearer("acme", ("customer",), "ann", customer_id="cus_1"), days=2))
    assert (found["tenant"], found["roles"], found["sub"], found["customer_id"]) == (
        "acme",
        ["customer"],
        "ann",
        "cus_1",
    )
    assert found["exp"] - found["iat"] == 2 * 86_400
    assert "vendor_id" not in found


def test_a_token_names_the_key_that_verifies_it(tmp_path: Path) -> None:
    issuer = Issuer(tmp_path, URL)
    token = issuer.token(Bearer("acme", ("admin",), "ann"))
    assert jwt.get_unverified_header(token)["kid"] == issuer.keys()["keys"][0]["kid"]


def test_a_token_outlives_a_restart(tmp_path: Path) -> None:
    token = Issuer(tmp_path, URL).token(Bearer("acme", ("admin",), "ann"))
    assert claims(Issuer(tmp_path, URL), token)["tenant"] == "acme"


def test_the_published_key_is_public_only(tmp_path: Path) -> None:
    [published] = Issuer(tmp_path, URL).keys()["keys"]
    assert published.keys() == {"kty", "n", "e", "kid", "use", "alg"}


def test_another_issuers_token_is_not_accepted(tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    token = Issuer(tmp_path / "other", URL).token(Bearer("acme", ("admin",), "ann"))
    issuer = Issuer(tmp_path, URL)
    with pytest.raises(jwt.InvalidSignatureError):
        claims(issuer, token)
