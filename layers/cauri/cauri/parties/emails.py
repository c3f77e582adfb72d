"""An email address where no address may be: a keyed hash, which finds what it bought and tells nobody whose it is."""

from __future__ import annotations

import hashlib

from cauri.ids import digest


def email_digest(secret: str, tenant: str, email: str) -> str:
    """40 hex digits. Without `secret` nobody can try addresses out; the tenant is part of it.

    Addresses differ by more than their case almost nowhere, and people write theirs in either.
    """
    key = hashlib.blake2b(secret.encode(), digest_size=32).digest()
    said = digest(tenant, email.strip().lower())
    return hashlib.blake2b(said.encode(), key=key, digest_size=20).hexdigest()
