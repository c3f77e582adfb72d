"""By schedule: give back claims that are over, of stock and of the uses of promotions, and tend the stock."""

import logging
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, Final

from cauri.books.commit import Books
from cauri.checkout.uses import sweep_uses
from cauri.edge import wiring
from cauri.errors import Refusal, Unsettled
from cauri.inventory.tending import tend
from cauri.orders.backorders import serve_backorders
from cauri.parties.store import tenant_ids

logger = logging.getLogger(__name__)
PERIOD: Final = timedelta(minutes=5)
"""Of the schedule in the template."""


def handler(event: Mapping[str, Any], context: Any) -> dict[str, int]:
    """The units that came back, by tenant. What fails keeps nobody else waiting, and is raised at the end."""
    books = wiring.books()
    back, failed = sweep_all(books, tenant_ids(books.database))
    logger.info("gave back %s", back)
    if failed:
        raise ExceptionGroup("the sweep is not complete", failed)
    return back


def sweep_all(books: Books, tenants: Sequence[str]) -> tuple[dict[str, int], list[Exception]]:
    """Every tenant, each time beginning with another: if time runs out, it does not for the same ones again."""
    first = int(books.clock().timestamp() // PERIOD.total_seconds()) % max(1, len(tenants))
    back: dict[str, int] = {}
    failed: list[Exception] = []
    for tenant in (*tenants[first:], *tenants[:first]):
        for sweep in (_tend, _sweep_uses):
            try:
                back[tenant] = back.get(tenant, 0) + sweep(books, tenant)
            except (Refusal, Unsettled, ExceptionGroup) as failure:
                logger.warning("the sweep of %s is not complete: %r", tenant, failure)
                failed.append(failure)
    return back, failed


def _tend(books: Books, tenant: str) -> int:
    return tend(books, tenant, serve_backorders)


def _sweep_uses(books: Books, tenant: str) -> int:
    return sweep_uses(books.database, tenant, books.clock())
