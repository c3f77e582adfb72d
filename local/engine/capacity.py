"""What DynamoDB charges, in capacity units.

A write costs a unit per KB of the larger of the item's two images, and again in each index whose entry it changes; a
read costs a unit per 4 KB, or half of one when it may be stale. In a transaction both double, but not the indexes.
Source: "DynamoDB read and write operations" in the developer guide.
"""

import math
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from local.engine.item_size import Attributes, item_bytes

WRITE_UNIT_BYTES: Final = 1024
READ_UNIT_BYTES: Final = 4096
TRANSACTION_FACTOR: Final = 2

# The key attributes of each index of a table, by the name of the index.
IndexKeys = Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Image:
    """An item at one moment: its attributes, and its projection into each index that holds it."""

    attributes: Attributes
    entries: Mapping[str, Attributes]


@dataclass(slots=True)
class Units:
    """What one table was charged, itself and for each of its indexes."""

    table: float = 0
    indexes: dict[str, float] = field(default_factory=lambda: defaultdict(float))

    def add(self, other: "Units") -> None:
        self.table += other.table
        for name, units in other.indexes.items():
            self.indexes[name] += units

    def described(self, table_name: str, mode: str, axis: str | None = None) -> dict[str, Any]:
        """The `ConsumedCapacity` of the table, for the mode TOTAL or INDEXES.

        `axis` (`WriteCapacityUnits`) is the name under which a transaction says each number once more.
        """

        def detail(units: float) -> dict[str, float]:
            return {"CapacityUnits": units, **({axis: units} if axis else {})}

        described = {"TableName": table_name, **detail(self.table + sum(self.indexes.values()))}
        if mode == "INDEXES":
            described["Table"] = detail(self.table)
            if self.indexes:
                described["GlobalSecondaryIndexes"] = {name: detail(units) for name, units in self.indexes.items()}
        return described


def write_units(before: Image | None, after: Image | None, indexes: IndexKeys, factor: int = 1) -> Units:
    """The units of a write that made `after` of `before`; a check, or a delete of nothing, costs as an empty item."""
    units = Units(table=factor * max(_write(image.attributes if image else {}) for image in (before, after)))
    for name, keys in indexes.items():
        old, new = (image.entries.get(name) if image else None for image in (before, after))
        if changed := _index_write(old, new, keys):
            units.indexes[name] += changed
    return units


def read_units(size_bytes: int, *, consistent: bool) -> float:
    units = max(1.0, math.ceil(size_bytes / READ_UNIT_BYTES))
    return units if consistent else units / 2


def _index_write(old: Attributes | None, new: Attributes | None, keys: tuple[str, ...]) -> float:
    if old == new:
        return 0
    if old is None or new is None:
        return _write(old or new or {})
    if any(old[key] != new[key] for key in keys):  # an entry that moves is deleted here and put there
        return _write(old) + _write(new)
    return max(_write(old), _write(new))


def _write(attributes: Attributes) -> float:
    return max(1.0, math.ceil(item_bytes(attributes) / WRITE_UNIT_BYTES))
