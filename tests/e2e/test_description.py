"""The API as it describes itself, asked at random over HTTP: nothing fails, and nothing comes that is not described.

That what is described is accepted, and what is not is refused, is proved beside the handlers (tests/api).
"""

from __future__ import annotations

import json
import re
from typing import Any, Final
from uuid import UUID

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from local.cloud import LocalCloud
from local.openapi import STATIC
from tests.e2e.market import BY_CARD, VENDOR, Market

pytestmark = pytest.mark.e2e

CASES_PER_OPERATION: Final = 40
MODES: Final = (GenerationMode.POSITIVE, GenerationMode.NEGATIVE)
ROLES: Final = ("admin", "manager", "finance", "customer", "vendor", "partner", "guest")
ADMITTED: Final = re.compile(r"`(\w+)`")
"""The roles in an operation's description."""
LEADING: Final[dict[str, Any]] = {
    "currency": "KES",
    "lines": [{"sku": "basket", "quantity": 1}],
    "prices": {"KES": 100},
    "tenders": [BY_CARD],
    "demo": True,
}
"""Members of a body that lead on, in place of what is made up."""
CHECKS: Final = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]


@pytest.fixture(scope="module")
def market(cloud: LocalCloud, http: httpx.Client) -> Market:
    """A market where everything is there to be found."""
    market = Market(cloud, http).open()
    market.shelve("basket", 1000)
    market.customer(credit=10_000_000)
    return market


@pytest.fixture(scope="module")
def known(market: Market) -> dict[str, str]:
    """Ids that exist, by the name of their parameter."""
    amina = market.customer()
    return {
        "sku": "basket",
        "vendor_id": VENDOR,
        "customer_id": "cus_amina",
        "account": "cash:demo",
        "cart_id": amina.post("/v1/carts", {"currency": "KES"})["id"],
        "order_id": market.buy("basket", by=amina)["order"]["id"],
    }


@pytest.fixture(scope="module")
def tokens(market: Market) -> dict[str, str]:
    """One person for each role, who owns what there is, as far as the role can own anything."""
    claims = {"customer_id": "cus_amina", "vendor_id": VENDOR}
    return {role: market.person(role, sub="usr_amina", **claims).token for role in ROLES}


@pytest.fixture(scope="module")
def described(cloud: LocalCloud) -> Any:
    return schemathesis.openapi.from_url(f"{cloud.api_url}/openapi.json", wait_for_schema=5)


def labels() -> list[str]:
    """The operations, from the file that is served: a test needs its name before there is a cloud."""
    paths = json.loads((STATIC / "openapi.json").read_text("utf-8"))["paths"]
    return [f"{method.upper()} {path}" for path, methods in paths.items() for method in methods]


@pytest.mark.parametrize("label", labels())
def test_whatever_is_asked_is_answered_as_described(
    label: str, described: Any, known: dict[str, str], tokens: dict[str, str]
) -> None:
    operation = described.find_operation_by_label(label)
    cases = st.one_of(*(operation.as_strategy(mode) for mode in MODES))

    admitted = ADMITTED.findall(
        operation.definition.raw["description"].rpartition("Roles:")[2].partition("Rate limit")[0]
    ) or ["guest"]

    @given(case=cases, role=st.sampled_from(ROLES), key=st.uuids(), leads=st.booleans())
    @settings(
        max_examples=CASES_PER_OPERATION,
        deadline=None,
        derandomize=True,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    def ask(case: Any, role: str, key: UUID, leads: bool) -> None:
        headers = {}
        if leads:
            lead_to(known, case)
            role = admitted[key.int % len(admitted)]
            headers["Idempotency-Key"] = str(key)
        headers["Authorization"] = f"Bearer {tokens[role]}"
        case.call_and_validate(headers=headers, checks=CHECKS)

    ask()


def lead_to(known: dict[str, str], case: Any) -> None:
    """Let a request be about what exists, since a made-up id tells little; and as somebody who may."""
    for name in set(case.path_parameters or {}) & known.keys():
        case.path_parameters[name] = known[name]
    case.query.pop("cursor", None)
    if "asset" in case.query:
        case.query["asset"] = "KES"
    body = case.body if isinstance(case.body, dict) else {}
    body |= {name: value for name, value in (known | LEADING).items() if body.get(name)}


def test_after_all_that_everything_adds_up(market: Market, cloud: LocalCloud) -> None:
    cloud.idle(60)
    assert market.differences() == []
    assert market.ledger()["wallet:store_credit"] < 0
