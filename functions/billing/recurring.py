"""By schedule: the periods that have begun are billed."""

import logging
from collections.abc import Mapping
from typing import Any

from cauri.billing.scheduling import bill_due
from cauri.edge import wiring
from cauri.parties.store import tenant_ids

logger = logging.getLogger(__name__)


def handler(event: Mapping[str, Any], context: Any) -> dict[str, int]:
    """How many schedules were due, and how many were refused: those are tried again by the next run."""
    books = wiring.books()
    due = refused = 0
    for tenant in tenant_ids(books.database):
        for schedule, refusal in bill_due(books, tenant):
            due += 1
            if refusal is not None:
                refused += 1
                logger.warning("the schedule %s of %s is not billed: %s", schedule.id, tenant, refusal.code)
    return {"due": due, "refused": refused}
