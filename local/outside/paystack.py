"""A Paystack to test with and to play with: what https://paystack.com/docs/api documents, with its own books.

It knows a tenant by the tenant's secret key, signs webhooks with that key, and has a page where a shopper chooses
what happens. Refunds are taken on at once, and end when `end_refund` says how.
"""

from __future__ import annotations

import hashlib
import hmac
import itertools
import json
import re
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from html import escape
from typing import Any, Final

from local.outside.http import Call, Deliver, Reply, Webhook, json_reply, page_reply

CURRENCIES: Final = frozenset({"GHS", "KES", "NGN", "USD", "XOF", "ZAR"})
REFERENCE: Final = re.compile(r"[A-Za-z0-9.=-]{1,100}")
TRANSFER_REFERENCE: Final = re.compile(r"[a-z0-9_-]{16,50}")
SETTLED: Final = frozenset({"processed", "failed"})

Json = dict[str, Any]


class Refused(Exception):  # noqa: N818 - an answer
    """Paystack says no: status, message, code."""

    def __init__(self, status: int, message: str, code: str) -> None:
        super().__init__(message)
        self.reply = json_reply(status, {"status": False, "message": message, "type": "api_error", "code": code})


@dataclass
class Account:
    """All that Paystack keeps for one tenant."""

    tenant: str
    key: str
    charges: dict[str, Json] = field(default_factory=dict)
    refunds: dict[str, Json] = field(default_factory=dict)
    recipients: dict[str, Json] = field(default_factory=dict)
    transfers: dict[str, Json] = field(default_factory=dict)
    settlements: list[Json] = field(default_factory=list)
    disputes: dict[str, Json] = field(default_factory=dict)


class FakePaystack:
    """`tenant_of` knows whose a secret key is; `now` is the time as Paystack writes it."""

    def __init__(
        self,
        url: str,
        tenant_of: Callable[[str], str | None],
        deliver: Deliver,
        now: Callable[[], str],
        *,
        ends_refunds: bool = False,
    ) -> None:
        self.url = url.rstrip("/")
        self.transfer_status = "pending"
        self._tenant_of = tenant_of
        self._deliver = deliver
        self._now = now
        self._ends_refunds = ends_refunds
        self._accounts: dict[str, Account] = {}
        self._pages: dict[str, tuple[Account, Json, str]] = {}
        self._ids = itertools.count(4_099_260_516)
        self._lock = threading.RLock()

    # -- HTTP

    def answer(self, call: Call) -> Reply:
        with self._lock:
            try:
                return self._route(call)
            except Refused as refused:
                return refused.reply

    def _route(self, call: Call) -> Reply:
        asked = f"{call.method} {call.path.strip('/')}"
        if page := re.fullmatch(r"(?:GET|POST) pay/(\w+)", asked):
            return self._page(call, page[1])
        account = self._account(call.headers.get("authorization", ""))
        for pattern, answer in _ROUTES.items():
            if found := re.fullmatch(pattern, asked):
                return answer(self, account, call, *found.groups())
        raise Refused(404, "Not found", "not_found")

    def _refunds(self, account: Account, call: Call) -> Reply:
        wanted = call.query.get("transaction")
        refunds = [each for each in account.refunds.values() if wanted in (None, str(each["transaction"]))]
        return _listed("Refunds retrieved", refunds, call)

    def _account(self, authorization: str) -> Account:
        key = authorization.removeprefix("Bearer ")
        tenant = self._tenant_of(key)
        if tenant is None:
            raise Refused(401, "Invalid key", "invalid_key")
        return self.account(tenant, key)

    def account(self, tenant: str, key: str) -> Account:
        account = self._accounts.setdefault(tenant, Account(tenant, key))
        account.key = key
        return account

    # -- Charges

    def _initialize(self, account: Account, asked: Json) -> Json:
        reference = str(asked.get("reference") or f"T{next(self._ids)}")
        if not asked.get("email"):
            raise Refused(400, "Email Address is required", "missing_params")
        if not REFERENCE.fullmatch(reference):
            raise Refused(400, "Invalid characters in reference", "invalid_params")
        if not str(asked.get("amount", "")).isdigit() or int(asked["amount"]) <= 0:
            raise Refused(400, "Invalid Amount Sent", "invalid_amount")
        if asked.get("currency") not in CURRENCIES:
            raise Refused(403, "Currency not supported by merchant", "unsupported_currency")
        if reference in account.charges:
            raise Refused(400, "Duplicate Transaction Reference", "duplicate_reference")
        charge = {
            "id": next(self._ids),
            "domain": "test",
            "status": "abandoned",
            "reference": reference,
            "amount": int(asked["amount"]),
            "message": None,
            "gateway_response": "The transaction was not completed",
            "paid_at": None,
            "created_at": self._now(),
            "channel": "card",
            "currency": asked["currency"],
            "metadata": asked.get("metadata", ""),
            "fees": None,
            "customer": {"email": asked["email"]},
        }
        account.charges[reference] = charge
        code = hashlib.sha256(f"{account.tenant}/{reference}".encode()).hexdigest()[:15]
        self._pages[code] = (account, charge, str(asked.get("callback_url") or ""))
        return {"authorization_url": f"{self.url}/pay/{code}", "access_code": code, "reference": reference}

    def end_charge(self, tenant: str, reference: str, status: str, *, told: bool = True) -> Json:
        """Set what became of a charge: ``success``, ``failed``, ``abandoned``, ``ongoing``, ``reversed``."""
        with self._lock:
            account = self._accounts[tenant]
            charge = account.charges[reference]
            if charge["status"] != "success" or status == "reversed":
                said = {"success": "Successful", "failed": "Declined"}.get(status, "The transaction was not completed")
                charge |= {"status": status, "gateway_response": said}
                if status == "success":
                    charge |= {"paid_at": self._now(), "fees": charge["amount"] * 15 // 1000}
            if told and status == "success":
                self.tell(account, "charge.success", charge)
            return charge

    def _page(self, call: Call, code: str) -> Reply:
        if code not in self._pages:
            return page_reply(404, "<!doctype html><title>Paystack</title><h1>There is nothing to pay here</h1>")
        account, charge, callback_url = self._pages[code]
        if call.method == "POST":
            outcome = call.form().get("outcome") or str(call.json().get("outcome") or "succeed")
            status = {"succeed": "success", "decline": "failed", "webhook_lost": "success"}.get(outcome, "abandoned")
            self.end_charge(account.tenant, charge["reference"], status, told=outcome != "webhook_lost")
            if "json" in call.headers.get("content-type", ""):
                return json_reply(200, {"reference": charge["reference"], "status": charge["status"]})
            return Reply(303, b"", {"location": call.path})
        return page_reply(200, _pay_page(charge, callback_url))

    # -- Refunds

    def _refund(self, account: Account, asked: Json) -> Json:
        named = str(asked.get("transaction", ""))
        charge = account.charges.get(named) or next(
            (each for each in account.charges.values() if str(each["id"]) == named), None
        )
        if charge is None:
            raise Refused(404, "Transaction not found", "transaction_not_found")
        if charge["status"] != "success":
            raise Refused(400, "Transaction has not been paid", "transaction_not_paid")
        amount = int(asked.get("amount") or charge["amount"])
        given = sum(
            each["amount"]
            for each in account.refunds.values()
            if each["transaction"] == charge["id"] and each["status"] != "failed"
        )
        if given + amount > charge["amount"]:
            raise Refused(400, "Refund amount cannot be more than transaction amount", "refund_amount_exceeded")
        refund = {
            "id": next(self._ids),
            "integration": 412_829,
            "domain": "test",
            "transaction": charge["id"],
            "dispute": None,
            "amount": amount,
            "currency": charge["currency"],
            "channel": charge["channel"],
            "status": "pending",
            "refunded_by": "api@kiosk.example",
            "refunded_at": None,
            "expected_at": self._now(),
            "customer_note": asked.get("customer_note") or f"Refund for transaction {charge['reference']}",
            "merchant_note": asked.get("merchant_note") or "",
            "deducted_amount": 0,
            "fully_deducted": False,
            "created_at": self._now(),
            "updated_at": self._now(),
        }
        account.refunds[str(refund["id"])] = refund
        self._tell_refund(account, refund, charge)
        if self._ends_refunds:
            for status in ("processing", "processed"):
                self.end_refund(account.tenant, str(refund["id"]), status)
        # The answer to its making has the charge whole, and other names for its times.
        return {**refund, "transaction": charge, "createdAt": refund["created_at"], "updatedAt": refund["updated_at"]}

    def end_refund(self, tenant: str, refund_id: str, status: str) -> None:
        """``processing``, ``processed``, ``failed`` or ``needs-attention``."""
        with self._lock:
            account = self._accounts[tenant]
            refund = account.refunds[refund_id]
            refund |= {"status": status, "updated_at": self._now()}
            if status == "processed":
                refund |= {"refunded_at": self._now(), "fully_deducted": True, "deducted_amount": refund["amount"]}
            charge = next(each for each in account.charges.values() if each["id"] == refund["transaction"])
            self._tell_refund(account, refund, charge)

    def _tell_refund(self, account: Account, refund: Json, charge: Json) -> None:
        status = refund["status"]
        self.tell(
            account,
            f"refund.{status}",
            {
                "status": status,
                "transaction_reference": charge["reference"],
                "refund_reference": f"TRF_{refund['id']}" if status in SETTLED else None,
                "amount": str(refund["amount"]),  # text here, and a number in answers
                "currency": refund["currency"],
                "processor": "instant-transfer",
                "customer": charge["customer"],
                "integration": refund["integration"],
                "domain": "test",
            },
        )

    # -- Transfers

    def _recipient(self, account: Account, asked: Json) -> Json:
        if not asked.get("account_number") or not asked.get("bank_code"):
            raise Refused(400, "Account number and bank code are required", "missing_params")
        place = f"{asked['bank_code']}/{asked['account_number']}"
        return account.recipients.setdefault(
            place,
            {
                "active": True,
                "currency": asked.get("currency"),
                "id": next(self._ids),
                "name": asked.get("name"),
                "recipient_code": f"RCP_{hashlib.sha256(place.encode()).hexdigest()[:15]}",
                "type": asked.get("type"),
                "details": {"account_number": asked["account_number"], "bank_code": asked["bank_code"]},
            },
        )

    def _transfer(self, account: Account, asked: Json) -> Json:
        reference = str(asked.get("reference", ""))
        if not TRANSFER_REFERENCE.fullmatch(reference):
            raise Refused(400, "Invalid transfer reference", "invalid_reference")
        if asked.get("recipient") not in {each["recipient_code"] for each in account.recipients.values()}:
            raise Refused(400, "Recipient specified is invalid", "invalid_transfer_recipient")
        if reference in account.transfers:
            raise Refused(400, "Please provide a unique reference", "duplicate_transfer_reference")
        transfer = {
            "id": next(self._ids),
            "transfer_code": f"TRF_{next(self._ids)}",
            "reference": reference,
            "amount": asked["amount"],
            "currency": asked["currency"],
            "domain": "test",
            "source": "balance",
            "reason": asked.get("reason"),
            "recipient": asked["recipient"],
            "status": self.transfer_status,
            "transferred_at": None,
            "createdAt": self._now(),
            "updatedAt": self._now(),
        }
        account.transfers[reference] = transfer
        return transfer

    def end_transfer(self, tenant: str, reference: str, status: str) -> None:
        """``success``, ``failed`` or ``reversed``."""
        with self._lock:
            account = self._accounts[tenant]
            transfer = account.transfers[reference]
            transfer |= {"status": status, "updatedAt": self._now()}
            if status == "success":
                transfer["transferred_at"] = self._now()
            self.tell(account, f"transfer.{status}", transfer)

    # -- Disputes and settlements

    def dispute(self, tenant: str, reference: str, amount: int) -> str:
        """A shopper complains at the bank. The dispute's id."""
        with self._lock:
            account = self._accounts[tenant]
            charge = account.charges[reference]
            dispute = {
                "id": next(self._ids),
                "refund_amount": amount,
                "currency": charge["currency"],
                "status": "awaiting-merchant-feedback",
                "resolution": None,
                "domain": "test",
                "transaction": charge,
                "transaction_reference": None,
                "category": "chargeback",
                "dueAt": self._now(),
                "resolvedAt": None,
                "created_at": self._now(),
                "updated_at": self._now(),
            }
            account.disputes[str(dispute["id"])] = dispute
            self.tell(account, "charge.dispute.create", dispute)
            return str(dispute["id"])

    def remind(self, tenant: str, dispute_id: str) -> None:
        """The time to answer is nearly over."""
        with self._lock:
            account = self._accounts[tenant]
            self.tell(account, "charge.dispute.remind", account.disputes[dispute_id])

    def resolve(self, tenant: str, dispute_id: str, resolution: str) -> None:
        """``merchant-accepted`` (the shopper is right) or ``declined``."""
        with self._lock:
            account = self._accounts[tenant]
            dispute = account.disputes[dispute_id]
            dispute |= {"status": "resolved", "resolution": resolution, "resolvedAt": self._now()}
            self.tell(account, "charge.dispute.resolve", dispute)

    def settle(self, tenant: str) -> None:
        """Everything that was paid goes to the tenant's bank."""
        with self._lock:
            account = self._accounts[tenant]
            paid = _paid(account)
            gross, fees = sum(each["amount"] for each in paid), sum(each["fees"] for each in paid)
            account.settlements.append(
                {
                    "id": next(self._ids),
                    "domain": "test",
                    "status": "success",
                    "currency": paid[0]["currency"] if paid else "NGN",
                    "total_amount": gross - fees,
                    "effective_amount": gross - fees,
                    "total_fees": fees,
                    "total_processed": gross,
                    "settlement_date": self._now(),
                }
            )

    # -- Webhooks

    def tell(self, account: Account, event: str, data: Json) -> None:
        raw = json.dumps({"event": event, "data": data}, separators=(",", ":")).encode()
        signed = hmac.new(account.key.encode(), raw, hashlib.sha512).hexdigest()
        headers = {"content-type": "application/json", "x-paystack-signature": signed}
        self._deliver(Webhook(account.tenant, raw, headers))


def _paid(account: Account) -> list[Json]:
    return [each for each in account.charges.values() if each["status"] == "success"]


_ROUTES: Final[dict[str, Callable[..., Reply]]] = {
    r"POST transaction/initialize": lambda fake, account, call: _good(
        "Authorization URL created", fake._initialize(account, call.json())
    ),
    r"GET transaction/verify/([^/]+)": lambda fake, account, call, reference: _good(
        "Verification successful", _found(account.charges, reference, "Transaction", "reference")
    ),
    r"GET transaction": lambda fake, account, call: _listed(
        "Transactions retrieved", list(account.charges.values()), call
    ),
    r"POST refund": lambda fake, account, call: _good(
        "Refund has been queued for processing", fake._refund(account, call.json())
    ),
    r"GET refund": lambda fake, account, call: fake._refunds(account, call),
    r"GET refund/(\w+)": lambda fake, account, call, refund_id: _good(
        "Refund retrieved", _found(account.refunds, refund_id, "Refund")
    ),
    r"POST transferrecipient": lambda fake, account, call: _good(
        "Transfer recipient created successfully", fake._recipient(account, call.json())
    ),
    r"POST transfer": lambda fake, account, call: _good(
        "Transfer has been queued", fake._transfer(account, call.json())
    ),
    r"GET transfer/verify/([^/]+)": lambda fake, account, call, reference: _good(
        "Transfer retrieved", _found(account.transfers, reference, "Transfer")
    ),
    r"GET settlement": lambda fake, account, call: _listed("Settlements retrieved", account.settlements, call),
    r"GET settlement/\w+/transactions": lambda fake, account, call: _listed(
        "Transactions retrieved", _paid(account), call
    ),
    r"GET dispute": lambda fake, account, call: _listed("Disputes retrieved", list(account.disputes.values()), call),
    r"GET dispute/(\w+)": lambda fake, account, call, dispute_id: _good(
        "Dispute retrieved", _found(account.disputes, dispute_id, "Dispute")
    ),
}


def _good(message: str, data: Any) -> Reply:
    return json_reply(200, {"status": True, "message": message, "data": data})


def _listed(message: str, items: list[Json], call: Call) -> Reply:
    size, page = int(call.query.get("perPage", 50)), int(call.query.get("page", 1))
    meta = {"total": len(items), "skipped": 0, "perPage": size, "page": page, "pageCount": -(-len(items) // size)}
    shown = items[(page - 1) * size : page * size]
    return json_reply(200, {"status": True, "message": message, "data": shown, "meta": meta})


def _found(items: dict[str, Json], name: str, what: str, by: str = "") -> Json:
    if name not in items:
        called = f"{what} {by}".strip()
        raise Refused(404 if not by else 400, f"{called} not found", f"{what.lower()}_not_found")
    return items[name]


def _pay_page(charge: Json, callback_url: str) -> str:
    amount = f"{charge['currency']} {charge['amount'] / 100:,.2f}"
    choices = {"succeed": "Pay", "decline": "Decline", "leave": "Leave", "webhook_lost": "Pay, never told"}
    buttons = "".join(f'<button name="outcome" value="{name}">{text}</button> ' for name, text in choices.items())
    if charge["status"] == "success":
        buttons = "<p>Payment received.</p>"
    return (
        '<!doctype html><html lang="en"><meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>Paystack (a fake): pay {escape(amount)}</title><main><p>This is not Paystack, and no money moves.</p>"
        f'<h1>{escape(amount)}</h1><form method="post">{buttons}</form>'
        f'<p><a href="{escape(callback_url)}">Return to the shop</a></p><p>Reference {escape(charge["reference"])}</p>'
    )
