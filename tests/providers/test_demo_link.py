"""The payment link: nobody but us can make one, and nobody can change one."""

from __future__ import annotations

from datetime import timedelta

import jwt
import pytest
from cauri.money import Money
from cauri.providers.demo import LINK_LIVES, DemoProvider
from cauri.providers.demo_link import BadLinkError, ExpiredLinkError, Link, seal, unseal
from cauri.providers.ports import Charge
from hypothesis import given
from hypothesis import strategies as st

from tests.providers.world import KES_12_50, NOW, SECRET, TENANT, SetClock

LINK = Link(
    tenant=TENANT,
    reference="pay_1",
    amount=1250,
    currency="KES",
    return_url="https://kiosk.example/orders/7",
    merchant="Kiosk ya Amina",
)
LATER = NOW + timedelta(hours=1)


def charge(
    *, reference: str = "pay_1", amount: Money = KES_12_50, return_url: str = "https://kiosk.example/orders/7"
) -> Charge:
    return Charge(TENANT, reference, amount, return_url)


def initialized(charge: Charge) -> str:
    return DemoProvider("https://demo.example/base/", SECRET, SetClock()).initialize(charge).authorization_url


def test_a_link_carries_the_whole_charge() -> None:
    url = initialized(charge())

    assert url.startswith("https://demo.example/base/pay/")
    link = unseal(url.rpartition("/")[2], SECRET, NOW)
    assert (link.tenant, link.reference, link.money()) == (TENANT, "pay_1", KES_12_50)
    assert link.return_url == "https://kiosk.example/orders/7"
    assert link.merchant == TENANT, "a tenant that gives no name is shown by its id"


def test_the_same_charge_has_the_same_link() -> None:
    assert initialized(charge()) == initialized(charge())


def test_a_link_lives_long_enough_for_a_late_payer_and_no_longer() -> None:
    token = initialized(charge()).rpartition("/")[2]

    assert unseal(token, SECRET, NOW + LINK_LIVES - timedelta(seconds=1)).reference == "pay_1"
    with pytest.raises(ExpiredLinkError):
        unseal(token, SECRET, NOW + LINK_LIVES)


@given(at=st.integers(0), other=st.sampled_from("AZaz09-_."))
def test_a_changed_link_is_no_link(at: int, other: str) -> None:
    token = seal(LINK, SECRET, LATER)
    at %= len(token) - 1  # of the last character, two bits mean nothing
    changed = token[:at] + other + token[at + 1 :]
    if changed != token:
        with pytest.raises(BadLinkError):
            unseal(changed, SECRET, NOW)


def test_a_link_made_by_others_is_no_link() -> None:
    claims = LINK.model_dump() | {"aud": "demo-provider:pay", "exp": int(LATER.timestamp())}
    key = "a key of somebody else, and long enough"
    for token in (jwt.encode(claims, key, algorithm="HS256"), jwt.encode(claims, "", algorithm="none"), "", "a.b.c"):
        with pytest.raises(BadLinkError):
            unseal(token, SECRET, NOW)
    with pytest.raises(BadLinkError):
        unseal(seal(LINK, "another secret", LATER), SECRET, NOW)


@pytest.mark.parametrize("return_url", ["", "/orders", "javascript:alert(1)", "data:text/html,x", "https://a b"])
def test_a_return_address_that_is_no_web_address_is_refused(return_url: str) -> None:
    with pytest.raises(ValueError, match="return_url"):
        initialized(charge(return_url=return_url))


@pytest.mark.parametrize("reference", ["", "pay 1", "pay/1", "../pay", "pay_1\n", "é", "x" * 101])
def test_a_reference_that_no_path_could_carry_is_refused(reference: str) -> None:
    with pytest.raises(ValueError, match="reference"):
        initialized(charge(reference=reference))


def test_nothing_is_not_an_amount_to_pay() -> None:
    with pytest.raises(ValueError, match="amount"):
        initialized(charge(amount=Money(0, "KES")))
