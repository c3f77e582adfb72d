"""Consumers of the stream, the queue and the schedule, which write down what they saw."""

import json
import os
import time

import botocore.session

dynamodb = botocore.session.get_session().create_client("dynamodb")


def see(kind, what):
    item = {"pk": {"S": kind}, "sk": {"S": what}, "at": {"N": repr(time.time())}}
    dynamodb.update_item(
        TableName=os.environ["SEEN"],
        Key={"pk": item["pk"], "sk": item["sk"]},
        UpdateExpression="set #at = :at add times :one",
        ExpressionAttributeNames={"#at": "at"},
        ExpressionAttributeValues={":at": item["at"], ":one": {"N": "1"}},
    )


def stream(event, context):
    """Items that begin with `bad` are poison; those with `bomb` break the whole batch until it is cut down to them."""
    failed = []
    for record in event["Records"]:
        key = record["dynamodb"]["NewImage"]["pk"]["S"]
        see("tried", key)
        if key.startswith("bomb"):
            raise RuntimeError(key)
        if key.startswith("bad"):
            failed.append({"itemIdentifier": record["dynamodb"]["SequenceNumber"]})
            break
        see("stream", key)
    return {"batchItemFailures": failed}


def queue(event, context):
    failed = []
    for record in event["Records"]:
        body = json.loads(record["body"])
        if body.get("fails", 0) >= int(record["attributes"]["ApproximateReceiveCount"]):
            failed.append({"itemIdentifier": record["messageId"]})
        else:
            see("queue", body["job"])
    return {"batchItemFailures": failed}


def tick(event, context):
    see("tick", json.dumps(event))
