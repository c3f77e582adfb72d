"""By schedule: what nobody spent becomes the tenant's again, and what is owed is counted."""

import logging
from collections.abc import Mapping
from typing import Any

from cauri.edge import wiring
from cauri.parties.store import tenant_ids
from cauri.wallet.expiring import count_liability, expire

logger = logging.getLogger(__name__)


def handler(event: Mapping[str, Any], context: Any) -> dict[str, int]:
    """The wallets of which something lapsed, by tenant."""
    books = wiring.books()
    tenants = tenant_ids(books.database)
    lapsed = {tenant: expire(books, tenant) for tenant in tenants}
    for tenant in tenants:
        count_liability(books, tenant)
    logger.info("lapsed in %s", lapsed)
    return lapsed
