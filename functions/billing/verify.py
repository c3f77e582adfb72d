"""By schedule: every account is looked at, and what is not in step with its documents is kept for people."""

import logging
from collections.abc import Mapping
from typing import Any

from cauri.billing.verifying import verify_all
from cauri.edge import wiring
from cauri.parties.store import tenant_ids

logger = logging.getLogger(__name__)


def handler(event: Mapping[str, Any], context: Any) -> dict[str, dict[str, int]]:
    """How many accounts there are and how many are wrong, by tenant."""
    books = wiring.books()
    looked = {tenant: verify_all(books, tenant) for tenant in tenant_ids(books.database)}
    logger.info("verified %s", looked)
    return looked
