"""Prepaid balances."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated

from aws_lambda_powertools.event_handler.openapi.params import Path
from cauri.books.caller import Caller
from cauri.edge import wiring
from cauri.edge.explaining import ExplanationPage, explained
from cauri.edge.fields import ID_PATTERN, CurrencyCode, PositiveMoney, Shape
from cauri.edge.http import STAFF, Api
from cauri.edge.paging import CursorAsked, Limit
from cauri.parties.limits import Tier
from cauri.parties.model import UnknownCustomer, UnknownTenant
from cauri.wallet.commands import Deposit, Deposited
from cauri.wallet.queries import balance_for, explain_balance
from cauri.wallet.views import BalanceView

CustomerId = Annotated[str, Path(pattern=ID_PATTERN, examples=["cus_amina"])]
Currency = Annotated[CurrencyCode, Path(examples=["KES"])]

api = Api("Wallet")


class DepositRequest(Shape):
    amount: PositiveMoney


@api.read("/v1/balances/<customer_id>", roles=STAFF | {"customer"}, answer=BalanceView, refusals=[UnknownCustomer])
def get_balance(customer_id: CustomerId, caller: Caller) -> BalanceView:
    """Get a customer's balance

    Per currency: what can be spent, and what is set aside for orders that are not settled yet.
    """
    return balance_for(wiring.database(), caller, customer_id)


@api.command(
    "POST",
    "/v1/balances/<customer_id>/deposits",
    roles={"finance", "admin"},
    tier=Tier.STAFF_ISSUANCE,
    answer=Deposited,
    status=HTTPStatus.CREATED,
    refusals=[UnknownTenant],
)
def deposit(customer_id: CustomerId, body: DepositRequest) -> Deposit:
    """Deposit money on a customer's balance

    Money that staff received outside: cash, or a bank transfer.
    """
    return Deposit(customer_id, body.amount.money())


@api.read(
    "/v1/explain/balance/<customer_id>/<currency>",
    roles=STAFF | {"customer"},
    answer=ExplanationPage,
    refusals=[UnknownCustomer],
)
def explain_balance_of(
    customer_id: CustomerId, currency: Currency, caller: Caller, limit: Limit = 50, cursor: CursorAsked = None
) -> ExplanationPage:
    """Explain a customer's balance

    What was put on it and taken off it in one currency, in minor units, each with the balance afterwards: what is
    available and what is held, together.
    """
    database = wiring.database()
    return explained(
        f"balance/{customer_id}/{currency}",
        caller,
        cursor,
        lambda position: explain_balance(database, caller, customer_id, currency, position=position, limit=limit),
    )


handler = api.handler
