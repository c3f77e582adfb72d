"""Payments that people take."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated

from aws_lambda_powertools.event_handler.openapi.params import Path
from cauri.edge.fields import ID_PATTERN, PositiveMoney, Shape
from cauri.edge.http import Api
from cauri.parties.limits import Tier
from cauri.payments.manual import Method, PaymentNotManual, ReceiptView, RecordReceipt, WrongReceiptAmount
from cauri.payments.model import IllegalPaymentChange, UnknownPayment
from pydantic import Field

PaymentId = Annotated[str, Path(pattern=ID_PATTERN, examples=["pay_01K9ZK7QXN4V5T2M8R3C6B1D0F-1"])]

api = Api("Payments")


class ReceiptRequest(Shape):
    amount: PositiveMoney
    method: Annotated[Method, Field(strict=False, examples=["bank_transfer"])]
    document: Annotated[
        str, Field(max_length=100, description="What proves it: the number of a receipt, cheque or transfer.")
    ] = ""


@api.command(
    "POST",
    "/v1/payments/<payment_id>/receipts",
    roles={"finance", "admin"},
    tier=Tier.MONEY_WRITES,
    answer=ReceiptView,
    status=HTTPStatus.CREATED,
    refusals=[UnknownPayment, PaymentNotManual, WrongReceiptAmount, IllegalPaymentChange],
)
def record_receipt(payment_id: PaymentId, body: ReceiptRequest) -> RecordReceipt:
    """Record money that staff received

    Cash, a cheque or a bank transfer, for an order that is paid with the provider `manual`. It is all of the payment,
    and the order goes on.
    """
    return RecordReceipt(payment_id, body.amount.money(), body.method, body.document)


handler = api.handler
