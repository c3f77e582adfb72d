"""An order that can't be written whole is refused before anybody is asked to pay, and nothing stays claimed."""

from __future__ import annotations

import pytest
from cauri.books.work import Command
from cauri.checkout.commands import InlineLine
from cauri.checkout.from_quote import OrderFromQuote, QuotedLine, Selection
from cauri.checkout.model import OrderTooLarge
from cauri.checkout.tenders import TenderAsked
from cauri.money import Money

from tests.shop import Shop, a_checkout

BY_CHECKOUT = a_checkout(lines=(InlineLine("coffee", 100),), currency="KES")
LINE = QuotedLine(100, Money(5, "KES"), "coffee")
BY_QUOTE = OrderFromQuote(
    "rfq", "KES", (Selection("ven_buna", (LINE,)),), (TenderAsked("provider", provider="demo"),), "https://soko.example"
)
either = pytest.mark.parametrize("command", [BY_CHECKOUT, BY_QUOTE], ids=["checkout", "quote"])
PARTS = 5
"""A hundred units are in five cells."""
ACTIONS = 5
"""The order, its vendor order, its payment, the record, and the watch over its saga."""


@either
@pytest.mark.parametrize(("limit", "most"), [("ORDER_PARTS_MAX", PARTS), ("TRANSACTION_ACTIONS_MAX", ACTIONS)])
def test_what_an_order_is_written_in_has_its_limits(
    command: Command, limit: str, most: int, shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop.furnish().stock(coffee=100)
    monkeypatch.setattr(f"cauri.checkout.opening.{limit}", most - 1)
    caller = shop.customer() if command is BY_CHECKOUT else shop.admin
    with pytest.raises(OrderTooLarge, match="more to write"):
        shop.run(command, caller)
    assert shop.provider.charges == {}
    assert sum(cell.reserved for cell in shop.cells("coffee")) == 0
    monkeypatch.setattr(f"cauri.checkout.opening.{limit}", most)
    assert shop.run(command, caller)["order"]["status"] == "PENDING_PAYMENT"
