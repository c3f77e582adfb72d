"""Where the dispatcher's things go: queues, executions, and whoever waits with a task token."""

from __future__ import annotations

import functools
import json
import os
from collections.abc import Mapping
from typing import Any, Final

from botocore.exceptions import ClientError, HTTPClientError

from cauri.values import dataclass
from cauri.wire import SQS, STEP_FUNCTIONS, Service, Wire

GONE: Final = frozenset({"TaskTimedOut", "TaskDoesNotExist", "InvalidToken"})


@functools.cache
def wire(service: Service) -> Wire:
    """The connection to a service, with short deadlines."""
    return Wire(service, region=os.environ["AWS_REGION"], connect_seconds=1, read_seconds=5, pool=1)


def ask(service: Service, operation: str, request: Mapping[str, Any]) -> dict[str, Any]:
    """Once more where nothing was answered: a connection that was kept while the function slept is often dead."""
    try:
        return wire(service).send(operation, request)
    except HTTPClientError:
        return wire(service).send(operation, request)


@dataclass(frozen=True)
class SqsQueue:
    url: str

    def send(self, message: str) -> None:
        ask(SQS, "SendMessage", {"QueueUrl": self.url, "MessageBody": message})


@dataclass(frozen=True)
class FifoQueue:
    """A queue that keeps the messages of a tenant in order; the same message within five minutes is one."""

    url: str

    def send(self, message: str) -> None:
        tenant = json.loads(message)["tenant"]
        ask(SQS, "SendMessage", {"QueueUrl": self.url, "MessageBody": message, "MessageGroupId": tenant})


@dataclass(frozen=True)
class StateMachine:
    arn: str

    def start(self, name: str, input_: str) -> None:
        """Start an execution. One that has this name already is this one."""
        try:
            ask(STEP_FUNCTIONS, "StartExecution", {"stateMachineArn": self.arn, "name": name, "input": input_})
        except ClientError as error:
            if error.response["Error"]["Code"] != "ExecutionAlreadyExists":
                raise


class TaskTokens:
    def wake(self, token: str) -> None:
        """Let the execution that waits with `token` go on. One that waits no more is left alone."""
        try:
            ask(STEP_FUNCTIONS, "SendTaskSuccess", {"taskToken": token, "output": "{}"})
        except ClientError as error:
            if error.response["Error"]["Code"] not in GONE:
                raise
