"""Schedule expressions, and when they fire."""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from local.schedules import UnsupportedExpressionError, next_firing


def at(text: str, zone: str = "UTC") -> float:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).timestamp()


@pytest.mark.parametrize(
    "expression, after, expected",
    [
        ("rate(5 minutes)", "2026-03-01T10:00:30", "2026-03-01T10:05:30"),
        ("rate(1 hour)", "2026-03-01T10:00:00", "2026-03-01T11:00:00"),
        ("rate(2 days)", "2026-03-01T10:00:00", "2026-03-03T10:00:00"),
        ("cron(0/10 * * * ? *)", "2026-03-01T10:01:00", "2026-03-01T10:10:00"),
        ("cron(15 12 ? * MON-FRI *)", "2026-03-06T13:00:00", "2026-03-09T12:15:00"),
        ("cron(0 9 ? * 2 *)", "2026-03-01T00:00:00", "2026-03-02T09:00:00"),  # 2 is Monday
        ("cron(0 9 ? * 1 *)", "2026-03-02T00:00:00", "2026-03-08T09:00:00"),  # 1 is Sunday
        ("cron(0 9 ? * 6#3 *)", "2026-03-01T00:00:00", "2026-03-20T09:00:00"),  # the third Friday
        ("cron(0 0 L * ? *)", "2026-02-10T00:00:00", "2026-02-28T00:00:00"),
        ("cron(0 0 1 1 ? 2028)", "2026-02-10T00:00:00", "2028-01-01T00:00:00"),
        ("at(2026-12-31T23:59:00)", "2026-03-01T00:00:00", "2026-12-31T23:59:00"),
    ],
)
def test_the_next_firing(expression: str, after: str, expected: str) -> None:
    assert next_firing(expression, "UTC", at(after)) == at(expected)


def test_what_is_once_is_not_again() -> None:
    assert next_firing("at(2026-01-01T00:00:00)", "UTC", at("2026-01-01T00:00:00")) is None


def test_a_timezone_moves_the_hour() -> None:
    fired = next_firing("cron(0 9 * * ? *)", "Africa/Nairobi", at("2026-03-01T00:00:00"))
    assert fired == at("2026-03-01T09:00:00", "Africa/Nairobi")


@pytest.mark.parametrize("expression", ["every day", "rate(5 lightyears)", "cron(0 9 * *)"])
def test_nonsense_is_refused(expression: str) -> None:
    with pytest.raises(UnsupportedExpressionError):
        next_firing(expression, "UTC", 0)
