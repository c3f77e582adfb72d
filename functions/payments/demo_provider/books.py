"""What the demo provider knows: its charges and its refunds."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from typing import Final

from cauri.clock import Instant, from_rfc3339, rfc3339
from cauri.providers.demo_link import Link
from cauri.providers.demo_wire import ChargeShape, RefundAskShape, RefundShape
from cauri.values import dataclass

from .script import Play
from .table import Change, Item, Table, Value

SHOPPER_PATIENCE: Final = timedelta(minutes=10)
"""A page that was opened this long ago, and where nothing was done, is an abandoned one."""

LISTED_MAX: Final = 100

# A shopper may try again after a decline, or come back. Not while the bank decides, and never after a success.
_MAY_BE_PLAYED: Final = (
    "attribute_not_exists(pk) OR (#status IN (:pending, :failed, :abandoned) "
    "AND (attribute_not_exists(attempts) OR NOT contains(attempts, :attempt)))"
)


class Booked(ChargeShape):
    """A charge as it stands. `attempts` are all that took effect, the declined ones too; `id` is the last of them."""

    attempts: frozenset[str] = frozenset()
    refundable: int = 0
    refund_outcome: str = ""
    opened_at: str = ""
    """When somebody last opened it, or tried to pay it with effect."""
    unanswered_until: Instant | None = None


@dataclass(frozen=True)
class Tried:
    """A charge, and when somebody tried to pay it."""

    at: Instant
    booked: Booked


@dataclass(frozen=True)
class Books:
    table: Table

    # -- Charges --------------------------------------------------------------------------------------

    def charge(self, tenant: str, reference: str, now: Instant) -> Booked | None:
        item = self.table.get(_charge_key(tenant, reference))
        return _booked(item, reference, now) if item else None

    def open(self, link: Link, now: Instant) -> None:
        """The shopper is looking at the page."""
        self.table.change(
            Change(
                _charge_key(link.tenant, link.reference),
                "SET id = :id, amount = :amount, currency = :currency, opened_at = :now, #status = :pending",
                "attribute_not_exists(pk) OR #status = :pending",
                {
                    ":id": link.reference,
                    ":amount": link.amount,
                    ":currency": link.currency,
                    ":now": rfc3339(now),
                    ":pending": "pending",
                },
            )
        )

    def play(self, link: Link, play: Play, attempt: str, now: Instant) -> Booked:
        """The charge once `attempt` was made: safe twice, and no effect on a charge that is paid or being decided."""
        paid = play.status == "success"
        members: dict[str, Value] = {
            "id": attempt,
            "amount": link.amount,
            "currency": link.currency,
            "opened_at": rfc3339(now),
            "paid_at": rfc3339(now) if paid else "",
            "refundable": link.amount if paid else 0,
            "refund_outcome": link.refund_outcome,
            "unanswered_asks": play.unanswered_asks,
            "unanswered_until": rfc3339(now + timedelta(seconds=play.unanswered_seconds)),
        }
        sets = ", ".join(f"{name} = :{name}" for name in members)
        values: dict[str, Value] = {f":{name}": value for name, value in members.items()}
        values |= {":status": play.status, ":attempt": attempt, ":attempts": frozenset({attempt})}
        values |= {":pending": "pending", ":failed": "failed", ":abandoned": "abandoned"}
        key = _charge_key(link.tenant, link.reference)
        self._list(link, now)
        self.table.change(Change(key, f"SET #status = :status, {sets} ADD attempts :attempts", _MAY_BE_PLAYED, values))
        return self._known(link, now)

    def settle(self, link: Link, attempt: str, now: Instant) -> Booked:
        """The bank says yes to an attempt that it was processing; nothing else changes."""
        self.table.change(
            Change(
                _charge_key(link.tenant, link.reference),
                "SET #status = :success, paid_at = :now, refundable = amount",
                "#status = :processing AND id = :attempt",
                {":success": "success", ":processing": "processing", ":attempt": attempt, ":now": rfc3339(now)},
            )
        )
        return self._known(link, now)

    def tried(self, tenant: str, since: Instant, until: Instant, after: str | None) -> tuple[list[Tried], str | None]:
        """Some of the charges that somebody last tried to pay then, as they stand now, and where the rest begins.

        A page is of one day; a day without any is an empty page.
        """
        day = from_rfc3339(after.partition("#")[0]) if after else since
        begin, end = after or rfc3339(since), min(rfc3339(until), f"{day:%Y-%m-%d}T~")
        # A row's key goes on behind its moment, so it equals neither end; but `after` is one, and is read again.
        rows = self.table.page_between(_tried_pk(tenant, day), begin, end, LISTED_MAX + 2)
        rows = [row for row in rows if row["sk"] != after]
        found = [(row, self.charge(tenant, str(row["reference"]), until)) for row in rows[:LISTED_MAX]]
        # A try without effect, and one that another followed, are in the list as well: each charge counts once.
        tried = [
            Tried(from_rfc3339(at), it) for row, it in found if it and it.opened_at == (at := str(row["tried_at"]))
        ]
        if len(rows) > LISTED_MAX:
            return tried, str(rows[LISTED_MAX - 1]["sk"])
        tomorrow = datetime.combine(day.date() + timedelta(days=1), time.min, UTC)
        return tried, f"{rfc3339(tomorrow)}#" if tomorrow < until else None

    def _list(self, link: Link, now: Instant) -> None:
        """Before the charge is changed: the list says what was tried, and the charge what came of it."""
        row: Item = {"pk": _tried_pk(link.tenant, now), "sk": f"{rfc3339(now)}#{link.reference}"}
        self.table.put(row | {"reference": link.reference, "tried_at": rfc3339(now)})

    def leaves_charge_unanswered(self, tenant: str, reference: str) -> bool:
        """Whether this question about the charge is one that goes unanswered; it is counted."""
        return self._counted(_charge_key(tenant, reference))

    # -- Refunds --------------------------------------------------------------------------------------

    def refunded(self, tenant: str, charge_reference: str, reference: str) -> RefundShape | None:
        item = self.table.get(_refund_key(tenant, charge_reference, reference))
        return _refund(item) if item else None

    def refunds(self, tenant: str, charge_reference: str) -> list[RefundShape]:
        """All that was given back of a charge."""
        key = _charge_key(tenant, charge_reference)
        return [_refund(item) for item in self.table.all_under(str(key["pk"]), "refund#")]

    def refund(self, tenant: str, ask: RefundAskShape, refund_id: str, unanswered_asks: int, now: Instant) -> None:
        """Take the money from what is left of the charge, and book the refund, both or neither.

        Without effect when the charge does not have the money, or the reference is taken: reading back tells.
        """
        take = Change(
            _charge_key(tenant, ask.charge_reference),
            "SET refundable = refundable - :amount",
            "#status = :success AND currency = :currency AND refundable >= :amount",
            {":amount": ask.amount, ":currency": ask.currency, ":success": "success"},
        )
        refund: Item = _refund_key(tenant, ask.charge_reference, ask.reference) | {
            "id": refund_id,
            "reference": ask.reference,
            "charge_reference": ask.charge_reference,
            "amount": ask.amount,
            "currency": ask.currency,
            "refunded_at": rfc3339(now),
            "unanswered_asks": unanswered_asks,
        }
        self.table.change_and_add(take, refund)

    def leaves_refund_unanswered(self, tenant: str, charge_reference: str, reference: str) -> bool:
        return self._counted(_refund_key(tenant, charge_reference, reference))

    # -------------------------------------------------------------------------------------------------

    def _known(self, link: Link, now: Instant) -> Booked:
        booked = self.charge(link.tenant, link.reference, now)
        if booked is None:
            raise LookupError("a charge that was just written is gone")
        return booked

    def _counted(self, key: Item) -> bool:
        update, condition = "SET unanswered_asks = unanswered_asks - :one", "unanswered_asks > :none"
        return self.table.change(Change(key, update, condition, {":one": 1, ":none": 0}))


def _charge_key(tenant: str, reference: str) -> Item:
    return {"pk": f"{tenant}#{reference}", "sk": "charge"}


def _tried_pk(tenant: str, day: Instant) -> str:
    """No reference has ``@``, so no charge is there."""
    return f"{tenant}#tried@{day:%Y-%m-%d}"


def _refund_key(tenant: str, charge_reference: str, reference: str) -> Item:
    return {"pk": f"{tenant}#{charge_reference}", "sk": f"refund#{reference}"}


def _refund(item: Item) -> RefundShape:
    return RefundShape.model_validate(item | {"refunded_at": from_rfc3339(str(item["refunded_at"]))})


def _booked(item: Item, reference: str, now: Instant) -> Booked:
    forgotten = item["status"] == "pending" and from_rfc3339(str(item["opened_at"])) + SHOPPER_PATIENCE < now
    status = "abandoned" if forgotten else item["status"]
    return Booked.model_validate(
        item
        | {"reference": reference, "status": status, "reason": "card_declined" if status == "failed" else None}
        | {name: _instant(item.get(name, "")) for name in ("paid_at", "unanswered_until")}
    )


def _instant(text: Value) -> Instant | None:
    return from_rfc3339(str(text)) if text else None
