"""Where wallets are kept, and what belongs to them: the wallet table."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Final

from cauri.books.shelf import Key, RulesShelf, Shelf, shelve
from cauri.clock import rfc3339
from cauri.wallet.accounts import Movement
from cauri.wallet.approvals import Approval
from cauri.wallet.breakage import Breakage, Liability
from cauri.wallet.earning import Earning
from cauri.wallet.lots import Wallet
from cauri.wallet.programme import Programme
from cauri.wallet.redemption import Redemption, RedemptionStatus

TABLE: Final = "wallet"
SHARDS: Final = 16
"""Over how many partitions a list of the by_list index is spread."""
NEVER: Final = "9999"
REVIEWS: Final = "reviews"


def _reviewed(redemption: Redemption) -> tuple[str, str] | None:
    """Its place in the list of what staff should look at, until they have."""
    waits = redemption.for_review and redemption.step_status is RedemptionStatus.HELD
    return (f"{REVIEWS}#{shard(redemption.id):02d}", redemption.id) if waits else None


WALLETS: Final = shelve(
    Shelf(
        TABLE,
        Wallet,
        place=lambda wallet: (f"wallet#{wallet.customer_id}", "wallet"),
        tenant=lambda wallet: wallet.tenant,
        listed=lambda wallet: (f"wallets#{shard(wallet.customer_id):02d}", _expires_first(wallet)),
    )
)
MOVEMENTS: Final = shelve(
    Shelf(
        TABLE,
        Movement,
        place=lambda moved: (f"statement#{moved.customer_id}", f"{moved.number:012d}"),
        tenant=lambda moved: moved.tenant,
    )
)
PROGRAMMES: Final = shelve(
    RulesShelf(TABLE, Programme, place=lambda _: ("programme", "rules"), tenant=lambda programme: programme.tenant)
)
APPROVALS: Final = shelve(
    Shelf(
        TABLE,
        Approval,
        place=lambda approval: (f"approval#{approval.id}", "approval"),
        tenant=lambda approval: approval.tenant,
        listed=lambda approval: (f"{approvals_list(approval.is_open)}#{shard(approval.id):02d}", approval.id),
    )
)
REDEMPTIONS: Final = shelve(
    Shelf(
        TABLE,
        Redemption,
        place=lambda redemption: (f"redemption#{redemption.id}", "redemption"),
        tenant=lambda redemption: redemption.tenant,
        listed=_reviewed,
    )
)

BREAKAGES: Final = shelve(
    Shelf(
        TABLE,
        Breakage,
        place=lambda broken: (f"breakage#{broken.customer_id}", broken.id),
        tenant=lambda broken: broken.tenant,
        listed=lambda broken: (
            f"{breakage_list(broken.breakage_recognition_period)}#{shard(broken.id):02d}",
            broken.id,
        ),
    )
)
LIABILITIES: Final = shelve(
    Shelf(TABLE, Liability, place=lambda owed: ("liability", owed.day), tenant=lambda owed: owed.tenant)
)

EARNINGS: Final = shelve(
    Shelf(
        TABLE,
        Earning,
        place=lambda earning: (f"earning#{earning.order_id}", "earning"),
        tenant=lambda earning: earning.tenant,
    )
)


def wallet_key(tenant: str, customer_id: str) -> Key[Wallet]:
    return WALLETS.key(tenant, f"wallet#{customer_id}", "wallet")


def programme_key(tenant: str) -> Key[Programme]:
    return PROGRAMMES.key(tenant, "programme", "rules")


def approval_key(tenant: str, approval_id: str) -> Key[Approval]:
    return APPROVALS.key(tenant, f"approval#{approval_id}", "approval")


def redemption_key(tenant: str, redemption_id: str) -> Key[Redemption]:
    return REDEMPTIONS.key(tenant, f"redemption#{redemption_id}", "redemption")


def statement_partition(tenant: str, customer_id: str) -> str:
    return f"{tenant}#statement#{customer_id}"


def shard(id_: str) -> int:
    return hashlib.blake2b(id_.encode(), digest_size=1).digest()[0] % SHARDS


def earning_key(tenant: str, order_id: str) -> Key[Earning]:
    return EARNINGS.key(tenant, f"earning#{order_id}", "earning")


def liability_key(tenant: str, day: str) -> Key[Liability]:
    return LIABILITIES.key(tenant, "liability", day)


def liability_partition(tenant: str) -> str:
    return f"{tenant}#liability"


def breakage_list(period: str) -> str:
    return f"breakage-{period}"


def approvals_list(is_open: bool) -> str:
    return "approvals-open" if is_open else "approvals-closed"


def shards(name: str) -> Sequence[str]:
    """The names of the partitions that a list is spread over."""
    return [f"{name}#{number:02d}" for number in range(SHARDS)]


def _expires_first(wallet: Wallet) -> str:
    """A wallet's place in the list of all: what expires first comes first."""
    first = wallet.expires_first
    return f"{rfc3339(first) if first else NEVER}#{wallet.customer_id}"
