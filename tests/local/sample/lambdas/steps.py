"""The steps of the sample's saga. `fails` names what is to fail, and how."""

import os
import time

from lambdas.consumers import dynamodb, see


class Hiccup(Exception):  # noqa: N818 the name is what the state machine retries
    """Goes away when tried again."""


def handler(event, context):
    what, fails = event["do"], event.get("fails") or []
    see(f"step:{event['order']}", what)
    if what == "reserve" and "hiccup" in fails and event["attempt"] < 1:
        raise Hiccup("once")
    if what == "reserve" and "timeout" in fails:
        time.sleep(10)
    if what in fails:
        raise RuntimeError(f"{what} fails")
    if what == "wait":
        dynamodb.put_item(
            TableName=os.environ["SEEN"],
            Item={"pk": {"S": "token"}, "sk": {"S": event["order"]}, "token": {"S": event["token"]}},
        )
    return {"did": what, "function": os.environ["AWS_LAMBDA_FUNCTION_NAME"]}
