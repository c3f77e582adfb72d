"""Checkouts."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from cauri.checkout.carts import PutCartLine
from cauri.checkout.commands import Checkout, InlineLine
from cauri.checkout.from_quote import OrderFromQuote, QuotedLine, Selection
from cauri.checkout.opening import Contact
from cauri.checkout.promoting import PutPromotion
from cauri.checkout.promotions import Scope
from cauri.checkout.resuming import ResumeCheckout
from cauri.inventory.commands import PutProduct
from cauri.money import Money
from cauri.orders.model import Delivery
from cauri.wallet.lots import Kind

from tests.proof.examples.worlds import Act, an_order, example, loyal, market, promoted, saga, sent
from tests.shop import BY_CARD, Shop, a_checkout, from_wallet


@example(Checkout, "a cart of two vendors, paid at the provider")
def _(shop: Shop) -> Act:
    return sent(a_checkout(cart_id=market(shop).cart(shirt_l=2, coffee=1)), shop.customer())


@example(Checkout, "paid in part from the wallet: all kinds of lots, and one kind of one's own choice")
def _(shop: Shop) -> Act:
    loyal(shop)
    mixed = (from_wallet(12_000), from_wallet(2_000, Kind.POINTS), BY_CARD)
    return sent(a_checkout(cart_id=shop.cart(shirt_l=1), tenders=mixed), shop.customer())


@example(Checkout, "paid wholly from the wallet, which looks like fraud")
def _(shop: Shop) -> Act:
    market(shop).fund(1_000_000)
    shop.credit(9_000, Kind.REWARD, days=60)
    shop.redeem(100)
    return sent(a_checkout(cart_id=shop.cart(basket=1), tenders=(from_wallet(),)), shop.customer())


@example(Checkout, "refused, since there are too few points")
def _(shop: Shop) -> Act:
    cart = loyal(shop).cart(basket=2)
    return sent(a_checkout(cart_id=cart, tenders=(from_wallet(900, Kind.POINTS), BY_CARD)), shop.customer())


@example(Checkout, "a guest's, with lines and an address")
def _(shop: Shop) -> Act:
    market(shop)
    lines = (InlineLine("basket", 1), InlineLine("coffee", 2))
    contact = Contact("wanjiru@example.com", "Wanjiru", "+254700000000", {"city": "Nairobi"})
    return sent(a_checkout(lines=lines, currency="KES", contact=contact), shop.guest())


@example(Checkout, "a line that spans cells")
def _(shop: Shop) -> Act:
    return sent(a_checkout(cart_id=market(shop).cart(shirt_l=40)), shop.customer())


@example(Checkout, "units whose claims are over")
def _(shop: Shop) -> Act:
    market(shop).checkout(shop.customer("brian"), cart_id=shop.cart(shop.customer("brian"), basket=5))
    shop.clock.advance(minutes=30)
    return sent(a_checkout(cart_id=shop.cart(basket=3)), shop.customer())


@example(Checkout, "a cart that has reserved its units, in several cells")
def _(shop: Shop) -> Act:
    cart = market(shop).cart(coffee=1)
    for quantity in (30, 40):
        shop.run(PutCartLine(cart, "shirt-l", quantity, reserve=True), shop.customer())
    return sent(a_checkout(cart_id=cart), shop.customer())


@example(Checkout, "refused, and the cart keeps what it has reserved")
def _(shop: Shop) -> Act:
    cart = loyal(shop).cart(basket=2)
    shop.run(PutCartLine(cart, "shirt-l", 40, reserve=True), shop.customer())
    return sent(a_checkout(cart_id=cart, tenders=(from_wallet(),)), shop.customer())


@example(Checkout, "refused, since the last line is out of stock")
def _(shop: Shop) -> Act:
    return sent(a_checkout(cart_id=market(shop).cart(basket=2, coffee=10)), shop.customer())


@example(Checkout, "refused, since the wallet has too little")
def _(shop: Shop) -> Act:
    cart = loyal(shop).cart(basket=2)
    return sent(a_checkout(cart_id=cart, tenders=(from_wallet(),)), shop.customer())


@example(Checkout, "refused, since the cart became an order")
def _(shop: Shop) -> Act:
    cart = market(shop).cart(basket=2)
    shop.checkout(cart_id=cart)
    return sent(a_checkout(cart_id=cart), shop.customer())


@example(Checkout, "refused, since a price has changed since the cart was filled")
def _(shop: Shop) -> Act:
    cart = market(shop).cart(basket=2, coffee=1)
    shop.run(PutProduct("basket", "ven_kazi", "Basket", {"KES": 95_000}, weight_grams=900))
    return sent(a_checkout(cart_id=cart), shop.customer())


@example(Checkout, "at a price that changed and was accepted")
def _(shop: Shop) -> Act:
    cart = market(shop).cart(basket=2, coffee=1)
    shop.run(PutProduct("basket", "ven_kazi", "Basket", {"KES": 95_000}, weight_grams=900))
    return sent(a_checkout(cart_id=cart, accepted_prices={"basket": Money(95_000, "KES")}), shop.customer())


@example(Checkout, "with promotions: by code, limited, for each customer once, and automatic")
def _(shop: Shop) -> Act:
    promoted(shop)
    return sent(a_checkout(cart_id=shop.cart(shirt_l=2, coffee=1), promotion_codes=("TEN", "ONCE")), shop.customer())


@example(Checkout, "a guest's, with promotions")
def _(shop: Shop) -> Act:
    promoted(shop)
    lines, contact = (InlineLine("basket", 1),), Contact("wanjiru@example.com")
    return sent(a_checkout(lines=lines, currency="KES", contact=contact, promotion_codes=("ONCE", "TEN")), shop.guest())


@example(Checkout, "with an automatic promotion that is used up")
def _(shop: Shop) -> Act:
    promoted(shop, uses_max=1)
    shop.checkout(cart_id=shop.cart(basket=1))
    brian = shop.customer("brian")
    return sent(a_checkout(cart_id=shop.cart(brian, shirt_l=2, coffee=1)), brian)


@example(Checkout, "refused, since the promotion is used up")
def _(shop: Shop) -> Act:
    promoted(shop, uses_max=1)
    shop.checkout(cart_id=shop.cart(basket=1), promotion_codes=("TEN",))
    return sent(a_checkout(cart_id=shop.cart(shirt_l=2), promotion_codes=("ONCE", "TEN")), shop.customer())


@example(Checkout, "refused, since the customer has used the promotion")
def _(shop: Shop) -> Act:
    promoted(shop)
    shop.checkout(cart_id=shop.cart(basket=1), promotion_codes=("ONCE",))
    return sent(a_checkout(cart_id=shop.cart(shirt_l=2), promotion_codes=("ONCE", "TEN")), shop.customer())


@example(PutPromotion, "a new one, limited and automatic")
def _(shop: Shop) -> Act:
    market(shop)
    return sent(PutPromotion("TEN", "Ten", Scope.LINE, 1000, automatic=True, uses_max=50), shop.admin)


@example(PutPromotion, "a higher limit, and no longer automatic")
def _(shop: Shop) -> Act:
    promoted(shop)
    shop.checkout(cart_id=shop.cart(basket=1), promotion_codes=("TEN",))
    return sent(PutPromotion("AUTO", "Five", Scope.LINE, 500, uses_max=70), shop.admin)


@example(PutPromotion, "refused, since its limit would be lower")
def _(shop: Shop) -> Act:
    promoted(shop)
    return sent(PutPromotion("TEN", "Ten", Scope.ORDER, 1000, uses_max=2), shop.admin)


def a_quote() -> OrderFromQuote:
    rope = QuotedLine(2, Money(4_500_000, "KES"), title="Mooring rope", impa_code="211263")
    return OrderFromQuote(
        "rfq-17",
        "KES",
        (
            Selection("ven_kazi", (rope, QuotedLine(1, Money(80_000, "KES"), "basket")), lead_time_days=5),
            Selection("ven_buna", (QuotedLine(3, Money(180_000, "KES"), "coffee"),), date(2026, 12, 1)),
        ),
        (from_wallet(12_000), BY_CARD),
        "https://desk.example",
        customer_id="cus_amina",
        buyer_org_id="org-meridian",
        contact=Contact("desk@meridian.example"),
        delivery=Delivery("KEMBA", "9074729", "MV Amina", date(2026, 12, 24)),
    )


@example(OrderFromQuote, "of two suppliers, for a vessel, paid in part from a wallet")
def _(shop: Shop) -> Act:
    loyal(shop)
    return sent(a_quote(), shop.admin)


@example(OrderFromQuote, "nothing of which has stock of ours")
def _(shop: Shop) -> Act:
    market(shop)
    rope = Selection("ven_kazi", a_quote().selections[0].lines[:1])
    return sent(replace(a_quote(), selections=(rope,), tenders=(BY_CARD,)), shop.admin)


@example(OrderFromQuote, "refused, since a line is out of stock")
def _(shop: Shop) -> Act:
    loyal(shop)
    too_much = Selection("ven_buna", (QuotedLine(10, Money(180_000, "KES"), "coffee"),))
    return sent(replace(a_quote(), selections=(a_quote().selections[0], too_much)), shop.admin)


@example(ResumeCheckout, "again")
def _(shop: Shop) -> Act:
    return sent(ResumeCheckout(an_order(shop), "again"), saga(shop))
