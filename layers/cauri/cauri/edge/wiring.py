"""What a function is made of, read from its environment once and built when it is first needed."""

from __future__ import annotations

import functools
import os
import random
from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from cauri.books.database import Database
from cauri.clock import Clock, system_clock
from cauri.edge.snapstart import on_snapshots

if TYPE_CHECKING:
    from cauri.books.commit import Books, Settings
    from cauri.books.seals import Vault
    from cauri.edge.auth import Verifier
    from cauri.edge.limiter import Limiter
    from cauri.parties.limits import Quotas
    from cauri.providers.keys import Keys
    from cauri.providers.ports import PaymentProvider
    from cauri.providers.rewards import RewardIssuer
    from cauri.providers.statements import StatementProvider

RESERVATION_SECONDS_DEFAULT: Final = 15 * 60


def clock() -> Clock:
    return system_clock


@functools.cache
def database() -> Database:
    return Database(prefix=os.environ["TABLE_PREFIX"], region=os.environ["AWS_REGION"])


@functools.cache
def books() -> Books:
    from cauri.books.commit import Books  # not for functions that commit nothing

    return Books(database(), clock(), providers=providers(), settings=settings())


@functools.cache
def settings() -> Settings:
    from cauri.books.commit import Settings

    seconds = int(os.environ.get("RESERVATION_SECONDS", RESERVATION_SECONDS_DEFAULT))
    return Settings(
        reservation=timedelta(seconds=seconds), public_url=public_url(), party_secret=os.environ.get("PARTY_SECRET", "")
    )


@functools.cache
def providers() -> Mapping[str, PaymentProvider]:
    """The providers that this function may ask, by name: each is made when it is first named."""
    makers = {
        "demo": ("DEMO_PROVIDER_SECRET", _demo),
        "paystack": ("PAYSTACK_URL", _paystack),
        "tillipay": ("TILLIPAY_URL", _tillipay),
    }
    here = {name: make for name, (variable, make) in makers.items() if os.environ.get(variable)}
    return Made(here | {"manual": _manual})


def statements() -> Mapping[str, StatementProvider]:
    """The providers that tell what they did, of those that this function may ask."""
    from cauri.providers.demo_statements import DemoStatements
    from cauri.providers.http import Http
    from cauri.providers.paystack_api import PaystackApi
    from cauri.providers.paystack_statements import PaystackStatements

    here: dict[str, StatementProvider] = {}
    if secret := os.environ.get("DEMO_PROVIDER_SECRET"):
        here["demo"] = DemoStatements(os.environ["DEMO_PROVIDER_URL"], secret, Http())
    if url := os.environ.get("PAYSTACK_URL"):
        here["paystack"] = PaystackStatements(PaystackApi(url.rstrip("/"), _keys("PAYSTACK_KEYS"), Http()))
    return here


def _demo() -> PaymentProvider:
    from cauri.providers.demo import DemoProvider  # its HTTP client is not for functions that call nobody

    # Without a circuit breaker: to have outages is its purpose.
    return DemoProvider(os.environ.get("DEMO_PROVIDER_URL", ""), os.environ["DEMO_PROVIDER_SECRET"], clock())


def _paystack() -> PaymentProvider:
    from cauri.providers.http import Http
    from cauri.providers.paystack import Paystack
    from cauri.providers.paystack_api import PaystackApi

    api = PaystackApi(os.environ["PAYSTACK_URL"].rstrip("/"), _keys("PAYSTACK_KEYS"), Http())
    return _guarded(Paystack(api, addresses=frozenset(os.environ["PAYSTACK_ADDRESSES"].split(","))))


def _tillipay() -> PaymentProvider:
    from cauri.providers.http import Http
    from cauri.providers.tillipay import TilliPay

    return _guarded(TilliPay(os.environ["TILLIPAY_URL"], _keys("TILLIPAY_KEYS"), Http()))


def _manual() -> PaymentProvider:
    from cauri.providers.manual import Manual

    return Manual()


@functools.cache
def reward_issuer() -> RewardIssuer:
    """Who answers for partners' rewards."""
    from cauri.payments.circuits import SharedCircuit
    from cauri.providers.guarded import GuardedIssuer
    from cauri.providers.http import Http
    from cauri.providers.reward_issuer import HttpRewardIssuer

    http = Http(read_seconds=2.0)  # an undo has four seconds in all
    issuer = HttpRewardIssuer(os.environ["REWARDS_URL"], _keys("REWARDS_KEYS"), http)
    return GuardedIssuer(issuer, SharedCircuit(database(), issuer.name, clock()))


def _keys(variable: str) -> Keys:
    from cauri.edge.secrets import TenantKeys, secret_text

    return TenantKeys(secret_text(os.environ[variable]))


def _guarded(provider: PaymentProvider) -> PaymentProvider:
    from cauri.payments.circuits import SharedCircuit
    from cauri.providers.guarded import Guarded

    return Guarded(provider, SharedCircuit(database(), provider.name, clock()))


@functools.cache
def limiter() -> Limiter:
    """Who counts the requests of callers."""
    from cauri.edge.limiter import Limiter
    from cauri.parties.store import tenant_key

    def quotas_of(tenant: str) -> Quotas | None:
        key = tenant_key(tenant)
        known = database().fetch([key])[key]
        return known.quotas if known else None

    return Limiter(database(), clock(), quotas_of)


@functools.cache
def verifier() -> Verifier:
    """Who tells whether a bearer token is one of the issuer's."""
    from cauri.edge.auth import KeySet, Verifier  # 60 ms of cryptography that consumers do without
    from cauri.providers.http import Http

    issuer = os.environ["TOKEN_ISSUER"]
    return Verifier(issuer, os.environ["TOKEN_AUDIENCE"], KeySet(f"{issuer.rstrip('/')}/.well-known/jwks.json", Http()))


class Made(Mapping[str, "PaymentProvider"]):
    """Providers by name, each made when it is first asked for."""

    def __init__(self, makers: Mapping[str, Callable[[], PaymentProvider]]) -> None:
        self._makers = {name: functools.cache(make) for name, make in makers.items()}

    def __getitem__(self, name: str) -> PaymentProvider:
        return self._makers[name]()

    def __iter__(self) -> Iterator[str]:
        return iter(self._makers)

    def __len__(self) -> int:
        return len(self._makers)


@functools.cache
def vault() -> Vault:
    """Where the seals of the log are kept."""
    from cauri.edge.vault import S3Vault

    return S3Vault(os.environ["SEALS_BUCKET"])


def edge_secret() -> str:
    """What signs cursors and our own links."""
    return os.environ["EDGE_SECRET"]


def public_url() -> str:
    """Where people reach the API, without a slash at the end."""
    return os.environ.get("PUBLIC_URL", "http://localhost").rstrip("/")


def _before_snapshot() -> None:
    """Make what the first request would wait for. Nothing is connected, and no key is fetched."""
    database().get_ready()
    if "TOKEN_ISSUER" in os.environ:
        verifier()
        limiter()


def _after_restore() -> None:
    """Copies of one snapshot share no connection, no key of the issuer, and no sequence of random numbers."""
    database().forget_connections()
    verifier.cache_clear()
    limiter.cache_clear()
    random.seed()  # for jitter only: what must not be guessed comes from `secrets`


on_snapshots(_before_snapshot, _after_restore)
