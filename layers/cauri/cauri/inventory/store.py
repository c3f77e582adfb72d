"""Where products, stock cells and movements are kept: the commerce table."""

from __future__ import annotations

import functools
import operator
from collections import Counter
from collections.abc import Sequence
from typing import Any, Final

from pynamodb.attributes import MapAttribute, NumberAttribute, UnicodeAttribute
from pynamodb.expressions.condition import size
from pynamodb.expressions.operand import Path
from pynamodb.models import Model

from cauri.books.database import Database
from cauri.books.shelf import Key, Shelf, Wire, Write, shelve, writes
from cauri.clock import Instant, rfc3339
from cauri.inventory.model import (
    BACKORDER,
    CELL_CLAIMS_MAX,
    Cell,
    CellChange,
    CellHolds,
    Claim,
    Part,
    Place,
    Product,
    catalogue_shard,
)
from cauri.inventory.movements import Movement
from cauri.values import dataclass

TABLE: Final = "commerce"

PRODUCTS: Final = shelve(
    Shelf(
        TABLE,
        Product,
        place=lambda product: (f"product#{product.sku}", "product"),
        tenant=lambda product: product.tenant,
        listed=lambda product: (f"catalogue#{catalogue_shard(product.sku):02d}", product.sku),
    )
)


def product_key(tenant: str, sku: str) -> Key[Product]:
    return PRODUCTS.key(tenant, f"product#{sku}", "product")


MOVEMENTS: Final = shelve(
    Shelf(
        TABLE,
        Movement,
        place=lambda movement: (_moved(movement.sku), f"{rfc3339(movement.at)}#{movement.id}"),
        tenant=lambda movement: movement.tenant,
    )
)


def _moved(sku: str) -> str:
    return f"movements#{sku}"


def movements_partition(tenant: str, sku: str) -> str:
    return f"{tenant}#{_moved(sku)}"


def moved_units(database: Database, tenant: str, sku: str) -> Counter[str]:
    """The sum of all movements, by location: what is on hand."""
    partition = {":pk": {"S": movements_partition(tenant, sku)}}
    items = database.query_all(TABLE, {"KeyConditionExpression": "pk = :pk", "ExpressionAttributeValues": partition})
    moved: Counter[str] = Counter()
    for movement in MOVEMENTS.from_items(items):
        moved[movement.location] += movement.quantity
    return moved


class CellItem(Model):
    """A stock cell. The claims live in it, so that one conditional update takes units and says for whom."""

    class Meta:
        table_name = TABLE
        region = "us-east-1"

    pk = UnicodeAttribute(hash_key=True)
    sk = UnicodeAttribute(range_key=True)
    available = NumberAttribute()
    allocated = NumberAttribute()
    claims: MapAttribute[str, Any] = MapAttribute()  # type: ignore[no-untyped-call]


class _Cells(Shelf[Cell]):
    """For reading: cells are written by the claims and changes below."""

    def from_item(self, item: Wire) -> Cell:
        tenant, _, sku, location, number = item["pk"]["S"].split("#")
        return Cell(
            tenant,
            sku,
            location,
            int(number),
            available=int(item["available"]["N"]),
            allocated=int(item["allocated"]["N"]),
            claims={owner: _claim(value["M"]) for owner, value in item["claims"]["M"].items()},
            settled=int(item["settled"]["N"]) if "settled" in item else 0,
        )


def _claim(value: Wire) -> Claim:
    return Claim(int(value["n"]["N"]), int(value["expires"]["N"]), value["held"]["BOOL"])


CELLS: Final = _Cells(
    TABLE, Cell, place=lambda cell: _place(cell.sku, cell.location, cell.number), tenant=lambda c: c.tenant
)


def _place(sku: str, location: str, number: int) -> tuple[str, str]:
    return (f"stock#{sku}#{location}#{number:02d}", "cell")


def cell_key(tenant: str, sku: str, location: str, number: int) -> Key[Cell]:
    return CELLS.key(tenant, *_place(sku, location, number))


def cell_keys(product: Product) -> list[Key[Cell]]:
    """Of all its cells, at every location."""
    return keys_of_cells(product.tenant, product.sku, product.places)


def keys_of_cells(tenant: str, sku: str, places: Sequence[Place]) -> list[Key[Cell]]:
    return [cell_key(tenant, sku, place.location, number) for place in places for number in range(place.cells)]


@writes(CellChange)
def change(change: CellChange) -> Write:
    item = _item(change.tenant, change.sku, change.location, change.cell)
    actions: list[Any] = [
        CellItem.available.set((CellItem.available | 0) + change.available),
        CellItem.allocated.set((CellItem.allocated | 0) + change.allocated),
    ]
    actions += [Path(["claims", owner]).remove() for owner in change.ends if owner not in change.begins]
    conditions: list[Any] = [Path(["claims", owner]) == _wire(claim) for owner, claim in change.ends.items()]
    conditions += [Path(["claims", owner]).does_not_exist() for owner in change.begins if owner not in change.ends]
    if change.is_new and change.begins:
        actions.append(Path("claims").set({owner: _wire(claim) for owner, claim in change.begins.items()}))
        conditions.append(Path("claims").does_not_exist())
    else:
        actions += [Path(["claims", owner]).set(_wire(claim)) for owner, claim in change.begins.items()]
    if not change.ends and not change.begins:
        actions.append(Path("claims").set(Path("claims") | {}))
    if change.available < 0 and change.location != BACKORDER:  # a limit may be lowered under what is sold
        conditions.append(CellItem.available >= -change.available)
    if change.allocated < 0:
        conditions.append(CellItem.allocated >= -change.allocated)
    if change.was is not None:
        conditions.append(_is_settled_as(change.was))
    return _update(item, actions, functools.reduce(operator.and_, conditions) if conditions else None)


def _is_settled_as(was: Cell) -> Any:
    """The condition that no order came to the allocated units, or left them, since the cell was seen so."""
    settled = Path("settled")
    same = settled == was.settled if was.settled else settled.does_not_exist()
    return (CellItem.allocated == was.allocated) & same


def _wire(claim: Claim) -> dict[str, Any]:
    return {"n": claim.quantity, "expires": claim.expires, "held": claim.held}


@dataclass(frozen=True)
class Kept:
    """A claim that becomes lasting in a commit, or the commit is refused."""

    tenant: str
    part: Part


@writes(Kept)
def keep_in_commit(kept: Kept) -> Write:
    return keep(kept.tenant, kept.part)


@writes(CellHolds)
def hold_in_commit(change: CellHolds) -> Write:
    """Refused if one of the claims is not there any more, as it was, or is kept for an order that is paid."""
    actions, condition, back = [], None, 0
    for hold in change.holds:
        claim = Path(["claims", hold.part.owner])
        value = _wire(Claim(hold.stays, int(hold.expires.timestamp()), held=True))
        actions.append(claim.set(value) if hold.stays else claim.remove())
        is_held = _claims(hold.part) & (Path(["claims", hold.part.owner, "held"]) == True)  # noqa: E712
        condition = is_held if condition is None else condition & is_held
        back += hold.part.quantity - hold.stays
    if back:
        actions.append(CellItem.available.set(CellItem.available + back))
    return _update(_item_of(change.tenant, change.holds[0].part), actions, condition)


@dataclass(frozen=True)
class Returned:
    """Allocated units of one cell that are available again. `parts` are of one cell."""

    tenant: str
    parts: tuple[Part, ...]


@writes(Returned)
def take_back(returned: Returned) -> Write:
    """Refused while one of the parts still is a claim: that would come back a second time when it is allocated."""
    quantity = sum(part.quantity for part in returned.parts)
    condition = CellItem.allocated >= quantity
    for part in returned.parts:
        condition &= Path(["claims", part.owner]).does_not_exist()
    actions = [
        CellItem.available.set(CellItem.available + quantity),
        CellItem.allocated.set(CellItem.allocated - quantity),
    ]
    return _update(_item_of(returned.tenant, returned.parts[0]), actions, condition)


def take(tenant: str, part: Part, expires: Instant, *, in_a_full_cell: bool = True) -> Write:
    """Claim units if the cell has them, once per owner. A failure hands back the cell.

    Every write costs by the size of the item, so that a cell with many claims is left to whom no other cell serves.
    """
    claim = Path(["claims", part.owner])
    value = _wire(Claim(part.quantity, int(expires.timestamp()), held=True))
    actions = [CellItem.available.set(CellItem.available - part.quantity), claim.set(value)]
    condition = (CellItem.available >= part.quantity) & claim.does_not_exist()
    if not in_a_full_cell:
        condition &= size(Path("claims")) < CELL_CLAIMS_MAX  # type: ignore[no-untyped-call]
    return _update(_item_of(tenant, part), actions, condition, hand_back=True)


def keep(tenant: str, part: Part) -> Write:
    """The order is paid: its claim does not expire any more."""
    held = Path(["claims", part.owner, "held"])
    return _update(_item_of(tenant, part), [held.set(False)], _claims(part))


def extend(tenant: str, part: Part, expires: Instant) -> Write:
    """A payment is in flight: its claim lives longer."""
    until = Path(["claims", part.owner, "expires"])
    return _update(_item_of(tenant, part), [until.set(int(expires.timestamp()))], _claims(part))


def give_back(tenant: str, part: Part) -> Write:
    """The claim ends, and its units are available again."""
    actions = [CellItem.available.set(CellItem.available + part.quantity), Path(["claims", part.owner]).remove()]
    return _update(_item_of(tenant, part), actions, _claims(part))


def expire(tenant: str, part: Part, seen: Claim) -> Write:
    """`give_back`, if the claim still is the one that was seen to be over."""
    claim = Path(["claims", part.owner])
    actions = [CellItem.available.set(CellItem.available + seen.quantity), claim.remove()]
    return _update(_item_of(tenant, part), actions, claim == _wire(seen))


def allocate(tenant: str, part: Part) -> Write:
    """The kept claim ends, and its units belong to the order, until they are shipped.

    A held one is none of the order's: a step that came too late has claimed again what was allocated before.
    """
    actions = [
        CellItem.allocated.set(CellItem.allocated + part.quantity),
        Path("settled").set(Path(["claims", part.owner, "expires"])),
        Path(["claims", part.owner]).remove(),
    ]
    kept = Path(["claims", part.owner, "held"]) == False  # noqa: E712 - a condition of the database
    return _update(_item_of(tenant, part), actions, _claims(part) & kept)


def _claims(part: Part) -> Any:
    """The condition that the owner has these units."""
    return Path(["claims", part.owner, "n"]) == part.quantity


def _item(tenant: str, sku: str, location: str, cell: int) -> CellItem:
    pk, sk = _place(sku, location, cell)
    return CellItem(f"{tenant}#{pk}", sk)


def _item_of(tenant: str, part: Part) -> CellItem:
    return _item(tenant, part.sku, part.location, part.cell)


def _update(item: CellItem, actions: list[Any], condition: Any = None, *, hand_back: bool = False) -> Write:
    request = item.get_update_kwargs_from_instance(
        actions, condition, return_values_on_condition_failure="ALL_OLD" if hand_back else None
    )
    return Write("Update", request)
