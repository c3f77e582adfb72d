"""The outside parties of the local cloud, each on a port of its own."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final
from urllib.parse import parse_qsl

from local.http.events import Request, Response
from local.outside.http import Call, Courier, Party
from local.outside.paystack import FakePaystack
from local.outside.rewards import FakeRewards
from local.outside.tillipay import FakeTilliPay
from local.secrets import Secrets

Play = Callable[[str, str, Secrets], Party]
"""Makes a party, given where it answers, where webhooks go, and whose keys there are."""


class OutsideParty:
    """The site of a party."""

    def __init__(self, party: Party) -> None:
        self._party = party

    async def __call__(self, request: Request) -> Response:
        headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in request.headers}
        call = Call(request.method, request.path, dict(parse_qsl(request.query)), headers, request.body)
        reply = self._party.answer(call)
        said = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in reply.headers.items()]
        return Response(reply.status, said, reply.body)


def _paystack(url: str, webhook_url: str, secrets: Secrets) -> Party:
    return FakePaystack(
        url,
        lambda key: secrets.tenant_of("PaystackKeys", key),
        Courier(webhook_url, "paystack"),
        _now,
        ends_refunds=True,
    )


def _tillipay(url: str, webhook_url: str, secrets: Secrets) -> Party:
    return FakeTilliPay(
        url, lambda begins: secrets.begun("TilliPayKeys", begins), Courier(webhook_url, "tillipay"), _now
    )


def _rewards(url: str, webhook_url: str, secrets: Secrets) -> Party:
    return FakeRewards(lambda key: secrets.tenant_of("RewardsKeys", key))


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


PARTIES: Final[dict[str, Play]] = {"Paystack": _paystack, "TilliPay": _tillipay, "Rewards": _rewards}
"""By the name that the template's parameter begins with: `PaystackUrl`."""
