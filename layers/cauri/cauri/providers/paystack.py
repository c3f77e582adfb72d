"""Paystack's payments: charges, refunds, and webhooks. Source: https://paystack.com/docs, and SPEC 4.

Paystack opens a charge only once per reference, and allows no ``_`` in one. So a reference of ours goes out with
``.`` in its place, and a charge that has to be opened again gets something of chance behind ``=``. Nobody was ever
sent to the one before: its address is lost with the answer.
"""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import json
import secrets
from collections.abc import Callable, Mapping
from typing import Annotated, Final
from urllib.parse import quote

from pydantic import AliasChoices, AwareDatetime, Field, TypeAdapter, ValidationError

from cauri.clock import Instant
from cauri.money import Money
from cauri.providers.keys import KeysUnavailableError
from cauri.providers.paystack_api import EXPONENTS, PaystackApi, Said, from_wire, money_of, to_wire
from cauri.providers.paystack_statements import PaystackStatements
from cauri.providers.ports import (
    Authentic,
    Authentication,
    Captured,
    Charge,
    Declined,
    Forged,
    KnownDispute,
    KnownRefund,
    NotFound,
    Opening,
    Pending,
    ProviderEvent,
    RefundAnswer,
    RefundCall,
    Refunded,
    RefundNeedsAttention,
    RefundOutcome,
    RefundPending,
    Session,
    Unknown,
    Unreadable,
    Verification,
)
from cauri.providers.wire import Id, Shape, Whole, same_text, shape_of, where

SIGNATURE_HEADER: Final = "x-paystack-signature"
ADDRESSES: Final = frozenset({"52.31.139.75", "52.49.173.169", "52.214.14.220"})
"""Where Paystack's webhooks come from. Source: SPEC 4, https://paystack.com/docs/payments/webhooks."""
OPENINGS_MAX: Final = 3
REFUNDS_MAX: Final = 100
"""In one page of a charge's refunds, which is all that is read: no order is refunded more often."""

_DUPLICATE: Final = frozenset({"duplicate_reference", "duplicate_transaction_reference"})
_NOT_THERE: Final = frozenset({"transaction_not_found", "transaction_reference_not_found"})
_AT_IT: Final = frozenset({"ongoing", "pending", "processing", "queued"})


class OpenedShape(Shape):
    authorization_url: Annotated[str, Field(pattern=r"^https?://[^\s]+$")]
    reference: str


class ChargeShape(Shape):
    """A transaction, as verify answers it."""

    id: Id
    reference: str
    status: str
    amount: Whole
    currency: str
    gateway_response: str | None = None
    paid_at: Annotated[AwareDatetime | None, Field(strict=False)] = None


class RefundShape(Shape):
    """A refund. Its times have two spellings, and its own reference is in `merchant_note`, where we put it."""

    id: Id
    amount: Whole
    currency: str
    status: str
    merchant_note: str | None = None
    refunded_at: Annotated[AwareDatetime | None, Field(strict=False)] = None
    updated_at: Annotated[
        AwareDatetime | None, Field(strict=False, validation_alias=AliasChoices("updated_at", "updatedAt"))
    ] = None


class Paystack:
    """See `PaymentProvider`. `chance` tells two openings of one charge apart."""

    name: Final = "paystack"

    def __init__(
        self,
        api: PaystackApi,
        *,
        addresses: frozenset[str] = ADDRESSES,
        chance: Callable[[], str] = lambda: secrets.token_hex(4),
    ) -> None:
        self._api = api
        self._addresses = addresses
        self._chance = chance

    # -- Charges

    def get_ready(self, tenant: str) -> None:
        with contextlib.suppress(KeysUnavailableError):  # whoever needs them will say so
            self._api.keys(tenant)

    def initialize(self, charge: Charge) -> Opening:
        if not charge.email:
            return Declined("email_required")
        opened = self._open(charge, charge.reference)
        for _ in range(OPENINGS_MAX - 1):
            if not (isinstance(opened, Declined) and opened.reason in _DUPLICATE):
                break
            opened = self._open(charge, f"{charge.reference}={self._chance()}")
        return opened

    def _open(self, charge: Charge, reference: str) -> Opening:
        said = self._api.post(
            charge.tenant,
            "transaction/initialize",
            {
                "email": charge.email,
                "amount": str(EXPONENTS.to_wire(charge.amount)),
                "currency": charge.amount.currency,
                "reference": to_wire(reference),
                "callback_url": charge.return_url,
                "metadata": json.dumps(dict(charge.metadata)),
            },
        )
        match said:
            case Said(good=True):
                opened = shape_of(OpenedShape, said.data)
            case Said():
                return said.refusal
            case Declined() | Unknown():
                return said
        if isinstance(opened, Unknown):
            return opened
        if opened.reference != to_wire(reference):
            return Unknown("the answer is about another reference")
        return Session(reference, opened.authorization_url)

    def verify(self, tenant: str, reference: str) -> Verification:
        charge = self._charge(tenant, reference)
        if not isinstance(charge, ChargeShape):
            return charge
        money = money_of(charge.amount, charge.currency)
        if isinstance(money, Unknown):
            return money
        match charge.status:
            case "success" if charge.paid_at is not None:
                return Captured(money, charge.id, charge.paid_at)
            case "failed" | "reversed":
                return Declined(charge.gateway_response or charge.status)
            case "abandoned":
                return NotFound()
            case status if status in _AT_IT:
                return Pending()
            case _:
                return Unknown(f"a charge that is {charge.status!r}")

    def _charge(self, tenant: str, reference: str) -> ChargeShape | NotFound | Unknown:
        said = self._api.get(tenant, f"transaction/verify/{quote(to_wire(reference), safe='')}")
        match said:
            case Said(good=True):
                charge = shape_of(ChargeShape, said.data)
            case Said() if isinstance(no := said.refusal, Declined) and no.reason in _NOT_THERE:
                return NotFound()
            case Said():
                return Unknown(f"status {said.status}, {said.code or said.message}")
            case Declined():
                return Unknown(said.reason)
            case Unknown():
                return said
        if isinstance(charge, ChargeShape) and charge.reference != to_wire(reference):
            return Unknown("the answer is about another reference")
        return charge

    # -- Refunds

    def refund(self, refund: RefundCall) -> RefundAnswer:
        charge = self._charge(refund.tenant, refund.charge_reference)
        if isinstance(charge, Unknown):
            return charge
        if isinstance(charge, NotFound):
            return Declined("not_captured")
        listed = self._refunds(refund.tenant, charge)
        if isinstance(listed, Unknown):
            return listed
        if made := next((known for known in listed if known.reference == refund.reference), None):
            return made.outcome if made.amount == refund.amount else Unknown("another refund has that reference")
        return self._ask_for(refund)

    def _ask_for(self, refund: RefundCall) -> RefundAnswer:
        said = self._api.post(
            refund.tenant,
            "refund",
            {
                "transaction": to_wire(refund.charge_reference),
                "amount": EXPONENTS.to_wire(refund.amount),
                "currency": refund.amount.currency,
                "merchant_note": refund.reference,
            },
        )
        match said:
            case Said(good=True):
                made = shape_of(RefundShape, said.data)
            case Said():
                return said.refusal
            case Declined() | Unknown():
                return said
        known = made if isinstance(made, Unknown) else _known(made)
        if isinstance(known, Unknown):
            return known
        return known.outcome if known.amount == refund.amount else Unknown("the answer is about another amount")

    def list_refunds(self, tenant: str, charge_reference: str) -> tuple[KnownRefund, ...] | Unknown:
        charge = self._charge(tenant, charge_reference)
        match charge:
            case NotFound():
                return ()
            case Unknown():
                return charge
            case ChargeShape():
                return self._refunds(tenant, charge)

    def _refunds(self, tenant: str, charge: ChargeShape) -> tuple[KnownRefund, ...] | Unknown:
        said = self._api.get(tenant, "refund", transaction=charge.id, perPage=REFUNDS_MAX)
        match said:
            case Said(good=True):
                shapes = shape_of(list[RefundShape], said.data)
            case Said():
                return Unknown(f"status {said.status}")
            case Declined():
                return Unknown(said.reason)
            case Unknown():
                return said
        if isinstance(shapes, Unknown):
            return shapes
        known = [_known(shape) for shape in shapes]
        if trouble := next((each for each in known if isinstance(each, Unknown)), None):
            return trouble
        return tuple(each for each in known if isinstance(each, KnownRefund))

    def dispute(self, tenant: str, dispute_id: str) -> KnownDispute | NotFound | Unknown:
        return PaystackStatements(self._api).dispute(tenant, dispute_id)

    # -- Webhooks

    def authenticate(self, tenant: str, headers: Mapping[str, str], raw: bytes, source_ip: str) -> Authentication:
        """The address first: it is cheap, and a stranger learns nothing of signatures."""
        if source_ip not in self._addresses:
            return Forged("unknown_ip")
        claimed = next((value for name, value in headers.items() if name.lower() == SIGNATURE_HEADER), "")
        # Each is computed and compared, whichever is the right one.
        signed = [same_text(claimed, signature(key, raw)) for key in self._api.keys(tenant)]
        return Authentic() if any(signed) else Forged("bad_signature")

    def read_event(self, raw: bytes) -> ProviderEvent | Unreadable:
        try:
            said = _event().validate_json(raw)
        except ValidationError as wrong:
            return Unreadable(where(wrong))
        reference = said.about
        if reference is None:
            return Unreadable("it names no charge, refund, transfer or dispute")
        # A list as text has no second reading, whatever the ids contain.
        news = repr([said.event, said.data.id, reference, said.data.status])
        return ProviderEvent(said.event, reference, hashlib.sha256(news.encode()).hexdigest(), said.data.id or "")


# -- Webhooks' shapes


class _ChargeOf(Shape):
    reference: str


class _EventData(Shape):
    """What any of the events we know says of its object. Each kind names the object in a place of its own."""

    id: Id | None = None
    status: str = ""
    reference: str | None = None
    transaction_reference: str | None = None
    transaction: _ChargeOf | None = None


class _Event(Shape):
    event: str
    data: _EventData

    @property
    def about(self) -> str | None:
        """Our reference of the charge, of the charge refunded or disputed, or of the transfer."""
        if self.event.startswith("transfer."):
            return self.data.reference
        named = self.data.transaction_reference or self.data.reference
        if self.event.startswith("charge.dispute.") and self.data.transaction is not None:
            named = self.data.transaction.reference
        return from_wire(named) if named else None


def _event() -> TypeAdapter[_Event]:
    return TypeAdapter(_Event)


def signature(key: str, raw: bytes) -> str:
    """Lower-case hex HMAC-SHA512 of a webhook's raw body, under the secret key."""
    return hmac.new(key.encode(), raw, hashlib.sha512).hexdigest()


# -- Parts


def _known(refund: RefundShape) -> KnownRefund | Unknown:
    money = money_of(refund.amount, refund.currency)
    if isinstance(money, Unknown):
        return money
    outcome = _outcome(refund, money)
    return outcome if isinstance(outcome, Unknown) else KnownRefund(refund.merchant_note or "", money, outcome)


def _outcome(refund: RefundShape, money: Money) -> RefundOutcome | Unknown:
    match refund.status:
        case "pending" | "processing" | "retrying":
            return RefundPending(money, refund.id)
        case "needs-attention":
            return RefundNeedsAttention(money, refund.id, "the shopper's bank account is needed")
        case "failed":
            return Declined("refund_failed")
        case "processed" if at := _first(refund.refunded_at, refund.updated_at):
            return Refunded(money, refund.id, at)
        case _:
            return Unknown(f"a refund that is {refund.status!r}")


def _first(*times: Instant | None) -> Instant | None:
    return next((at for at in times if at is not None), None)
