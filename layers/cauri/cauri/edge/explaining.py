"""How explanations are answered: a page of steps at a time."""

from __future__ import annotations

from collections.abc import Callable

from cauri.books.caller import Caller
from cauri.books.explaining import Explanation, Step, Value
from cauri.edge.paging import cursors_of
from cauri.values import dataclass


@dataclass(frozen=True)
class ExplanationPage:
    """Why `resource` is at `value`: the records that made it, the oldest first, each with the value after it.

    On the last page the last step's value is `value`, as soon as every record is folded in: in two seconds or so.
    """

    resource: str
    value: Value
    steps: list[Step]
    next_cursor: str | None


def explained(
    resource: str, caller: Caller, cursor: str | None, explain: Callable[[str | None], Explanation]
) -> ExplanationPage:
    """A page of what `explain` says from a position on."""
    cursors = cursors_of(caller, "explain", resource)
    explanation = explain(cursors.open(cursor))
    return ExplanationPage(resource, explanation.value, explanation.steps, cursors.seal(explanation.position))
