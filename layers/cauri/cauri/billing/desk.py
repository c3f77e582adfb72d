"""What every command of billing begins with: the tenant, its rules, and the customer's account."""

from __future__ import annotations

from datetime import date
from typing import Any

from cauri.billing.model import Account, Rules
from cauri.billing.store import account_key, rules_key
from cauri.books.shelf import Found, Key
from cauri.books.work import Work
from cauri.parties.model import Tenant, UnknownTenant
from cauri.parties.store import tenant_key
from cauri.values import dataclass, replace


@dataclass(frozen=True)
class Desk:
    """What one round trip brought. The account says already that it changes now; `today` is the day in UTC."""

    tenant: Tenant
    rules: Rules
    account: Account
    found: Found
    today: date

    @property
    def series(self) -> str:
        """What this year's invoices are numbered in."""
        return f"{self.rules.series}-{self.today:%Y}"


def at_desk(customer_id: str, work: Work, *more: Key[Any]) -> Desk:
    """Raises UnknownTenant. A customer of whom nothing is recorded yet has an account with nothing on it."""
    return desk_of(customer_id, work, work.fetch(*desk_keys(customer_id, work), *more))


def desk_keys(customer_id: str, work: Work) -> list[Key[Any]]:
    return [tenant_key(work.tenant), rules_key(work.tenant), account_key(work.tenant, customer_id)]


def desk_of(customer_id: str, work: Work, found: Found) -> Desk:
    tenant = found[tenant_key(work.tenant)]
    if tenant is None:
        raise UnknownTenant
    rules = found[rules_key(work.tenant)] or Rules(work.tenant)
    account = found[account_key(work.tenant, customer_id)] or Account(work.tenant, customer_id)
    return Desk(tenant, rules, replace(account, changed_at=work.at), found, work.at.date())
