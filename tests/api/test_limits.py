"""Rate limits over HTTP: each tier's, their headers, and what happens when nobody can count."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import botocore.exceptions
import pytest
from cauri.edge import wiring
from cauri.edge.limiter import LEASE, Limiter
from cauri.parties.limits import DEFAULT_QUOTAS, Quota, Tier
from cauri.parties.store import tenant_key

from tests.api.client import People, Reply
from tests.api.test_checkout import buy
from tests.proof.state import items
from tests.shop import SetClock, Shop

SECONDS_INTO_THE_MINUTE = 10
RESETS_IN = "50"
CREDITS = "/v1/wallets/cus_amina/credits"


@dataclass
class Gate:
    """The limiter of one instance: its clock, and the quotas that the tenant has."""

    database: Any
    clock: SetClock
    quotas: dict[Tier, Quota]

    def __post_init__(self) -> None:
        self.instance = self.another()

    def another(self) -> Limiter:
        """As another instance of the function has it."""
        return Limiter(self.database, self.clock, lambda tenant: {**DEFAULT_QUOTAS, **self.quotas})

    def set(self, **quotas: Quota) -> None:
        self.quotas.update({Tier(name): quota for name, quota in quotas.items()})


@pytest.fixture
def gate(people: People, shop: Shop, monkeypatch: pytest.MonkeyPatch) -> Gate:
    shop.programme()
    clock = SetClock()
    clock.advance(seconds=SECONDS_INTO_THE_MINUTE)
    gate = Gate(wiring.database(), clock, {})
    monkeypatch.setattr(wiring, "limiter", lambda: gate.instance)
    return gate


def read(people: People) -> Reply:
    return people.customer().get("/v1/wallets/cus_amina/statement")


def write(people: People) -> Reply:
    return people.customer().post("/v1/carts", {"currency": "KES"})


def pay(people: People) -> Reply:
    return buy(people.customer(), ("coffee", 1))


def issue(people: People) -> Reply:
    return people.admin.post(CREDITS, credit(1))


def credit(amount: int) -> dict[str, Any]:
    return {"kind": "store_credit", "amount": {"amount": amount, "currency": "KES"}, "source": "goodwill"}


TIERS: dict[Tier, Callable[[People], Reply]] = {
    Tier.READS: read,
    Tier.WRITES: write,
    Tier.MONEY_WRITES: pay,
    Tier.STAFF_ISSUANCE: issue,
}


def given(gate: Gate) -> dict[str, int]:
    """What is counted, by policy and who."""
    counted = {}
    for item in items()["limits"]:
        _, policy, _, who = item["pk"]["S"].split("#")
        counted[f"{policy} {who}"] = int(item["given"]["N"])
    return counted


@pytest.mark.parametrize("tier", Tier)
def test_a_caller_has_as_many_requests_in_a_minute_as_its_tier_says(tier: Tier, people: People, gate: Gate) -> None:
    request, limit = TIERS[tier], DEFAULT_QUOTAS[tier].per_caller
    assert limit is not None
    for number in range(limit):
        reply = request(people)
        assert reply.status < 300, (number, reply.body)
        assert f'"{tier}-caller";r={limit - number - 1};t={RESETS_IN}' in reply.headers["ratelimit"]
        assert f'"{tier}-caller";q={limit};w=60' in reply.headers["ratelimit-policy"]
    for _ in range(2):
        over = request(people)
        assert (over.status, over.code) == (429, "rate_limited")
        assert over.headers["retry-after"] == RESETS_IN
        assert f'"{tier}-caller";r=0;t={RESETS_IN}' in over.headers["ratelimit"]
        assert (over.json()["policy"], over.json()["limit"]) == (f"{tier}-caller", limit)
    gate.clock.advance(seconds=int(RESETS_IN))
    assert request(people).status < 300


def test_the_limits_of_spec_1_are_the_default_ones() -> None:
    assert {tier: (quota.per_caller, quota.per_ip) for tier, quota in DEFAULT_QUOTAS.items()} == {
        Tier.READS: (60, 300),
        Tier.WRITES: (60, 300),
        Tier.MONEY_WRITES: (10, 50),
        Tier.STAFF_ISSUANCE: (30, None),
    }


def test_an_address_has_a_limit_over_all_its_callers(people: People, gate: Gate) -> None:
    gate.set(money_writes=Quota(per_caller=2, per_ip=3))
    for name in ("amina", "brian", "chebet"):
        assert buy(people.customer(name), ("coffee", 1)).status == 201
    over = buy(people.customer("daudi"), ("coffee", 1))
    assert (over.status, over.json()["policy"]) == (429, "money_writes-ip")
    elsewhere = buy(people.customer("daudi").at("198.51.100.4"), ("coffee", 1))
    assert elsewhere.status == 201


def test_the_addresses_of_one_connection_are_one(people: People, gate: Gate) -> None:
    gate.set(money_writes=Quota(per_caller=None, per_ip=1))
    assert buy(people.customer().at("2001:db8:1:2::5"), ("coffee", 1)).status == 201
    assert buy(people.customer().at("2001:db8:1:2:ffff::1"), ("coffee", 1)).status == 429
    assert buy(people.customer().at("2001:db8:1:3::5"), ("coffee", 1)).status == 201


def test_guests_share_a_token_and_are_told_apart_by_their_address(people: People, gate: Gate) -> None:
    gate.set(money_writes=Quota(per_caller=1, per_ip=2))
    email = {"contact": {"email": "guest@example.com"}}
    replies = [buy(people.guest, ("coffee", 1), **email) for _ in range(3)]
    assert [reply.status for reply in replies] == [201, 201, 429]
    assert "caller" not in replies[0].headers["ratelimit-policy"]
    assert buy(people.guest.at("198.51.100.4"), ("coffee", 1), **email).status == 201


def test_over_the_limit_nothing_moves_and_the_same_key_works_later(people: People, shop: Shop, gate: Gate) -> None:
    gate.set(staff_issuance=Quota(1, None))
    assert issue(people).status == 201
    gate.instance = gate.another()  # one that does not know yet
    for _ in range(2):
        assert people.admin.post(CREDITS, credit(5), key="later").code == "rate_limited"
    assert shop.worth()[0] == 1
    gate.clock.advance(minutes=1)
    assert people.admin.post(CREDITS, credit(5), key="later").status == 201
    assert shop.worth()[0] == 6


def test_what_is_turned_away_gives_back_the_stock_that_it_took(people: People, shop: Shop, gate: Gate) -> None:
    gate.set(money_writes=Quota(1, None))
    assert pay(people).status == 201
    left = sum(cell.available for cell in shop.cells("coffee"))
    gate.instance = gate.another()
    assert pay(people).status == 429
    assert sum(cell.available for cell in shop.cells("coffee")) == left


def test_guessing_is_limited_as_well(people: People, gate: Gate) -> None:
    """What is refused, or malformed, or only tried, is counted."""
    gate.set(money_writes=Quota(4, None))
    amina = people.customer()
    assert buy(amina, ("none", 1)).code == "unknown_sku"
    assert buy(amina, ("coffee", 0)).code == "invalid_request"
    assert amina.post("/v1/checkouts", {}, headers={"idempotency-key": ""}).code == "idempotency_key_invalid"
    assert amina.get("/v1/vendors/ven_kazi").code == "forbidden"
    assert amina.post("/v1/checkouts?dry_run=true", {"lines": 1}).status == 400
    for _ in range(2):
        assert buy(amina, ("none", 1)).code == "rate_limited"
    assert [one for one in given(gate) if one.startswith("money_writes-caller")] == ["money_writes-caller usr_amina"]


def test_money_writes_are_counted_one_by_one_whichever_instance_they_meet(people: People, gate: Gate) -> None:
    gate.set(staff_issuance=Quota(5, None))
    statuses = []
    for _ in range(8):
        gate.instance = gate.another()
        statuses.append(issue(people).status)
    assert statuses == [201] * 5 + [429] * 3


def test_reads_are_leased_ten_at_a_time(people: People, gate: Gate) -> None:
    meter = gate.database.meter
    before = meter.units_of.get("UpdateItem", 0)
    for _ in range(LEASE):
        read(people)
    assert meter.units_of["UpdateItem"] - before == 2, "one write of a unit for the caller, one for the address"
    assert given(gate) == {"reads-caller usr_amina": LEASE, "reads-ip 192.0.2.7": LEASE}
    read(people)
    assert given(gate)["reads-caller usr_amina"] == 2 * LEASE


def test_together_instances_never_let_in_more_than_the_quota(people: People, gate: Gate) -> None:
    """Each holds a lease; what one does not spend is lost to the others, and no token is given out twice."""
    gate.set(reads=Quota(25, None))
    instances = [gate.another() for _ in range(3)]
    statuses = []
    for number in range(45):
        gate.instance = instances[number % 3]
        statuses.append(read(people).status)
    assert statuses.count(200) == 25


def test_who_is_over_the_limit_costs_nothing_more(people: People, gate: Gate) -> None:
    gate.set(money_writes=Quota(1, None))
    pay(people)
    pay(people)
    calls = gate.database.meter.calls
    assert pay(people).status == 429
    assert gate.database.meter.calls == calls


def test_a_large_quota_is_leased_whatever_its_tier(people: People, gate: Gate) -> None:
    gate.set(staff_issuance=Quota(5_000, None))
    issue(people)  # the quotas are not known yet
    for _ in range(5):
        assert issue(people).status == 201
    assert given(gate)["staff_issuance-caller usr_admin"] == 1 + LEASE


def test_a_tenant_without_a_limit_counts_nothing_and_says_so(people: People, gate: Gate) -> None:
    gate.set(reads=Quota(None, None))
    read(people)
    before = given(gate)
    reply = read(people)
    assert (reply.status, given(gate)) == (200, before)
    assert "ratelimit" not in reply.headers


def test_the_tenants_own_quotas_come_from_its_settings(people: People, shop: Shop) -> None:
    settings = {"name": "Soko", "demo": True, "limits": {"money_writes": {"per_caller": 2}}}
    assert people.admin.put("/v1/tenant", settings).status == 200
    known = shop.database.fetch([tenant_key("soko")])[tenant_key("soko")]
    assert known is not None
    assert known.quotas[Tier.MONEY_WRITES] == Quota(2, 50)
    wiring.limiter.cache_clear()  # or wait until it reads them again
    reply = pay(people)
    assert reply.headers["ratelimit-policy"] == '"money_writes-caller";q=2;w=60, "money_writes-ip";q=50;w=60'


def test_another_tenants_requests_are_not_counted_here(people: People, gate: Gate) -> None:
    gate.set(reads=Quota(1, 1))
    assert read(people).status == 200
    assert read(people).status == 429
    assert People(people.issuer, "kiosk").customer().get("/v1/wallets/cus_amina/statement").status == 200


# -- When nobody can count


def breaks(gate: Gate, monkeypatch: pytest.MonkeyPatch, fault: Callable[[], None]) -> None:
    """Every call to the limits meets `fault`; the rest of the database is well."""
    send = gate.database.send

    def failing(operation: str, request: dict[str, Any]) -> Any:
        if request.get("TableName", "").endswith("limits"):
            fault()
        return send(operation, request)

    monkeypatch.setattr(gate.database, "send", failing)


def fault_of(error: Exception) -> Callable[[], None]:
    def fault() -> None:
        raise error

    return fault


FAULTS: dict[str, Callable[[], None]] = {
    "refused": fault_of(botocore.exceptions.EndpointConnectionError(endpoint_url="https://10.0.0.7")),
    "timeout": fault_of(botocore.exceptions.ReadTimeoutError(endpoint_url="https://10.0.0.7")),
    "throttled": fault_of(
        botocore.exceptions.ClientError({"Error": {"Code": "ThrottlingException", "Message": ""}}, "UpdateItem")
    ),
    "denied": fault_of(
        botocore.exceptions.ClientError({"Error": {"Code": "AccessDeniedException", "Message": ""}}, "UpdateItem")
    ),
    "a mistake of ours": fault_of(KeyError("given")),
}


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("tier", Tier)
def test_a_limiter_that_is_down_lets_everybody_pass(
    fault: str, tier: Tier, people: People, gate: Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate.set(**{tier: Quota(1, 1)})
    breaks(gate, monkeypatch, FAULTS[fault])
    for _ in range(3):
        reply = TIERS[tier](people)
        assert reply.status < 300
        assert f'"{tier}-caller";q=1;w=60' in reply.headers["ratelimit-policy"]


def test_a_limiter_that_hangs_is_not_waited_for(people: People, gate: Gate, monkeypatch: pytest.MonkeyPatch) -> None:
    released = threading.Event()
    breaks(gate, monkeypatch, lambda: released.wait(10) and None)  # type: ignore[func-returns-value]
    gate.set(staff_issuance=Quota(1, 1))
    try:
        began = time.monotonic()
        assert [issue(people).status for _ in range(5)] == [201] * 5
        assert time.monotonic() - began < 3, "one request waits a little, and the next ones not at all"
    finally:
        released.set()


def test_it_counts_again_when_it_is_back(people: People, gate: Gate, monkeypatch: pytest.MonkeyPatch) -> None:
    gate.set(money_writes=Quota(1, 1))
    with monkeypatch.context() as broken:
        breaks(gate, broken, FAULTS["timeout"])
        assert pay(people).status == 201
    monkeypatch.setattr("cauri.edge.limiter.time.monotonic", lambda now=time.monotonic: now() + 6)
    assert [pay(people).status for _ in range(2)] == [201, 429]


# -- What it costs to wait


@pytest.mark.parametrize("tier", Tier)
def test_counting_is_no_wait_of_its_own(
    tier: Tier, people: People, gate: Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The counts are not answered before the request's own work has begun: one after the other, nothing would come."""
    begun = threading.Event()
    send = gate.database.send
    waited = []

    def held(operation: str, request: dict[str, Any]) -> Any:
        if operation == "UpdateItem" and request["TableName"].endswith("limits"):
            waited.append(begun.wait(5))
        else:
            begun.set()
        return send(operation, request)

    monkeypatch.setattr(gate.database, "send", held)
    monkeypatch.setattr("cauri.edge.limiter.PATIENCE_SECONDS", 5)
    before = gate.database.meter.round_trips
    assert TIERS[tier](people).status < 300
    assert waited
    assert all(waited)
    assert (
        gate.database.meter.round_trips - before
        == {
            Tier.READS: 1,
            Tier.WRITES: 2,
            Tier.MONEY_WRITES: 3,
            Tier.STAFF_ISSUANCE: 2,
        }[tier]
    )
