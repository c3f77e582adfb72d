"""Paystack's transfers: money that leaves for a bank account. Source: https://paystack.com/docs/transfers."""

from __future__ import annotations

import re
from typing import Annotated, Final
from urllib.parse import quote

from pydantic import AliasChoices, AwareDatetime, Field

from cauri.providers.payouts import (
    BankAccount,
    Bounced,
    Paid,
    PayoutAnswer,
    PayoutCall,
    PayoutNeedsAttention,
    PayoutPending,
    Recipient,
    RecipientAnswer,
)
from cauri.providers.paystack_api import EXPONENTS, PaystackApi, Said, money_of
from cauri.providers.ports import Declined, NotFound, Unknown
from cauri.providers.wire import Shape, Whole, shape_of

REFERENCE: Final = re.compile(r"[a-z0-9_-]{16,50}")
"""What Paystack takes as the reference of a transfer."""

_REUSED: Final = frozenset({"duplicate_reference", "duplicate_transfer_reference", "transfer_reference_already_exists"})
_NOT_THERE: Final = frozenset({"transfer_not_found"})
_AT_IT: Final = frozenset({"pending", "processing", "queued", "received"})


class RecipientShape(Shape):
    recipient_code: str


class TransferShape(Shape):
    transfer_code: str
    reference: str
    status: str
    amount: Whole
    currency: str
    transferred_at: Annotated[AwareDatetime | None, Field(strict=False)] = None
    updated_at: Annotated[
        AwareDatetime | None, Field(strict=False, validation_alias=AliasChoices("updated_at", "updatedAt"))
    ] = None


class PaystackPayouts:
    """See `PayoutProvider`. The tenant's account at Paystack must not ask for one-time passwords."""

    name: Final = "paystack"

    def __init__(self, api: PaystackApi) -> None:
        self._api = api

    def recipient(self, tenant: str, account: BankAccount) -> RecipientAnswer:
        asked = {
            "type": account.kind,
            "name": account.name,
            "account_number": account.number,
            "bank_code": account.bank_code,
            "currency": account.currency,
        }
        said = self._api.post(tenant, "transferrecipient", asked, safe_twice=True)
        match said:
            case Said(good=True):
                made = shape_of(RecipientShape, said.data)
                return made if isinstance(made, Unknown) else Recipient(made.recipient_code)
            case Said():
                return said.refusal
            case Declined() | Unknown():
                return said

    def pay_out(self, payout: PayoutCall) -> PayoutAnswer:
        """A reference that Paystack has already is asked about: the payout was made before."""
        if not REFERENCE.fullmatch(payout.reference):
            raise ValueError(f"{payout.reference!r} can be no transfer's reference")
        asked = {
            "source": "balance",
            "amount": EXPONENTS.to_wire(payout.amount),
            "currency": payout.amount.currency,
            "recipient": payout.recipient,
            "reference": payout.reference,
            "reason": payout.reason,
        }
        # Safe twice by its reference.
        said = self._api.post(payout.tenant, "transfer", asked, safe_twice=True)
        match said:
            case Said(good=True):
                return self._same(_read(said, payout.reference), payout)
            case Said():
                no = said.refusal
                if isinstance(no, Declined) and no.reason in _REUSED:
                    return self._same(self._transfer(payout.tenant, payout.reference), payout)
                return no
            case Declined() | Unknown():
                return said

    def verify_payout(self, tenant: str, reference: str) -> PayoutAnswer | NotFound:
        found = self._transfer(tenant, reference)
        return _answer(found) if isinstance(found, TransferShape) else found

    def _same(self, found: TransferShape | NotFound | Unknown, payout: PayoutCall) -> PayoutAnswer:
        """The answer about `payout`, if it is this payout that was found."""
        match found:
            case NotFound():
                return Unknown("the reference is taken, and not to be found")
            case Unknown():
                return found
            case TransferShape() if money_of(found.amount, found.currency) != payout.amount:
                return Unknown("there is another payout of that reference")
            case TransferShape():
                return _answer(found)

    def _transfer(self, tenant: str, reference: str) -> TransferShape | NotFound | Unknown:
        said = self._api.get(tenant, f"transfer/verify/{quote(reference, safe='')}")
        match said:
            case Said(good=True):
                return _read(said, reference)
            case Said() if isinstance(no := said.refusal, Declined) and no.reason in _NOT_THERE:
                return NotFound()
            case Said():
                return Unknown(f"status {said.status}, {said.code or said.message}")
            case Declined():
                return Unknown(said.reason)
            case Unknown():
                return said


def _read(said: Said, reference: str) -> TransferShape | Unknown:
    found = shape_of(TransferShape, said.data)
    if isinstance(found, TransferShape) and found.reference != reference:
        return Unknown("the answer is about another reference")
    return found


def _answer(transfer: TransferShape) -> PayoutAnswer:
    money = money_of(transfer.amount, transfer.currency)
    if isinstance(money, Unknown):
        return money
    code = transfer.transfer_code
    match transfer.status:
        case "success" if at := transfer.transferred_at or transfer.updated_at:
            return Paid(money, code, at)
        case "otp":
            return PayoutNeedsAttention(code, "a one-time password is needed")
        case "blocked" | "rejected" | "failed" | "abandoned":
            return Declined(f"transfer_{transfer.status}")
        case "reversed":
            return Bounced(code)
        case status if status in _AT_IT:
            return PayoutPending(code)
        case _:
            return Unknown(f"a transfer that is {transfer.status!r}")
