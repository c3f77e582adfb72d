"""The whole journal over HTTP, page by page."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cauri.books.exporting import Format

from functions.books import api
from tests.api.client import Client, People
from tests.api.test_explaining import folded
from tests.ledgers import beancount_balances, hledger_balances
from tests.shop import SetClock, Shop


@pytest.fixture(autouse=True)
def _now(monkeypatch: pytest.MonkeyPatch, shop: Shop) -> None:
    """A month after whatever the test does."""
    later = SetClock(shop.clock.now)
    later.advance(days=30)
    monkeypatch.setattr(api.wiring, "clock", lambda: later)


def pages(client: Client, form: Format) -> Iterator[Any]:
    query: dict[str, str] = {"format": form}
    while True:
        reply = client.get("/v1/ledger/journal", query=query)
        assert reply.status == 200, reply.body
        yield reply.json()
        if reply.json()["next_cursor"] is None:
            return
        query["cursor"] = reply.json()["next_cursor"]


@pytest.mark.parametrize("form", list(Format))
@pytest.mark.parametrize("of_a_page", [1, 1000])
def test_the_pages_make_one_file(
    form: Format, of_a_page: int, people: People, shop: Shop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for amount in (1, 2, 4):
        shop.receive(amount)
        shop.receive(amount, shop.customer("brian"))
        shop.clock.advance(days=2)
    folded(shop)
    monkeypatch.setattr(api, "JOURNAL_PAGE", of_a_page)
    path, read = tmp_path / "journal", list(pages(people.admin, form))
    path.write_text("".join(page["text"] for page in read))
    theirs = hledger_balances(path) if form is Format.HLEDGER else beancount_balances(path)
    assert sum(page["entries"] for page in read) == 6
    assert sorted(int(amount * 100) for amount in theirs.values()) == [-7, -7, 14]


def test_the_journal_is_the_accountants_and_of_their_tenant(people: People, shop: Shop) -> None:
    shop.receive(70_000)
    folded(shop)
    for client in (people.customer(), people.vendor(), people.guest, people.of("manager")):
        assert client.get("/v1/ledger/journal?format=hledger").code == "forbidden"
    [page] = pages(People(people.issuer, "kiosk").of("finance"), Format.HLEDGER)
    assert page["entries"] == 0
    assert "KES 700" not in page["text"]


@pytest.mark.parametrize("query", ["", "format=excel", "format=hledger&cursor=x", "format=hledger&limit=1"])
def test_what_is_no_export_is_refused(query: str, people: People, shop: Shop) -> None:
    assert people.admin.get(f"/v1/ledger/journal?{query}").status == 400


def test_a_cursor_goes_on_in_its_own_format(people: People, shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    shop.receive(1)
    shop.receive(2)
    folded(shop)
    monkeypatch.setattr(api, "JOURNAL_PAGE", 1)
    cursor = people.admin.get("/v1/ledger/journal?format=hledger").json()["next_cursor"]
    refused = people.admin.get("/v1/ledger/journal", query={"format": "beancount", "cursor": cursor})
    assert refused.code == "invalid_cursor"
