"""How long an order or a refund may stay as it is, and what recovery then does: the one table. Source: SPEC 4."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from enum import StrEnum
from typing import Final

from cauri.orders.model import LATE_PAYMENT
from cauri.values import dataclass


class State(StrEnum):
    ORDER_NOT_BEGUN = "order_not_begun"
    """It was placed, and its saga never got as far as to wait for the money."""
    ORDER_UNPAID = "order_unpaid"
    """The wait for its money is over, and nobody asked the provider or gave the order up."""
    ORDER_PAID = "order_paid"
    """It is paid, and not confirmed."""
    ORDER_CONFIRMED = "order_confirmed"
    """It is confirmed, and its claims may not be allocations yet, nor its backorders remembered."""
    ORDER_GIVEN_UP = "order_given_up"
    """It was given up, and its stock and its money may not be back yet."""
    ORDER_ABANDONED = "order_abandoned"
    """It was given up as unpaid, and the provider may have been paid since, without our hearing of it."""
    REFUND_APPROVED = "refund_approved"
    """It was granted, and nobody began to give it back."""
    REFUND_PROCESSING = "refund_processing"
    """Some of it is to be given back, or asked about, and nobody does."""
    REFUND_NOT_RESTOCKED = "refund_not_restocked"
    """The customer has the money, and the goods are not back on sale."""
    REFUND_REQUESTED = "refund_requested"
    """Nobody has approved or rejected it."""
    REFUND_NEEDS_ATTENTION = "refund_needs_attention"
    """It can't go on without people."""


class Remedy(StrEnum):
    RESUME = "resume"
    """Start the saga again: its first step looks how things stand, and what is left is done or undone."""
    ASK = "ask"
    """Ask the provider what became of the payments, and record it: what was paid after all takes the order on."""
    PEOPLE = "people"
    """Only people can decide. It is shown."""


@dataclass(frozen=True)
class Deadline:
    lasts: timedelta
    remedy: Remedy


PROMPT: Final = timedelta(minutes=5)
"""What is done by machines, from when it could be done."""
DECIDED_WITHIN: Final = timedelta(hours=24)
"""What people have to decide."""

DEADLINES: Final[Mapping[State, Deadline]] = {
    State.ORDER_NOT_BEGUN: Deadline(PROMPT, Remedy.RESUME),
    State.ORDER_UNPAID: Deadline(PROMPT, Remedy.RESUME),
    State.ORDER_PAID: Deadline(PROMPT, Remedy.RESUME),
    State.ORDER_CONFIRMED: Deadline(PROMPT, Remedy.RESUME),
    State.ORDER_GIVEN_UP: Deadline(PROMPT, Remedy.RESUME),
    State.ORDER_ABANDONED: Deadline(LATE_PAYMENT - timedelta(hours=1), Remedy.ASK),
    State.REFUND_APPROVED: Deadline(PROMPT, Remedy.RESUME),
    State.REFUND_PROCESSING: Deadline(PROMPT, Remedy.RESUME),
    State.REFUND_NOT_RESTOCKED: Deadline(PROMPT, Remedy.RESUME),
    State.REFUND_REQUESTED: Deadline(DECIDED_WITHIN, Remedy.PEOPLE),
    State.REFUND_NEEDS_ATTENTION: Deadline(DECIDED_WITHIN, Remedy.PEOPLE),
}
