"""What the tenant adds where its promotions took something off: the vendor earns as if shoppers had paid it all."""

from __future__ import annotations

from dataclasses import replace

import pytest
from cauri.books.ledger import COMMISSION, DEFERRED_REVENUE, PROMOTIONS, payable_to
from cauri.orders.earning import accept, accounts, change

from tests.refunds.trees import a_line, a_share, kes


def test_the_vendor_earns_as_if_nothing_had_been_taken_off() -> None:
    """10,000 less 10 % that the tenant funds; commission 10 % of 10,000, and 16 % tax on it."""
    share = replace(a_share("a", a_line("1", 2, 9_000, 1_440)), commission=kes(1_000), commission_tax=kes(160))
    share = replace(share, subsidy=kes(1_000))
    whole = accept(share, {"1": 2})
    assert accounts(whole)[payable_to("ven_a")] == 10_000 - 1_160
    assert accounts(whole)[PROMOTIONS] == -1_000
    half = accept(share, {"1": 1})
    assert accounts(half)[PROMOTIONS] == -500
    for before, after in ((share, half), (half, accept(half, {"1": 1}))):
        assert sum(posting.amount for posting in change(before, after)) == 0


@pytest.mark.parametrize(("accepted", "added"), [(0, 0), (1, 5_000), (2, 10_000)])
def test_of_what_shoppers_get_for_nothing_units_are_counted(accepted: int, added: int) -> None:
    free = replace(a_share("a", a_line("1", 2, 0, 0)), commission=kes(1_000), commission_tax=kes(160))
    stands = accounts(accept(replace(free, subsidy=kes(10_000)), {"1": accepted}))
    assert stands[PROMOTIONS] == -added
    assert stands[payable_to("ven_a")] == added - stands[COMMISSION] - 160 * added // 10_000
    assert stands[DEFERRED_REVENUE] == 0


def test_without_such_a_promotion_there_is_no_such_account() -> None:
    assert PROMOTIONS not in accounts(a_share("a", a_line("1", 2, 9_000, 1_440)))
