"""Everything that is stored, as the domain knows it: what the invariants are asked of."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import TypeVar

from cauri.billing.model import Account, Billable, Invoice, Series
from cauri.billing.payments import AccountPayment, CustomerCredit
from cauri.billing.store import ACCOUNT_PAYMENTS, ACCOUNTS, BILLABLES, CREDITS, INVOICES, SERIES
from cauri.books.log import Record, read_record
from cauri.books.shelf import Shelf, Wire
from cauri.checkout.model import Cart
from cauri.checkout.promotions import CLAIM_LOCATION, Promotion
from cauri.checkout.store import CARTS, PROMOTIONS
from cauri.clock import Instant
from cauri.inventory.model import Cell, Part, Product
from cauri.inventory.movements import Movement
from cauri.inventory.store import CELLS, MOVEMENTS, PRODUCTS
from cauri.orders.model import Order, OrderTree
from cauri.orders.store import ORDERS, VENDOR_ORDERS
from cauri.orders.uses import USES
from cauri.payments.store import PAYMENTS
from cauri.refunds.model import Refund
from cauri.refunds.store import REFUNDS
from cauri.values import dataclass
from cauri.wallet.accounts import Movement as WalletMovement
from cauri.wallet.lots import Wallet
from cauri.wallet.redemption import Redemption
from cauri.wallet.store import MOVEMENTS as WALLET_MOVEMENTS
from cauri.wallet.store import REDEMPTIONS, WALLETS

T = TypeVar("T")
Items = Mapping[str, list[Wire]]


@dataclass(frozen=True)
class Picture:
    """What one tenant has at one moment. The log's tombstones, which only take a key, are left out."""

    at: Instant
    records: list[Record]
    products: list[Product]
    cells: list[Cell]
    """Of stock, and of the uses of promotions."""
    promotions: list[Promotion]
    customers: Mapping[tuple[str, str], frozenset[str]]
    """The orders by which a customer (a digest) used a promotion, by its code and the customer."""
    movements: list[Movement]
    carts: list[Cart]
    trees: list[OrderTree]
    refunds: list[Refund]

    @property
    def stock(self) -> list[Cell]:
        return [cell for cell in self.cells if cell.location != CLAIM_LOCATION]

    @property
    def uses(self) -> list[Cell]:
        return [cell for cell in self.cells if cell.location == CLAIM_LOCATION]

    wallets: list[Wallet]
    movements_of_wallets: list[WalletMovement]
    redemptions: list[Redemption]
    accounts: list[Account]
    billables: list[Billable]
    invoices: list[Invoice]
    series: list[Series]
    account_payments: list[AccountPayment]
    credits: list[CustomerCredit]

    def cell(self, part: Part) -> Cell | None:
        """The cell that has, or had, the part."""
        place = (part.sku, part.location, part.cell)
        return next((cell for cell in self.cells if (cell.sku, cell.location, cell.number) == place), None)


def picture(stored: Items, at: Instant) -> Picture:
    commerce = stored["commerce"]
    records = [read_record(item) for item in stored["log"]]
    return Picture(
        at,
        records=sorted((record for record in records if not record.undone), key=lambda record: record.at),
        products=_on(PRODUCTS, commerce, "product#"),
        cells=_on(CELLS, commerce, "stock#"),
        promotions=_on(PROMOTIONS, commerce, "promotion#"),
        customers=_customers(commerce),
        movements=_on(MOVEMENTS, commerce, "movements#"),
        carts=_on(CARTS, commerce, "cart#"),
        trees=_trees(commerce),
        refunds=_on(REFUNDS, commerce, "order#", "refund#"),
        wallets=_on(WALLETS, stored["wallet"], "wallet#"),
        movements_of_wallets=_on(WALLET_MOVEMENTS, stored["wallet"], "statement#"),
        redemptions=_on(REDEMPTIONS, stored["wallet"], "redemption#"),
        accounts=_on(ACCOUNTS, stored["billing"], "account#"),
        billables=_on(BILLABLES, stored["billing"], "billables#"),
        invoices=_on(INVOICES, stored["billing"], "invoice#", "invoice"),
        account_payments=_on(ACCOUNT_PAYMENTS, stored["billing"], "payment#"),
        credits=_on(CREDITS, stored["billing"], "credit#"),
        series=_on(SERIES, stored["billing"], "series#"),
    )


def _customers(items: list[Wire]) -> dict[tuple[str, str], frozenset[str]]:
    used = [(item["pk"]["S"].split("#"), USES.from_item(item)) for item in items if _is(item, "uses#", "uses")]
    return {(place[2], place[3]): orders for place, orders in used}


def _on(shelf: Shelf[T], items: list[Wire], prefix: str, sk: str = "") -> list[T]:
    return [shelf.from_item(item) for item in items if _is(item, prefix, sk)]


def _is(item: Wire, prefix: str, sk: str) -> bool:
    _, _, place = item["pk"]["S"].partition("#")
    return place.startswith(prefix) and bool(item["sk"]["S"].startswith(sk))


def _trees(items: list[Wire]) -> list[OrderTree]:
    roots: list[Order] = _on(ORDERS, items, "order#", "root")
    vendor_orders, payments = defaultdict(list), defaultdict(list)
    for vendor_order in _on(VENDOR_ORDERS, items, "order#", "vendor#"):
        vendor_orders[vendor_order.order_id].append(vendor_order)
    for payment in _on(PAYMENTS, items, "order#", "payment#"):
        payments[payment.order_id].append(payment)
    return [
        OrderTree(
            root,
            tuple(sorted(vendor_orders[root.id], key=lambda one: one.id)),
            tuple(sorted(payments[root.id], key=lambda one: one.id)),
        )
        for root in roots
    ]
