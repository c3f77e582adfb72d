"""What is answered when a request is not done: RFC 9457 problems, and the one table from codes to HTTP."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from types import MappingProxyType
from typing import ClassVar, Final

from pydantic_core import to_json

from cauri.errors import Refusal, Unsettled
from cauri.values import dataclass

PROBLEM_JSON: Final = "application/problem+json"
RETRY_AFTER_SECONDS: Final = 1
UNAVAILABLE: Final = "unavailable"
INTERNAL_ERROR: Final = "internal_error"

STATUS: Final[Mapping[str, HTTPStatus]] = {
    # The request itself
    "malformed_request": HTTPStatus.BAD_REQUEST,
    "invalid_request": HTTPStatus.BAD_REQUEST,
    "unknown_parameter": HTTPStatus.BAD_REQUEST,
    "invalid_cursor": HTTPStatus.BAD_REQUEST,
    "idempotency_key_missing": HTTPStatus.BAD_REQUEST,
    "idempotency_key_invalid": HTTPStatus.BAD_REQUEST,
    "body_too_large": HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    "unsupported_media_type": HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    # Who asks
    "token_missing": HTTPStatus.UNAUTHORIZED,
    "token_invalid": HTTPStatus.UNAUTHORIZED,
    "token_expired": HTTPStatus.UNAUTHORIZED,
    "forbidden": HTTPStatus.FORBIDDEN,
    "email_not_proven": HTTPStatus.FORBIDDEN,
    "rate_limited": HTTPStatus.TOO_MANY_REQUESTS,
    "approval_needs_another": HTTPStatus.FORBIDDEN,
    # What there is
    "not_found": HTTPStatus.NOT_FOUND,
    "method_not_allowed": HTTPStatus.METHOD_NOT_ALLOWED,
    "unknown_tenant": HTTPStatus.NOT_FOUND,
    "unknown_vendor": HTTPStatus.NOT_FOUND,
    "unknown_customer": HTTPStatus.NOT_FOUND,
    "unknown_sku": HTTPStatus.NOT_FOUND,
    "unknown_cart": HTTPStatus.NOT_FOUND,
    "unknown_order": HTTPStatus.NOT_FOUND,
    "unknown_payment": HTTPStatus.NOT_FOUND,
    "unknown_promotion": HTTPStatus.NOT_FOUND,
    "unknown_refund": HTTPStatus.NOT_FOUND,
    "unknown_run": HTTPStatus.NOT_FOUND,
    "unknown_schedule": HTTPStatus.NOT_FOUND,
    "unknown_message": HTTPStatus.NOT_FOUND,
    "unknown_account": HTTPStatus.NOT_FOUND,
    "unknown_lot": HTTPStatus.NOT_FOUND,
    "unknown_redemption": HTTPStatus.NOT_FOUND,
    "unknown_approval": HTTPStatus.NOT_FOUND,
    "nothing_counted": HTTPStatus.NOT_FOUND,
    "unknown_earning": HTTPStatus.NOT_FOUND,
    "unknown_invoice": HTTPStatus.NOT_FOUND,
    "unknown_billable": HTTPStatus.NOT_FOUND,
    "unknown_account_payment": HTTPStatus.NOT_FOUND,
    "unknown_credit": HTTPStatus.NOT_FOUND,
    "unknown_allocation": HTTPStatus.NOT_FOUND,
    "unknown_record": HTTPStatus.NOT_FOUND,
    "unknown_reconciliation": HTTPStatus.NOT_FOUND,
    "unknown_finding": HTTPStatus.NOT_FOUND,
    # What stands against it now
    "contended": HTTPStatus.CONFLICT,
    "version_mismatch": HTTPStatus.CONFLICT,
    "vendor_disabled": HTTPStatus.CONFLICT,
    "customer_erased": HTTPStatus.CONFLICT,
    "out_of_stock": HTTPStatus.CONFLICT,
    "stock_committed": HTTPStatus.CONFLICT,
    "sku_taken": HTTPStatus.CONFLICT,
    "cart_completed": HTTPStatus.CONFLICT,
    "price_changed": HTTPStatus.CONFLICT,
    "promotion_used_up": HTTPStatus.CONFLICT,
    "promotion_used_by_customer": HTTPStatus.CONFLICT,
    "promotion_limit_fixed": HTTPStatus.CONFLICT,
    "illegal_order_change": HTTPStatus.CONFLICT,
    "illegal_payment_change": HTTPStatus.CONFLICT,
    "payment_not_manual": HTTPStatus.CONFLICT,
    "order_paid": HTTPStatus.CONFLICT,
    "order_not_paid": HTTPStatus.CONFLICT,
    "hold_gone": HTTPStatus.CONFLICT,
    "order_not_refundable": HTTPStatus.CONFLICT,
    "illegal_refund_change": HTTPStatus.CONFLICT,
    "run_not_undoable": HTTPStatus.CONFLICT,
    "invoice_not_sendable": HTTPStatus.CONFLICT,
    "schedule_ended": HTTPStatus.CONFLICT,
    "sent_too_often": HTTPStatus.CONFLICT,
    "customer_has_no_address": HTTPStatus.CONFLICT,
    "money_may_have_moved": HTTPStatus.CONFLICT,
    "charge_busy": HTTPStatus.CONFLICT,
    "nothing_stuck": HTTPStatus.CONFLICT,
    "unknown_hold": HTTPStatus.CONFLICT,
    "illegal_redemption_change": HTTPStatus.CONFLICT,
    "lot_held": HTTPStatus.CONFLICT,
    "lot_not_extendable": HTTPStatus.CONFLICT,
    "wallet_full": HTTPStatus.CONFLICT,
    "approval_closed": HTTPStatus.CONFLICT,
    "already_earned": HTTPStatus.CONFLICT,
    "illegal_invoice_change": HTTPStatus.CONFLICT,
    "invoice_not_open": HTTPStatus.CONFLICT,
    "invoice_has_payments": HTTPStatus.CONFLICT,
    "already_billed": HTTPStatus.CONFLICT,
    "period_invoiced": HTTPStatus.CONFLICT,
    "account_in_motion": HTTPStatus.CONFLICT,
    "opening_balance_set": HTTPStatus.CONFLICT,
    "payment_allocated": HTTPStatus.CONFLICT,
    "credit_applied": HTTPStatus.CONFLICT,
    "finding_repaired": HTTPStatus.CONFLICT,
    "step_undone": HTTPStatus.CONFLICT,
    "step_committed": HTTPStatus.CONFLICT,
    # What a rule says
    "idempotency_key_reused": HTTPStatus.UNPROCESSABLE_ENTITY,
    "unknown_tax_class": HTTPStatus.UNPROCESSABLE_ENTITY,
    "unknown_location": HTTPStatus.UNPROCESSABLE_ENTITY,
    "same_location": HTTPStatus.UNPROCESSABLE_ENTITY,
    "currency_mismatch": HTTPStatus.UNPROCESSABLE_ENTITY,
    "promotion_not_started": HTTPStatus.UNPROCESSABLE_ENTITY,
    "promotion_expired": HTTPStatus.UNPROCESSABLE_ENTITY,
    "promotion_not_applicable": HTTPStatus.UNPROCESSABLE_ENTITY,
    "promotion_not_in_currency": HTTPStatus.UNPROCESSABLE_ENTITY,
    "promotion_below_minimum": HTTPStatus.UNPROCESSABLE_ENTITY,
    "too_many_automatic_promotions": HTTPStatus.UNPROCESSABLE_ENTITY,
    "cart_empty": HTTPStatus.UNPROCESSABLE_ENTITY,
    "too_many_lines": HTTPStatus.UNPROCESSABLE_ENTITY,
    "too_many_reserved": HTTPStatus.UNPROCESSABLE_ENTITY,
    "named_twice": HTTPStatus.UNPROCESSABLE_ENTITY,
    "too_many_vendors": HTTPStatus.UNPROCESSABLE_ENTITY,
    "order_too_large": HTTPStatus.UNPROCESSABLE_ENTITY,
    "quantity_too_large": HTTPStatus.UNPROCESSABLE_ENTITY,
    "amount_too_large": HTTPStatus.UNPROCESSABLE_ENTITY,
    "tenders_do_not_match": HTTPStatus.UNPROCESSABLE_ENTITY,
    "several_log_lists": HTTPStatus.UNPROCESSABLE_ENTITY,
    "wallet_needs_customer": HTTPStatus.UNPROCESSABLE_ENTITY,
    "period_too_long": HTTPStatus.UNPROCESSABLE_ENTITY,
    "nothing_repairs_it": HTTPStatus.UNPROCESSABLE_ENTITY,
    "insufficient_balance": HTTPStatus.UNPROCESSABLE_ENTITY,
    "no_loyalty_programme": HTTPStatus.UNPROCESSABLE_ENTITY,
    "rate_missing": HTTPStatus.UNPROCESSABLE_ENTITY,
    "below_minimum_redemption": HTTPStatus.UNPROCESSABLE_ENTITY,
    "tax_exceeds_amount": HTTPStatus.UNPROCESSABLE_ENTITY,
    "hold_too_small": HTTPStatus.UNPROCESSABLE_ENTITY,
    "hold_too_long": HTTPStatus.UNPROCESSABLE_ENTITY,
    "expires_in_the_past": HTTPStatus.UNPROCESSABLE_ENTITY,
    "nothing_earned": HTTPStatus.UNPROCESSABLE_ENTITY,
    "earning_exceeded": HTTPStatus.UNPROCESSABLE_ENTITY,
    "partners_issue_rewards": HTTPStatus.UNPROCESSABLE_ENTITY,
    "not_yours_to_approve": HTTPStatus.UNPROCESSABLE_ENTITY,
    "billed_too_much": HTTPStatus.UNPROCESSABLE_ENTITY,
    "nothing_to_bill": HTTPStatus.UNPROCESSABLE_ENTITY,
    "period_closed": HTTPStatus.UNPROCESSABLE_ENTITY,
    "period_backwards": HTTPStatus.UNPROCESSABLE_ENTITY,
    "invoice_currency_mismatch": HTTPStatus.UNPROCESSABLE_ENTITY,
    "unknown_payment_method": HTTPStatus.UNPROCESSABLE_ENTITY,
    "over_method_limit": HTTPStatus.UNPROCESSABLE_ENTITY,
    "allocations_exceed_payment": HTTPStatus.UNPROCESSABLE_ENTITY,
    "allocation_exceeds_target": HTTPStatus.UNPROCESSABLE_ENTITY,
    "too_many_targets": HTTPStatus.UNPROCESSABLE_ENTITY,
    "too_many_allocations": HTTPStatus.UNPROCESSABLE_ENTITY,
    "target_named_twice": HTTPStatus.UNPROCESSABLE_ENTITY,
    "nothing_to_allocate": HTTPStatus.UNPROCESSABLE_ENTITY,
    "allocations_required": HTTPStatus.UNPROCESSABLE_ENTITY,
    "over_write_off_limit": HTTPStatus.UNPROCESSABLE_ENTITY,
    "insufficient_credit": HTTPStatus.UNPROCESSABLE_ENTITY,
    "email_required": HTTPStatus.UNPROCESSABLE_ENTITY,
    "unknown_line": HTTPStatus.UNPROCESSABLE_ENTITY,
    "guest_has_no_wallet": HTTPStatus.UNPROCESSABLE_ENTITY,
    "too_many_units": HTTPStatus.UNPROCESSABLE_ENTITY,
    "refund_too_large": HTTPStatus.UNPROCESSABLE_ENTITY,
    "nothing_to_refund": HTTPStatus.UNPROCESSABLE_ENTITY,
    "wrong_receipt_amount": HTTPStatus.UNPROCESSABLE_ENTITY,
    "provider_not_enabled": HTTPStatus.UNPROCESSABLE_ENTITY,
    "provider_declined": HTTPStatus.UNPROCESSABLE_ENTITY,
    # Others' trouble, and our own
    "provider_unavailable": HTTPStatus.SERVICE_UNAVAILABLE,
    INTERNAL_ERROR: HTTPStatus.INTERNAL_SERVER_ERROR,
    UNAVAILABLE: HTTPStatus.SERVICE_UNAVAILABLE,
}


class EdgeRefusal(Refusal):
    """A request that reaches no command. `headers` are what HTTP wants said beside the problem."""

    def headers(self) -> dict[str, str]:
        return {}


@dataclass(frozen=True)
class Fault:
    """One thing that is wrong with a request: in its body, at a JSON pointer, or in a parameter."""

    detail: str
    pointer: str | None = None
    parameter: str | None = None

    def as_member(self) -> dict[str, str]:
        where = {"pointer": self.pointer, "parameter": self.parameter}
        return {"detail": self.detail} | {name: value for name, value in where.items() if value is not None}


@dataclass
class InvalidRequest(EdgeRefusal):
    """The request has a form, and not the one that is asked for."""

    code: ClassVar[str] = "invalid_request"
    faults: Sequence[Fault]

    def detail(self) -> str:
        count = len(self.faults)
        return "One value is not as it should be." if count == 1 else f"{count} values are not as they should be."

    def facts(self) -> dict[str, object]:
        return {"errors": [fault.as_member() for fault in self.faults]}


@dataclass
class MalformedRequest(EdgeRefusal):
    """The body can't be read at all."""

    code: ClassVar[str] = "malformed_request"
    why: str

    def detail(self) -> str:
        return self.why


@dataclass
class UnknownParameter(EdgeRefusal):
    """A query parameter that nobody reads: a misspelt dry_run must never move money."""

    code: ClassVar[str] = "unknown_parameter"
    names: Sequence[str]
    known: Sequence[str]

    def detail(self) -> str:
        return "The query has parameters that this operation does not know."

    def suggestion(self) -> str:
        return f"It knows {', '.join(self.known)}." if self.known else "It knows none."

    def facts(self) -> dict[str, object]:
        return {"errors": [Fault("This parameter is unknown.", parameter=name).as_member() for name in self.names]}


class IdempotencyKeyMissing(EdgeRefusal):
    code: ClassVar[str] = "idempotency_key_missing"

    def detail(self) -> str:
        return "Every request that changes something carries an Idempotency-Key."

    def suggestion(self) -> str:
        return "Make up a key for each thing you want done (a UUID does), and send it again with each retry."


class IdempotencyKeyInvalid(EdgeRefusal):
    code: ClassVar[str] = "idempotency_key_invalid"

    def detail(self) -> str:
        return "An Idempotency-Key has 1 to 255 visible ASCII characters."


@dataclass
class BodyTooLarge(EdgeRefusal):
    code: ClassVar[str] = "body_too_large"
    bytes_max: int

    def detail(self) -> str:
        return f"A body has at most {self.bytes_max:,} bytes."


class UnsupportedMediaType(EdgeRefusal):
    code: ClassVar[str] = "unsupported_media_type"

    def detail(self) -> str:
        return "The body must be JSON in UTF-8."

    def suggestion(self) -> str:
        return "Send Content-Type: application/json."

    def headers(self) -> dict[str, str]:
        return {"Accept": "application/json"}


class NotFound(EdgeRefusal):
    """No operation has this path."""

    code: ClassVar[str] = "not_found"

    def detail(self) -> str:
        return "There is nothing at this address."


@dataclass
class MethodNotAllowed(EdgeRefusal):
    code: ClassVar[str] = "method_not_allowed"
    allowed: Sequence[str]

    def detail(self) -> str:
        return f"This address answers to {', '.join(self.allowed)}."

    def headers(self) -> dict[str, str]:
        return {"Allow": ", ".join(self.allowed)}


@dataclass(frozen=True)
class Problem:
    """A problem document as it goes out."""

    status: HTTPStatus
    body: str
    headers: Mapping[str, str]


def problem(trouble: Exception, request_id: str, docs_url: str) -> Problem:
    """The document for whatever went wrong. What is no refusal says nothing of its inside."""
    if isinstance(trouble, Refusal):
        headers = trouble.headers() if isinstance(trouble, EdgeRefusal) else _retry_after(STATUS[trouble.code])
        suggestion = trouble.suggestion()
        more = ({"suggestion": suggestion} if suggestion else {}) | trouble.facts()
        return _document(trouble.code, trouble.detail(), request_id, docs_url, headers, more)
    if isinstance(trouble, Unsettled):
        detail = "A system that we need does not answer. The same request, under the same key, will tell what happened."
        return _document(UNAVAILABLE, detail, request_id, docs_url, _retry_after(HTTPStatus.SERVICE_UNAVAILABLE))
    detail = "Something went wrong on our side. The same request, under the same key, is safe to send again."
    return _document(INTERNAL_ERROR, detail, request_id, docs_url)


def _retry_after(status: HTTPStatus) -> dict[str, str]:
    return {"Retry-After": str(RETRY_AFTER_SECONDS)} if status is HTTPStatus.SERVICE_UNAVAILABLE else {}


def title(code: str) -> str:
    """``out_of_stock`` as people read it: "Out of stock"."""
    return code.replace("_", " ").capitalize()


def _document(
    code: str,
    detail: str,
    request_id: str,
    docs_url: str,
    headers: Mapping[str, str] = MappingProxyType({}),
    more: Mapping[str, object] = MappingProxyType({}),
) -> Problem:
    status = STATUS[code]
    members = {
        "type": f"{docs_url}#{code}",
        "title": title(code),
        "status": int(status),
        "detail": detail,
        "code": code,
        "request_id": request_id,
        **more,
    }
    return Problem(status, to_json(members).decode(), headers)
