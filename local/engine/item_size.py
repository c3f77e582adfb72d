"""How many bytes DynamoDB counts for an item, which is what it limits and charges.

Source: "DynamoDB item sizes and formats" in the developer guide. A number costs a byte for every two significant
digits and one more, and another when it is negative.
"""

import base64
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

Attributes = Mapping[str, Mapping[str, Any]]


def item_bytes(attributes: Attributes) -> int:
    """The bytes of an item given as `{"name": {"S": "…"}}`."""
    return sum(len(name.encode()) + value_bytes(value) for name, value in attributes.items())


def value_bytes(value: Mapping[str, Any]) -> int:
    """The bytes of one attribute value, given as `{"S": "…"}`. Binary may be bytes, or text in base 64."""
    [(kind, content)] = value.items()
    match kind:
        case "BOOL" | "NULL":
            return 1
        case "L":
            return 3 + sum(1 + value_bytes(each) for each in content)
        case "M":
            return 3 + sum(1 + len(name.encode()) + value_bytes(each) for name, each in content.items())
        case "SS" | "NS" | "BS":
            return sum(_scalar_bytes(kind[0], each) for each in content)
        case _:
            return _scalar_bytes(kind, content)


def _scalar_bytes(kind: str, content: Any) -> int:
    match kind:
        case "N":
            return _number_bytes(Decimal(content))
        case "B":
            return len(content if isinstance(content, bytes) else base64.b64decode(content))
        case _:
            return len(content.encode())


def _number_bytes(number: Decimal) -> int:
    significant = len("".join(map(str, number.as_tuple().digits)).strip("0"))
    return -(-significant // 2) + 1 + (number < 0)
