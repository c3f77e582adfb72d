"""What people open, in a real browser: the description of the API, and the demo provider's page."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, Route, expect, sync_playwright

from local.cloud import LocalCloud
from tests.e2e.market import Market

CHROMIUM = Path("/usr/bin/chromium")

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.skipif(not CHROMIUM.exists(), reason="there is no Chromium; .ci/run installs it"),
]

ARGUMENTS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
DESK = {"width": 1280, "height": 900}
PHONE = {"width": 375, "height": 740}
TABS_MAX = 20


@dataclass
class Trouble:
    """What must not happen while a page is open."""

    errors: list[str] = field(default_factory=list)
    strangers: list[str] = field(default_factory=list)

    def watch(self, page: Page) -> None:
        page.on("console", self._note)
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.route("**", self._keep_at_home)

    def _note(self, said: ConsoleMessage) -> None:
        if said.type in ("error", "warning"):
            self.errors.append(said.text)

    def _keep_at_home(self, route: Route) -> None:
        """No page needs anything from elsewhere."""
        if route.request.url.startswith(("http://127.0.0.1:", "http://localhost:", "data:")):
            route.continue_()
        else:
            self.strangers.append(route.request.url)
            route.abort()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture(params=[DESK, PHONE], ids=["desk", "phone"])
def page(request: pytest.FixtureRequest, browser: Browser) -> Iterator[Page]:
    """A page that is watched: nothing goes wrong on it, and nothing is fetched from elsewhere."""
    trouble = Trouble()
    page = browser.new_page(viewport=request.param)
    trouble.watch(page)
    yield page
    assert trouble.errors == []
    assert trouble.strangers == []
    page.close()


def assert_fits(page: Page) -> None:
    """It does not scroll sideways. (An operation that is open in Swagger UI does, on a phone.)"""
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


def operations(cloud: LocalCloud, market: Market) -> int:
    paths = market.http.get(cloud.api_url + "/openapi.json").json()["paths"]
    return sum(len(methods) for methods in paths.values())


def test_the_description_lists_every_operation(page: Page, cloud: LocalCloud, market: Market, tmp_path: Path) -> None:
    page.goto(cloud.api_url + "/docs")
    expect(page.locator(".opblock")).to_have_count(operations(cloud, market))
    assert_fits(page)
    checkout = page.locator(".opblock", has_text="/v1/checkouts")
    checkout.locator(".opblock-summary-control").click()
    expect(checkout.get_by_text("authorization_url").first).to_be_visible()
    page.screenshot(path=tmp_path / "docs.png", full_page=True)


def test_every_error_has_its_explanation(page: Page, cloud: LocalCloud, market: Market, tmp_path: Path) -> None:
    """A problem's `type` leads to it."""
    problem = market.send("GET", "/v1/orders/ord_1", token=market.admin.token).json()
    page.goto(problem["type"])
    expect(page.locator(f"#{problem['code']}")).to_be_visible()
    assert_fits(page)
    page.screenshot(path=tmp_path / "errors.png")


def test_an_order_is_paid_with_the_keyboard_alone(page: Page, market: Market, tmp_path: Path) -> None:
    placed = market.buy(market.shelve("basket", 1))
    page.goto(placed["authorization_url"])
    assert_fits(page)
    page.screenshot(path=tmp_path / "pay.png", full_page=True)
    _tab_to(page, "input[name=outcome]:checked")
    page.keyboard.press("ArrowDown")
    expect(page.get_by_role("radio", name="Decline", exact=True)).to_be_checked()
    page.keyboard.press("ArrowUp")
    expect(page.get_by_role("radio", name="Pay", exact=True)).to_be_checked()
    _tab_to(page, "button[type=submit]")
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_contain_text("Payment received")
    assert_fits(page)
    page.screenshot(path=tmp_path / "paid.png", full_page=True)
    expect(page.get_by_role("link", name="Return to Soko")).to_have_attribute("href", "https://soko.example/thanks")
    market.settled(placed, "CONFIRMED")
    page.reload()
    expect(page.get_by_role("status")).to_contain_text("Payment received")
    market.audit()


def test_a_declined_shopper_tries_again(page: Page, market: Market) -> None:
    """The decline cancels the order; the success that comes after it takes the order on."""
    placed = market.buy(market.shelve("basket", 1))
    page.goto(placed["authorization_url"])
    page.get_by_role("radio", name="Decline", exact=True).check()
    page.get_by_role("button", name="Go on with").click()
    expect(page.get_by_role("status")).to_contain_text("declined")
    market.settled(placed, "CANCELLED")
    page.get_by_role("radio", name="Pay", exact=True).check()
    page.get_by_role("button", name="Go on with").click()
    expect(page.get_by_role("status")).to_contain_text("Payment received")
    market.settled(placed, "CONFIRMED")
    market.audit()


def _tab_to(page: Page, selector: str) -> None:
    """Go on from field to field, as people without a mouse do."""
    for _ in range(TABS_MAX):
        page.keyboard.press("Tab")
        if page.evaluate("wanted => document.activeElement.matches(wanted)", selector):
            return
    raise AssertionError(f"{TABS_MAX} tabs did not lead to {selector}")
