"""What somebody bought as a guest becomes the customer's who proves the email address it was bought by.

A guest's order is listed by the keyed digest of its address. Linking gives it to the customer, in whose list it then
is, and in no guest's: so it happens once, and a call that was cut off goes on where the last one ended. Whom the order
is for becomes one of the customer's contacts, and is forgotten with the customer.
"""

from __future__ import annotations

from typing import ClassVar, Final

from cauri.books.listing import read_page
from cauri.books.plan import Event, Plan
from cauri.books.shelf import Found
from cauri.books.work import Command, Work, decides
from cauri.errors import Refusal
from cauri.orders.store import ORDERS, guest_list, order_key
from cauri.parties.emails import email_digest
from cauri.parties.model import UnknownCustomer
from cauri.parties.store import party_key
from cauri.values import dataclass, replace

LINKED_AT_ONCE_MAX: Final = 45
"""Each is two writes, of the order and of whom it is for, in one commit, which has at most 100 actions."""


@dataclass
class EmailNotProven(Refusal):
    """The caller's token does not say that its email address is the caller's."""

    code: ClassVar[str] = "email_not_proven"

    def detail(self) -> str:
        return "Your token proves no email address."

    def suggestion(self) -> str:
        return "Verify your address where you sign in, and send the request with a new token."


@dataclass(frozen=True)
class LinkGuestOrders(Command):
    """The address is no part of the input, which is hashed into the log: it is the caller's."""

    name: ClassVar = "link_guest_orders"
    customer_id: str


@dataclass(frozen=True)
class LinkedOrders:
    """The orders that became the customer's. While there are `more`, call again, under another key."""

    customer_id: str
    order_ids: list[str]
    more: bool


@decides(LinkGuestOrders)
def link_guest_orders(command: LinkGuestOrders, work: Work) -> Plan:
    if work.caller.customer_id != command.customer_id:
        raise UnknownCustomer(command.customer_id)
    if not work.caller.proven_email:
        raise EmailNotProven
    guest = email_digest(work.books.settings.party_secret, work.tenant, work.caller.proven_email)
    page = read_page(work.database, ORDERS, work.tenant, guest_list(guest), after=None, limit=LINKED_AT_ONCE_MAX)
    orders = [order_key(work.tenant, order.id) for order in page.items]
    parties = [party_key(work.tenant, order.party_id) for order in page.items if order.party_id]
    found = work.fetch(*orders, *parties) if orders else Found({})
    # The list follows its orders within a second or so: one that was linked just now may still be in it.
    linked = [
        replace(order, customer_id=command.customer_id)
        for key in orders
        if (order := found[key]) and order.customer_id is None
    ]
    theirs = {order.party_id for order in linked}
    contacts = [
        replace(party, customer_id=command.customer_id)
        for key in parties
        if (party := found[key]) and party.id in theirs and not party.erased
    ]
    facts = {"customer_id": command.customer_id}
    return (
        Plan(LinkedOrders(command.customer_id, [order.id for order in linked], page.position is not None))
        .save(*linked, *contacts)
        .emit(*(Event("order.linked", order.id, order.version + 1, facts) for order in linked))
    )
