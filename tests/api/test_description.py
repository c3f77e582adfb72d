"""The served description is true: what it promises is accepted, and nothing is answered that it does not name."""

from __future__ import annotations

import functools
import json
from typing import Any, Final

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis import GenerationMode
from schemathesis.specs.openapi.checks import ignored_auth, negative_data_rejection

from local.openapi import STATIC, generated
from tests.api.client import People
from tests.api.wsgi import application
from tests.shop import Shop

DESCRIPTION: Final = json.loads((STATIC / "openapi.json").read_text("utf-8"))
OPERATIONS: Final = [f"{method.upper()} {path}" for path, methods in DESCRIPTION["paths"].items() for method in methods]

# A request that has the right form may still be refused by a rule.
CONFIG: Final = schemathesis.Config.from_dict(
    {"checks": {"positive_data_acceptance": {"expected-statuses": ["2xx", "404", "409", "422"]}}}
)

ONE_OF: Final = {"/v1/orders": [("customer_id", "vendor_id")], "/v1/log": [("resource", "by", "day")]}
"""Parameters of which a request has one."""


@functools.cache
def schema() -> Any:
    loaded = schemathesis.openapi.from_dict(DESCRIPTION, config=CONFIG)
    loaded.app = application
    return loaded


def test_the_served_files_are_what_the_handlers_and_the_documentation_say() -> None:
    for path, text in generated().items():
        assert path.read_text("utf-8") == text, f"{path.name} is stale: run python -m local.openapi"


def tokens_for(label: str, people: People) -> str:
    path = label.split()[1]
    shopper = path.startswith(("/v1/carts", "/v1/checkouts")) or path == "/v1/orders"
    if path.endswith("/link"):
        proven = {"email": "amina@example.com", "email_verified": True}
        return people.of("customer", sub="usr_amina", customer_id="cus_amina", **proven).token or ""
    decides = label == "POST /v1/approvals/{approval_id}/decisions"
    client = people.customer() if shopper else people.of("manager") if decides else people.admin
    return client.token or ""


def as_meant(case: Any) -> None:
    """Undo what JSON Schema takes for right and can't be told otherwise."""
    case.query.pop("cursor", None)  # no text is one but those that were given out
    for first, *others in ONE_OF.get(case.operation.path, ()):
        case.query = {name: value for name, value in case.query.items() if name not in others}
        case.query.setdefault(first, "cus_amina")
    if isinstance(case.body, dict) and isinstance(case.body.get("delivery"), dict):
        case.body["delivery"]["vessel_imo"] = "9074729"  # its last digit checks the others
    if isinstance(case.body, dict) and "starts_on" in case.body:  # most names are of no time zone, most years far off
        case.body |= {"timezone": "Africa/Nairobi", "starts_on": "2026-12-01", "ends_on": None, "anchored_on": None}
    if "start" in case.query:
        case.query.pop("end", None)  # which may be before the start
    case.body = without_fractions(case.body)  # 1.0 is an integer to JSON Schema; to us, money was in a float


def without_fractions(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: without_fractions(member) for name, member in value.items()}
    if isinstance(value, list):
        return [without_fractions(member) for member in value]
    return int(value) if isinstance(value, float) else value


def checked(label: str, mode: GenerationMode, people: People) -> None:
    operation = schema().find_operation_by_label(label)
    headers = {"authorization": f"Bearer {tokens_for(label, people)}"}
    # Who may come in is proved for every operation in test_access. A token that was made wrong on purpose, or left out,
    # is replaced by ours, so that what comes without a body, or without a token, may be right again.
    righted = [ignored_auth, negative_data_rejection]
    has_body = "requestBody" in operation.definition.raw

    @given(case=operation.as_strategy(mode))
    @settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck), database=None, derandomize=True)
    def check(case: Any) -> None:
        if mode is GenerationMode.POSITIVE:
            as_meant(case)
        had_token = "authorization" in {name.lower() for name in case.headers or ()}
        case.call_and_validate(headers=headers, excluded_checks=[ignored_auth] if has_body and had_token else righted)

    check()


@pytest.mark.parametrize("label", OPERATIONS)
def test_what_is_promised_is_accepted(label: str, people: People, shop: Shop) -> None:
    checked(label, GenerationMode.POSITIVE, people)


@pytest.mark.parametrize("label", [label for label in OPERATIONS if "/v1/" in label])
def test_what_is_wrong_is_answered_as_described(label: str, people: People, shop: Shop) -> None:
    checked(label, GenerationMode.NEGATIVE, people)
