"""Rate limits: how many requests a caller, and an address, may send in a minute. Source: SPEC 1, DESIGN 3.

The count of a minute is one item, and tokens are leased from it: an unconditional ADD whose answer says which of them
are good. Money writes lease one token at a time, and so are counted exactly; reads lease ten, and spend them in this
instance. Counting goes on beside the work of the request, which is asked for its tokens when that is done and nothing
is committed yet. A limiter that does not answer lets everybody pass.
"""

from __future__ import annotations

import functools
import ipaddress
import logging
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import ClassVar, Final

from cauri.books.caller import Caller
from cauri.books.database import Database
from cauri.books.shelf import Write, item_of
from cauri.clock import Clock
from cauri.edge.problems import EdgeRefusal
from cauri.parties.limits import DEFAULT_QUOTAS, Quotas, Tier
from cauri.values import dataclass

logger = logging.getLogger(__name__)

WINDOW_SECONDS: Final = 60
LEASE: Final = 10
LEASED: Final = frozenset({Tier.READS, Tier.WRITES})
LEASED_FROM: Final = 1000
"""Of so large a quota every tier leases: what other instances have left over of theirs is no matter then."""
PATIENCE_SECONDS: Final = 0.25
"""How much longer than the request's own work the counting may take."""
PAUSE_SECONDS: Final = 5
"""For how long nobody is counted after the counting failed."""
QUOTAS_REMEMBERED_SECONDS: Final = 10
KEPT_SECONDS: Final = 3600


@dataclass
class RateLimited(EdgeRefusal):
    """Too many requests in this minute. Nothing was done."""

    code: ClassVar[str] = "rate_limited"
    policy: str
    limit: int
    retry_after: int

    def detail(self) -> str:
        return f"More than {self.limit} requests in a minute: the limit {self.policy!r}."

    def suggestion(self) -> str:
        return f"Send the same request again in {self.retry_after} s."

    def facts(self) -> dict[str, object]:
        return {"policy": self.policy, "limit": self.limit}

    def headers(self) -> dict[str, str]:
        return {"Retry-After": str(self.retry_after)}


@dataclass(frozen=True)
class Bucket:
    """Whose requests of which tier are counted together: a caller's, or an address's."""

    tenant: str
    tier: Tier
    by: str
    who: str

    @property
    def policy(self) -> str:
        return f"{self.tier}-{self.by}"

    def limit(self, quotas: Quotas) -> int | None:
        quota = quotas[self.tier]
        return quota.per_caller if self.by == "caller" else quota.per_ip


@dataclass
class Lease:
    """Tokens of one bucket's minute that this instance holds. `beyond` were still to be had when it took them."""

    left: int = 0
    beyond: int = 0
    exhausted: bool = False


@dataclass
class _Claim:
    """One request's token of one bucket: at hand, or being counted out."""

    bucket: Bucket
    lease: Lease
    asked: int = 0
    given: Future[int] | None = None


@dataclass(frozen=True)
class Standing:
    """Where a request stands with one limit, after it was counted."""

    policy: str
    limit: int
    left: int


@dataclass
class Allowance:
    """What became of counting one request. It is asked before anything is committed, and before an answer goes out."""

    _settle: Callable[[], Sequence[Standing]]
    _resets_in: int
    is_pending: bool = False
    """Whether it takes a wait to know."""
    _over: RateLimited | None = None
    _standings: Sequence[Standing] | None = None

    def require(self) -> None:
        """Raises RateLimited, whenever it is asked, if the request is one too many."""
        if self._standings is None:
            self._standings = self._settle()
            for standing in self._standings:
                if standing.left < 0:
                    self._over = RateLimited(standing.policy, standing.limit, self._resets_in)
        if self._over is not None:
            raise self._over

    def headers(self) -> dict[str, str]:
        """``RateLimit-Policy`` and ``RateLimit``, as draft-ietf-httpapi-ratelimit-headers-11 has them."""
        standings = self._standings or ()
        if not standings:
            return {}
        return {
            "RateLimit-Policy": ", ".join(f'"{one.policy}";q={one.limit};w={WINDOW_SECONDS}' for one in standings),
            "RateLimit": ", ".join(f'"{one.policy}";r={max(one.left, 0)};t={self._resets_in}' for one in standings),
        }


class Limiter:
    """Counts requests. `quotas_of` reads a tenant's own quotas; None for a tenant that is not set up."""

    def __init__(self, database: Database, clock: Clock, quotas_of: Callable[[str], Quotas | None]) -> None:
        self._database = database
        self._clock = clock
        self._quotas_of = quotas_of
        self._quotas: dict[str, tuple[float, Quotas]] = {}
        self._minute = 0
        self._leases: dict[Bucket, Lease] = {}
        self._lock = threading.Lock()
        self._resumes_at = 0.0

    def begin(self, caller: Caller, tier: Tier) -> Allowance:
        """Begin to count a request, beside whatever is done next."""
        seconds = int(self._clock().timestamp())
        minute, resets_in = seconds // WINDOW_SECONDS, WINDOW_SECONDS - seconds % WINDOW_SECONDS
        known = self._known_quotas(caller.tenant)
        if time.monotonic() < self._resumes_at:
            return Allowance(lambda: _uncounted(_buckets(caller, tier), known or DEFAULT_QUOTAS), resets_in)
        asked = None if known else self._database.beside(functools.partial(self._quotas_of, caller.tenant))
        limited = [bucket for bucket in _buckets(caller, tier) if not known or bucket.limit(known) is not None]
        with self._lock:
            if minute != self._minute:
                self._minute, self._leases = minute, {}
            held = {bucket: self._leases.setdefault(bucket, Lease()) for bucket in limited}
            over = [_Claim(bucket, lease) for bucket, lease in held.items() if lease.exhausted]
            claims = over or [self._claim(bucket, lease, minute, known) for bucket, lease in held.items()]
        pending = asked is not None or any(claim.given for claim in claims)
        return Allowance(lambda: self._settle(claims, caller, known, asked), resets_in, pending)

    def _claim(self, bucket: Bucket, lease: Lease, minute: int, known: Quotas | None) -> _Claim:
        if lease.left:
            lease.left -= 1
            return _Claim(bucket, lease, asked=1)
        count = LEASE if bucket.tier in LEASED or _is_large(bucket, known) else 1
        given = self._database.beside(functools.partial(self._count, bucket, minute, count))
        return _Claim(bucket, lease, count, given)

    def _count(self, bucket: Bucket, minute: int, count: int) -> int:
        """Give out `count` tokens more; how many are given out then. Whether they are good, the quota says."""
        request = {
            "TableName": "limits",
            "Key": item_of(pk=f"{bucket.tenant}#{bucket.policy}#{minute}#{bucket.who}"),
            "UpdateExpression": "SET expires = :expires ADD given :count",  # the database drops it when it expires
            "ExpressionAttributeValues": item_of(
                **{":expires": (minute + 1) * WINDOW_SECONDS + KEPT_SECONDS, ":count": count}
            ),
            "ReturnValues": "UPDATED_NEW",
        }
        answer = self._database.write(Write("Update", request))
        assert answer is not None
        return int(answer["given"]["N"])

    def _settle(
        self,
        claims: Sequence[_Claim],
        caller: Caller,
        known: Quotas | None,
        asked: Future[Quotas | None] | None,
    ) -> Sequence[Standing]:
        deadline = time.monotonic() + PATIENCE_SECONDS
        quotas = known or DEFAULT_QUOTAS
        try:
            if asked is not None and (own := asked.result(_until(deadline))) is not None:
                quotas = own
                self._quotas[caller.tenant] = (time.monotonic(), own)
            given = [claim.given.result(_until(deadline)) if claim.given else 0 for claim in claims]
        except Exception as trouble:  # noqa: BLE001 - whatever it is, it is the limiter's, and not the caller's
            self._resumes_at = time.monotonic() + PAUSE_SECONDS
            logger.warning("requests are not counted for %d s: %r", PAUSE_SECONDS, trouble)
            return _uncounted([claim.bucket for claim in claims], quotas)
        with self._lock:
            standings = [_standing(claim, count, quotas) for claim, count in zip(claims, given, strict=True)]
        return [standing for standing in standings if standing is not None]

    def _known_quotas(self, tenant: str) -> Quotas | None:
        read_at, quotas = self._quotas.get(tenant, (0.0, None))
        return quotas if time.monotonic() - read_at < QUOTAS_REMEMBERED_SECONDS else None


def _standing(claim: _Claim, given: int, quotas: Quotas) -> Standing | None:
    """What the count means for this request, and for the lease that it may have renewed."""
    limit = claim.bucket.limit(quotas)
    if limit is None:
        return None
    lease = claim.lease
    good = claim.asked
    if claim.given is not None:
        good = max(0, min(claim.asked, limit - (given - claim.asked)))
        lease.left += max(0, good - 1)
        lease.beyond = max(0, limit - given)
    if not good:
        lease.exhausted = True
        return Standing(claim.bucket.policy, limit, -1)
    return Standing(claim.bucket.policy, limit, lease.left + lease.beyond)


def _uncounted(buckets: Sequence[Bucket], quotas: Quotas) -> Sequence[Standing]:
    """Nothing is taken off, while nobody counts."""
    limits = [(bucket.policy, bucket.limit(quotas)) for bucket in buckets]
    return [Standing(policy, limit, limit) for policy, limit in limits if limit is not None]


def _buckets(caller: Caller, tier: Tier) -> Sequence[Bucket]:
    """A guest's token is its shop's, and all guests share it: they are told apart by their address alone."""
    by_ip = Bucket(caller.tenant, tier, "ip", _network(caller.ip))
    if caller.roles == {"guest"}:
        return [by_ip]
    return [Bucket(caller.tenant, tier, "caller", caller.subject), by_ip]


def _network(ip: str) -> str:
    """An address; of IPv6 the 64 bits that a provider gives to one customer, who may make up the rest."""
    if ":" not in ip:
        return ip
    return str(ipaddress.ip_network((ip, 64), strict=False))


def _is_large(bucket: Bucket, quotas: Quotas | None) -> bool:
    return quotas is not None and (bucket.limit(quotas) or 0) >= LEASED_FROM


def _until(deadline: float) -> float:
    return max(0.0, deadline - time.monotonic())
