"""Tenants and their rules, vendors, and the people behind the ids."""

from __future__ import annotations

from datetime import timedelta
from typing import ClassVar, Final

from cauri.errors import Refusal
from cauri.parties.limits import DEFAULT_QUOTAS, Quota, Quotas, Tier
from cauri.values import dataclass, field, replace

STANDARD: Final = "standard"
MAIN: Final = "main"
"""The location that every tenant begins with."""


@dataclass
class UnknownTenant(Refusal):
    """The token's tenant was never set up here."""

    code: ClassVar[str] = "unknown_tenant"

    def detail(self) -> str:
        return "This tenant is not set up."

    def suggestion(self) -> str:
        return "An administrator of the tenant sends PUT /v1/tenant first."


@dataclass
class UnknownVendor(Refusal):
    code: ClassVar[str] = "unknown_vendor"
    vendor_id: str

    def detail(self) -> str:
        return f"There is no vendor {self.vendor_id!r}."


@dataclass
class UnknownCustomer(Refusal):
    """To a customer there is no other."""

    code: ClassVar[str] = "unknown_customer"
    customer_id: str

    def detail(self) -> str:
        return f"There is no customer {self.customer_id!r}."


@dataclass
class CustomerErased(Refusal):
    """The person behind this id asked to be forgotten."""

    code: ClassVar[str] = "customer_erased"
    customer_id: str

    def detail(self) -> str:
        return f"The record of {self.customer_id!r} was erased."

    def suggestion(self) -> str:
        return "Give the person a new customer id."


@dataclass
class VendorDisabled(Refusal):
    """The vendor does not sell for now."""

    code: ClassVar[str] = "vendor_disabled"
    vendor_id: str

    def detail(self) -> str:
        return f"The vendor {self.vendor_id!r} does not sell at present."

    def suggestion(self) -> str:
        return "Leave its products out of the order."

    def facts(self) -> dict[str, object]:
        return {"vendor_id": self.vendor_id}


@dataclass
class UnknownTaxClass(Refusal):
    """A product, or the shipping, names a tax class that the tenant's table lacks."""

    code: ClassVar[str] = "unknown_tax_class"
    tax_class: str

    def detail(self) -> str:
        return f"The tenant has no tax class {self.tax_class!r}."


@dataclass
class VersionMismatch(Refusal):
    """Somebody changed it since the sender read it."""

    code: ClassVar[str] = "version_mismatch"
    expected: int
    version: int

    def detail(self) -> str:
        return f"Version {self.expected} was to be changed, and it is at version {self.version}."

    def suggestion(self) -> str:
        return "Read it again, and send your change of what is there now."

    def facts(self) -> dict[str, object]:
        return {"expected_version": self.expected, "version": self.version}


@dataclass(frozen=True)
class ShippingRate:
    """What shipping an order costs: `base` once, and `per_kg` for each kilogram begun. Minor units."""

    base: int = 0
    per_kg: int = 0


@dataclass(frozen=True)
class Tenant:
    """A business that uses cauri, and the rules it chose."""

    id: str
    name: str
    tax_rates: dict[str, int] = field(default_factory=lambda: {STANDARD: 0})
    """Basis points by tax class: Kenya's 16 % is ``{"standard": 1600}``."""
    prices_include_tax: bool = False
    shipping: dict[str, ShippingRate] = field(default_factory=dict)
    """By currency; a currency that is not there ships for nothing."""
    shipping_tax_class: str = STANDARD
    demo: bool = False
    """In demo mode the demo provider takes payments."""
    locations: tuple[str, ...] = (MAIN,)
    """Where stock is kept, in the order in which orders are served from there."""
    cart_reservation_minutes: int = 10
    """How long a reserved cart line keeps its units."""
    reservation_minutes: int | None = None
    """How long an unpaid order keeps its stock and its holds; None is what the deployment says."""
    limits: dict[Tier, Quota] = field(default_factory=dict)
    """Rate limits that differ from the default ones."""
    refund_approval: dict[str, int] = field(default_factory=dict)
    """A refund of more than so many minor units of a currency is approved by a second person. Others need none."""
    version: int = 0

    def tax_rate(self, tax_class: str) -> int:
        """Basis points of `tax_class`."""
        if tax_class not in self.tax_rates:
            raise UnknownTaxClass(tax_class)
        return self.tax_rates[tax_class]

    def reservation(self, otherwise: timedelta) -> timedelta:
        """How long an unpaid order keeps its stock and its holds."""
        return otherwise if self.reservation_minutes is None else timedelta(minutes=self.reservation_minutes)

    @property
    def quotas(self) -> Quotas:
        return {**DEFAULT_QUOTAS, **self.limits}


@dataclass(frozen=True)
class Vendor:
    """Who sells. `commission_bps` of the goods' net price is the tenant's."""

    tenant: str
    id: str
    name: str
    country: str
    commission_bps: int
    disabled: bool = False
    """Nothing of it is sold, for now. What was ordered goes on."""
    version: int = 0


@dataclass(frozen=True)
class Party:
    """A person, apart from the books: erasing a party leaves every entry as it is.

    A customer's own record has the customer's id; who an order is for has an id of its own, and names the customer.
    """

    tenant: str
    id: str
    email: str
    name: str = ""
    phone: str = ""
    address: dict[str, str] = field(default_factory=dict)
    customer_id: str | None = None
    erased: bool = False
    version: int = 0

    def erase(self) -> Party:
        """Who it was is gone for good; that there was somebody stays, since the books name the id."""
        return replace(self, email="", name="", phone="", address={}, erased=True)
