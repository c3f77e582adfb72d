"""The handlers, on moto, with the environment that the template gives them."""

import os
from collections.abc import Iterator
from datetime import date

import pytest
from cauri.books import chronicle
from cauri.edge import wiring
from cauri.parties.limits import Quota, Tier

from tests.api.client import People
from tests.api.issuer import AUDIENCE, Issuer
from tests.books.test_seals import Vault
from tests.engines import TABLE_PREFIX, Engine
from tests.proof.state import Snapshot, snapshot
from tests.shop import Shop, database_of


@pytest.fixture(scope="session")
def issuer() -> Iterator[Issuer]:
    issuer = Issuer()
    # What a function reads once, it reads before any test of this folder calls one.
    os.environ.update(
        TABLE_PREFIX=TABLE_PREFIX,
        TOKEN_ISSUER=issuer.url,
        TOKEN_AUDIENCE=AUDIENCE,
        EDGE_SECRET="a secret of the tests",
        PARTY_SECRET="a third secret of the tests",
        PUBLIC_URL="https://api.soko.example",
        DEMO_PROVIDER_SECRET="another secret of the tests",
        DEMO_PROVIDER_URL="https://pay.soko.example/",
    )
    yield issuer
    issuer.close()


@pytest.fixture
def people(issuer: Issuer, engine: Engine) -> People:
    wiring.limiter.cache_clear()  # what another test asked
    return People(issuer)


@pytest.fixture(scope="session")
def furnished(moto_engine: Engine) -> tuple[Shop, Snapshot]:
    """The market once, and what is stored then: to furnish it takes longer than most tests."""
    moto_engine.reset()
    unhurried = dict.fromkeys(Tier, Quota(None, None))
    shop = Shop(database_of(moto_engine)).furnish(limits=unhurried).stock(shirt_l=30, basket=10, coffee=50)
    return shop, snapshot()


@pytest.fixture
def shop(furnished: tuple[Shop, Snapshot], engine: Engine) -> Shop:
    """The market, furnished and stocked through the books, beside the API."""
    first, stored = furnished
    stored.restore()
    return Shop(first.database, keys=first.keys)


@pytest.fixture(autouse=True)
def vault(monkeypatch: pytest.MonkeyPatch) -> Vault:
    """Where seals are copied to: a bucket in memory, for moto has none here. Nothing is older than the market."""
    vault = Vault()
    monkeypatch.setattr(wiring, "vault", lambda: vault)
    monkeypatch.setattr(chronicle, "FIRST_DAY", date(2026, 11, 18))
    return vault
