"""One thing at a time: an order, a customer, a SKU …, with all that is kept with it, and what must be true of it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import timedelta
from enum import StrEnum
from typing import Any, Final

from cauri.billing.model import BillableStatus, InvoiceStatus
from cauri.billing.store import (
    BILLABLES,
    account_key,
    billable_key,
    credit_list,
    invoice_key,
    invoice_list,
    payment_list,
)
from cauri.billing.store import TABLE as BILLING
from cauri.books.ledger import is_owned
from cauri.books.log import Record
from cauri.books.shelf import Wire
from cauri.books.trail import resources_of
from cauri.checkout.promotions import CLAIM_LOCATION
from cauri.checkout.store import cart_key, promotion_key
from cauri.inventory.model import Part
from cauri.inventory.store import cell_key, cell_keys, movements_partition, product_key
from cauri.orders.model import OrderStatus, OrderTree
from cauri.orders.queries import orders_of
from cauri.orders.store import read_order, tree_of
from cauri.reconciliation import billing, invariants
from cauri.reconciliation.guarded import guarded_accounts
from cauri.reconciliation.looking import Sight
from cauri.reconciliation.model import Difference, Repair, Severity
from cauri.reconciliation.picture import Picture, picture
from cauri.reconciliation.reading import items_at, listed_items, partition, partition_pages, trail
from cauri.values import dataclass, replace
from cauri.wallet.store import redemption_key, wallet_key

WAITS_FOR: Final = timedelta(hours=1)
"""How long after its time an order may still wait, before somebody hears of it."""
LATEST_ORDERS: Final = 25
CELLS_BEYOND: Final = 4
"""Cells that are looked for behind those that a product says it has."""
EVIDENCE_MAX: Final = 20


class Of(StrEnum):
    ORDER = "order"
    CUSTOMER = "customer"
    SKU = "sku"
    PROMOTION = "promotion"
    CART = "cart"
    REDEMPTION = "redemption"
    INVOICE = "invoice"


@dataclass(frozen=True)
class Subject:
    of: Of
    id: str


ASKED: Final[Mapping[Of, tuple[Callable[[Picture], Iterator[str]], ...]]] = {
    Of.ORDER: (
        invariants.discounts_add_up,
        invariants.lines_have_their_stock,
        invariants.orders_add_up,
        invariants.orders_are_what_their_parts_make_them,
        invariants.the_ledger_tells_the_same_as_the_orders,
        invariants.lines_give_back_what_refunds_say,
        invariants.tenders_give_back_what_refunds_say,
        invariants.refunds_are_the_sum_of_their_lines,
        invariants.draws_are_paid_by_lots,
        invariants.what_is_given_back_whole_was_drawn,
        invariants.versions_are_told_once,
    ),
    Of.CUSTOMER: (
        invariants.holds_are_of_redemptions,
        billing.outstanding_is_what_the_documents_say,
        billing.what_is_paid_is_what_was_allocated,
        billing.what_was_received_is_unapplied_allocated_or_credit,
    ),
    Of.SKU: (
        invariants.stock_adds_up,
        invariants.movements_are_in_the_log,
        invariants.low_stock_is_told_at_each_crossing,
        invariants.cells_are_known,
    ),
    Of.PROMOTION: (invariants.uses_of_promotions_add_up,),
    Of.CART: (invariants.carts_have_what_they_reserved, invariants.carts_become_one_order),
    Of.REDEMPTION: (invariants.redemptions_pay_what_they_say, invariants.partners_go_the_way_of_their_redemption),
    Of.INVOICE: (billing.items_are_billed_by_one_invoice,),
}
"""What is true of one subject by itself."""

ELSEWHERE: Final[Mapping[Callable[[Picture], Iterator[str]], str]] = {
    invariants.entries_balance: "unreadable_record: what reads a record sums its entry",
    invariants.wallets_are_what_was_posted: "guarded_balances, against the accounts and not all their history",
    billing.customers_owe_what_was_posted: "guarded_balances",
    invariants.points_are_all_issued: "liability_of_wallets",
    invariants.statements_run_from_balance_to_balance: "written with the wallet, once: tests ask it of whole histories",
    invariants.redemptions_are_cleared: "postings, record by record; tests ask it of whole histories",
    invariants.wallets_get_back_what_refunds_say: "the order's own journal; tests ask it of whole statements",
    billing.numbers_of_invoices_have_no_gap: "given in the invoice's own commit; tests ask it of whole series",
    invariants.allocations_are_of_confirmed_orders: "stock_counters, over all orders of a vendor",
    invariants.no_two_lines_share_a_claim: "stock_counters: the second finds no units to be allocated",
    invariants.kept_claims_are_of_orders: "stock_counters",
}
"""What is asked of all together, and by which check."""

_NAMED: Final = {
    "wallet": Of.CUSTOMER,
    "stock": Of.SKU,
    "product": Of.SKU,
    "promotion": Of.PROMOTION,
    "cart": Of.CART,
    "redemption": Of.REDEMPTION,
    "account": Of.CUSTOMER,
    "invoice": Of.INVOICE,
}
"""What the resource of an event is, by the first part of the event's name."""

_REPAIRED_BY: Final = {"stock_adds_up": "repair_stock"}
"""The command that makes right what an invariant finds, about the very subject."""


def subjects_of(records: Iterable[Record]) -> list[Subject]:
    """All that `records` touched and that something can be asked about, each once."""
    return list(dict.fromkeys(subject for record in records for subject in _subjects(record)))


def _subjects(record: Record) -> Iterator[Subject]:
    yield from (Subject(Of.ORDER, resource) for resource in resources_of(record) if resource.startswith("ord_"))
    for event in record.events:
        if (of := _NAMED.get(event.name.partition(".")[0])) is not None:
            yield Subject(of, event.resource)
        if customer_id := event.data.get("customer_id"):
            yield Subject(Of.CUSTOMER, str(customer_id))
        if str(event.data.get("about", "")).startswith("red_"):
            yield Subject(Of.REDEMPTION, event.data["about"])
    for posting in record.entry.postings if record.entry else ():
        if is_owned(posting.account):
            yield Subject(Of.CUSTOMER, posting.account.rpartition(":")[2])


def look_at(sight: Sight, subjects: Iterable[Subject]) -> Iterator[Difference]:
    """What the invariants of each subject find."""
    for subject in subjects:
        seen = _PICTURES[subject.of](sight, subject.id)
        for invariant in ASKED[subject.of]:
            for says in invariant(seen):
                yield _difference(subject, invariant.__name__, says, seen)
        yield from _MORE.get(subject.of, _nothing)(sight, seen)


def _difference(subject: Subject, check: str, says: str, seen: Picture) -> Difference:
    repair = _REPAIRED_BY.get(check)
    return Difference(
        check,
        subject.id,
        says,
        {"records": [record.log_id for record in seen.records[-EVIDENCE_MAX:]]},
        repair=Repair(repair, subject.id) if repair else None,
    )


# -- Pictures of one subject


def _order(sight: Sight, order_id: str) -> Picture:
    """The order with its refunds, its records, and, while it waits, the cells that its stock is claimed in."""
    items = read_order(sight.database, sight.tenant, order_id)
    tree = tree_of(items)
    if tree is not None and tree.order.status is OrderStatus.PENDING_PAYMENT:
        items = items + _cells_of(sight, tree.parts)
    return _seen(sight, commerce=items, records=trail(sight.database, sight.tenant, order_id))


def _customer(sight: Sight, customer_id: str) -> Picture:
    """What the customer has, and who holds some of it: the orders and redemptions named there, and the last orders."""
    database, tenant = sight.database, sight.tenant
    wallet = items_at(database, [wallet_key(tenant, customer_id)])
    alone = _seen(sight, wallet=wallet)
    holders = {owner for one in alone.wallets for owner in one.holds}
    latest = orders_of(database, tenant, customer_id, after=None, limit=LATEST_ORDERS).items
    orders = {one.id for one in latest if one.status is OrderStatus.PENDING_PAYMENT}
    orders |= {owner for owner in holders if owner.startswith("ord_")}
    redemptions = [redemption_key(tenant, owner) for owner in sorted(holders) if owner.startswith("red_")]
    commerce = [item for order_id in sorted(orders) for item in read_order(database, tenant, order_id)]
    wallet += items_at(database, redemptions)
    return _seen(sight, wallet=wallet, commerce=commerce, billing=_owed(sight, customer_id))


def _owed(sight: Sight, customer_id: str) -> list[Wire]:
    """The customer's account, with the documents that it sums: open invoices, what is not billed yet, what was paid."""
    database, tenant = sight.database, sight.tenant
    account = items_at(database, [account_key(tenant, customer_id)])
    if not account:
        return []
    credit = [credit_list(customer_id, is_left=is_left) for is_left in (True, False)]
    lists = [invoice_list(customer_id, "open"), payment_list(customer_id), *credit]
    documents = [item for page in listed_items(database, BILLING, tenant, lists) for item in page]
    pages = partition_pages(database, BILLING, f"{tenant}#billables#{customer_id}")
    pending = [item for page in pages for item in page if _is_pending(item)]
    return [*account, *documents, *pending]


def _is_pending(item: Wire) -> bool:
    return BILLABLES.from_item(item).status is BillableStatus.PENDING


def _sku(sight: Sight, sku: str) -> Picture:
    database, tenant = sight.database, sight.tenant
    commerce = items_at(database, [product_key(tenant, sku)])
    for product in _seen(sight, commerce=commerce).products:
        farther = {location: number + CELLS_BEYOND for location, number in product.cells.items()}
        commerce += items_at(database, cell_keys(replace(product, cells=farther)))
    commerce += partition(database, "commerce", movements_partition(tenant, sku))
    return _seen(sight, commerce=commerce, records=trail(database, tenant, sku))


def _promotion(sight: Sight, code: str) -> Picture:
    commerce = items_at(sight.database, [promotion_key(sight.tenant, code)])
    for promotion in _seen(sight, commerce=commerce).promotions:
        keys = [cell_key(sight.tenant, code, CLAIM_LOCATION, number) for number in range(promotion.cells)]
        commerce += items_at(sight.database, keys)
    return _seen(sight, commerce=commerce)


def _cart(sight: Sight, cart_id: str) -> Picture:
    commerce = items_at(sight.database, [cart_key(sight.tenant, cart_id)])
    for cart in _seen(sight, commerce=commerce).carts:
        commerce += _cells_of(sight, [part for line in cart.lines for part in line.reserved])
        if cart.order_id is not None:
            commerce += read_order(sight.database, sight.tenant, cart.order_id)
    return _seen(sight, commerce=commerce)


def _redemption(sight: Sight, redemption_id: str) -> Picture:
    return _seen(sight, wallet=items_at(sight.database, [redemption_key(sight.tenant, redemption_id)]))


def _invoice(sight: Sight, invoice_id: str) -> Picture:
    """The invoice, if it is not deleted, with the deliveries and sales that it bills."""
    items = items_at(sight.database, [invoice_key(sight.tenant, invoice_id)])
    for invoice in _seen(sight, billing=items).invoices:
        if invoice.status is InvoiceStatus.DELETED:
            return _seen(sight)
        keys = [billable_key(sight.tenant, invoice.customer_id, each) for each in invoice.billable_ids]
        items += items_at(sight.database, keys)
    return _seen(sight, billing=items)


def _cells_of(sight: Sight, parts: Iterable[Part]) -> list[Wire]:
    return items_at(sight.database, [cell_key(sight.tenant, part.sku, part.location, part.cell) for part in parts])


def _seen(sight: Sight, *, records: Iterable[Record] = (), **items: list[Wire]) -> Picture:
    """The picture of these items alone."""
    stored: Mapping[str, list[Wire]] = defaultdict(list, items)
    return replace(picture(stored, sight.clock()), records=list(records))


_PICTURES: Final[Mapping[Of, Callable[[Sight, str], Picture]]] = {
    Of.ORDER: _order,
    Of.CUSTOMER: _customer,
    Of.SKU: _sku,
    Of.PROMOTION: _promotion,
    Of.CART: _cart,
    Of.REDEMPTION: _redemption,
    Of.INVOICE: _invoice,
}


# -- What is asked beside the invariants


def _nothing(sight: Sight, seen: Picture) -> Iterator[Difference]:
    yield from ()


def _of_customer(sight: Sight, seen: Picture) -> Iterator[Difference]:
    return guarded_accounts(sight.database, sight.tenant, seen)


def _of_order(sight: Sight, seen: Picture) -> Iterator[Difference]:
    yield from (_waits(tree) for tree in seen.trees if _is_late(tree, seen))


def _is_late(tree: OrderTree, seen: Picture) -> bool:
    return tree.order.status is OrderStatus.PENDING_PAYMENT and tree.order.expires_at + WAITS_FOR < seen.at


def _waits(tree: OrderTree) -> Difference:
    order = tree.order
    payments = {payment.id: str(payment.status) for payment in tree.payments}
    evidence: dict[str, Any] = {"expires_at": order.expires_at.isoformat(), "payments": payments}
    says = f"{order.id} was to be paid or given up by {order.expires_at:%Y-%m-%d %H:%M}, and still waits"
    repair = Repair("resume_checkout", order.id)
    return Difference("stuck_order", order.id, says, evidence, Severity.WARNING, repair)


_MORE: Final[Mapping[Of, Callable[[Sight, Picture], Iterator[Difference]]]] = {
    Of.ORDER: _of_order,
    Of.CUSTOMER: _of_customer,
}
