"""A wallet as somebody would write it who needs none of what cauri does: no token, no key, no rule, no entry, no limit.

The same reads of the same items, and the same transaction of four items as large, by a handler that knows only JSON:
over botocore's client, or over a wire as cheap as cauri's own (which alone is taken from there).
"""

import functools
import json
import os
import time
import uuid
import zlib
from collections.abc import Callable
from typing import Any, Final

Item = dict[str, Any]
Send = Callable[[str, dict[str, Any]], dict[str, Any]]
TENANT: Final = "bench"
PREFIX: Final = os.environ.get("TABLE_PREFIX", "")
WALLET, LOG = f"{PREFIX}wallet", f"{PREFIX}log"


def handler(event: Any, context: Any) -> Any:
    """``GET`` or ``POST /bare/{wire|botocore}/{customer}``."""
    _, _, over, customer = event["rawPath"].split("/")
    send = {"wire": _over_wire, "botocore": _over_botocore}[over]()
    if event["requestContext"]["http"]["method"] == "GET":
        return _answer(200, _balances(_wallet(send, customer)))
    return _redeem(send, customer, json.loads(event["body"])["amount"]["amount"])


def _wallet(send: Send, customer: str) -> Item:
    keys = [{"pk": {"S": f"{TENANT}#programme"}, "sk": {"S": "rules"}}]
    keys.append({"pk": {"S": f"{TENANT}#wallet#{customer}"}, "sk": {"S": "wallet"}})
    asked = {"RequestItems": {WALLET: {"Keys": keys, "ConsistentRead": True}}}
    found = send("BatchGetItem", asked)["Responses"][WALLET]
    return next(item for item in found if item["sk"]["S"] == "wallet")


def _balances(wallet: Item) -> Any:
    document = json.loads(wallet["document"]["S"])
    sums: dict[str, int] = {}
    for lot in document["lots"].values():
        sums[lot["kind"]] = sums.get(lot["kind"], 0) + lot["units"]
    return {"customer_id": document["customer_id"], "balances": sums, "lots": list(document["lots"].values())}


def _redeem(send: Send, customer: str, amount: int) -> Any:
    wallet = _wallet(send, customer)
    document, version = json.loads(wallet["document"]["S"]), int(wallet["version"]["N"])
    lot = next(lot for lot in document["lots"].values() if lot["kind"] == "store_credit" and lot["units"] >= amount)
    lot["units"] -= amount
    redemption = {"id": f"red_{uuid.uuid4().hex}", "amount": amount, "lot": lot, "customer_id": customer}
    redemption["at"] = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    changed = {**wallet, "version": {"N": str(version + 1)}, "document": {"S": json.dumps(document)}}
    send("TransactWriteItems", {"TransactItems": list(_puts(changed, version, redemption))})
    return _answer(201, redemption)


def _puts(wallet: Item, version: int, redemption: Item) -> Any:
    customer, told = redemption["customer_id"], json.dumps(redemption)
    record = {"tenant": TENANT, "command": "redeem", "did": redemption, "entry": [lot_side(redemption)] * 2}
    log: Item = {"pk": {"S": f"{TENANT}#{redemption['id']}"}, "record": {"S": json.dumps(record)}}
    log |= {"day": {"S": f"{TENANT}#{redemption['at'][:10]}#00"}, "at": {"S": f"{redemption['at']}#{redemption['id']}"}}
    small = zlib.compressobj(1, zlib.DEFLATED, wbits=12, memLevel=4)
    log["answer"] = {"B": small.compress(told.encode()) + small.flush()}
    new = {"ConditionExpression": "attribute_not_exists(pk)"}
    yield {"Put": {"TableName": LOG, "Item": log, **new, "ReturnValuesOnConditionCheckFailure": "ALL_OLD"}}
    kept = {"ConditionExpression": "version = :v", "ExpressionAttributeValues": {":v": {"N": str(version)}}}
    yield {"Put": {"TableName": WALLET, "Item": wallet, **kept}}
    for pk, sk in ((f"redemption#{redemption['id']}", "redemption"), (f"statement#{customer}", f"{version + 1:012d}")):
        item = {"pk": {"S": f"{TENANT}#{pk}"}, "sk": {"S": sk}, "version": {"N": "1"}, "document": {"S": told}}
        yield {"Put": {"TableName": WALLET, "Item": item, **new}}


def lot_side(redemption: Item) -> Item:
    return {"account": f"wallet:store_credit:{redemption['customer_id']}", "amount": redemption["amount"]}


def _answer(status: int, body: Any) -> Any:
    return {"statusCode": status, "headers": {"content-type": "application/json"}, "body": json.dumps(body)}


# -- The two ways to the database


@functools.cache
def _over_wire() -> Send:
    from cauri.wire import DYNAMODB, Wire

    wire = Wire(DYNAMODB, region=os.environ["AWS_REGION"], connect_seconds=1, read_seconds=3, pool=2)
    return lambda operation, request: wire.send(operation, {**request, "ReturnConsumedCapacity": "TOTAL"})


@functools.cache
def _over_botocore() -> Send:
    import botocore.session

    client: Any = botocore.session.Session().create_client("dynamodb", region_name=os.environ["AWS_REGION"])
    calls = {"BatchGetItem": client.batch_get_item, "TransactWriteItems": client.transact_write_items}
    return lambda operation, request: calls[operation](**request, ReturnConsumedCapacity="TOTAL")
