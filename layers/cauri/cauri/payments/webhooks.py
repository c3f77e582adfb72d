"""What providers send us: kept as it came, whether we believed it or not."""

from __future__ import annotations

from dataclasses import dataclass

from cauri.clock import Instant


@dataclass(frozen=True)
class WebhookEvent:
    """One delivery. `refusal` says why it was not believed. `body` is what came; its head, if refused or unreadable."""

    tenant: str
    id: str
    provider: str
    received_at: Instant
    source_ip: str
    body: str
    kind: str = ""
    reference: str = ""
    refusal: str = ""
    version: int = 0
