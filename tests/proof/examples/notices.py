"""Messages that went out."""

from __future__ import annotations

from cauri.notices.commands import RecordMessage, by_carrier

from tests.notices.messages import put_message
from tests.proof.examples.worlds import Act, example, sent
from tests.shop import Shop


@example(RecordMessage, "the carrier took it")
def _(shop: Shop) -> Act:
    message = put_message(shop.furnish())
    return sent(RecordMessage(message.id, "ses", "0100-1"), by_carrier(shop.tenant))


@example(RecordMessage, "the carrier will not take it")
def _(shop: Shop) -> Act:
    message = put_message(shop.furnish())
    return sent(RecordMessage(message.id, problem="MessageRejected"), by_carrier(shop.tenant))
