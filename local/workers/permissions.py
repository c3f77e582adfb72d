"""A function's role, held against its calls: what the role does not allow is refused, as AWS would.

Every permission that was of use is written down once, so that a role can be narrowed to what its function needs.
"""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import botocore
import botocore.exceptions

from local.addresses import STORE

USED: Final = "permissions.used"
Need = tuple[str, str]
"""An action, and how the ARN of its resource ends; "" where a call does not say which resource it is for."""

PREFIXES: Final = {"sfn": "states", "secrets-manager": "secretsmanager", "sesv2": "ses"}
"""The prefix of a service's actions, where botocore calls the service by another name."""

TRANSACTED: Final = {
    "Put": "dynamodb:PutItem",
    "Update": "dynamodb:UpdateItem",
    "Delete": "dynamodb:DeleteItem",
    "ConditionCheck": "dynamodb:ConditionCheckItem",
    "Get": "dynamodb:GetItem",
}


def needs(service: str, operation: str, parameters: Mapping[str, Any]) -> Iterator[Need]:
    """The permissions that a call takes. `service` is the prefix of its actions."""
    match service, operation:
        case "dynamodb", "TransactWriteItems" | "TransactGetItems":
            for item in parameters["TransactItems"]:
                for kind, request in item.items():
                    yield TRANSACTED[kind], f":table/{request['TableName']}"
        case "dynamodb", "BatchGetItem" | "BatchWriteItem":
            for table in parameters["RequestItems"]:
                yield f"dynamodb:{operation}", f":table/{table}"
        case "dynamodb", _:
            index = f"/index/{parameters['IndexName']}" if "IndexName" in parameters else ""
            yield f"dynamodb:{operation}", f":table/{parameters['TableName']}{index}"
        case _:
            yield f"{service}:{operation}", _place(service, parameters)


def _place(service: str, parameters: Mapping[str, Any]) -> str:
    """How the ARN ends of what a call of a service other than DynamoDB is for."""
    match service:
        case "sqs":
            return f":{parameters['QueueUrl'].rpartition('/')[2]}"
        case "secretsmanager":
            return f":secret:{parameters['SecretId'].rpartition(':secret:')[2]}"
        case "s3":
            return f":s3:::{parameters['Bucket']}/*"
        case "ses":
            return f":identity/{parameters['FromEmailAddress'].rpartition('@')[2].rstrip('>')}"
        case _:
            return str(parameters.get("stateMachineArn", ""))


class Guard:
    """Watches the calls of one worker, for whichever function it runs."""

    def __init__(self, allowed: Mapping[str, Mapping[str, list[str]]], used: Path) -> None:
        """`allowed` is, by function and action, the ARNs of resources; `used` is the file of what was of use."""
        self.function = ""
        self._allowed = allowed
        self._used = used
        self._known: set[tuple[str, Need]] = set()

    def watch(self) -> None:
        """From now on, every session of botocore asks here first."""
        botocore.register_initializer(lambda session: session.register("before-send", self.ask))

    def ask(self, **call: Any) -> None:
        """Let a call pass, or raise the ClientError that AWS would answer with. `call` is what botocore tells of it."""
        _, service, operation = call["event_name"].split(".")
        asked = _asked(service, call["request"])
        for need in needs(PREFIXES.get(service, service), operation, asked):
            if (self.function, need) not in self._known:
                self._look_up(need, operation)
                self._known.add((self.function, need))

    def _look_up(self, need: Need, operation: str) -> None:
        action, place = need
        arns = self._allowed[self.function].get(action, [])
        if not any(arn.endswith(place) for arn in arns):
            text = f"The role of {self.function} does not allow {action} on {place or 'anything'}"
            raise botocore.exceptions.ClientError(
                {"Error": {"Code": "AccessDeniedException", "Message": text}}, operation
            )
        with self._used.open("a") as used:
            used.write(json.dumps([self.function, action, place]) + "\n")


def _asked(service: str, request: Any) -> Mapping[str, Any]:
    """What a request asks for. S3 says it with the address, and its body is whatever it keeps."""
    if service == "s3":
        return {"Bucket": urlsplit(request.url).path.removeprefix(STORE).partition("/")[0]}
    asked: Mapping[str, Any] = json.loads(request.body or "{}")
    return asked
