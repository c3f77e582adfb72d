"""Store credit, points and rewards over HTTP: issued, read, redeemed, set aside, reversed, and who may."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import Any

import pytest
from cauri.clock import rfc3339, system_clock
from cauri.edge import wiring
from cauri.wallet.breakage import period_of
from cauri.wallet.queries import reviews_of

from functions.wallet import expiry
from tests.api.client import Client, People, Reply
from tests.api.tables import dump
from tests.shop import Shop

WALLET = "/v1/wallets/cus_amina"
CREDITS = f"{WALLET}/credits"
REDEMPTIONS = f"{WALLET}/redemptions"
PROGRAMME = {
    "reporting_currency": "KES",
    "points_minimum": 100,
    "per_1000_points": {"KES": 10_000},
    "rates": {"USD": {"rate": "130.25", "date": "2026-11-20", "source": "central bank"}},
}


def kes(amount: int) -> dict[str, Any]:
    return {"amount": amount, "currency": "KES"}


def pts(amount: int) -> dict[str, Any]:
    return {"amount": amount, "currency": "PTS"}


def in_days(days: int) -> str:
    return rfc3339(system_clock() + timedelta(days=days))


@pytest.fixture
def admin(people: People, shop: Shop) -> Client:
    """An administrator of a tenant that has a loyalty programme."""
    assert people.admin.put("/v1/loyalty-programme", PROGRAMME).status == 200
    return people.admin


def issue(client: Client, **body: Any) -> Reply:
    return client.post(CREDITS, {"kind": "store_credit", "source": "goodwill"} | body)


def credit(client: Client, amount: int, days: int | None = None, kind: str = "store_credit") -> Any:
    value = {"points": amount} if kind == "points" else {"amount": kes(amount)}
    expires = {} if days is None else {"expires_at": in_days(days)}
    reply = issue(client, kind=kind, **value, **expires)
    assert reply.status == 201, reply.body
    return reply.json()["credit"]


def redeem(client: Client, amount: int, **body: Any) -> Reply:
    return client.post(REDEMPTIONS, {"amount": kes(amount)} | body)


def balance(people: People, kind: str = "store_credit") -> Any:
    [found] = [one for one in people.customer().get(WALLET).json()["balances"] if one["kind"] == kind]
    return found


# -- The programme


def test_a_programme_is_put_and_read_whole(people: People, admin: Client) -> None:
    said = people.of("manager").get("/v1/loyalty-programme").json()
    assert said["per_1000_points"] == {"KES": 10_000}
    assert said["rates"]["USD"] == {"rate": "130.25", "date": "2026-11-20", "source": "central bank"}
    assert (said["order"], said["grace_days"], said["version"]) == (["reward", "store_credit", "points"], 30, 1)
    assert admin.put("/v1/loyalty-programme", PROGRAMME | {"expected_version": 0}).code == "version_mismatch"


def test_without_a_programme_there_is_nothing_to_issue_to_read_or_to_redeem(people: People, shop: Shop) -> None:
    for reply in (
        issue(people.admin, amount=kes(1)),
        people.customer().get(WALLET),
        redeem(people.customer(), 1),
        people.admin.get("/v1/loyalty-programme"),
    ):
        assert (reply.status, reply.code) == (422, "no_loyalty_programme")


def test_a_programme_knows_what_every_currency_is_worth_that_points_pay_in(people: People, shop: Shop) -> None:
    dear = PROGRAMME | {"per_1000_points": {"TZS": 5}}
    assert people.admin.put("/v1/loyalty-programme", dear).code == "rate_missing"


def test_a_programme_is_of_a_tenant_that_is_set_up(people: People, shop: Shop) -> None:
    kiosk = People(people.issuer, "kiosk").admin
    assert kiosk.put("/v1/loyalty-programme", PROGRAMME).code == "unknown_tenant"


# -- Issuing


def test_what_is_issued_is_there_at_once(people: People, admin: Client) -> None:
    lot = credit(admin, 5_000, days=10)
    assert (lot["amount"], lot["status"], lot["snapshot"]) == (kes(5_000), "active", None)
    credit(admin, 500, kind="points")
    said = people.customer().get(WALLET).json()
    assert said["balances"] == [
        {"kind": "points", "available": pts(500), "expiring_soon": pts(0), "held": pts(0), "pending": pts(0)}
        | {"expired": pts(0)},
        {"kind": "store_credit", "available": kes(5_000), "expiring_soon": kes(5_000), "held": kes(0)}
        | {"pending": kes(0), "expired": kes(0)},
    ]
    assert said["lots"][0]["id"] == lot["id"]


def test_reading_a_wallet_takes_one_round_trip(people: People, admin: Client) -> None:
    meter = wiring.database().meter
    credit(admin, 500)
    before = meter.round_trips
    assert people.customer().get(WALLET).status == 200
    assert meter.round_trips - before == 1


def test_who_never_had_anything_has_an_empty_wallet(people: People, admin: Client) -> None:
    nothing = {"customer_id": "cus_new", "balances": [], "lots": []}
    assert people.customer("new").get("/v1/wallets/cus_new").json() == nothing
    assert people.customer("new").get("/v1/wallets/cus_new/statement").json()["entries"] == []


def test_another_currency_keeps_what_it_is_worth_that_day(people: People, admin: Client) -> None:
    reply = issue(admin, amount={"amount": 50, "currency": "USD"})
    assert reply.json()["credit"]["snapshot"] == {
        "worth": kes(6512),  # 0.50 at 130.25 is 65.125, half even
        "rate": "130.25",
        "date": "2026-11-20",
        "source": "central bank",
    }
    assert issue(admin, amount={"amount": 1, "currency": "UGX"}).code == "rate_missing"


def test_what_is_given_has_a_future(admin: Client) -> None:
    assert issue(admin, amount=kes(1), expires_at="2020-01-01T00:00:00Z").code == "expires_in_the_past"


def test_a_partner_issues_rewards_and_nothing_else(people: People, admin: Client) -> None:
    partner = people.of("partner", sub="usr_java")
    assert issue(partner, kind="reward", amount=kes(300)).json()["credit"]["issuer"] == "usr_java"
    assert issue(partner, amount=kes(300)).code == "partners_issue_rewards"
    assert issue(partner, kind="points", points=5).code == "partners_issue_rewards"
    assert partner.get(WALLET).status == 403


def test_what_is_left_of_a_lot_can_be_taken_back(people: People, admin: Client) -> None:
    lot = credit(admin, 500)
    redeem(people.customer(), 200)
    path = f"{CREDITS}/{lot['id']}/revocation"
    said = admin.post(path, {"note": "given to the wrong Amina"})
    assert (said.status, said.json()["status"], said.json()["amount"]) == (200, "revoked", kes(300))
    assert people.customer().get(WALLET).json()["balances"] == []
    assert admin.post(path, {}).code == "unknown_lot"
    [newest, *_] = admin.get(f"{WALLET}/statement").json()["entries"]
    assert (newest["why"], newest["note"]) == ("revoked", "given to the wrong Amina")


def test_what_is_set_aside_is_not_taken_back(people: People, admin: Client) -> None:
    lot = credit(admin, 500)
    redeem(people.customer(), 200, hold_minutes=5)
    assert admin.post(f"{CREDITS}/{lot['id']}/revocation", {}).code == "lot_held"


def test_a_lot_lives_longer(people: People, admin: Client) -> None:
    lot = credit(admin, 500, days=3)
    path, later = f"{CREDITS}/{lot['id']}/extension", {"expires_at": in_days(300)}
    assert admin.post(path, later).json()["credit"]["expires_at"][:10] == in_days(300)[:10]
    assert admin.post(path, {"expires_at": in_days(5)}).code == "lot_not_extendable"
    assert balance(people)["expiring_soon"] == kes(0)


def test_a_wallet_takes_so_many_lots_and_no_more(
    people: People, admin: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cauri.wallet.changes.LOTS_MAX", 2)
    credit(admin, 1)
    credit(admin, 2)
    assert issue(admin, amount=kes(3)).code == "wallet_full"


# -- Approvals


def asked(client: Client, amount: int, **body: Any) -> Any:
    reply = issue(client, amount=kes(amount), **body)
    assert (reply.status, reply.json()["credit"]) == (201, None), reply.body
    return reply.json()["approval"]


def decide(client: Client, approval: Any, *, approved: bool = True) -> Reply:
    return client.post(f"/v1/approvals/{approval['id']}/decisions", {"approved": approved})


def test_how_many_must_agree_depends_on_the_amount(admin: Client) -> None:
    assert issue(admin, amount=kes(10_000)).json()["approval"] is None
    assert asked(admin, 10_001)["needs"] == ["manager"]
    assert asked(admin, 100_000)["needs"] == ["manager"]
    assert asked(admin, 100_001)["needs"] == ["manager", "finance"]
    assert issue(admin, amount={"amount": 77, "currency": "USD"}).json()["approval"]["worth"] == kes(10_029)
    assert issue(admin, kind="points", points=1_001).json()["approval"]["worth"] == kes(10_010)


def test_a_manager_agrees_and_it_is_issued(people: People, admin: Client) -> None:
    approval = asked(admin, 60_000)
    assert people.customer().get(WALLET).json()["lots"] == []
    said = decide(people.of("manager"), approval)
    assert (said.status, said.json()["status"], said.json()["missing"]) == (200, "approved", 0)
    assert balance(people)["available"] == kes(60_000)
    assert decide(people.of("manager", sub="usr_other"), approval).code == "approval_closed"


def test_it_takes_two_people_and_neither_is_who_asked(people: People, admin: Client) -> None:
    both = people.of("manager", "finance", "admin", sub="usr_both")
    approval = asked(both, 200_000)
    assert decide(both, approval).code == "not_yours_to_approve"
    second = people.of("manager", "finance", sub="usr_second")
    assert decide(second, approval).json()["missing"] == 1
    assert decide(second, approval).code == "not_yours_to_approve"
    assert decide(people.of("manager", sub="usr_mona"), approval).json()["status"] == "approved", "the first is finance"
    assert balance(people)["available"] == kes(200_000)


def test_two_managers_are_no_finance(people: People, admin: Client) -> None:
    approval = asked(admin, 200_000)
    assert decide(people.of("manager", sub="usr_one"), approval).json()["status"] == "pending"
    assert decide(people.of("manager", sub="usr_two"), approval).code == "not_yours_to_approve"
    assert decide(people.of("finance", sub="usr_femi"), approval, approved=False).json()["status"] == "rejected"
    assert people.customer().get(WALLET).json()["lots"] == []


def test_an_extension_of_much_takes_the_word_of_others_too(people: People, admin: Client) -> None:
    decide(people.of("manager"), asked(admin, 60_000, expires_at=in_days(3)))
    [lot] = people.customer().get(WALLET).json()["lots"]
    said = admin.post(f"{CREDITS}/{lot['id']}/extension", {"expires_at": in_days(90)}).json()
    assert (said["credit"], said["approval"]["extension"]["lot_id"]) == (None, lot["id"])
    decide(people.of("manager"), said["approval"])
    assert people.customer().get(WALLET).json()["lots"][0]["expires_at"][:10] == in_days(90)[:10]


def test_what_waits_for_people_is_listed_until_they_decide(people: People, admin: Client) -> None:
    asked_for = [asked(admin, 60_000 + number) for number in range(5)]
    path, seen, cursor = "/v1/approvals", [], {}
    while True:
        page = people.of("finance").get(path, query={"limit": 2, **cursor}).json()
        seen += [one["id"] for one in page["approvals"]]
        if page["next_cursor"] is None:
            break
        cursor = {"cursor": page["next_cursor"]}
    assert sorted(seen) == sorted(one["id"] for one in asked_for)
    decide(people.of("manager"), asked_for[0])
    assert asked_for[0]["id"] not in [one["id"] for one in people.admin.get(path).json()["approvals"]]
    decided = people.admin.get(path, query={"decided": "true"}).json()["approvals"]
    assert [(one["id"], one["status"]) for one in decided] == [(asked_for[0]["id"], "approved")]
    assert people.admin.get(f"{path}/{asked_for[1]['id']}").json()["status"] == "pending"
    assert people.admin.get(f"{path}/apr_none").code == "unknown_approval"
    assert decide(people.of("manager"), {"id": "apr_none"}).code == "unknown_approval"
    assert People(people.issuer, "kiosk").admin.get(f"{path}/{asked_for[1]['id']}").code == "unknown_approval"


# -- Redeeming


def test_several_balances_pay_at_once(people: People, admin: Client) -> None:
    credit(admin, 1_000, kind="reward")
    credit(admin, 3_000)
    credit(admin, 500, kind="points")
    reply = redeem(people.customer(), 6_000, tax=kes(800), reference="invoice 17")
    said = reply.json()
    assert (reply.status, said["status"], reply.headers["location"]) == (
        201,
        "completed",
        f"/v1/redemptions/{said['id']}",
    )
    assert [(one["kind"], one["units"], one["pays"]["amount"]) for one in said["payments"]] == [
        ("reward", 1_000, 1_000),
        ("store_credit", 3_000, 3_000),
        ("points", 200, 2_000),
    ]
    for client in (people.customer(), people.admin):
        assert client.get(f"/v1/redemptions/{said['id']}").json() == said
    assert balance(people, "points")["available"] == pts(300)


def test_the_customer_may_choose(people: People, admin: Client) -> None:
    credit(admin, 1_000, kind="reward")
    credit(admin, 3_000)
    said = redeem(people.customer(), 1_500, kinds=["store_credit"]).json()
    assert [one["kind"] for one in said["payments"]] == ["store_credit"]


def test_too_few_points_are_refused_with_what_is_missing(people: People, admin: Client) -> None:
    credit(admin, 60, kind="points")
    reply = redeem(people.customer(), 500, kinds=["points"])
    assert (reply.status, reply.code) == (422, "below_minimum_redemption")
    assert reply.json()["suggestion"] == "You have 60 points. Earn 40 more to redeem."


def test_what_is_not_there_is_not_redeemed(people: People, admin: Client) -> None:
    credit(admin, 1_000)
    before = dump()
    reply = redeem(people.customer(), 1_001)
    assert (reply.status, reply.code) == (422, "insufficient_balance")
    assert redeem(people.customer(), 5, tax=kes(6)).code == "tax_exceeds_amount"
    dollars = {"amount": {"amount": 1, "currency": "USD"}}
    mismatch = people.customer().post(REDEMPTIONS, dollars)
    assert (mismatch.status, mismatch.code, mismatch.json()["suggestion"]) == (422, "currency_mismatch", "Ask in KES.")
    assert redeem(people.customer(), 5, tax={"amount": 1, "currency": "USD"}).code == "currency_mismatch"
    assert dump() == before


def test_a_second_click_pays_once(people: People, admin: Client) -> None:
    credit(admin, 1_000)
    first = people.customer().post(REDEMPTIONS, {"amount": kes(600)}, key="click")
    again = people.customer().post(REDEMPTIONS, {"amount": kes(600)}, key="click")
    assert (again.body, again.headers["idempotent-replayed"]) == (first.body, "true")
    assert balance(people)["available"] == kes(400)


def test_a_plan_says_what_would_be_paid_and_does_nothing(people: People, admin: Client) -> None:
    credit(admin, 1_000)
    before = dump()
    said = people.customer().post(f"{REDEMPTIONS}/plan", {"amount": kes(1_500)}).json()
    assert ([one["units"] for one in said["payments"]], said["rest"]) == ([1_000], kes(500))
    dry = people.customer().post(REDEMPTIONS, {"amount": kes(500)}, query={"dry_run": "true"})
    assert (dry.status, dry.json()["status"]) == (200, "completed")
    assert dump() == before


def test_another_customers_wallet_is_not_there(people: People, admin: Client) -> None:
    credit(admin, 1_000)
    mine = redeem(people.customer(), 100, hold_minutes=5).json()["id"]
    juma = people.customer("juma")
    for reply in (
        juma.get(WALLET),
        juma.get(f"{WALLET}/statement"),
        redeem(juma, 1),
        juma.post(f"{REDEMPTIONS}/plan", {"amount": kes(1)}),
        juma.post(f"{REDEMPTIONS}/{mine}/release"),
    ):
        assert (reply.status, reply.code) == (404, "unknown_customer")
    for reply in (
        juma.get(f"/v1/redemptions/{mine}"),
        juma.post(f"/v1/wallets/cus_juma/redemptions/{mine}/release"),
        People(people.issuer, "kiosk").admin.get(f"/v1/redemptions/{mine}"),
    ):
        assert reply.code in ("unknown_redemption", "no_loyalty_programme")
    assert juma.get(f"/v1/redemptions/{mine}").code == juma.get("/v1/redemptions/red_none").code


# -- Holds


def test_what_is_set_aside_counts_against_what_is_available(people: People, admin: Client) -> None:
    credit(admin, 1_000)
    said = redeem(people.customer(), 700, hold_minutes=5).json()
    assert said["status"] == "held"
    assert (balance(people)["available"], balance(people)["held"]) == (kes(300), kes(700))
    assert redeem(people.customer(), 301).code == "insufficient_balance"
    assert redeem(people.customer(), 1, hold_minutes=24 * 60 + 1).code == "hold_too_long"


def test_a_hold_is_captured_in_part_and_the_rest_comes_back(people: People, admin: Client) -> None:
    credit(admin, 1_000)
    held = redeem(people.customer(), 700, hold_minutes=5).json()["id"]
    step = f"{REDEMPTIONS}/{held}"
    assert admin.post(f"{step}/capture", {"amount": kes(701)}).code == "hold_too_small"
    assert admin.post(f"{step}/capture", {"amount": {"amount": 1, "currency": "USD"}}).code == "currency_mismatch"
    said = admin.post(f"{step}/capture", {"amount": kes(200)}).json()
    assert (said["status"], said["amount"]) == ("completed", kes(200))
    assert (balance(people)["available"], balance(people)["held"]) == (kes(800), kes(0))
    for again in ("capture", "release"):
        assert admin.post(f"{step}/{again}", *([{}] if again == "capture" else [])).code == "illegal_redemption_change"


def test_a_hold_is_released_by_whoever_made_it(people: People, admin: Client) -> None:
    credit(admin, 1_000)
    step = f"{REDEMPTIONS}/{redeem(people.customer(), 700, hold_minutes=5).json()['id']}"
    assert people.customer().post(f"{step}/release").json()["status"] == "released"
    assert balance(people)["available"] == kes(1_000)
    assert admin.post(f"{step}/capture", {}).code == "illegal_redemption_change"
    assert admin.post(f"{REDEMPTIONS}/red_none/capture", {}).code == "unknown_redemption"


# -- Rewards that a partner's issuer confirms


@pytest.fixture
def java(people: People, admin: Client) -> Client:
    """A partner whose issuer confirms what is redeemed of its rewards."""
    assert admin.put("/v1/loyalty-programme", PROGRAMME | {"confirming_partners": ["usr_java"]}).status == 200
    return people.of("partner", sub="usr_java")


def reward(partner: Client, amount: int) -> Any:
    return issue(partner, kind="reward", amount=kes(amount), source="a coffee").json()["credit"]


def test_a_partner_sees_and_takes_back_what_it_issued_and_nothing_else(
    people: People, admin: Client, java: Client
) -> None:
    lot, other = reward(java, 300), credit(admin, 500)
    assert java.get(f"{CREDITS}/{lot['id']}").json() == lot
    assert people.of("finance").get(f"{CREDITS}/{other['id']}").json()["amount"] == kes(500)
    stranger = people.of("partner", sub="usr_kiosk")
    for client, lot_id in ((java, other["id"]), (java, "lot_none"), (stranger, lot["id"])):
        assert client.get(f"{CREDITS}/{lot_id}").code == "unknown_lot"
        assert client.post(f"{CREDITS}/{lot_id}/revocation", {}).code == "unknown_lot"
    assert java.post(f"{CREDITS}/{lot['id']}/revocation", {"note": "a mistake"}).json()["status"] == "revoked"
    assert people.customer().get(f"{CREDITS}/{other['id']}").status == 403


def test_what_a_partner_must_confirm_is_started_and_held(people: People, admin: Client, java: Client) -> None:
    lot = reward(java, 300)
    credit(admin, 1_000)
    said = redeem(people.customer(), 700).json()
    assert said["status"] == "started"
    assert said["partners"] == [
        {"lot_id": lot["id"], "partner": "usr_java", "amount": kes(300), "status": "waiting", "reason": None}
    ]
    assert people.customer().get(f"/v1/redemptions/{said['id']}").json() == said
    assert balance(people)["held"] == kes(400)
    assert balance(people, "reward")["held"] == kes(300)
    for step in ("capture", "release", "reversal"):
        body = [{}] if step == "capture" else []
        assert admin.post(f"{REDEMPTIONS}/{said['id']}/{step}", *body).code == "illegal_redemption_change"


def test_a_customer_who_leaves_the_partner_out_pays_at_once(people: People, admin: Client, java: Client) -> None:
    reward(java, 300)
    credit(admin, 1_000)
    assert redeem(people.customer(), 700, kinds=["store_credit"]).json()["status"] == "completed"
    planned = people.customer().post(f"{REDEMPTIONS}/plan", {"amount": kes(300)}).json()
    assert [one["kind"] for one in planned["payments"]] == ["reward"]


# -- Signs of fraud


def test_what_looks_like_fraud_is_flagged(people: People, admin: Client) -> None:
    credit(admin, 10_000)
    said = [redeem(people.customer(), amount).json() for amount in (10, 10, 61, 10, 10, 10)]
    assert [[sign["sign"] for sign in one["signs"]] for one in said] == [[], [], ["far_more"], [], [], ["too_often"]]
    assert said[2]["signs"] == [{"sign": "far_more", "severity": "high"}]
    assert {one["status"] for one in said} == {"completed"}, "the tenant does not want to review them"


def test_what_looks_like_fraud_waits_for_staff_if_the_tenant_says_so(people: People, admin: Client) -> None:
    admin.put("/v1/loyalty-programme", PROGRAMME | {"review_flagged": True})
    credit(admin, 10_000)
    redeem(people.customer(), 10)
    flagged, again = (redeem(people.customer(), amount).json() for amount in (4_000, 5_000))
    assert (flagged["status"], flagged["for_review"]) == ("held", True)
    assert again["for_review"], "what nobody has looked at yet makes the next no less unusual"
    listed = people.of("finance").get("/v1/redemptions").json()["redemptions"]
    assert {one["id"] for one in listed} == {flagged["id"], again["id"]}
    assert admin.post(f"{REDEMPTIONS}/{flagged['id']}/capture", {}).json()["status"] == "completed"
    assert admin.post(f"{REDEMPTIONS}/{again['id']}/release").json()["status"] == "released"
    assert people.of("finance").get("/v1/redemptions").json()["redemptions"] == []
    assert redeem(people.customer(), 4_000).json()["status"] == "completed", "it is what this customer does"


def test_what_nobody_looked_at_in_time_comes_back_and_leaves_the_list(people: People, admin: Client) -> None:
    admin.put("/v1/loyalty-programme", PROGRAMME | {"review_flagged": True, "hold_minutes_max": 1})
    credit(admin, 10_000)
    redeem(people.customer(), 10)
    flagged = redeem(people.customer(), 4_000).json()
    database, later = wiring.database(), system_clock() + timedelta(minutes=2)
    [waits] = reviews_of(database, "soko", system_clock(), after=None, limit=9).items
    assert waits.id == flagged["id"]
    assert reviews_of(database, "soko", later, after=None, limit=9).items == []


# -- Reversal, and the statement


def test_a_reversal_gives_back_the_lots_it_took(people: People, admin: Client) -> None:
    credit(admin, 30, days=3)
    credit(admin, 70, days=200)
    credit(admin, 500, kind="points")
    before = people.customer().get(WALLET).json()
    paid = redeem(people.customer(), 1_200).json()["id"]
    said = admin.post(f"{REDEMPTIONS}/{paid}/reversal")
    assert (said.status, said.json()["status"]) == (200, "reversed")
    assert people.customer().get(WALLET).json() == before
    assert admin.post(f"{REDEMPTIONS}/{paid}/reversal").code == "illegal_redemption_change"


def test_a_statement_says_what_each_change_left(people: People, admin: Client) -> None:
    credit(admin, 1_000)
    redeem(people.customer(), 300, reference="invoice 17")
    redeem(people.customer(), 100, hold_minutes=5)  # moves nothing
    credit(admin, 50)
    said = people.customer().get(f"{WALLET}/statement").json()["entries"]
    assert [(one["why"], one["lines"][0]["change"], one["lines"][0]["balance_after"]) for one in said] == [
        ("issued", kes(50), kes(750)),
        ("redeemed", kes(-300), kes(700)),
        ("issued", kes(1_000), kes(1_000)),
    ]
    assert [one["note"] for one in said] == ["goodwill", "invoice 17", "goodwill"]
    first = people.customer().get(f"{WALLET}/statement", query={"limit": 1}).json()
    rest = people.customer().get(f"{WALLET}/statement", query={"cursor": first["next_cursor"]}).json()
    assert first["entries"] + rest["entries"] == said


# -- Points that orders earn

EARNINGS = f"{WALLET}/earnings"


def earn(client: Client, order_id: str = "ord_1", amount: int = 10_050) -> Reply:
    return client.post(EARNINGS, {"order_id": order_id, "amount": kes(amount)})


@pytest.fixture
def earning(admin: Client) -> Client:
    """10 points for each 10.00, which live for a year."""
    assert (
        admin.put("/v1/loyalty-programme", PROGRAMME | {"earn_per_1000": {"KES": 10}, "earned_days": 365}).status == 200
    )
    return admin


def test_an_order_earns_points_that_wait_for_its_delivery(people: People, earning: Client) -> None:
    assert earn(earning).json()["points"] == 100
    assert (balance(people, "points")["pending"], balance(people, "points")["available"]) == (pts(100), pts(0))
    assert redeem(people.customer(), 500).code == "insufficient_balance"
    assert earning.post(f"{EARNINGS}/ord_1/maturity").json()["status"] == "earned"
    assert balance(people, "points")["available"] == pts(100)
    [lot] = people.customer().get(WALLET).json()["lots"]
    assert lot["expires_at"][:10] == in_days(365)[:10]


def test_an_order_earns_once(people: People, earning: Client) -> None:
    earn(earning)
    assert earn(earning).code == "already_earned"
    earning.post(f"{EARNINGS}/ord_1/maturity")
    assert redeem(people.customer(), 1_000).status == 201
    assert earn(earning).code == earning.post(f"{EARNINGS}/ord_1/maturity").code == "already_earned"
    assert people.customer().get(WALLET).json()["balances"] == []


def test_what_is_refunded_earns_nothing(people: People, earning: Client) -> None:
    earn(earning, amount=10_000)
    path = f"{EARNINGS}/ord_1/clawback"
    assert earning.post(path, {"refunded": kes(3_333)}).json()["clawed_back"] == 34, "66.67 would have earned 66"
    assert balance(people, "points")["pending"] == pts(66)
    assert earning.post(path, {"refunded": kes(6_668)}).code == "earning_exceeded"
    assert earning.post(path, {"refunded": {"amount": 1, "currency": "USD"}}).code == "earning_exceeded"
    assert earning.post(path, {"refunded": kes(6_667)}).json()["clawed_back"] == 100
    assert people.customer().get(WALLET).json()["lots"] == []
    assert earning.post(f"{EARNINGS}/ord_1/maturity").json()["status"] == "earned", "of nothing"


def test_points_that_are_spent_are_clawed_back_of_others_as_far_as_there_are(people: People, earning: Client) -> None:
    earn(earning, amount=10_000)
    earning.post(f"{EARNINGS}/ord_1/maturity")
    redeem(people.customer(), 1_000)
    credit(earning, 30, kind="points")
    earning.post(f"{EARNINGS}/ord_1/clawback", {"refunded": kes(10_000)})
    assert people.customer().get(WALLET).json()["balances"] == []


def test_what_earns_nothing_is_refused(people: People, earning: Client) -> None:
    assert earn(earning, amount=99).code == "nothing_earned"
    dollars = {"order_id": "ord_2", "amount": {"amount": 10_000, "currency": "USD"}}
    assert earning.post(EARNINGS, dollars).code == "nothing_earned"
    earn(earning)
    for order_id, customer in (("ord_none", "cus_amina"), ("ord_1", "cus_juma")):
        assert earning.post(f"/v1/wallets/{customer}/earnings/{order_id}/maturity").code == "unknown_earning"


# -- What lapses


def test_what_nobody_spent_lapses_and_is_reported(people: People, admin: Client) -> None:
    assert admin.put("/v1/loyalty-programme", PROGRAMME | {"grace_days": 0}).status == 200
    soon = rfc3339(system_clock() + timedelta(seconds=1))
    lot = issue(admin, amount=kes(500), expires_at=soon).json()["credit"]
    credit(admin, 200)
    time.sleep(1)
    assert (balance(people)["available"], balance(people)["expired"]) == (kes(200), kes(500))
    assert expiry.handler({}, None) == {"soko": 1}
    assert (balance(people)["available"], balance(people)["expired"]) == (kes(200), kes(0))
    today = system_clock()
    finance, quarter = people.of("finance"), period_of(today)
    [broken] = finance.get(f"/v1/loyalty-programme/breakages/{quarter}").json()["breakages"]
    assert (broken["lots"][0]["lot_id"], broken["breakage_recognition_period"]) == (lot["id"], quarter)
    assert (broken["worth"], bool(broken["breakage_journal_entry_id"])) == (kes(500), True)
    [owed] = finance.get("/v1/loyalty-programme/liabilities").json()["liabilities"]
    assert (owed["day"], owed["worth"], owed["recognized"]) == (f"{today:%Y-%m-%d}", kes(200), kes(500))
    said = finance.get(f"/v1/loyalty-programme/reviews/{quarter}").json()
    assert (said["recognized"], said["estimate"]) == (kes(500), "remote")
    assert admin.get("/v1/loyalty-programme/reviews/2020-Q1").code == "nothing_counted"
    [newest, *_] = people.customer().get(f"{WALLET}/statement").json()["entries"]
    assert (newest["why"], newest["lines"][0]["change"]) == ("lapsed", kes(-500))
