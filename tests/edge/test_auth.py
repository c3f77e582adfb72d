"""Who calls: what a token must be, and what happens when nobody can tell."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import jwt
import pytest
from cauri.books.caller import Caller
from cauri.edge.auth import REFETCH_SECONDS, REMEMBERED_MAX, KeySet, TokenExpired, TokenInvalid, TokenMissing, Verifier
from cauri.errors import UnavailableError
from cauri.providers.http import Http
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tests.api.issuer import AUDIENCE, Issuer, SigningKey, ec_key, ed_key, rsa_key

IP = "192.0.2.7"


@dataclass
class Ticks:
    now: float = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def issuer() -> Iterator[Issuer]:
    issuer = Issuer([rsa_key(), ec_key(), ed_key()])
    yield issuer
    issuer.close()


@pytest.fixture
def ticks() -> Ticks:
    return Ticks()


@pytest.fixture
def verifier(issuer: Issuer, ticks: Ticks) -> Verifier:
    keys = KeySet(f"{issuer.url}/.well-known/jwks.json", Http(connect_seconds=0.3, read_seconds=0.3), ticks)
    return Verifier(issuer.url, AUDIENCE, keys)


def caller_of(verifier: Verifier, token: str) -> Caller:
    return verifier.caller(f"Bearer {token}", IP)


def test_a_token_names_tenant_subject_roles_and_customer(issuer: Issuer, verifier: Verifier) -> None:
    token = issuer.token(tenant="soko", sub="usr_1", roles=["customer"], customer_id="cus_amina")
    assert caller_of(verifier, token) == Caller(
        "soko", "usr_1", frozenset({"customer"}), customer_id="cus_amina", vendor_id=None, ip=IP
    )


@pytest.mark.parametrize("place", [0, 1, 2], ids=["RS256", "ES256", "EdDSA"])
def test_the_three_algorithms_that_only_an_issuer_can_sign_with_are_taken(
    place: int, issuer: Issuer, verifier: Verifier
) -> None:
    assert caller_of(verifier, issuer.token(issuer.keys[place], tenant="soko", roles=["admin"])).tenant == "soko"


def test_ids_of_roles_that_the_token_lacks_count_for_nothing(issuer: Issuer, verifier: Verifier) -> None:
    caller = caller_of(verifier, issuer.token(tenant="soko", roles=["guest"], customer_id="cus_1", vendor_id="ven_1"))
    assert (caller.customer_id, caller.vendor_id) == (None, None)


def test_roles_that_nobody_knows_are_none(issuer: Issuer, verifier: Verifier) -> None:
    assert caller_of(verifier, issuer.token(tenant="soko", roles=["emperor", "guest"])).roles == {"guest"}


@pytest.mark.parametrize("header", [None, "", "Bearer", "Bearer ", "Basic dXNlcjpwYXNz", "bearer\t"])
def test_without_a_token_there_is_no_caller(header: str | None, verifier: Verifier) -> None:
    with pytest.raises(TokenMissing):
        verifier.caller(header, IP)


@pytest.mark.parametrize(
    "claims",
    [
        {"tenant": None},
        {"tenant": ""},
        {"tenant": "so#ko"},
        {"tenant": "so/ko"},
        {"tenant": "s" * 65},
        {"tenant": "soko\n"},
        {"tenant": 7},
        {"tenant": ["soko"]},
        {"sub": None},
        {"sub": ""},
        {"sub": "system:checkout"},
        {"sub": "a b"},
        {"sub": "s" * 256},
        {"roles": None},
        {"roles": "admin"},
        {"roles": [1]},
        {"roles": ["customer"]},
        {"roles": ["customer"], "customer_id": "cus#1"},
        {"roles": ["customer"], "customer_id": 1},
        {"roles": ["vendor"]},
        {"roles": ["vendor"], "vendor_id": "ven 1"},
        {"iss": "https://elsewhere.example"},
        {"iss": None},
        {"aud": "another"},
        {"aud": None},
        {"exp": None},
        {"exp": "soon"},
        {"nbf": 4_000_000_000},
        {"iat": 4_000_000_000},
    ],
    ids=str,
)
def test_a_token_with_a_wrong_claim_is_invalid(claims: dict[str, Any], issuer: Issuer, verifier: Verifier) -> None:
    with pytest.raises(TokenInvalid) as refused:
        caller_of(verifier, issuer.token(**({"tenant": "soko", "roles": ["admin"]} | claims)))
    assert refused.value.code == "token_invalid"


def test_an_expired_token_says_so(issuer: Issuer, verifier: Verifier) -> None:
    with pytest.raises(TokenExpired):
        caller_of(verifier, issuer.token(tenant="soko", roles=["admin"], exp=1_600_000_000))


def test_an_expired_token_of_nobody_is_only_invalid(issuer: Issuer, verifier: Verifier) -> None:
    token = issuer.token(rsa_key(), tenant="soko", roles=["admin"], exp=1_600_000_000)
    with pytest.raises(TokenInvalid) as refused:
        caller_of(verifier, token)
    assert refused.value.code == "token_invalid"


def forged_none(issuer: Issuer) -> str:
    return jwt.encode(issuer.claims(tenant="soko", roles=["admin"]), None, algorithm="none", headers={"kid": "rsa-1"})


def forged_none_with_a_signature(issuer: Issuer) -> str:
    return forged_none(issuer) + "AAAA"


def forged_with_the_public_key_as_secret(issuer: Issuer) -> str:
    """The classic: an HS256 signature whose secret is the published key."""
    public = issuer.keys[0].private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    header = {"alg": "HS256", "typ": "JWT", "kid": "rsa-1"}
    signing = b".".join(_part(value) for value in (header, issuer.claims(tenant="soko", roles=["admin"])))
    signature = hmac.new(public, signing, hashlib.sha256).digest()
    return b".".join([signing, base64.urlsafe_b64encode(signature).rstrip(b"=")]).decode()


def forged_by_another_key_of_the_same_name(issuer: Issuer) -> str:
    return issuer.token(rsa_key("rsa-1"), tenant="soko", roles=["admin"])


def forged_by_another_algorithm_under_a_known_name(issuer: Issuer) -> str:
    return issuer.token(SigningKey("rsa-1", "ES256", ec.generate_private_key(ec.SECP256R1())), tenant="soko", roles=[])


def altered_claims(issuer: Issuer) -> str:
    header, _, signature = issuer.token(tenant="soko", roles=["guest"]).split(".")
    return ".".join([header, _part(issuer.claims(tenant="soko", roles=["admin"])).decode(), signature])


def without_a_signature(issuer: Issuer) -> str:
    return issuer.token(tenant="soko", roles=["admin"]).rpartition(".")[0] + "."


def with_a_key_of_its_own(issuer: Issuer) -> str:
    stranger = rsa_key("stranger")
    return issuer.token(stranger, headers={"jwk": stranger.jwk()}, tenant="soko", roles=["admin"])


def without_a_key_name(issuer: Issuer) -> str:
    key = issuer.keys[0]
    return jwt.encode(issuer.claims(tenant="soko", roles=["admin"]), key.private, algorithm="RS256")


def with_a_critical_extension(issuer: Issuer) -> str:
    return issuer.token(headers={"crit": ["unheard-of"], "unheard-of": 1}, tenant="soko", roles=["admin"])


def _part(value: Any) -> bytes:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=")


@pytest.mark.parametrize(
    "forge",
    [
        forged_none,
        forged_none_with_a_signature,
        forged_with_the_public_key_as_secret,
        forged_by_another_key_of_the_same_name,
        forged_by_another_algorithm_under_a_known_name,
        altered_claims,
        without_a_signature,
        with_a_key_of_its_own,
        without_a_key_name,
        with_a_critical_extension,
    ],
)
def test_a_forged_token_is_invalid(forge: Any, issuer: Issuer, verifier: Verifier) -> None:
    with pytest.raises(TokenInvalid):
        caller_of(verifier, forge(issuer))


@pytest.mark.parametrize("token", ["x", "a.b.c", "....", "é.é.é", "eyJhbGciOiJSUzI1NiJ9..", "a" * 10_000, "\ud800"])
def test_what_is_no_token_is_invalid(token: str, verifier: Verifier) -> None:
    with pytest.raises(TokenInvalid):
        caller_of(verifier, token)


# -- Tokens that come again


def test_a_token_that_comes_again_expires_all_the_same(issuer: Issuer, verifier: Verifier) -> None:
    token = issuer.token(tenant="soko", roles=["admin"], exp=int(time.time()) - 9)
    assert caller_of(verifier, token) == caller_of(verifier, token)
    time.sleep(1.1)
    with pytest.raises(TokenExpired):
        caller_of(verifier, token)


def test_a_token_that_comes_again_is_good_no_more_once_its_key_is_gone(
    issuer: Issuer, verifier: Verifier, ticks: Ticks
) -> None:
    token = issuer.token(tenant="soko", roles=["admin"])
    caller_of(verifier, token)
    issuer.keys[0] = rsa_key("rsa-2")
    ticks.now += REFETCH_SECONDS
    caller_of(verifier, issuer.token(tenant="soko", roles=["admin"]))
    with pytest.raises(TokenInvalid):
        caller_of(verifier, token)


def test_no_more_tokens_are_remembered_than_there_is_room_for(issuer: Issuer, verifier: Verifier) -> None:
    tokens = [
        issuer.token(issuer.keys[2], tenant="soko", roles=["guest"], sub=f"usr_{n}") for n in range(REMEMBERED_MAX + 1)
    ]
    callers = [caller_of(verifier, token) for token in tokens]
    assert [caller_of(verifier, token) for token in tokens] == callers
    assert len(verifier._remembered) <= REMEMBERED_MAX


# -- The issuer's keys


def test_keys_are_asked_for_once(issuer: Issuer, verifier: Verifier) -> None:
    for _ in range(5):
        caller_of(verifier, issuer.token(tenant="soko", roles=["admin"]))
    assert issuer.asked == 1


def test_a_new_key_is_found_when_a_token_names_it(issuer: Issuer, verifier: Verifier, ticks: Ticks) -> None:
    caller_of(verifier, issuer.token(tenant="soko", roles=["admin"]))
    issuer.keys.append(rsa_key("rsa-2"))
    ticks.now += REFETCH_SECONDS
    assert caller_of(verifier, issuer.token(issuer.keys[-1], tenant="soko", roles=["admin"])).has("admin")


def test_made_up_keys_are_asked_about_at_most_once_a_minute(issuer: Issuer, verifier: Verifier, ticks: Ticks) -> None:
    for number in range(20):
        with pytest.raises(TokenInvalid):
            caller_of(verifier, issuer.token(ed_key(f"made-up-{number}"), tenant="soko", roles=["admin"]))
    assert issuer.asked == 1
    ticks.now += REFETCH_SECONDS
    with pytest.raises(TokenInvalid):
        caller_of(verifier, issuer.token(ed_key("made-up"), tenant="soko", roles=["admin"]))
    assert issuer.asked == 2


def test_a_key_that_is_withdrawn_is_good_no_more_once_the_keys_are_asked_for(
    issuer: Issuer, verifier: Verifier, ticks: Ticks
) -> None:
    withdrawn = issuer.keys[0]
    caller_of(verifier, issuer.token(withdrawn, tenant="soko", roles=["admin"]))
    issuer.keys[0] = rsa_key("rsa-2")
    ticks.now += REFETCH_SECONDS
    caller_of(verifier, issuer.token(tenant="soko", roles=["admin"]))
    with pytest.raises(TokenInvalid):
        caller_of(verifier, issuer.token(withdrawn, tenant="soko", roles=["admin"]))


@pytest.mark.parametrize("status", [500, 404, 301])
def test_an_issuer_that_does_not_answer_makes_no_token_bad(status: int, issuer: Issuer, verifier: Verifier) -> None:
    issuer.status = status
    with pytest.raises(UnavailableError):
        caller_of(verifier, issuer.token(tenant="soko", roles=["admin"]))


def test_an_issuer_that_is_away_makes_no_token_bad(issuer: Issuer, verifier: Verifier) -> None:
    token = issuer.token(tenant="soko", roles=["admin"])
    issuer.close()
    with pytest.raises(UnavailableError):
        caller_of(verifier, token)


def test_known_keys_outlive_their_issuer(issuer: Issuer, verifier: Verifier) -> None:
    token = issuer.token(tenant="soko", roles=["admin"])
    caller_of(verifier, token)
    issuer.status = 500
    assert caller_of(verifier, token).tenant == "soko"


def test_a_published_secret_is_no_key(issuer: Issuer, verifier: Verifier) -> None:
    @dataclass(frozen=True)
    class Shared(SigningKey):
        def jwk(self) -> dict[str, Any]:
            return {"kty": "oct", "k": base64.urlsafe_b64encode(secret).decode(), "kid": self.kid, "alg": "HS256"}

    secret = b"a secret that everybody can read"
    issuer.keys.append(Shared("shared", "HS256", secret))
    with pytest.raises(TokenInvalid):
        caller_of(verifier, issuer.token(issuer.keys[-1], tenant="soko", roles=["admin"]))
