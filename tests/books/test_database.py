"""The one door to DynamoDB: what failures mean, how large reads are cut, and what counts as a wait."""

from __future__ import annotations

import dataclasses
import threading
from typing import Any

import pytest
from botocore.exceptions import ClientError
from cauri.books.database import (
    TRANSACTION_ACTIONS_MAX,
    ConditionFailed,
    Database,
    TransactionRefused,
)
from cauri.books.shelf import RULES_KNOWN_MAX, RulesShelf, Write, write_of
from cauri.errors import ContendedError, UnavailableError
from cauri.inventory.commands import PutProduct
from cauri.inventory.store import PRODUCTS, product_key
from cauri.parties.model import Vendor
from cauri.parties.store import tenant_key, vendor_key

from local.engine.ports import free_port
from tests.engines import REGION, TABLE_PREFIX
from tests.proof.faults import OwnDatabase
from tests.shop import Shop


class Failing(OwnDatabase):
    def __init__(self, origin: Database, error: Exception) -> None:
        super().__init__(origin)
        self._error = error

    def send(self, operation: str, request: dict[str, Any]) -> dict[str, Any]:
        raise self._error


def refusal(code: str, **more: Any) -> ClientError:
    response: Any = {"Error": {"Code": code, "Message": ""}, **more}
    return ClientError(response, "any")


def cancelled(*codes: str) -> ClientError:
    return refusal("TransactionCanceledException", CancellationReasons=[{"Code": code} for code in codes])


@pytest.mark.parametrize(
    ("error", "meaning"),
    [
        (refusal("ConditionalCheckFailedException"), ConditionFailed),
        (refusal("TransactionConflictException"), ContendedError),
        (refusal("TransactionInProgressException"), ContendedError),
        (refusal("ThrottlingException"), UnavailableError),
        (refusal("ProvisionedThroughputExceededException"), UnavailableError),
        (refusal("RequestLimitExceeded"), UnavailableError),
        (refusal("InternalServerError"), UnavailableError),
        (refusal("ValidationException"), ClientError),
        (refusal("ResourceNotFoundException"), ClientError),
        (cancelled("None", "ConditionalCheckFailed"), TransactionRefused),
        (cancelled("TransactionConflict", "ConditionalCheckFailed"), TransactionRefused),
        (cancelled("TransactionConflict", "ThrottlingError"), ContendedError),
        (cancelled("None", "ThrottlingError"), UnavailableError),
        (cancelled("None", "ProvisionedThroughputExceeded"), UnavailableError),
        (cancelled("None", "ValidationError"), ValueError),
        (cancelled("ItemCollectionSizeLimitExceeded", "ThrottlingError"), ValueError),
    ],
    ids=str,
)
def test_what_a_failure_means(shop: Shop, error: ClientError, meaning: type[Exception]) -> None:
    with pytest.raises(meaning) as raised:
        Failing(shop.database, error).transact([])
    assert type(raised.value) is meaning


def test_nobody_at_home_is_unavailable() -> None:
    """Over the real wire: what botocore raises is not what a stub would."""
    database = Database(prefix=TABLE_PREFIX, region=REGION, host=f"http://127.0.0.1:{free_port()}")
    with pytest.raises(UnavailableError, match="BatchGetItem"):
        database.fetch([tenant_key("soko")])


@pytest.mark.engines
def test_a_failed_condition_hands_back_what_is_stored(shop: Shop) -> None:
    """Both engines, since each says it in its own way."""
    vendor = Vendor(shop.tenant, "ven_1", "One", "KE", 0)
    write = write_of(vendor)
    shop.database.write(write)
    with pytest.raises(ConditionFailed) as failed:
        shop.database.write(Write("Put", {**write.request, "ReturnValuesOnConditionCheckFailure": "ALL_OLD"}))
    assert failed.value.item is not None
    assert failed.value.item["version"] == {"N": "1"}
    with pytest.raises(TransactionRefused) as refused:
        shop.database.transact([write_of(Vendor(shop.tenant, "ven_2", "Two", "KE", 0)), write])
    assert list(refused.value.failed) == [1]


def test_a_version_guards_what_was_read(shop: Shop) -> None:
    shop.furnish()
    key = vendor_key(shop.tenant, "ven_kazi")
    first, second = (shop.database.fetch([key])[key] for _ in range(2))
    assert first is not None
    assert first.version == 1
    shop.database.transact([write_of(first)])
    again = shop.database.fetch([key])[key]
    assert again is not None
    assert again.version == 2
    with pytest.raises(TransactionRefused):
        shop.database.transact([write_of(second)])


def test_a_transaction_has_an_end(shop: Shop) -> None:
    with pytest.raises(ValueError, match="at most 100"):
        shop.database.transact([Write("Put", {})] * (TRANSACTION_ACTIONS_MAX + 1))


def test_a_read_of_many_keys_is_cut_and_counts_as_one_wait(shop: Shop) -> None:
    shop.furnish()
    for number in range(3):
        shop.run(PutProduct(f"sku-{number * 100}", "ven_kazi", "Thing", {"KES": 1}))
    keys = [product_key(shop.tenant, f"sku-{number}") for number in range(250)]
    shop.database.meter.round_trips = shop.database.meter.calls = 0
    found = shop.database.fetch(keys)
    assert [key.pk for key in keys if found[key]] == [f"soko#product#sku-{number}" for number in (0, 100, 200)]
    assert (shop.database.meter.round_trips, shop.database.meter.calls) == (1, 3)


def test_a_query_reads_every_page(shop: Shop) -> None:
    shop.furnish()
    by_hash = {
        "IndexName": "by_list",
        "KeyConditionExpression": "#list = :list",
        "ExpressionAttributeNames": {"#list": "list"},
        "Limit": 1,
    }
    skus: list[str] = []
    for shard in range(16):
        values = {":list": {"S": f"{shop.tenant}#catalogue#{shard:02d}"}}
        items = shop.database.query_all("commerce", {**by_hash, "ExpressionAttributeValues": values})
        skus += [product.sku for product in PRODUCTS.from_items(items)]
    assert sorted(skus) == ["basket", "coffee", "shirt-l"]


# -- Together


def test_calls_made_together_are_at_once_and_one_wait(shop: Shop) -> None:
    everyone = threading.Barrier(4, timeout=5)
    before = shop.database.meter.round_trips

    def call() -> int:
        shop.database.fetch([tenant_key(shop.tenant)])
        return everyone.wait()

    assert sorted(shop.database.together(call, call, call, call)) == [0, 1, 2, 3]
    assert shop.database.meter.round_trips == before + 1


def test_when_one_fails_the_others_are_waited_for_and_the_first_failure_is_raised(shop: Shop) -> None:
    done: list[int] = []
    slowly = threading.Event()

    def late() -> None:
        slowly.wait(0.05)
        done.append(3)

    def fail(number: int) -> None:
        done.append(number)
        raise LookupError(number)

    with pytest.raises(LookupError) as raised:
        shop.database.together(lambda: done.append(0), lambda: fail(1), lambda: fail(2), late)
    assert raised.value.args == (1,)
    assert sorted(done) == [0, 1, 2, 3]


@dataclasses.dataclass(frozen=True)
class Rule:
    tenant: str
    text: str
    version: int = 0


def test_rules_that_did_not_change_are_not_read_anew_and_others_are(shop: Shop) -> None:
    shelf = RulesShelf("platform", Rule, place=lambda _: ("rule", "rule"), tenant=lambda rule: rule.tenant)
    key = shelf.key("soko", "rule", "rule")
    shop.database.transact([shelf.write(Rule("soko", "first"))])
    first = shop.database.fetch([key])[key]
    assert first == Rule("soko", "first", version=1)
    assert shop.database.fetch([key])[key] is first
    assert first is not None
    shop.database.transact([shelf.write(dataclasses.replace(first, text="second"))])
    assert shop.database.fetch([key])[key] == Rule("soko", "second", version=2)
    assert first == Rule("soko", "first", version=1)
    for number in range(RULES_KNOWN_MAX + 1):
        shelf.from_item(shelf.write(Rule("soko", f"{number}")).request["Item"])
    assert len(shelf._known) <= RULES_KNOWN_MAX
