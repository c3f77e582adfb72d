"""By schedule: give back the claims that are over, of stock and of the uses of promotions."""

import logging
from collections.abc import Mapping
from typing import Any

from cauri.checkout.uses import sweep_uses
from cauri.edge import wiring
from cauri.inventory.sweep import sweep
from cauri.parties.store import tenant_ids

logger = logging.getLogger(__name__)


def handler(event: Mapping[str, Any], context: Any) -> dict[str, int]:
    """The units that came back, by tenant."""
    database, now = wiring.database(), wiring.clock()()
    tenants = tenant_ids(database)
    back = {tenant: sweep(database, tenant, now) + sweep_uses(database, tenant, now) for tenant in tenants}
    logger.info("gave back %s", back)
    return back
