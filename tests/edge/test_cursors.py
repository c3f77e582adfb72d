"""A cursor leads on in its own list, and nowhere else."""

from __future__ import annotations

import pytest
from cauri.edge.cursors import Cursors, InvalidCursor
from hypothesis import given
from hypothesis import strategies as st

OWN = Cursors("secret", ["soko", "orders", "customer", "cus_1"])


@given(st.text(st.characters(codec="utf-8")))
def test_a_cursor_opens_to_the_position_it_was_made_of(position: str) -> None:
    assert OWN.open(OWN.seal(position)) == position


def test_no_cursor_is_the_beginning_and_the_end() -> None:
    assert OWN.open(None) is None
    assert OWN.seal(None) is None


@pytest.mark.parametrize(
    "other",
    [
        Cursors("secret", ["kiosk", "orders", "customer", "cus_1"]),
        Cursors("secret", ["soko", "products", "customer", "cus_1"]),
        Cursors("secret", ["soko", "orders", "customer", "cus_2"]),
        Cursors("secret", ["soko", "orders", "vendor", "cus_1"]),
        Cursors("secret", ["soko", "orders", "customercus_1"]),
        Cursors("another", ["soko", "orders", "customer", "cus_1"]),
    ],
    ids=["tenant", "route", "filter", "kind", "seams", "secret"],
)
def test_a_cursor_of_another_list_is_refused(other: Cursors) -> None:
    with pytest.raises(InvalidCursor):
        OWN.open(other.seal("2026-11-20#ord_1"))


def test_every_altered_character_is_seen() -> None:
    cursor = OWN.seal("2026-11-20T09:30:00.000Z#ord_1") or ""
    for place in range(len(cursor) - 1):  # the last one has bits that mean nothing
        altered = cursor[:place] + ("A" if cursor[place] != "A" else "B") + cursor[place + 1 :]
        with pytest.raises(InvalidCursor):
            OWN.open(altered)


@pytest.mark.parametrize("nonsense", ["", "A", "====", "é", "a b", "\x00", "x" * 1024, "_-_-", "////", "\ud800"])
def test_nonsense_is_refused(nonsense: str) -> None:
    with pytest.raises(InvalidCursor) as refused:
        OWN.open(nonsense)
    assert refused.value.code == "invalid_cursor"
