"""What a balance and a redemption cost, beside a bare function that makes the same calls of the database.

The three are asked in turn, a part of the time each, so that what else the machine does meets all alike: cauri, the
bare function over a wire as cheap as cauri's, and the same over botocore's client. What follows of a commit is held
back. Whether every wallet has what was not spent of it is looked at in the end.
"""

import asyncio
import json
import os
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import httpx

from local.bench.checkout import RULES, DoesNotAddUpError, Reports, Told
from local.bench.load import Connection, Tally, Visit, visits
from local.bench.processes import cpu_ms
from local.cloud import LocalCloud
from local.story.client import Client

TENANT: Final = "bench"
CREDIT: Final = 9_000
POINTS: Final = 500
PROGRAMME: Final = {"reporting_currency": "KES", "per_1000_points": {"KES": 10_000}}
SUBJECTS: Final = {"cauri": "WalletApi", "bare": "BareWallet", "bare, botocore": "BareWallet"}
"""What is measured, and the function that answers."""
STRICT: Final = "bare"
"""The baseline that cauri is held against: the dearer one is there to compare with what people write."""
ROUNDS: Final = 3
WARM_UP: Final = 200
SETUP_CLIENTS: Final = 16
THROUGHPUT_AIM: Final = 0.7
ON_TOP_MS_AIM: Final = 0.5

BARE: Final = """Resources:

  BareWallet:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: local/bench/bare
      Handler: wallet.handler
      Policies:
        - Statement:
            - { Effect: Allow, Action: dynamodb:PutItem, Resource: !GetAtt LogTable.Arn }
            - { Effect: Allow, Action: [dynamodb:BatchGetItem, dynamodb:PutItem], Resource: !GetAtt WalletTable.Arn }
      Events:
        Bare: { Type: HttpApi, Properties: { ApiId: !Ref Api, Method: ANY, Path: "/bare/{proxy+}" } }
"""


@dataclass
class Run:
    """One subject asked one thing. CPU is in milliseconds per answer, by part; the handler's is its function's own."""

    subject: str
    clients: int
    tally: Tally = field(default_factory=Tally)
    spent: Counter[str] = field(default_factory=Counter)
    handler_ms: float = 0.0
    """In all."""

    def add(self, tally: Tally, spent: Counter[str], handler_ms: float) -> None:
        self.tally.seconds += tally.seconds
        self.tally.own_cpu_ms += tally.own_cpu_ms
        self.tally.latencies += tally.latencies
        self.tally.statuses += tally.statuses
        self.spent.update(spent)
        self.handler_ms += handler_ms

    @property
    def per_second(self) -> float:
        return self.tally.done / self.tally.seconds

    @property
    def cpu(self) -> dict[str, float]:
        done = self.tally.done
        parts = {part: ms / done for part, ms in sorted(self.spent.items()) if part in ("engine", "front")}
        around = (self.spent.get("workers", 0.0) - self.handler_ms) / done
        return {"handler": self.handler_ms / done, "around": max(0.0, around), **parts}

    @property
    def all_cpu_ms(self) -> float:
        return sum(self.cpu.values())

    def as_json(self) -> dict[str, Any]:
        percentiles = {f"p{percent}_ms": self.tally.percentile_ms(percent) for percent in (50, 95, 99)}
        counted = {"done": self.tally.done, "seconds": self.tally.seconds, "per_second": self.per_second}
        clients = {"clients": self.clients, "clients_cpu_ms": self.tally.own_cpu_ms / self.tally.done}
        return {
            "subject": self.subject,
            **clients,
            **counted,
            **percentiles,
            "cpu_ms": self.cpu,
            "all_cpu_ms": self.all_cpu_ms,
        }


@dataclass(frozen=True)
class Report:
    cores: int
    engine: str
    balances: list[Run]
    redemptions: list[Run]

    def aims(self) -> dict[str, tuple[float, float, bool]]:
        """What was reached, what was aimed at, and whether that is met."""
        aims = {}
        for what, runs in (("balances", self.balances), ("redemptions", self.redemptions)):
            ours, bare = (next(run for run in runs if run.subject == subject) for subject in ("cauri", STRICT))
            ratio = ours.per_second / bare.per_second
            by_cpu = bare.all_cpu_ms / ours.all_cpu_ms  # what throughput comes to on cores that nobody else uses
            on_top = ours.cpu["handler"] - bare.cpu["handler"]
            aims[f"{what}: throughput, of the bare function's"] = ratio, THROUGHPUT_AIM, ratio >= THROUGHPUT_AIM
            aims[f"{what}: the same, by CPU-ms"] = by_cpu, THROUGHPUT_AIM, by_cpu >= THROUGHPUT_AIM
            aims[f"{what}: CPU-ms on top of the bare handler"] = on_top, ON_TOP_MS_AIM, on_top < ON_TOP_MS_AIM
        return aims

    def as_json(self) -> dict[str, Any]:
        return {
            "cores": self.cores,
            "engine": self.engine,
            "balances": [run.as_json() for run in self.balances],
            "redemptions": [run.as_json() for run in self.redemptions],
            "aims": {
                name: {"reached": reached, "aim": aim, "met": met} for name, (reached, aim, met) in self.aims().items()
            },
        }


# -- Customers to serve -----------------------------------------------------------------------------------


@dataclass
class Bank:
    """One tenant of a running cloud, with a customer for each client and subject."""

    cloud: LocalCloud
    admin: Client
    clients: int
    tokens: dict[str, str] = field(default_factory=dict)
    connections: dict[int, Connection] = field(default_factory=dict)
    redeemed: Counter[str] = field(default_factory=Counter)
    """By customer: how often."""
    asked: int = 0

    async def issue(self, client: int, turn: int, tally: Tally) -> None:
        """Credit, or points, to one of all customers."""
        customer, kind = self.customers()[(turn - 1) // 2], (turn - 1) % 2
        value = {"kind": "points", "points": POINTS} if kind else {"kind": "store_credit", "amount": _kes(CREDIT)}
        path = f"/v1/wallets/{customer}/credits"
        await self._ask(client, tally, "POST", path, self._headers(self.admin.token), {**value, "source": "the bench"})

    async def balance(self, client: int, turn: int, tally: Tally, *, subject: str) -> None:
        customer = _customer(subject, client)
        await self._ask(client, tally, "GET", _path(subject, customer), self._headers(self.tokens[customer]))

    async def redeem(self, client: int, turn: int, tally: Tally, *, subject: str) -> None:
        customer = _customer(subject, client)
        path = _path(subject, customer) + ("/redemptions" if subject == "cauri" else "")
        headers = self._headers(self.tokens[customer])
        if await self._ask(client, tally, "POST", path, headers, {"amount": _kes(1)}):
            self.redeemed[customer] += 1

    def customers(self) -> list[str]:
        return [_customer(subject, client) for subject in ("cauri", STRICT) for client in range(self.clients)]

    def look(self) -> None:
        """Raises DoesNotAddUpError, unless every wallet has what its customer did not spend."""
        for customer in self.customers():
            kinds = {one["kind"]: one for one in self.admin.get(f"/v1/wallets/{customer}")["balances"]}
            left = kinds["store_credit"]["available"]["amount"]
            if left != CREDIT - self.redeemed[customer]:
                raise DoesNotAddUpError(f"{customer} redeemed {self.redeemed[customer]} of {CREDIT}, and has {left}")

    async def come(self, visit: Visit, clients: int, *, seconds: float, times_max: int) -> Tally:
        """Raises DoesNotAddUpError if anybody is refused."""
        try:
            tally = await visits(visit, clients, seconds=seconds, times_max=times_max)
        finally:
            for connection in self.connections.values():
                connection.close()
            self.connections.clear()
        if set(tally.statuses) - {200, 201}:
            raise DoesNotAddUpError(f"answered were {dict(tally.statuses)}")
        return tally

    def _headers(self, token: str) -> dict[str, str]:
        self.asked += 1
        return {
            "Authorization": f"Bearer {token}",
            "Idempotency-Key": f"bench-{self.asked}",
            "Content-Type": "application/json",
        }

    async def _ask(
        self, client: int, tally: Tally, method: str, path: str, headers: dict[str, str], body: Any = None
    ) -> bool:
        if client not in self.connections:
            self.connections[client] = Connection(self.cloud.api_url)
        loop = asyncio.get_running_loop()
        began = loop.time()
        raw = b"" if body is None else json.dumps(body).encode()
        reply = await self.connections[client].ask(method, path, headers, raw)
        tally.statuses[reply.status] += 1
        if reply.status >= 300:
            return False
        tally.latencies.append(loop.time() - began)
        return True


def _customer(subject: str, client: int) -> str:
    """The bare function spoils wallets for the books, so it has its own."""
    return f"cus_{'cauri' if subject == 'cauri' else 'bare'}_{client}"


def _path(subject: str, customer: str) -> str:
    if subject == "cauri":
        return f"/v1/wallets/{customer}"
    return f"/bare/{'wire' if subject == STRICT else 'botocore'}/{customer}"


def _kes(amount: int) -> dict[str, Any]:
    return {"amount": amount, "currency": "KES"}


def opened(cloud: LocalCloud, clients: int) -> Bank:
    http = httpx.Client(timeout=60, trust_env=False)
    admin = Client(http, cloud.api_url, cloud.token(tenant=TENANT, roles=["admin"]))
    admin.put("/v1/tenant", RULES)
    admin.put("/v1/loyalty-programme", PROGRAMME)
    bank = Bank(cloud, admin, clients)
    for customer in bank.customers():
        bank.tokens[customer] = cloud.token(tenant=TENANT, roles=["customer"], customer_id=customer, sub=customer)
    asyncio.run(bank.come(bank.issue, SETUP_CLIENTS, seconds=600, times_max=2 * len(bank.customers())))
    return bank


# -- Measuring ------------------------------------------------------------------------------------------


class Bench:
    def __init__(self, cloud: LocalCloud, clients: int, told: Told) -> None:
        told(f"opening {2 * clients} wallets")
        self._cloud = cloud
        self._bank = opened(cloud, clients)
        self._reports = Reports(cloud)
        self._told = told

    def measure(self, what: str, times_max: int, seconds: float) -> list[Run]:
        """Every subject in turn, for a part of the time each, and over again. `seconds` and `times_max` are of each."""
        visit = {"balances": self._bank.balance, "redemptions": self._bank.redeem}[what]
        runs = [Run(subject, self._bank.clients) for subject in SUBJECTS]
        for run in runs:
            self._turn(partial(visit, subject=run.subject), 8, 60, WARM_UP)
        for number in range(1, ROUNDS + 1):
            for run in runs:
                self._told(f"{what}, {number} of {ROUNDS}: {run.subject}, {self._bank.clients} clients")
                self._measured(run, partial(visit, subject=run.subject), seconds / ROUNDS, times_max // ROUNDS)
        return runs

    def look(self) -> None:
        self._told("looking at every wallet")
        self._bank.look()

    def _measured(self, run: Run, visit: Visit, seconds: float, times_max: int) -> None:
        self._reports.new()
        session = int(self._cloud.where["pid"])
        before = cpu_ms(session)
        tally = self._turn(visit, run.clients, seconds, times_max)
        spent = cpu_ms(session)
        spent.subtract(before)
        reports = self._reports.new()[SUBJECTS[run.subject]]
        run.add(tally, spent, sum(one["cpuMs"] for one in reports))

    def _turn(self, visit: Visit, clients: int, seconds: float, times_max: int) -> Tally:
        return asyncio.run(self._bank.come(visit, clients, seconds=seconds, times_max=times_max))


@contextmanager
def with_bare_function(template: Path) -> Iterator[Path]:
    """The template, with one function more."""
    with TemporaryDirectory(prefix="cauri-bench-") as directory:
        for name in ("functions", "layers"):
            (Path(directory) / name).symlink_to(template.resolve().parent / name)
        written = Path(directory) / "template.yaml"
        written.write_text(template.read_text().replace("\nResources:\n", f"\n{BARE}", 1))
        yield written


def measure(
    template: Path, directory: Path, clients: int, lookups: int, redemptions: int, seconds: float, told: Told
) -> Report:
    """All of it, on a cloud of its own. Raises DoesNotAddUpError, and what clouds raise. `told` hears of each step."""
    cores = os.cpu_count() or 1
    told("starting a cloud")
    with (
        with_bare_function(template) as written,
        LocalCloud(written, data=directory / "wallet", workers=cores, fresh=True) as cloud,
    ):
        cloud.switchboard.hold_streams(True)
        bench = Bench(cloud, clients, told)
        balances = bench.measure("balances", lookups, seconds)
        redeemed = bench.measure("redemptions", redemptions, seconds)
        bench.look()
        report = Report(cores, str(cloud.where["engine"]["name"]), balances, redeemed)
        cloud.kill()  # nobody needs what was held back
    return report
