"""Time: an aware UTC instant, how it is written, and where it comes from."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

Instant = datetime
"""Always aware, always UTC."""

Clock = Callable[[], Instant]


def system_clock() -> Instant:
    return datetime.now(UTC)


def rfc3339(at: Instant) -> str:
    """``2026-11-20T10:55:42.123Z``: RFC 3339 in UTC with milliseconds, so that text sorts as time does."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{at.microsecond // 1000:03d}Z"


def from_rfc3339(text: str) -> Instant:
    return datetime.fromisoformat(text)
