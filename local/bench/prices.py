"""What AWS charges for the things that an order uses. Without free tiers, logs, data out, and what is paid by month."""

from dataclasses import dataclass
from typing import Final

REGION: Final = "us-east-1"
AS_OF: Final = "2025-06"

ROUND_TRIP_MS: Final = 5.0
"""Assumed: what a function waits for DynamoDB on AWS, each time."""
CPU_AT_MB: Final = 1769
"""The memory that comes with one whole core. Source: Lambda's documentation."""


@dataclass(frozen=True, slots=True)
class Price:
    """US dollars for a million of something."""

    what: str
    dollars: float


WRITE: Final = Price("DynamoDB write request units, on demand", 0.625)
READ: Final = Price("DynamoDB read request units, on demand", 0.125)
REQUEST: Final = Price("Lambda requests", 0.20)
GB_SECOND: Final = Price("Lambda GB-seconds, arm64", 13.3334)
HTTP: Final = Price("HTTP API requests", 1.00)
MESSAGE: Final = Price("SQS requests, standard", 0.40)
TRANSITION: Final = Price("Step Functions state transitions, standard", 25.00)


@dataclass(frozen=True, slots=True)
class Item:
    """How many of something an order takes, and what a thousand orders pay for it."""

    price: Price
    per_order: float
    why: str

    @property
    def dollars_per_1000(self) -> float:
        return self.per_order * 1000 * self.price.dollars / 1_000_000


@dataclass(frozen=True, slots=True)
class Used:
    """What one whole order used."""

    write_units: float
    read_units: float
    invocations: float
    cpu_ms: float
    round_trips: float
    http_requests: float
    messages: float
    steps: float
    memory_mb: int


def bill(used: Used) -> list[Item]:
    billed_ms = used.cpu_ms * CPU_AT_MB / used.memory_mb + used.round_trips * ROUND_TRIP_MS
    gb_seconds = billed_ms / 1000 * used.memory_mb / 1024
    billed = (
        f"({used.cpu_ms:.1f} CPU-ms × {CPU_AT_MB}/{used.memory_mb} + {used.round_trips:.1f} waits × "
        f"{ROUND_TRIP_MS:.0f} ms) × {used.memory_mb / 1024:.1f} GB"
    )
    return [
        Item(WRITE, used.write_units, "metered"),
        Item(READ, used.read_units, "metered"),
        Item(REQUEST, used.invocations, "invocations, counted"),
        Item(GB_SECOND, gb_seconds, billed),
        Item(HTTP, used.http_requests, "the checkout; webhooks come by a function URL"),
        Item(MESSAGE, used.messages, "each message is sent, received and deleted"),
        Item(TRANSITION, 2 * used.steps + 2, f"{used.steps:.1f} steps, each with the choice after it; start and end"),
    ]
