"""By schedule: what is new in the log goes under seals, and they are kept where nobody can change them."""

import logging
from collections.abc import Mapping
from typing import Any

from cauri.books.sealing import seal_tenant, sealed_through
from cauri.clock import from_rfc3339
from cauri.edge import wiring
from cauri.errors import Unsettled
from cauri.parties.store import tenant_ids

logger = logging.getLogger(__name__)


def handler(event: Mapping[str, Any], context: Any) -> dict[str, int]:
    """The records that were sealed, by tenant. What fails keeps nobody else waiting, and is raised at the end.

    Whoever can't wait for the hour says ``{"through": "2026-11-20T10:55:00Z"}``.
    """
    database, vault = wiring.database(), wiring.vault()
    through = from_rfc3339(event["through"]) if "through" in event else sealed_through(wiring.clock()())
    sealed: dict[str, int] = {}
    failed: list[Exception] = []
    for tenant in tenant_ids(database):
        try:
            sealed[tenant] = seal_tenant(database, vault, tenant, through)
        except Unsettled as failure:
            logger.warning("the log of %s is not sealed whole: %r", tenant, failure)
            failed.append(failure)
    logger.info("sealed %s", sealed)
    if failed:
        raise ExceptionGroup("the log is not sealed whole", failed)
    return sealed
