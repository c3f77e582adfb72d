"""Whose webhook is it, and what does it say?"""

from __future__ import annotations

import hashlib
import hmac
import json

import pytest
from cauri.providers.demo import DemoProvider
from cauri.providers.ports import Authentic, Forged, ProviderEvent, Unreadable
from hypothesis import given
from hypothesis import strategies as st

from tests.providers.world import SECRET, TENANT, SetClock

RAW = b'{"event":"charge.success","data":{"id":"ch_1","reference":"pay_1","status":"success","amount":1250}}'
IP = "203.0.113.9"


def provider(secret: str = SECRET, *, retiring: str = "") -> DemoProvider:
    return DemoProvider("https://demo.example/", secret, SetClock(), retiring=retiring)


def signed(raw: bytes = RAW, *, tenant: str = TENANT, secret: str = SECRET) -> dict[str, str]:
    """The headers, made from the description of the signature and from nothing of ours."""
    key = hmac.new(secret.encode(), f"webhook:{tenant}".encode(), hashlib.sha256).hexdigest()
    return {"x-demo-signature": hmac.new(key.encode(), raw, hashlib.sha512).hexdigest()}


# -- Whose it is ----------------------------------------------------------------------------------------


def test_the_tenants_signature_over_the_raw_bytes_is_authentic() -> None:
    assert provider().authenticate(TENANT, signed(), RAW, IP) == Authentic()


def test_a_header_is_found_whatever_its_case() -> None:
    headers = {"X-Demo-Signature": signed()["x-demo-signature"]}

    assert provider().authenticate(TENANT, headers, RAW, IP) == Authentic()


@pytest.mark.parametrize("headers", [{}, {"x-demo-signature": ""}, {"x-demo-signature": "0" * 128}])
def test_no_signature_or_another_is_forged(headers: dict[str, str]) -> None:
    assert provider().authenticate(TENANT, headers, RAW, IP) == Forged("bad_signature")


def test_a_signature_is_lower_case_hex_and_nothing_else() -> None:
    headers = {"x-demo-signature": signed()["x-demo-signature"].upper()}

    assert provider().authenticate(TENANT, headers, RAW, IP) == Forged("bad_signature")


def test_a_signature_that_is_no_ascii_is_forged_and_no_error() -> None:
    assert provider().authenticate(TENANT, {"x-demo-signature": "é\ud800"}, RAW, IP) == Forged("bad_signature")


@given(at=st.integers(0, len(RAW) - 1), flip=st.integers(1, 255))
def test_one_changed_byte_is_forged(at: int, flip: int) -> None:
    changed = bytearray(RAW)
    changed[at] ^= flip

    assert provider().authenticate(TENANT, signed(), bytes(changed), IP) == Forged("bad_signature")


def test_another_tenants_webhook_is_forged_here() -> None:
    assert provider().authenticate("ten_other", signed(), RAW, IP) == Forged("bad_signature")


def test_the_key_for_calls_signs_no_webhook() -> None:
    calls = hmac.new(SECRET.encode(), f"api:{TENANT}".encode(), hashlib.sha256).hexdigest()
    headers = {"x-demo-signature": hmac.new(calls.encode(), RAW, hashlib.sha512).hexdigest()}

    assert provider().authenticate(TENANT, headers, RAW, IP) == Forged("bad_signature")


def test_two_secrets_live_while_one_takes_over_from_the_other() -> None:
    rotating = provider("new secret", retiring=SECRET)

    assert rotating.authenticate(TENANT, signed(), RAW, IP) == Authentic()
    assert rotating.authenticate(TENANT, signed(secret="new secret"), RAW, IP) == Authentic()
    assert provider("new secret").authenticate(TENANT, signed(), RAW, IP) == Forged("bad_signature")


def test_without_a_retiring_secret_the_empty_one_does_not_pass() -> None:
    assert provider().authenticate(TENANT, signed(secret=""), RAW, IP) == Forged("bad_signature")


def test_there_is_no_provider_without_a_secret() -> None:
    with pytest.raises(ValueError, match="secret"):
        provider("")


# -- What it says ---------------------------------------------------------------------------------------


def event(**data: object) -> bytes:
    whole: dict[str, object] = {"id": "ch_1", "reference": "pay_1", "status": "success"}
    return json.dumps({"event": "charge.success", "data": whole | data}).encode()


def key(raw: bytes) -> str:
    read = provider().read_event(raw)
    assert isinstance(read, ProviderEvent)
    return read.dedupe_key


def test_an_event_says_its_kind_and_our_reference() -> None:
    read = provider().read_event(RAW)

    assert isinstance(read, ProviderEvent)
    assert (read.kind, read.reference) == ("charge.success", "pay_1")
    assert len(read.dedupe_key) == 64


def test_the_same_news_has_one_key_and_other_news_another() -> None:
    assert key(event()) == key(event(amount=7, retried=True))
    others = [
        event(id="ch_2"),
        event(status="failed"),
        event(reference="pay_2"),
        event().replace(b"success", b"failed", 1),
    ]
    assert len({key(other) for other in [event(), *others]}) == 5


def test_an_event_of_an_unheard_of_kind_is_still_an_event() -> None:
    read = provider().read_event(event().replace(b"charge.success", b"charge.blessed"))

    assert isinstance(read, ProviderEvent)
    assert read.kind == "charge.blessed"


@pytest.mark.parametrize(
    "raw",
    [b"", b"[]", b"null", b"\xff", b"{}", b'{"event":"charge.success"}', event(reference="../etc"), event(id=None)],
)
def test_what_is_no_event_is_unreadable_and_no_error(raw: bytes) -> None:
    assert isinstance(provider().read_event(raw), Unreadable)


@given(st.binary(max_size=200))
def test_no_bytes_are_an_error(raw: bytes) -> None:
    assert isinstance(provider().read_event(raw), Unreadable | ProviderEvent)
