"""Echoes what it was given, and does as it is told."""

import functools
import json
import logging
import os
import time

import botocore.session

session = botocore.session.get_session()


@functools.cache
def client(service):
    return session.create_client(service)


def noop(event, context):
    return {"statusCode": 200, "body": "ok"}


def handler(event, context):
    path = event["rawPath"]
    if path == "/echo/text":
        return "as it is"
    if path == "/echo/value":
        return {"inferred": True}
    if path == "/echo/binary":
        return {
            "statusCode": 201,
            "headers": {"Content-Type": "image/png", "X-Number": 7},
            "cookies": ["a=1; Path=/", "b=2"],
            "body": event.get("body", ""),
            "isBase64Encoded": event["isBase64Encoded"],
        }
    if path == "/echo/sleep":
        time.sleep(1)
        return {"slept": True}
    if path == "/echo/put":
        put(json.loads(event["body"]))
        return {"statusCode": 204}
    if path == "/echo/send":
        message = json.loads(event["body"])
        client("sqs").send_message(QueueUrl=os.environ["QUEUE_URL"], **message)
        return {"statusCode": 204}
    if path == "/echo/start":
        return start(json.loads(event["body"]))
    body = {
        "event": event,
        "environment": {key: os.environ.get(key) for key in ("STAGE", "SECRET", "ISSUER", "HOOK", "TZ")},
        "context": {
            "function": context.function_name,
            "arn": context.invoked_function_arn,
            "request_id": context.aws_request_id,
            "memory": context.memory_limit_in_mb,
            "remaining": context.get_remaining_time_in_millis(),
            "variable": os.environ["AWS_LAMBDA_FUNCTION_NAME"],
        },
        "pid": os.getpid(),
    }
    return {"statusCode": 200, "headers": {"content-type": "application/json"}, "body": json.dumps(body)}


def put(items):
    dynamodb = client("dynamodb")
    for item in items:
        dynamodb.put_item(TableName=os.environ["TABLE"], Item={"pk": {"S": item}})


def start(body):
    machine = client("stepfunctions")
    try:
        started = machine.start_execution(
            stateMachineArn=os.environ["MACHINE_ARN"], name=body["order"], input=json.dumps(body)
        )
    except machine.exceptions.ExecutionAlreadyExists:
        return {"statusCode": 409}
    return {"statusCode": 201, "body": started["executionArn"]}


def trouble(event, context):
    match event["pathParameters"]["kind"]:
        case "raise":
            print("about to fail")  # noqa: T201 what a handler prints is to be found in its log
            logging.getLogger("sample").warning("really")
            raise RuntimeError("as asked")
        case "sleep":
            time.sleep(30)
        case "exit":
            os._exit(3)
        case "object":
            return {"statusCode": 200, "body": "x", "headers": {"x": object()}}
        case "malformed":
            return {"statusCode": "none"}
        case "large":
            return {"statusCode": 200, "body": "x" * (7 * 1024 * 1024)}
    return {"statusCode": 200, "body": os.environ["STAGE"]}
