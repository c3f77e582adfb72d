"""A change of a wallet, whole: the item, its entry, and its line in the statement, in one plan."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar, Final

from cauri.books.plan import Event, Plan
from cauri.books.shelf import Found, Key
from cauri.books.work import Work
from cauri.errors import Refusal
from cauri.money import Money
from cauri.parties.model import UnknownCustomer
from cauri.values import dataclass, replace
from cauri.wallet.accounts import Line, Movement, journal, lines
from cauri.wallet.lots import Lot, Wallet
from cauri.wallet.programme import NoProgramme, Programme
from cauri.wallet.store import programme_key, wallet_key

LOTS_MAX: Final = 200
"""So many lots are some 60 KB, which every change writes anew."""


@dataclass
class WalletFull(Refusal):
    """The wallet has as many lots as it may have."""

    code: ClassVar[str] = "wallet_full"

    def detail(self) -> str:
        return f"The wallet has {LOTS_MAX} lots, and takes no more until some are spent."


@dataclass(frozen=True)
class Desk:
    """What every change of a wallet needs: the programme's rules, the wallet as it is now, and what else was read."""

    programme: Programme
    wallet: Wallet
    found: Found


def at_desk(customer_id: str, work: Work, *more: Key[Any]) -> Desk:
    """Raises NoProgramme, and UnknownCustomer for a customer who speaks for another."""
    require_own(customer_id, work)
    return desk_of(work.fetch(*desk_keys(customer_id, work), *more), customer_id, work)


def desk_keys(customer_id: str, work: Work) -> tuple[Key[Programme], Key[Wallet]]:
    """What a desk needs to be read, where it is read together with other things."""
    return programme_key(work.tenant), wallet_key(work.tenant, customer_id)


def desk_of(found: Found, customer_id: str, work: Work) -> Desk:
    """Raises NoProgramme."""
    rules, key = desk_keys(customer_id, work)
    programme = found[rules]
    if programme is None:
        raise NoProgramme
    wallet = found[key] or Wallet(work.tenant, customer_id)
    return Desk(programme, wallet.live(work.at), found)


def require_own(customer_id: str, work: Work) -> None:
    if work.caller.customer_id not in (None, customer_id) and not work.caller.is_staff:
        raise UnknownCustomer(customer_id)


def given_back(lots: Iterable[Lot], desk: Desk, work: Work) -> Wallet:
    """The wallet with `lots` back where they came from, with the terms they had.

    What expired meanwhile lives as long as the tenant grants, as a lot of its own.
    """
    return desk.wallet.add(*(_restored(lot, desk, work) for lot in lots))


def _restored(lot: Lot, desk: Desk, work: Work) -> Lot:
    until = desk.programme.restored_until(lot.expires_at, work.at)
    return lot if until == lot.expires_at else replace(lot, id=work.ids.new("lot"), expires_at=until)


def change(
    plan: Plan,
    before: Wallet,
    after: Wallet,
    work: Work,
    *,
    why: str,
    about: str,
    against: str,
    points_pay: Money | None = None,
    note: str = "",
) -> Plan:
    """`plan`, with all that it takes to make `before` `after`. The event is ``wallet.<why>``."""
    if len(after.lots) > max(LOTS_MAX, len(before.lots)):
        raise WalletFull
    moved = write(plan, before, after, work, why=why, about=about, note=note)
    return plan.post(journal(why, after.customer_id, moved, against, points_pay))


def write(
    plan: Plan, before: Wallet, after: Wallet, work: Work, *, why: str, about: str, note: str = ""
) -> tuple[Line, ...]:
    """Have `plan` save the wallet, and its line in the statement; what moved is for the plan's entry."""
    moved = lines(before, after)
    plan.save(after)
    if moved:
        number = after.version + 1
        plan.save(Movement(after.tenant, after.customer_id, number, work.at, why, about, moved, note))
    told = {"about": about, "customer_id": after.customer_id}
    plan.emit(Event(f"wallet.{why}", after.customer_id, after.version + 1, told))
    return moved
