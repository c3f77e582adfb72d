"""Signs of fraud: too often within five minutes, and far more than usual."""

from __future__ import annotations

from datetime import timedelta

from cauri.money import Money
from cauri.wallet.signals import Habit, Sign

from tests.wallet.test_lots import NOW


def habit(*amounts: int, seconds: int = 10) -> Habit:
    """Redemptions one after another, the last of them now."""
    made = Habit()
    for number, amount in enumerate(reversed(amounts)):
        made = made.after(Money(amount, "KES"), NOW - timedelta(seconds=seconds * (len(amounts) - 1 - number)))
    return made


def test_the_sixth_within_five_minutes_is_too_often() -> None:
    assert habit(1, 1, 1, 1).signs(Money(1, "KES"), NOW) == ()
    assert habit(1, 1, 1, 1, 1).signs(Money(1, "KES"), NOW) == (Sign.TOO_OFTEN,)
    assert habit(1, 1, 1, 1, 1).signs(Money(1, "KES"), NOW + timedelta(minutes=4, seconds=20)) == ()


def test_more_than_five_times_the_average_is_far_more() -> None:
    assert habit(10, 20, seconds=600).signs(Money(75, "KES"), NOW) == ()
    assert habit(10, 20, seconds=600).signs(Money(76, "KES"), NOW) == (Sign.FAR_MORE,)


def test_a_first_redemption_is_like_no_other() -> None:
    assert Habit().signs(Money(10**9, "KES"), NOW) == ()
    assert habit(10).signs(Money(10**9, "USD"), NOW) == ()


def test_only_what_counts_is_kept() -> None:
    assert len(habit(*[1] * 500, seconds=0).recent) == 5
