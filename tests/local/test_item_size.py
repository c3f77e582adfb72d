"""The bytes that DynamoDB counts. The expected numbers are those of the developer guide's rules."""

from typing import Any

import pytest

from local.engine.item_size import item_bytes, value_bytes


@pytest.mark.parametrize(
    "value, size",
    [
        ({"S": "abc"}, 3),
        ({"S": "žlutý"}, 7),
        ({"N": "0"}, 1),
        ({"N": "7"}, 2),
        ({"N": "42"}, 2),
        ({"N": "421"}, 3),
        ({"N": "-42"}, 3),
        ({"N": "4200"}, 2),
        ({"B": b"abcd"}, 4),
        ({"B": "YWJjZA=="}, 4),
        ({"BOOL": True}, 1),
        ({"NULL": True}, 1),
        ({"SS": ["a", "bcd"]}, 4),
        ({"NS": ["1", "1234"]}, 2 + 3),
        ({"BS": [b"a", b"bc"]}, 3),
        ({"L": []}, 3),
        ({"L": [{"S": "ab"}, {"N": "1"}]}, 3 + 2 + 2 + 2),
        ({"M": {"key": {"S": "ab"}}}, 3 + 3 + 1 + 2),
    ],
)
def test_values(value: dict[str, Any], size: int) -> None:
    assert value_bytes(value) == size


def test_an_item_is_its_names_and_values() -> None:
    assert item_bytes({"pk": {"S": "abc"}, "total": {"N": "42"}}) == 2 + 3 + 5 + 2
