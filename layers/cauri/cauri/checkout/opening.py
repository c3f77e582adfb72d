"""An order is placed: its payments are opened at their providers, and all of it becomes one plan."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import cauri.orders.store  # noqa: F401 - knows how the tree is written
from cauri.books.database import TRANSACTION_ACTIONS_MAX
from cauri.books.plan import Event, Plan, StartSaga
from cauri.books.work import Work
from cauri.checkout.model import ORDER_PARTS_MAX, OrderTooLarge
from cauri.checkout.reservation import CLAIM_GRACE
from cauri.checkout.views import CheckoutView, ToPay
from cauri.orders.drawing import set_aside
from cauri.orders.model import Order, OrderTree
from cauri.orders.views import order_view
from cauri.parties.model import Party, Tenant
from cauri.payments.model import Payment, ProviderDeclined, ProviderNotEnabled, ProviderUnavailable
from cauri.providers.ports import Charge, Declined, PaymentProvider, Session, Unknown
from cauri.values import dataclass, field, replace
from cauri.wallet.changes import Desk


@dataclass(frozen=True)
class Contact:
    """Who buys, as far as the token does not say."""

    email: str
    name: str = ""
    phone: str = ""
    address: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Payer:
    """What a provider is told of who pays."""

    return_url: str
    email: str = ""
    demo_outcome: str = ""


def order_number(work: Work) -> int:
    """The order's number; a dry run takes none."""
    return 0 if work.dry_run else work.books.numbers.next(work.tenant, f"orders#{work.at:%Y}")


def opened(tree: OrderTree, saves: Sequence[Any], payer: Payer, tenant: Tenant, desk: Desk | None, work: Work) -> Plan:
    """The plan that places `tree`, and says where to pay. What the order draws is set aside at the `desk`.

    Raises OrderTooLarge, ProviderNotEnabled, ProviderDeclined, ProviderUnavailable.
    """
    _require_room(tree, saves)
    sessions = _sessions(tree, payer, tenant, work)
    to_pay = [
        ToPay(payment.id, payment.provider, payment.amount, session.authorization_url)
        for payment, session in zip(tree.payments, sessions, strict=False)  # a dry run has no sessions
    ]
    answer = CheckoutView(order_view(tree), to_pay[0].authorization_url if to_pay else None, to_pay)
    plan = (
        Plan(answer)
        .save(*saves, *_known_as(tree.payments, sessions))
        .start(StartSaga("checkout", tree.order.id, {"order_id": tree.order.id}))
        .emit(Event("order.created", tree.order.id, 1, _facts(tree)))
    )
    if desk is not None and tree.order.draws:
        set_aside(plan, tree.order, tree.order.expires_at + CLAIM_GRACE, desk, work)
    return plan


def known_contact(order: Order, contact: Contact | None) -> list[Party]:
    """Who is behind the order, apart from it."""
    if contact is None or order.party_id is None:
        return []
    who = (contact.email, contact.name, contact.phone, contact.address)
    return [Party(order.tenant, order.party_id, *who, customer_id=order.customer_id)]


def _require_room(tree: OrderTree, saves: Sequence[Any]) -> None:
    """All of it is one transaction: what is saved, the payments, the wallet, the record, the watch over the saga."""
    actions = 2 + len(saves) + len(tree.payments) + bool(tree.order.draws)
    parts = sum(len(line.stock) for line in tree.lines)
    if actions > TRANSACTION_ACTIONS_MAX or parts > ORDER_PARTS_MAX:
        raise OrderTooLarge


def _sessions(tree: OrderTree, payer: Payer, tenant: Tenant, work: Work) -> list[Session]:
    """Ask the providers for places to pay; a dry run asks nobody. No money moves, so it can come before the commit.

    Raises ProviderNotEnabled, ProviderDeclined, ProviderUnavailable.
    """
    providers = [_enabled(payment.provider, tenant, work) for payment in tree.payments]
    if work.dry_run:
        return []
    return [_session(p, payment, payer, tree, tenant) for p, payment in zip(providers, tree.payments, strict=True)]


def _enabled(name: str, tenant: Tenant, work: Work) -> PaymentProvider:
    provider = work.books.providers.get(name)
    if provider is None or (name == "demo" and not tenant.demo):
        raise ProviderNotEnabled(name)
    return provider


def _session(provider: PaymentProvider, payment: Payment, payer: Payer, tree: OrderTree, tenant: Tenant) -> Session:
    metadata = {"merchant": tenant.name, "order": tree.order.number, "demo_outcome": payer.demo_outcome}
    charge = Charge(payment.tenant, payment.id, payment.amount, payer.return_url, metadata, payer.email)
    match provider.initialize(charge):
        case Session() as session:
            return session
        case Declined() as declined:
            raise ProviderDeclined(payment.provider, declined.reason)
        case Unknown():
            raise ProviderUnavailable(payment.provider)


def _known_as(payments: Sequence[Payment], sessions: Sequence[Session]) -> list[Payment]:
    """The payments, each with the reference that its provider has for it."""
    references = [session.reference for session in sessions] or [payment.id for payment in payments]
    return [
        payment if reference == payment.id else replace(payment, reference=reference)
        for payment, reference in zip(payments, references, strict=True)
    ]


def _facts(tree: OrderTree) -> dict[str, Any]:
    order = tree.order
    return {
        "number": order.number,
        "total": order.total,
        "currency": order.currency,
        "promotions": [use.code for use in order.uses],
        "payment_method": order.payment_method,
        "vendor_orders": [
            {"number": v.number, "vendor_id": v.vendor_id, "amount": v.total, "commission_bps": v.commission_bps}
            for v in tree.vendor_orders
        ],
    }
