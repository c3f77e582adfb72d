"""Checkouts."""

from __future__ import annotations

from cauri.checkout.carts import PutCartLine
from cauri.checkout.commands import Checkout, Contact, InlineLine
from cauri.checkout.promoting import PutPromotion
from cauri.checkout.promotions import Scope
from cauri.checkout.resuming import ResumeCheckout
from cauri.checkout.tenders import TenderAsked
from cauri.inventory.commands import PutProduct
from cauri.money import Money

from tests.proof.examples.worlds import Act, an_order, example, market, promoted, saga, sent
from tests.shop import Shop, a_checkout


@example(Checkout, "a cart of two vendors, paid at the provider")
def _(shop: Shop) -> Act:
    return sent(a_checkout(cart_id=market(shop).cart(shirt_l=2, coffee=1)), shop.customer())


@example(Checkout, "paid in part from the balance")
def _(shop: Shop) -> Act:
    market(shop).deposit(100_000)
    mixed = (TenderAsked("balance", Money(60_000, "KES")), TenderAsked("provider", provider="demo"))
    return sent(a_checkout(cart_id=shop.cart(shirt_l=1), tenders=mixed), shop.customer())


@example(Checkout, "paid wholly from the balance")
def _(shop: Shop) -> Act:
    market(shop).deposit(1_000_000)
    return sent(a_checkout(cart_id=shop.cart(basket=1), tenders=(TenderAsked("balance"),)), shop.customer())


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
    cart = market(shop).cart(basket=2)
    shop.run(PutCartLine(cart, "shirt-l", 40, reserve=True), shop.customer())
    return sent(a_checkout(cart_id=cart, tenders=(TenderAsked("balance"),)), shop.customer())


@example(Checkout, "refused, since the last line is out of stock")
def _(shop: Shop) -> Act:
    return sent(a_checkout(cart_id=market(shop).cart(basket=2, coffee=10)), shop.customer())


@example(Checkout, "refused, since the balance is too small")
def _(shop: Shop) -> Act:
    cart = market(shop).cart(basket=2)
    return sent(a_checkout(cart_id=cart, tenders=(TenderAsked("balance"),)), shop.customer())


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


@example(ResumeCheckout, "again")
def _(shop: Shop) -> Act:
    return sent(ResumeCheckout(an_order(shop), "again"), saga(shop))
