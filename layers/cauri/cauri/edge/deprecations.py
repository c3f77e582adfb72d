"""Routes that will go: since when, until when, and what to call instead. Every answer of such a route says so."""

from __future__ import annotations

import re
from collections.abc import Mapping
from email.utils import format_datetime
from typing import Final
from urllib.parse import quote

from cauri.clock import Instant
from cauri.values import dataclass


@dataclass(frozen=True)
class Deprecation:
    """`successor` is the path to call instead; it may have parameters of the route's own: ``/v2/orders/<order_id>``."""

    since: Instant
    successor: str
    sunset: Instant | None = None
    """When the route goes, if that is decided."""

    def headers(self, arguments: Mapping[str, str]) -> dict[str, str]:
        """``Deprecation`` (RFC 9745), ``Sunset`` (RFC 8594) and a ``Link`` to the successor (RFC 5829)."""
        path = re.sub(r"<(\w+)>", lambda name: quote(arguments.get(name[1], name[0]), safe=""), self.successor)
        said = {
            "Deprecation": f"@{int(self.since.timestamp())}",
            "Link": f'<{path}>; rel="successor-version"',
        }
        return said if self.sunset is None else said | {"Sunset": format_datetime(self.sunset, usegmt=True)}


Deprecations = Mapping[tuple[str, str], Deprecation]
"""By method and path, as the route is registered: ``("GET", "/v1/orders/<order_id>")``."""

DEPRECATED: Final[Deprecations] = {}
