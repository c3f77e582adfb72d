"""A function's role, held against its calls: what the role does not allow is refused, as AWS would.

Every permission that was of use is written down once, so that a role can be narrowed to what its function needs.
"""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import botocore
import botocore.exceptions

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
        case "sqs", _:
            yield f"sqs:{operation}", f":{parameters['QueueUrl'].rpartition('/')[2]}"
        case "secretsmanager", _:
            yield f"{service}:{operation}", f":secret:{parameters['SecretId'].rpartition(':secret:')[2]}"
        case "ses", _:
            domain = parameters["FromEmailAddress"].rpartition("@")[2].rstrip(">")
            yield f"ses:{operation}", f":identity/{domain}"
        case _:
            yield f"{service}:{operation}", parameters.get("stateMachineArn", "")


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
        asked = json.loads(call["request"].body or "{}")
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
