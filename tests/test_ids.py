"""Ids and times: what they look like, that they sort, and that nothing but the command makes them."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone

import pytest
from cauri.clock import from_rfc3339, rfc3339, system_clock
from cauri.ids import Ids, LogId, digest, is_name
from hypothesis import given
from hypothesis import strategies as st

AT = datetime(2026, 11, 20, 10, 55, 42, 123_456, tzinfo=UTC)
moments = st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001


def ids(log_id: str = "a" * 40, at: datetime = AT) -> Ids:
    return Ids(LogId(log_id), at)


def test_an_id_names_its_kind_and_is_a_ulid() -> None:
    assert re.fullmatch(r"ord_[0-9A-HJKMNP-TV-Z]{26}", ids().new("ord"))


def test_ids_follow_from_the_command_and_its_time() -> None:
    one, again = ids(), ids()
    assert [one.new("ord"), one.new("pay")] == [again.new("ord"), again.new("pay")]
    assert len({ids().new("ord"), ids("b" * 40).new("ord"), ids(at=AT + timedelta(milliseconds=1)).new("ord")}) == 3
    assert one.new("ord") != one.new("ord")


@given(moments, moments)
def test_ids_sort_by_time(one: datetime, other: datetime) -> None:
    if (other - one) >= timedelta(milliseconds=1):
        assert ids(at=one).new("ord") < ids("b" * 40, other).new("ord")


@given(st.lists(st.text(), max_size=4), st.lists(st.text(), max_size=4))
def test_no_two_lists_have_one_digest(one: list[str], other: list[str]) -> None:
    assert (digest(*one) == digest(*other)) == (one == other)
    assert re.fullmatch(r"[0-9a-f]{40}", digest(*one))


@pytest.mark.parametrize("name", ["soko", "shirt-l", "A.1_b", "7", "x" * 64])
def test_a_name(name: str) -> None:
    assert is_name(name)


@pytest.mark.parametrize("text", ["", "-a", ".", "a#b", "a b", "a/b", "é", "a\n", "x" * 65])
def test_no_name(text: str) -> None:
    assert not is_name(text)


def test_times_are_written_in_utc_with_milliseconds() -> None:
    assert rfc3339(AT) == "2026-11-20T10:55:42.123Z"
    assert rfc3339(AT.astimezone(timezone(timedelta(hours=3)))) == "2026-11-20T10:55:42.123Z"


@given(moments, moments)
def test_written_times_sort_as_times_do_and_are_read_back(one: datetime, other: datetime) -> None:
    assert (rfc3339(one) < rfc3339(other)) <= (one < other)
    assert from_rfc3339(rfc3339(one)) == one.replace(microsecond=one.microsecond // 1000 * 1000)


def test_the_systems_clock_is_aware() -> None:
    assert system_clock().utcoffset() == timedelta(0)
