"""Reconciliations over HTTP: who may ask, what is told, and repairs."""

from __future__ import annotations

import csv
import io
from dataclasses import replace
from typing import Any

import pytest
from cauri.books.shelf import write_of
from cauri.edge import wiring
from cauri.inventory.model import CellChange
from cauri.parties.model import MAIN
from cauri.reconciliation.commands import RecordFindings, by_system
from cauri.reconciliation.model import Difference, Looked, Part, Repair
from cauri.reconciliation.saga import ReconciliationSaga

from tests.api.client import People
from tests.shop import Shop

PATH = "/v1/reconciliations"


@pytest.fixture
def people_with_wrong_stock(people: People, shop: Shop) -> People:
    """Three baskets that nobody received, and a price that was put twice a moment ago."""
    shop.database.transact([write_of(CellChange(shop.tenant, "basket", MAIN, 0, available=3))])
    return people


def reconciled(people: People, shop: Shop, **asked: Any) -> Any:
    made = people.admin.post(PATH, asked)
    assert made.status == 201, made.body
    report: Any = made.json()
    assert (report["status"], report["done"]) == ("running", [])
    assert made.headers["location"] == f"{PATH}/{report['id']}"
    saga = ReconciliationSaga(wiring.books())
    while saga.run({"step": "look", "tenant": shop.tenant, "report_id": report["id"]})["next"] == "again":
        pass
    return people.admin.get(f"{PATH}/{report['id']}").json()


def test_what_is_found_is_told_with_its_evidence_and_repaired_once(people_with_wrong_stock: People, shop: Shop) -> None:
    people = people_with_wrong_stock
    report = reconciled(people, shop)
    assert (report["status"], report["kind"], report["done"]) == ("completed", "full", report["parts"])
    findings = people.admin.get(f"{PATH}/{report['id']}/findings").json()["items"]
    [finding] = [one for one in findings if one["check"] == "stock_adds_up"]
    assert (finding["resource"], finding["severity"]) == ("basket", "alarm")
    assert finding["repair"] == {"command": "repair_stock", "about": "basket"}
    assert report["by_check"]["stock_adds_up"] == 1
    repair = f"{PATH}/{report['id']}/findings/{finding['id']}/repair"
    assert people.admin.post(f"{repair}?dry_run=true").json()["result"]["differences"][0]["corrected"] == -3
    first, again = (people.admin.post(repair, key="once") for _ in range(2))
    assert first.json()["result"]["stock"]["on_hand"] == 10
    assert first.json()["finding"]["repaired_by"] == "usr_admin"
    assert (again.body, again.headers["idempotent-replayed"]) == (first.body, "true")
    assert people.admin.post(repair).code == "finding_repaired"
    after = reconciled(people, shop)
    assert "stock_adds_up" not in after["by_check"]
    assert [one["id"] for one in people.admin.get(PATH).json()["items"]] == [after["id"], report["id"]]


def test_what_no_command_makes_right_is_left_to_people(people: People, shop: Shop) -> None:
    report = people.admin.post(PATH, {}).json()["id"]
    differs = Difference("guarded_balances", "prepaid:cus_amina", "it stands at 5, and 4 were posted", {"stands": 5})
    command = RecordFindings(report, Part.JOURNAL, Looked(differences=(differs,)), is_last=True)
    shop.run(command, by_system(shop.tenant))
    refused = people.admin.post(f"{PATH}/{report}/findings/{differs.id}/repair")
    assert (refused.status, refused.code) == (422, "nothing_repairs_it")
    assert "evidence" in refused.json()["suggestion"]
    lost = replace(differs, check="postings", repair=Repair("replay_record", "0" * 40))
    shop.run(RecordFindings(report, Part.WAITING, Looked(differences=(lost,)), is_last=True), by_system(shop.tenant))
    assert people.admin.post(f"{PATH}/{report}/findings/{lost.id}/repair").code == "unknown_record"


def test_a_page_of_findings_leads_to_the_next(people_with_wrong_stock: People, shop: Shop) -> None:
    people = people_with_wrong_stock
    report = reconciled(people, shop)
    path, seen, cursor = f"{PATH}/{report['id']}/findings", [], None
    while True:
        query = {"limit": 1} | ({"cursor": cursor} if cursor else {})
        page = people.admin.get(path, query=query).json()
        seen += [one["id"] for one in page["items"]]
        if (cursor := page["next_cursor"]) is None:
            break
    assert len(set(seen)) == len(seen) == report["findings"]


def test_a_report_is_a_table(people_with_wrong_stock: People, shop: Shop) -> None:
    people = people_with_wrong_stock
    report = reconciled(people, shop)
    answer = people.admin.get(f"{PATH}/{report['id']}/csv")
    assert answer.headers["content-type"] == "text/csv"
    rows = list(csv.DictReader(io.StringIO(answer.body.decode())))
    assert "stock_adds_up" in [row["check"] for row in rows if row["kind"] == "finding"]


def test_accountants_only_and_of_their_own_tenant(people: People, shop: Shop) -> None:
    report = people.admin.post(PATH, {"kind": "light"}).json()["id"]
    for role in ("customer", "vendor", "partner", "manager", "guest"):
        assert people.of(role, customer_id="cus_amina", vendor_id="ven_kazi").get(PATH).code == "forbidden"
    others = replace(people, tenant="duka").admin
    assert others.get(PATH).json()["items"] == []
    for path in ("", "/findings", "/csv"):
        assert others.get(f"{PATH}/{report}{path}").code == "unknown_reconciliation"
        assert people.admin.get(f"{PATH}/rec_nobody{path}").code == "unknown_reconciliation"
    assert others.post(f"{PATH}/{report}/findings/fnd_x/repair").code == "unknown_reconciliation"
    assert people.admin.post(f"{PATH}/{report}/findings/fnd_x/repair").code == "unknown_finding"


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"since": "2026-11-20T00:00:00Z", "until": "2026-11-20T00:00:00Z"}, "period_too_long"),
        ({"since": "2026-10-01T00:00:00Z", "until": "2026-11-20T00:00:00Z"}, "period_too_long"),
        ({"since": "2026-11-20", "until": "2026-11-20T00:00:00Z"}, "invalid_request"),
        ({"kind": "quick"}, "invalid_request"),
        ({"day": "2026-11-20"}, "invalid_request"),
    ],
)
def test_what_is_not_a_time_is_refused(people: People, body: Any, code: str) -> None:
    assert people.admin.post(PATH, body).code == code
