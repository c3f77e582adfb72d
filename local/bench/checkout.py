"""What a placed order costs: one line, a guest, a reservation, and a payment session with the demo provider.

Two figures. The checkout alone: what follows of its commit is held back meanwhile. And the order whole: paid at the
provider's page, told by its webhook, confirmed by the saga. Whether everything adds up is looked at after each.
"""

import asyncio
import json
import os
import statistics
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import httpx

from local.bench.load import Connection, Tally, visits
from local.bench.prices import Item, Used, bill
from local.bench.processes import cpu_ms
from local.cloud import LocalCloud
from local.story.client import Client
from local.story.market import TIERS
from local.workers.meter import METERED

TENANT: Final = "bench"
VENDOR: Final = "ven_bench"
CHECKOUTS: Final = "/v1/checkouts"
SKUS: Final = 100
UNITS: Final = 800
"""Of each; it is spread over 40 cells, as a shop has it that expects a crowd."""
SCARCE: Final = "scarce"
SCARCE_UNITS: Final = 10
PROVIDER: Final = "DemoProvider"
"""Not ours: on AWS it is somebody else who pays for it."""
WARM_UP: Final = 64
SAMPLE: Final = 40
DRAIN_SECONDS_MAX: Final = 240.0

CHECKOUT_AIM: Final = {"per_second": 150, "cpu_ms": 9}
ORDER_AIM: Final = {"handlers_cpu_ms": 20}

RULES: Final = {
    "name": "The benchmark",
    "tax_rates": {"standard": 1600},
    "prices_include_tax": False,
    "shipping": {"KES": {"base": 25_000, "per_kg": 12_000}},
    "shipping_tax_class": "standard",
    "demo": True,
    "limits": {tier: {"per_caller": 1_000_000, "per_ip": 1_000_000} for tier in TIERS},  # all clients have one address
}

Told = Callable[[str], None]


class DoesNotAddUpError(Exception):
    """A run left something that must not be. The message says what."""


@dataclass(frozen=True)
class Run:
    """One number of clients. CPU is in milliseconds per placed order."""

    clients: int
    orders: int
    seconds: float
    p50_ms: float
    p95_ms: float
    p99_ms: float
    cpu: Mapping[str, float]
    """By part: handlers, engine, provider, interpreter, front (with the pumps), and what is around the handlers."""
    clients_cpu_ms: float
    by_function: Mapping[str, float]

    @property
    def per_second(self) -> float:
        return self.orders / self.seconds

    @property
    def all_cpu_ms(self) -> float:
        return sum(self.cpu.values())

    @property
    def handlers_and_engine_ms(self) -> float:
        return self.cpu["handlers"] + self.cpu["engine"]

    def as_json(self) -> dict[str, Any]:
        derived = {
            "per_second": self.per_second,
            "all_cpu_ms": self.all_cpu_ms,
            "handlers_and_engine_cpu_ms": self.handlers_and_engine_ms,
        }
        return {**vars(self), **derived}


@dataclass(frozen=True)
class Sample:
    """Means over orders that were bought one after another, metered."""

    orders: int
    calls: Mapping[str, float]
    """Calls of DynamoDB per order, by function."""
    round_trips: Mapping[str, float]
    """Waits for DynamoDB per order, by function; calls made together are one."""
    write_units: float
    read_units: float
    hottest: str
    hottest_share: float
    invocations: Mapping[str, float]
    used: Used

    @property
    def bill(self) -> list[Item]:
        return bill(self.used)

    def as_json(self) -> dict[str, Any]:
        items = [
            {"what": item.price.what, "per_million": item.price.dollars, "per_order": item.per_order, "why": item.why}
            | {"per_1000_orders": item.dollars_per_1000}
            for item in self.bill
        ]
        total = sum(item.dollars_per_1000 for item in self.bill)
        known = {name: value for name, value in vars(self).items() if name != "used"}
        return {**known, "aws": {"dollars_per_1000_orders": total, "items": items}}


# -- A market to buy at ---------------------------------------------------------------------------------


@dataclass
class Market:
    """One tenant of a running cloud. It remembers what it was answered."""

    cloud: LocalCloud
    admin: Client
    guest: str
    placed: int = 0
    sold_scarce: int = 0
    rounds: int = 0
    """How often a run began: keys must not come again."""
    connections: dict[int, tuple[Connection, Connection]] = field(default_factory=dict)

    async def check_out(self, client: int, turn: int, tally: Tally, *, pays: bool = False, sku: str = "") -> None:
        shop, provider = self._connections(client)
        headers = {
            "Authorization": f"Bearer {self.guest}",
            "Idempotency-Key": f"bench-{self.rounds}-{client}-{turn}",
            "Content-Type": "application/json",
        }
        loop = asyncio.get_running_loop()
        began = loop.time()
        reply = await shop.post(CHECKOUTS, headers, _basket(sku or f"sku-{turn % SKUS}"))
        took = loop.time() - began
        tally.statuses[reply.status] += 1
        if reply.status != 201:
            return
        tally.latencies.append(took)
        if pays:
            page = json.loads(reply.body)["authorization_url"]
            outcome = b'{"outcome":"succeed"}'
            path = page[len("://".join(urlsplit(page)[:2])) :]
            paid = await provider.post(path, {"Content-Type": "application/json"}, outcome)
            if paid.status >= 300:
                raise DoesNotAddUpError(f"the provider's page answered {paid.status}")

    def _connections(self, client: int) -> tuple[Connection, Connection]:
        if client not in self.connections:
            provider = self.cloud.function_url(PROVIDER)
            self.connections[client] = Connection(self.cloud.api_url), Connection(provider)
        return self.connections[client]

    async def run(self, clients: int, **options: Any) -> Tally:
        """Some clients check out, for some time or so often. What is no 201 is an error."""
        pays = options.pop("pays", False)
        self.rounds += 1
        try:
            tally = await visits(partial(self.check_out, pays=pays), clients, **options)
        finally:
            self.hang_up()
        self.placed += tally.done
        if set(tally.statuses) - {201}:
            raise DoesNotAddUpError(f"checkouts were answered {dict(tally.statuses)}")
        return tally

    async def rush(self, clients: int) -> None:
        """More people at once want the scarce goods than there are units. Some buy, the others are refused."""
        self.rounds += 1
        wanted = 2 * SCARCE_UNITS
        try:
            tally = await visits(partial(self.check_out, sku=SCARCE), clients, seconds=60, times_max=wanted)
        finally:
            self.hang_up()
        self.placed += tally.done
        self.sold_scarce += tally.done
        if set(tally.statuses) - {201, 409} or self.sold_scarce != SCARCE_UNITS:
            raise DoesNotAddUpError(f"{SCARCE_UNITS} scarce units were sold {self.sold_scarce} times: {tally.statuses}")

    def hang_up(self) -> None:
        for pair in self.connections.values():
            for connection in pair:
                connection.close()
        self.connections.clear()

    def look(self, status: str) -> None:
        """Raises DoesNotAddUpError, unless orders, stock and books tell what the clients were told."""
        shares = list(self._pages("/v1/orders", vendor_id=VENDOR))
        orders = {share["order_id"] for share in shares}
        if len(orders) != self.placed:
            raise DoesNotAddUpError(f"{self.placed} answers of 201, but {len(orders)} orders")
        if any(share["status"] != status for share in shares) and status == "CONFIRMED":
            self._confirmed(orders)
        taken = sum(self._taken(sku, UNITS) for sku in skus())
        taken += self._taken(SCARCE, SCARCE_UNITS)
        if taken != self.placed:
            raise DoesNotAddUpError(f"{self.placed} orders took {taken} units off the shelves")
        if not self.admin.get("/v1/ledger/trial-balance")["balanced"]:
            raise DoesNotAddUpError("the books do not balance")

    def _confirmed(self, orders: Iterable[str]) -> None:
        found = Counter(self.admin.get(f"/v1/orders/{order}")["status"] for order in orders)
        if set(found) != {"CONFIRMED"}:
            raise DoesNotAddUpError(f"all was paid, but the orders are {dict(found)}")

    def _taken(self, sku: str, received: int) -> int:
        """Units of a product that somebody waits for or has bought."""
        stock = self.admin.get(f"/v1/stock/{sku}")
        taken: int = stock["reserved"] + stock["allocated"]
        if stock["on_hand"] != received or stock["available"] != received - taken or stock["available"] < 0:
            raise DoesNotAddUpError(f"the stock of {sku} does not add up: {stock}")
        return taken

    def _pages(self, path: str, **query: Any) -> Iterator[Any]:
        while True:
            page = self.admin.get(path, limit=100, **query)
            yield from page["items"]
            if page["next_cursor"] is None:
                return
            query["cursor"] = page["next_cursor"]


def skus() -> list[str]:
    return [f"sku-{number}" for number in range(SKUS)]


def _basket(sku: str) -> bytes:
    body = {
        "lines": [{"sku": sku, "quantity": 1}],
        "currency": "KES",
        "tenders": [{"type": "provider", "provider": "demo"}],
        "contact": {"email": "guest@example.com"},
        "return_url": "https://shop.example/thanks",
    }
    return json.dumps(body).encode()


def opened(cloud: LocalCloud) -> Market:
    token = partial(cloud.token, tenant=TENANT)
    http = httpx.Client(timeout=60, trust_env=False)
    admin = Client(http, cloud.api_url, token(roles=["admin"]))
    admin.put("/v1/tenant", RULES)
    admin.put(f"/v1/vendors/{VENDOR}", {"name": "Everything", "country": "KE", "commission_bps": 1000})
    for sku, units in [*((sku, UNITS) for sku in skus()), (SCARCE, SCARCE_UNITS)]:
        admin.put(f"/v1/products/{sku}", {"vendor_id": VENDOR, "title": f"The {sku}", "prices": {"KES": 89_950}})
        admin.post(f"/v1/stock/{sku}/receipts", {"quantity": units})
    cloud.idle(60)
    return Market(cloud, admin, token(roles=["guest"]))


# -- What functions reported ----------------------------------------------------------------------------


class Reports:
    """The last word on each invocation, as workers write it to the functions' logs; each is read once."""

    def __init__(self, cloud: LocalCloud) -> None:
        self._directory = Path(cloud.where["logs"])
        self._read: Counter[Path] = Counter()

    def new(self) -> dict[str, list[dict[str, Any]]]:
        """The metrics of the invocations since this was last asked, by function."""
        return {
            log.stem: [record["record"]["metrics"] for record in self._lines(log)]
            for log in sorted(self._directory.glob("*.jsonl"))
        }

    def _lines(self, log: Path) -> Iterator[Any]:
        with log.open("rb") as lines:
            lines.seek(self._read[log])
            for line in lines:
                self._read[log] += len(line)
                if b'"platform.report"' in line:
                    yield json.loads(line)


# -- Measuring ------------------------------------------------------------------------------------------


class Bench:
    """One cloud with one market."""

    def __init__(self, cloud: LocalCloud) -> None:
        self.cloud = cloud
        self.market = opened(cloud)
        self._reports = Reports(cloud)

    def warm_up(self, *, pays: bool) -> None:
        """Have every worker import what it needs."""
        asyncio.run(self.market.run(8, seconds=60, times_max=WARM_UP, pays=pays))
        if pays:
            self.cloud.idle(DRAIN_SECONDS_MAX)

    def checkouts(self, clients: int, seconds: float) -> Run:
        """The checkout alone. The streams must be held back."""
        measured = self._measured(lambda: asyncio.run(self.market.run(clients, seconds=seconds)), clients)
        self.market.look("PENDING_PAYMENT")
        return measured

    def orders(self, clients: int, seconds: float) -> Run:
        """Orders whole: measured until everything that follows of them is done."""

        def buy() -> Tally:
            tally = asyncio.run(self.market.run(clients, seconds=seconds, pays=True))
            self.cloud.idle(DRAIN_SECONDS_MAX)
            return tally

        measured = self._measured(buy, clients)
        self.market.look("CONFIRMED")
        return measured

    def _measured(self, act: Callable[[], Tally], clients: int) -> Run:
        self._reports.new()
        session = int(self.cloud.where["pid"])
        before = cpu_ms(session)
        tally = act()
        spent = cpu_ms(session)
        spent.subtract(before)
        by_function = {
            name: sum(one["cpuMs"] for one in reports) / tally.done for name, reports in self._reports.new().items()
        }
        return Run(
            clients,
            tally.done,
            tally.seconds,
            tally.percentile_ms(50),
            tally.percentile_ms(95),
            tally.percentile_ms(99),
            cpu=_parts({part: ms / tally.done for part, ms in spent.items()}, by_function),
            clients_cpu_ms=tally.own_cpu_ms / tally.done,
            by_function={name: ms for name, ms in by_function.items() if ms > 0},
        )

    def sample(self, memory_mb: int) -> Sample:
        """Orders one after another, whole. The cloud must be metered."""
        self._reports.new()
        tally = asyncio.run(self.market.run(1, seconds=120, times_max=SAMPLE, pays=True))
        self.cloud.idle(DRAIN_SECONDS_MAX)
        reports = {name: found for name, found in self._reports.new().items() if name != PROVIDER and found}
        self.market.look("CONFIRMED")
        return _sample(reports, tally.done, memory_mb)


def _parts(processes: Mapping[str, float], by_function: Mapping[str, float]) -> dict[str, float]:
    """Workers host functions: ours are apart from the provider, and both from what a worker does around them."""
    provider = by_function.get(PROVIDER, 0.0)
    handlers = sum(by_function.values()) - provider
    around = max(0.0, processes.get("workers", 0.0) - handlers - provider)
    others = {part: ms for part, ms in processes.items() if part not in ("workers", "engine")}
    engine = processes.get("engine", 0.0)
    return {"handlers": handlers, "engine": engine, "provider": provider, "around": around, **others}


def _sample(reports: Mapping[str, Sequence[Mapping[str, Any]]], orders: int, memory_mb: int) -> Sample:
    def per_order(of: Callable[[Mapping[str, Any]], float]) -> dict[str, float]:
        return {name: sum(map(of, found)) / orders for name, found in reports.items()}

    units: Counter[str] = Counter()
    totals = {"read": 0.0, "write": 0.0}
    for call in (call for found in reports.values() for one in found for call in one["calls"]):
        for axis in totals:
            for partition, spent in call.get(axis, {}).items():
                units[partition] += spent
                totals[axis] += spent / orders
    [(hottest, most)] = units.most_common(1)
    waits = per_order(lambda one: _waits(one["calls"]))
    invocations = per_order(lambda _: 1)
    cpu = per_order(lambda one: one["cpuMs"])
    return Sample(
        orders,
        per_order(lambda one: len(one["calls"])),
        waits,
        totals["write"],
        totals["read"],
        hottest,
        most / units.total(),
        invocations,
        Used(
            write_units=totals["write"],
            read_units=totals["read"],
            invocations=sum(invocations.values()),
            cpu_ms=sum(cpu.values()),
            round_trips=sum(waits.values()),
            http_requests=invocations.get("CheckoutApi", 0.0),
            messages=3 * invocations.get("PaymentsEvents", 0.0),
            steps=invocations.get("CheckoutSteps", 0.0),
            memory_mb=memory_mb,
        ),
    )


def _waits(calls: Iterable[Mapping[str, Any]]) -> int:
    """How often one waits for calls that overlap in time."""
    waits, until = 0, 0.0
    for call in sorted(calls, key=lambda one: one["began"]):
        waits += call["began"] >= until
        until = max(until, call["ended"])
    return waits


@dataclass(frozen=True)
class Report:
    cores: int
    engine: str
    checkouts: list[Run]
    orders: list[Run]
    sample: Sample

    @property
    def best_checkouts(self) -> Run:
        return max(self.checkouts, key=lambda run: run.per_second)

    def aims(self) -> dict[str, tuple[float, float, bool]]:
        """What was reached, what was aimed at, and whether that is met."""
        best = self.best_checkouts
        handlers = statistics.median(run.cpu["handlers"] for run in self.orders)
        rate, cost, whole = CHECKOUT_AIM["per_second"], CHECKOUT_AIM["cpu_ms"], ORDER_AIM["handlers_cpu_ms"]
        return {
            "checkouts per second": (best.per_second, rate, best.per_second >= rate),
            "CPU-ms of a checkout, handlers and engine": (
                best.handlers_and_engine_ms,
                cost,
                best.handlers_and_engine_ms <= cost,
            ),
            "CPU-ms of an order, all handlers": (handlers, whole, handlers <= whole),
        }

    def as_json(self) -> dict[str, Any]:
        return {
            "cores": self.cores,
            "engine": self.engine,
            "checkouts": [run.as_json() for run in self.checkouts],
            "orders": [run.as_json() for run in self.orders],
            "sample": self.sample.as_json(),
            "aims": {
                name: {"reached": reached, "aim": aim, "met": met} for name, (reached, aim, met) in self.aims().items()
            },
        }


def measure(template: Path, directory: Path, clients: Sequence[int], seconds: float, told: Told) -> Report:
    """All of it, on clouds of its own. Raises DoesNotAddUpError, and what clouds raise. `told` hears of each step."""
    cores = os.cpu_count() or 1

    def cloud(name: str) -> LocalCloud:
        told(f"starting a cloud for {name}")
        return LocalCloud(template, data=directory / name, workers=cores, fresh=True)

    with cloud("checkouts") as running:
        engine = str(running.where["engine"]["name"])
        bench = Bench(running)
        running.switchboard.hold_streams(True)
        bench.warm_up(pays=False)
        checkouts = [_said(told, "checkouts", bench.checkouts, number, seconds) for number in clients]
        asyncio.run(bench.market.rush(max(clients)))
        bench.market.look("PENDING_PAYMENT")
        running.kill()  # nobody needs what was held back
    with cloud("orders") as running:
        bench = Bench(running)
        bench.warm_up(pays=True)
        orders = [_said(told, "whole orders", bench.orders, number, seconds) for number in clients]
    os.environ[METERED] = "1"
    try:
        with cloud("sample") as running:
            bench = Bench(running)
            bench.warm_up(pays=True)
            told("metering an order")
            sample = bench.sample(_memory(template))
    finally:
        del os.environ[METERED]
    return Report(cores, engine, checkouts, orders, sample)


def _said(told: Told, what: str, run: Callable[[int, float], Run], clients: int, seconds: float) -> Run:
    told(f"{what}: {clients} {'client' if clients == 1 else 'clients'} for {seconds:.0f} s")
    return run(clients, seconds)


def _memory(template: Path) -> int:
    from local.template import read

    return max(function.memory_mb for function in read(template).functions.values())
