"""By schedule: what is stuck past its deadline is finished, or undone. By hand: the same, or only a look at it."""

import logging
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final

from cauri.books.commit import Books
from cauri.edge import wiring
from cauri.parties.store import tenant_ids
from cauri.recovery.running import Outcome, Stuck, recover, stuck
from pydantic import TypeAdapter

logger = logging.getLogger(__name__)
PERIOD: Final = timedelta(minutes=5)
"""Of the schedule in the template."""


class NotRecoveredError(Exception):
    """Some of what is stuck could not be recovered; the next run tries again."""


def handler(event: Mapping[str, Any], context: Any) -> list[dict[str, Any]]:
    """What is stuck, of all tenants or of `tenant`.

    With `act` (``show`` or ``run``) for whoever asks: what failed is in the answer. Without, by schedule: it is raised.
    """
    books = wiring.books()
    tenants = [event["tenant"]] if event.get("tenant") else _in_turn(books)
    look = event.get("act") == "show"
    found = [one for tenant in tenants for one in (_look if look else recover)(books, tenant)]
    logger.info("%d stuck, %s", len(found), [(one.tenant, one.resource, one.state, one.outcome) for one in found])
    failed = [one.resource for one in found if one.outcome is Outcome.FAILED]
    if failed and "act" not in event:
        raise NotRecoveredError(", ".join(failed))
    return _answer(found)


def _look(books: Books, tenant: str) -> list[Stuck]:
    return stuck(books.database, tenant, books.clock())


def _in_turn(books: Books) -> list[str]:
    """Every tenant, each time beginning with another: if time runs out, it does not for the same ones again."""
    tenants = tenant_ids(books.database)
    first = int(books.clock().timestamp() // PERIOD.total_seconds()) % max(1, len(tenants))
    return [*tenants[first:], *tenants[:first]]


def _answer(found: list[Stuck]) -> list[dict[str, Any]]:
    answer: list[dict[str, Any]] = TypeAdapter(list[Stuck]).dump_python(found, mode="json")
    return answer
