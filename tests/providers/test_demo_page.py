"""The hosted page, as a browser without JavaScript sees it."""

from __future__ import annotations

import base64
import hashlib
import re
from urllib.parse import urlencode

import pytest
import urllib3
from cauri.money import Money
from cauri.providers.demo import LINK_LIVES
from cauri.providers.ports import Captured, Charge, NotFound

from functions.payments.demo_provider.script import Outcome
from tests.providers.world import World


def post(world: World, charge: Charge, **form: str) -> urllib3.BaseHTTPResponse:
    return world.browser.request(
        "POST",
        world.provider.initialize(charge).authorization_url,
        body=urlencode(form),
        headers={"content-type": "application/x-www-form-urlencoded"},
        redirect=False,
    )


def text(world: World, charge: Charge) -> str:
    return world.page(charge).data.decode()


@pytest.mark.parametrize(
    ("amount", "shown"),
    [
        (Money(123456, "KES"), "1,234.56"),
        (Money(7300, "JPY"), "7,300"),
        (Money(15250, "KWD"), "15.250"),
    ],
)
def test_the_amount_has_the_digits_of_its_currency(world: World, amount: Money, shown: str) -> None:
    html = text(world, world.charge(amount))

    assert f'<span class="currency">{amount.currency}</span> {shown}</h1>' in html
    assert f"Go on with {amount.currency} {shown}</button>" in html


def test_every_outcome_can_be_chosen(world: World) -> None:
    html = text(world, world.charge())

    assert re.findall(r'name="outcome" value="(\w+)"', html) == list(Outcome)
    assert re.findall(r'value="(\w+)" checked', html) == ["succeed"]


def test_a_scripted_outcome_is_already_chosen(world: World) -> None:
    html = text(world, world.charge(metadata={"demo_outcome": "succeed_late-45"}))

    assert re.findall(r'value="(\w+)" checked', html) == ["succeed_late"]
    assert re.search(r'name="after_seconds"[^>]*value="45"', html)


def test_what_others_wrote_is_text_and_never_markup(world: World) -> None:
    evil = '"><script>alert(1)</script>$style'

    html = text(world, world.charge(metadata={"merchant": evil}))

    assert "<script" not in html
    assert "&lt;script&gt;alert(1)&lt;/script&gt;$style" in html


def test_the_policy_allows_the_pages_own_style_and_nothing_else(world: World) -> None:
    page = world.page(world.charge())

    [style] = re.findall(r"<style>(.*?)</style>", page.data.decode(), re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    policy = page.headers["content-security-policy"]
    assert policy.startswith(f"default-src 'none'; style-src 'sha256-{digest}';")
    assert page.headers["referrer-policy"] == "no-referrer"
    assert page.headers["cache-control"] == "no-store"
    assert page.headers["content-type"] == "text/html; charset=utf-8"


def test_paying_leads_back_to_the_page_which_says_so_and_offers_no_second_payment(world: World) -> None:
    charge = world.charge()

    answer = post(world, charge, outcome="succeed", after_seconds="5", asks="2")

    assert answer.status == 303
    assert world.provider.initialize(charge).authorization_url.endswith(answer.headers["location"])
    assert isinstance(world.provider.verify(charge.tenant, charge.reference), Captured)
    html = text(world, charge)
    assert "Payment received" in html
    assert "<form" not in html
    assert 'href="https://kiosk.example/orders/7?step=paid"' in html


@pytest.mark.parametrize(
    ("outcome", "notice", "again"),
    [
        ("decline", "Your card was declined", True),
        ("time_out", "You left without paying", True),
        ("succeed_late", "Your bank is deciding", False),
    ],
)
def test_other_outcomes_say_what_happened_and_whether_to_try_again(
    world: World, outcome: str, notice: str, again: bool
) -> None:
    charge = world.charge()

    post(world, charge, outcome=outcome)

    html = text(world, charge)
    assert notice in html
    assert ("<form" in html) is again


@pytest.mark.parametrize(
    "form", [{"outcome": "steal"}, {"outcome": "succeed_late", "after_seconds": "soon"}, {"after_seconds": "-1"}]
)
def test_a_choice_that_does_not_exist_is_refused_and_plays_nothing(world: World, form: dict[str, str]) -> None:
    charge = world.charge()

    assert post(world, charge, **form).status == 400
    assert world.provider.verify(charge.tenant, charge.reference) == NotFound()
    assert world.sqs.waiting == []


def test_a_link_that_is_none_is_said_to_be_none(world: World) -> None:
    url = world.provider.initialize(world.charge()).authorization_url

    for method in ("GET", "POST"):
        answer = world.browser.request(method, url[:-20])
        assert answer.status == 404
        assert b"not a payment link" in answer.data


def test_a_link_past_its_time_is_said_to_be_expired(world: World) -> None:
    charge = world.charge()
    url = world.provider.initialize(charge).authorization_url
    world.clock.advance(LINK_LIVES.total_seconds())

    answer = world.browser.request("POST", url, json={"outcome": "succeed"})

    assert answer.status == 410
    assert b"has expired" in answer.data
    assert world.provider.verify(charge.tenant, charge.reference) == NotFound()


def test_the_api_needs_a_bearer_and_a_body(world: World) -> None:
    base = world.provider.initialize(world.charge()).authorization_url.partition("pay/")[0]

    assert world.browser.request("GET", f"{base}charges/pay_1").status == 401
    assert world.browser.request("GET", f"{base}charges/ref_1/refunds").status == 401
    assert world.browser.request("POST", f"{base}refunds", body=b"{}").status == 401
    assert world.browser.request("GET", f"{base}charges/pay_1", headers={"authorization": "Bearer x.é"}).status == 401
    assert world.browser.request("GET", f"{base}nowhere").status == 404
