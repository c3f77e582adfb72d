"""Explanations: why a figure is what it is. The records that made it, the oldest first, each with its running value.

A context explains its own figures, under a name of its own; this is the form that all of them have.
"""

from __future__ import annotations

from cauri.clock import Instant
from cauri.values import dataclass

Value = int | str
"""A figure, or a status."""


@dataclass(frozen=True)
class Step:
    """One record: what it was, by how much it changed the figure, and what figure or status there was afterwards.

    `record` is its id: of a log record, or of a movement of stock.
    """

    at: Instant
    what: str
    record: str
    change: int | None
    value: Value


@dataclass(frozen=True)
class Explanation:
    """Some of the steps to `value`, which is what stands now. `position` is where the next page begins."""

    value: Value
    steps: list[Step]
    position: str | None


def begin_behind(position: str | None, start: Value) -> tuple[str | None, str]:
    """The record that a page begins behind, and the value after it; for the first page None, and `start`."""
    if position is None:
        return None, str(start)
    place, _, value = position.rpartition("|")
    return place, value


def go_on_behind(place: str | None, value: Value) -> str | None:
    """The position behind the record at `place`, after which there was `value`; None, if nothing follows it."""
    return None if place is None else f"{place}|{value}"
