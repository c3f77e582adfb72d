"""The verification of the log over HTTP."""

from __future__ import annotations

from datetime import timedelta

from cauri.books.sealing import seal_tenant

from tests.api.client import People
from tests.books.test_seals import Vault
from tests.engines import TABLE_PREFIX, Engine
from tests.proof.state import items
from tests.shop import TENANT, Shop

PATH = "/v1/log/verification"


def verification(people: People) -> list[tuple[str, str]]:
    query: dict[str, str] = {}
    found = []
    while True:
        reply = people.admin.get(PATH, query=query)
        assert reply.status == 200, reply.body
        found += [(one["trouble"], one["record"]) for one in reply.json()["findings"]]
        if reply.json()["next_cursor"] is None:
            return found
        query = {"cursor": reply.json()["next_cursor"]}


def test_a_removed_record_is_named_to_the_accountants(people: People, shop: Shop, vault: Vault, engine: Engine) -> None:
    assert verification(people) == [], "nothing is sealed yet"
    shop.receive(1)
    seal_tenant(shop.database, vault, TENANT, shop.clock.now + timedelta(hours=1))
    assert verification(people) == []
    victim = dict(items()["log"][0])
    engine.client().delete_item(TableName=TABLE_PREFIX + "log", Key={"pk": victim["pk"]})
    assert verification(people) == [("removed", str(victim["pk"]["S"]).rpartition("#")[2])]
    elsewhere = People(people.issuer, "kiosk")
    assert elsewhere.admin.get(PATH).json()["findings"] == []
    for client in (people.customer(), people.vendor(), people.guest, people.of("manager")):
        assert client.get(PATH).code == "forbidden"


def test_a_cursor_of_another_list_is_refused(people: People, shop: Shop, vault: Vault) -> None:
    cursor = people.admin.get(PATH).json()["next_cursor"]
    assert cursor is not None
    assert people.admin.get("/v1/log", query={"cursor": cursor}).code == "invalid_cursor"
    assert people.admin.get(PATH, query={"cursor": cursor, "limit": 1}).code == "unknown_parameter"
