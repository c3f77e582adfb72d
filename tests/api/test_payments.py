"""Money that staff takes by hand, over HTTP."""

from __future__ import annotations

from typing import Any

import pytest

from tests.api.client import People
from tests.api.tables import dump
from tests.shop import Shop

EMAIL = {"email": "amina@example.com"}
BY_HAND = [{"type": "provider", "provider": "manual"}]


def kes(amount: int) -> dict[str, Any]:
    return {"amount": amount, "currency": "KES"}


def placed(people: People, tenders: Any = BY_HAND) -> Any:
    body = {
        "lines": [{"sku": "coffee", "quantity": 1}],
        "currency": "KES",
        "tenders": tenders,
        "return_url": "https://shop.example/thanks",
    }
    return people.customer().post("/v1/checkouts", body).json()


def receipts(order: Any) -> str:
    return f"/v1/payments/{order['order']['payments'][0]['payment_id']}/receipts"


RECEIPT = {"amount": kes(210_000), "method": "cheque", "document": "000417"}


def test_a_cheque_is_recorded_once_and_is_in_the_books(people: People, shop: Shop) -> None:
    order = placed(people)
    assert order["authorization_url"] is None
    first = people.of("finance").post(receipts(order), RECEIPT, key="cheque-417")
    assert first.status == 201
    said = first.json()
    assert (said["status"], said["amount"], said["method"], said["document"]) == (
        "succeeded",
        kes(210_000),
        "cheque",
        "000417",
    )
    assert people.of("finance").post(receipts(order), RECEIPT, key="cheque-417").body == first.body
    again = people.admin.post(receipts(order), RECEIPT)
    assert (again.status, again.code) == (409, "illegal_payment_change")
    paid = people.admin.get(f"/v1/orders/{order['order']['id']}").json()["payments"][0]
    assert (paid["status"], paid["provider"]) == ("succeeded", "manual")


@pytest.mark.parametrize("who", ["customer", "guest", "manager"])
def test_only_who_answers_for_money_records_it(who: str, people: People, shop: Shop) -> None:
    order = placed(people)
    client = people.customer() if who == "customer" else people.of(who)
    assert client.post(receipts(order), RECEIPT).status == 403


def test_a_receipt_is_refused_for_what_it_is_not(people: People, shop: Shop) -> None:
    order, by_card = placed(people), placed(people, [{"type": "provider", "provider": "demo"}])
    before = dump()
    refusals = {
        (receipts(order), "amount"): (RECEIPT | {"amount": kes(209_999)}, 422, "wrong_receipt_amount"),
        (receipts(order), "currency"): (
            RECEIPT | {"amount": {"amount": 210_000, "currency": "USD"}},
            422,
            "wrong_receipt_amount",
        ),
        (receipts(by_card), "provider"): (RECEIPT, 409, "payment_not_manual"),
        ("/v1/payments/pay_none-1/receipts", "nobody's"): (RECEIPT, 404, "unknown_payment"),
        (receipts(order), "method"): (RECEIPT | {"method": "gold"}, 400, "invalid_request"),
        (receipts(order), "nothing"): (RECEIPT | {"amount": kes(0)}, 400, "invalid_request"),
        (receipts(order), "more"): (RECEIPT | {"tip": 1}, 400, "invalid_request"),
        (receipts(order), "document"): (RECEIPT | {"document": "x" * 101}, 400, "invalid_request"),
    }
    for (path, what), (body, status, code) in refusals.items():
        reply = people.admin.post(path, body)
        assert (reply.status, reply.code) == (status, code), what
    other = People(people.issuer, "kiosk").admin.post(receipts(order), RECEIPT)
    assert (other.status, other.code) == (404, "unknown_payment"), "another tenant's payment does not exist"
    assert people.admin.post(f"{receipts(order)}?dry_run=true", RECEIPT).status in (200, 201)
    assert dump() == before
