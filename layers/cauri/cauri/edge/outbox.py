"""Where the dispatcher's things go: queues, executions, and whoever waits with a task token."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any, Final

import botocore.config
import botocore.exceptions
import botocore.session

_QUICK: Final = botocore.config.Config(
    connect_timeout=1, read_timeout=5, retries={"total_max_attempts": 2, "mode": "standard"}
)
GONE: Final = frozenset({"TaskTimedOut", "TaskDoesNotExist", "InvalidToken"})


@functools.cache
def client(service: str) -> Any:
    """A botocore client with short deadlines, made when it is first needed."""
    return botocore.session.get_session().create_client(service, config=_QUICK)


@dataclass(frozen=True)
class SqsQueue:
    url: str

    def send(self, message: str) -> None:
        client("sqs").send_message(QueueUrl=self.url, MessageBody=message)


@dataclass(frozen=True)
class StateMachine:
    arn: str

    def start(self, name: str, input_: str) -> None:
        """Start an execution. One that has this name already is this one."""
        try:
            client("stepfunctions").start_execution(stateMachineArn=self.arn, name=name, input=input_)
        except botocore.exceptions.ClientError as error:
            if error.response["Error"]["Code"] != "ExecutionAlreadyExists":
                raise


class TaskTokens:
    def wake(self, token: str) -> None:
        """Let the execution that waits with `token` go on. One that waits no more is left alone."""
        try:
            client("stepfunctions").send_task_success(taskToken=token, output="{}")
        except botocore.exceptions.ClientError as error:
            if error.response["Error"]["Code"] not in GONE:
                raise
