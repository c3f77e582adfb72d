"""What became of an invoice after it was issued, as it is shown."""

from __future__ import annotations

from cauri.billing.sending import Tracking
from cauri.clock import Instant, rfc3339
from cauri.values import dataclass


@dataclass(frozen=True)
class TrackingView:
    """How often an invoice was sent, reminded of and seen. A look that is repeated within a minute is one."""

    invoice_id: str
    sent: int
    last_sent_at: str | None
    reminded: int
    last_reminded_at: str | None
    views: int
    first_viewed_at: str | None
    last_viewed_at: str | None


def tracking_view(tracking: Tracking) -> TrackingView:
    return TrackingView(
        tracking.invoice_id,
        tracking.sent,
        _shown(tracking.last_sent_at),
        tracking.reminded,
        _shown(tracking.last_reminded_at),
        tracking.views,
        _shown(tracking.first_viewed_at),
        _shown(tracking.last_viewed_at),
    )


def _shown(at: Instant | None) -> str | None:
    return rfc3339(at) if at else None
