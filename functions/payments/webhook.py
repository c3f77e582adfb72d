"""Payment providers' news: verify, store, acknowledge. What they say is looked into afterwards (events.py)."""

import base64
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final

from cauri.edge import wiring
from cauri.ids import is_name
from cauri.payments.intake import Delivery, Intake, Received

STATUS: Final = {
    Received.STORED: HTTPStatus.OK,
    Received.NOWHERE: HTTPStatus.NOT_FOUND,
    Received.TOO_LARGE: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    Received.BAD_SIGNATURE: HTTPStatus.UNAUTHORIZED,
    Received.UNKNOWN_IP: HTTPStatus.FORBIDDEN,
    Received.TOO_MANY: HTTPStatus.TOO_MANY_REQUESTS,
    Received.LATER: HTTPStatus.SERVICE_UNAVAILABLE,
}

intake = Intake(wiring.books())


def handler(event: Mapping[str, Any], context: Any) -> dict[str, Any]:
    request = event["requestContext"]["http"]
    match request["method"], event["rawPath"].strip("/").split("/"):
        case "POST", [provider, tenant] if is_name(tenant):
            raw = (
                base64.b64decode(event["body"]) if event.get("isBase64Encoded") else (event.get("body") or "").encode()
            )
            delivery = Delivery(provider, tenant, event["headers"], raw, request["sourceIp"])
            received = intake.receive(delivery)
        case _:
            received = Received.NOWHERE
    again = {"retry-after": "60"} if received in (Received.TOO_MANY, Received.LATER) else {}
    return {"statusCode": STATUS[received], "headers": again, "body": received.value}
