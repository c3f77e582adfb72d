"""Ask a provider what became of a payment, and record what it knows."""

from __future__ import annotations

from cauri.books.commit import Books, IdempotencyKeyReused
from cauri.payments.commands import RecordPaymentFailure, RecordPaymentSuccess, by_system, failure_key, success_key
from cauri.payments.model import IllegalPaymentChange, Payment
from cauri.providers.ports import Captured, Declined, NotFound, Pending, Unknown, Verification


def settle(books: Books, payment: Payment) -> Verification:
    """The provider's answer, recorded if it is final. Raises IdempotencyKeyReused if two answers differ.

    The webhook, the saga and the recovery all come here, so that value is given only for what the provider
    confirms, and once.
    """
    answer = books.providers[payment.provider].verify(payment.tenant, payment.charge_reference)
    match answer:
        case Captured():
            success = RecordPaymentSuccess(payment.id, answer.amount, answer.provider_reference, answer.at)
            books.run(success, by_system(payment.tenant), success_key(payment.id))
        case Declined():
            _record_failure(books, payment, answer)
        case Pending() | NotFound() | Unknown():
            pass  # nothing that is final: whoever asked decides whether to ask again
    return answer


def _record_failure(books: Books, payment: Payment, declined: Declined) -> None:
    failure = RecordPaymentFailure(payment.id, declined.reason)
    try:
        books.run(failure, by_system(payment.tenant), failure_key(payment.id))
    except (IllegalPaymentChange, IdempotencyKeyReused):
        # It was settled before, another way or for another reason: the first word stands, and a success is never
        # taken back.
        return
