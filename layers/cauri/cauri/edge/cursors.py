"""Cursors: where a page ended, signed, so that a cursor is good for nothing but the next page of the same list."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Sequence
from typing import ClassVar, Final

from cauri.errors import Refusal
from cauri.values import dataclass

_SIGNATURE_BYTES: Final = 16


class InvalidCursor(Refusal):
    """Not a cursor of this list: altered, or of another tenant, route or filter."""

    code: ClassVar[str] = "invalid_cursor"

    def detail(self) -> str:
        return "The cursor does not belong to this list."

    def suggestion(self) -> str:
        return "Begin without a cursor, and pass on each next_cursor as it came, with the same filters."


@dataclass(frozen=True)
class Cursors:
    """The cursors of one list: `scope` names the tenant, the route and every filter."""

    secret: str
    scope: Sequence[str]

    def seal(self, position: str | None) -> str | None:
        """The cursor that leads on from `position`; none, where the list has ended."""
        if position is None:
            return None
        raw = self._signature(position) + position.encode()
        return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()

    def open(self, cursor: str | None) -> str | None:
        """The position of a cursor; none is the beginning. Raises InvalidCursor."""
        if cursor is None:
            return None
        try:
            raw = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
            position = raw[_SIGNATURE_BYTES:].decode()
        except (binascii.Error, ValueError):
            raise InvalidCursor from None
        if not hmac.compare_digest(raw[:_SIGNATURE_BYTES], self._signature(position)):
            raise InvalidCursor
        return position

    def _signature(self, position: str) -> bytes:
        # A list as text has no second reading, whatever its parts contain.
        scoped = repr(["cursor", *self.scope, position])
        return hmac.new(self.secret.encode(), scoped.encode(), hashlib.sha256).digest()[:_SIGNATURE_BYTES]
