"""By schedule: give back the claims of stock that are over."""

import logging
from collections.abc import Mapping
from typing import Any

from cauri.edge import wiring
from cauri.inventory.sweep import sweep
from cauri.parties.store import tenant_ids

logger = logging.getLogger(__name__)


def handler(event: Mapping[str, Any], context: Any) -> dict[str, int]:
    """The units that came back, by tenant."""
    database = wiring.database()
    back = {tenant: sweep(database, tenant, wiring.clock()()) for tenant in tenant_ids(database)}
    logger.info("gave back %s", back)
    return back
