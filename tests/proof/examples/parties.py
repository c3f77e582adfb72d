"""Customers' records, and vendors that stop selling."""

from __future__ import annotations

from cauri.checkout.opening import Contact
from cauri.parties.commands import EraseCustomer, PutCustomer, SetVendorDisabled

from tests.proof.examples.worlds import Act, example, market, sent
from tests.shop import Shop, a_checkout

AMINA = PutCustomer("cus_amina", "Amina Odhiambo", "amina@example.com", "+254 20 1234567", {"line1": "Moi Avenue 1"})


@example(PutCustomer, "a new one, by herself")
def _(shop: Shop) -> Act:
    return sent(AMINA, market(shop).customer())


@example(PutCustomer, "changed, by staff")
def _(shop: Shop) -> Act:
    market(shop).run(AMINA)
    return sent(PutCustomer("cus_amina", "Amina", "a@example.com"), shop.admin)


@example(PutCustomer, "refused, since it is another's")
def _(shop: Shop) -> Act:
    return sent(AMINA, market(shop).customer("brian"))


@example(EraseCustomer, "with the contacts of two orders")
def _(shop: Shop) -> Act:
    market(shop).run(AMINA)
    for name in ("Amina", "Her mother"):
        contact = Contact("amina@example.com", name)
        shop.run(a_checkout(cart_id=shop.cart(coffee=1), contact=contact), shop.customer())
    return sent(EraseCustomer("cus_amina"), shop.customer())


@example(EraseCustomer, "again")
def _(shop: Shop) -> Act:
    market(shop).run(AMINA)
    shop.run(EraseCustomer("cus_amina"))
    return sent(EraseCustomer("cus_amina"), shop.admin)


@example(EraseCustomer, "refused, since there is none")
def _(shop: Shop) -> Act:
    return sent(EraseCustomer("cus_nobody"), market(shop).admin)


@example(SetVendorDisabled, "disabled")
def _(shop: Shop) -> Act:
    return sent(SetVendorDisabled("ven_kazi", disabled=True), market(shop).admin)


@example(SetVendorDisabled, "refused, since there is none")
def _(shop: Shop) -> Act:
    return sent(SetVendorDisabled("ven_none", disabled=True), market(shop).admin)
