"""What a provider may say when a checkout asks it for a place to pay."""

from __future__ import annotations

from typing import Any

import pytest
from cauri.checkout.commands import InlineLine
from cauri.errors import Refusal
from cauri.payments.asking import settle
from cauri.payments.model import PaymentStatus, ProviderDeclined, ProviderUnavailable
from cauri.providers.ports import Declined, Opening, Session, Unknown

from tests.shop import Shop

COFFEE: dict[str, Any] = {"lines": (InlineLine("coffee", 1),), "currency": "KES"}


@pytest.mark.parametrize(
    ("opening", "refusal"),
    [(Declined("email_required"), ProviderDeclined), (Unknown("a timeout"), ProviderUnavailable)],
    ids=str,
)
def test_without_a_place_to_pay_there_is_no_order_and_the_same_request_may_come_again(
    opening: Opening, refusal: type[Refusal], shop: Shop
) -> None:
    shop.furnish().stock(coffee=1)
    shop.provider.opening = opening
    with pytest.raises(refusal):
        shop.checkout(key="once", **COFFEE)
    assert shop.cells("coffee")[0].claims == {}

    shop.provider.opening = None
    assert shop.checkout(key="once", **COFFEE)["authorization_url"]


def test_a_payment_is_asked_about_as_its_provider_knows_it(shop: Shop) -> None:
    shop.furnish().stock(coffee=1)
    shop.provider.opening = Session("known-otherwise", "https://pay.example/1")
    order = shop.checkout(**COFFEE)["order"]["id"]
    shop.provider.decline("known-otherwise")
    settle(shop.books, shop.tree(order).payments[0])
    assert shop.tree(order).payments[0].status is PaymentStatus.FAILED
