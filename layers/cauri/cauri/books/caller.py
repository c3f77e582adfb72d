"""Who sends a command, or asks."""

from __future__ import annotations

from cauri.values import dataclass


@dataclass(frozen=True)
class Caller:
    """Who sends a command. `subject` is scoped to the tenant; our own sagas and consumers call as ``system:…``."""

    tenant: str
    subject: str
    roles: frozenset[str] = frozenset()
    customer_id: str | None = None
    vendor_id: str | None = None
    ip: str = ""
    proven_email: str | None = None
    """The caller's address, if the issuer says that it was verified. It goes into no record."""

    def has(self, *roles: str) -> bool:
        return not self.roles.isdisjoint(roles)

    @property
    def is_staff(self) -> bool:
        """The tenant's own people: they see what belongs to any of its customers and vendors."""
        return self.has("manager", "finance", "admin")
