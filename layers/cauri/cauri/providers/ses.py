"""Amazon SES, version 2. Messages go as MIME, since only that has room for attachments and a text beside the HTML."""

from __future__ import annotations

import functools
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from typing import Any, Final

from cauri.providers.email import Email, Undeliverable

REFUSED: Final = frozenset({"BadRequestException", "MessageRejected"})
"""The message, or its address, is what SES will not take. All else (throttles, a paused account) may pass."""


class Ses:
    """Sends from an address of the domain that the account has verified."""

    name = "ses"

    def __init__(self, sender: str, region: str) -> None:
        self._sender = sender
        self._region = region

    def send(self, email: Email) -> str:
        client = self._client
        try:
            answer = client.send_email(
                FromEmailAddress=self._sender,
                Destination={"ToAddresses": [email.to]},
                Content={"Raw": {"Data": mime(email, self._sender)}},
            )
        except client.exceptions.ClientError as error:
            code = error.response["Error"]["Code"]
            if code in REFUSED:
                raise Undeliverable(code) from error
            raise
        return str(answer["MessageId"])

    @functools.cached_property
    def _client(self) -> Any:
        from botocore.config import Config  # a tenth of a second, for those that do send
        from botocore.session import Session

        # Once: SES has no idempotency key, and the queue brings a message again that got no answer.
        once = Config(connect_timeout=2, read_timeout=10, retries={"total_max_attempts": 1})
        return Session().create_client("sesv2", region_name=self._region, config=once)


def mime(email: Email, sender: str) -> bytes:
    """The message as it travels."""
    message = EmailMessage(policy=SMTP)
    message["From"] = Address(_one_line(email.sender_name), addr_spec=sender)
    message["To"] = Address(addr_spec=email.to)
    message["Subject"] = _one_line(email.subject)
    message.set_content(email.text)
    message.add_alternative(email.html, subtype="html")
    for attachment in email.attachments:
        kind, _, subtype = attachment.media_type.partition("/")
        message.add_attachment(attachment.data, maintype=kind, subtype=subtype, filename=attachment.name)
    return message.as_bytes()


def _one_line(text: str) -> str:
    """A header ends where its line does: nobody's name may begin another."""
    return " ".join(text.split())
