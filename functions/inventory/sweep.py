"""By schedule: give back claims that are over, of stock and of the uses of promotions, and tend the stock."""

import logging
from collections.abc import Mapping
from typing import Any

from cauri.checkout.uses import sweep_uses
from cauri.edge import wiring
from cauri.inventory.tending import tend
from cauri.orders.backorders import serve_backorders
from cauri.parties.store import tenant_ids

logger = logging.getLogger(__name__)


def handler(event: Mapping[str, Any], context: Any) -> dict[str, int]:
    """The units that came back, by tenant."""
    books = wiring.books()
    tenants = tenant_ids(books.database)
    back = {
        tenant: tend(books, tenant, serve_backorders) + sweep_uses(books.database, tenant, books.clock())
        for tenant in tenants
    }
    logger.info("gave back %s", back)
    return back
