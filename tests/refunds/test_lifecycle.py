"""How a refund goes on: the table of its changes, and what its parts make of it."""

from __future__ import annotations

import itertools

import pytest
from cauri.refunds.model import (
    LEGAL,
    Asked,
    IllegalRefundChange,
    PartStatus,
    Refund,
    RefundChange,
    RefundPart,
    RefundStatus,
)

from tests.refunds.trees import AT, kes

P, S = PartStatus, RefundStatus


def a_refund(*parts: PartStatus, status: RefundStatus = S.PROCESSING, is_return: bool = False) -> Refund:
    made = tuple(
        RefundPart(place, "provider", kes(10), "demo", f"pay_1-{place}", one) for place, one in enumerate(parts)
    )
    asked = None if is_return else Asked()
    return Refund("soko", "rfd_1-1", "ord_1", "KES", None, (), made, "", "usr_1", AT, asked, status)


@pytest.mark.parametrize(("status", "change"), list(itertools.product(RefundStatus, RefundChange)))
def test_every_pair_of_status_and_change_is_in_the_table_or_refused(status: RefundStatus, change: RefundChange) -> None:
    refund = a_refund(status=status)
    if (status, change) in LEGAL:
        assert refund.change(change).status is LEGAL[status, change]
    else:
        with pytest.raises(IllegalRefundChange):
            refund.change(change)


@pytest.mark.parametrize(
    ("parts", "status"),
    [
        ((P.DONE,), S.SUCCEEDED),
        ((P.DONE, P.DONE), S.SUCCEEDED),
        ((P.DECLINED,), S.FAILED),
        ((P.DECLINED, P.DECLINED), S.FAILED),
        ((P.DONE, P.DECLINED), S.NEEDS_ATTENTION),
        ((P.NEEDS_ATTENTION,), S.NEEDS_ATTENTION),
        ((P.NEEDS_ATTENTION, P.DECLINED), S.NEEDS_ATTENTION),
        ((P.DONE, P.WAITING), S.PROCESSING),
        ((P.DECLINED, P.WAITING), S.PROCESSING),
        ((P.PENDING,), S.PROCESSING),
        ((P.SENT, P.NEEDS_ATTENTION), S.PROCESSING),
    ],
)
def test_a_refund_is_what_its_parts_make_it(parts: tuple[PartStatus, ...], status: RefundStatus) -> None:
    for before in (S.APPROVED, S.PROCESSING, S.NEEDS_ATTENTION):
        refund = a_refund(*parts, status=before)
        assert refund.with_part(0, refund.parts[0], AT).status is status
        assert (refund.with_part(0, refund.parts[0], AT).settled_at is not None) == (status in (S.SUCCEEDED, S.FAILED))


def test_a_return_never_fails_since_its_money_is_the_shoppers() -> None:
    refund = a_refund(P.DECLINED, is_return=True)
    assert refund.with_part(0, refund.parts[0], AT).status is S.NEEDS_ATTENTION


@pytest.mark.parametrize(
    ("parts", "place"),
    [
        ((P.WAITING, P.WAITING), 0),
        ((P.PENDING, P.WAITING), 1),
        ((P.NEEDS_ATTENTION, P.WAITING), 1),
        ((P.NEEDS_ATTENTION, P.PENDING), 1),
        ((P.DONE, P.SENT), 1),
        ((P.NEEDS_ATTENTION, P.DECLINED), None),
    ],
)
def test_a_part_that_takes_its_time_keeps_none_of_the_others_waiting(
    parts: tuple[PartStatus, ...], place: int | None
) -> None:
    assert a_refund(*parts).next_part == place
