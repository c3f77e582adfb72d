"""Every refusal has one code, one status, a place in the documentation, and a test that meets it."""

from __future__ import annotations

import importlib
import inspect
import json
import pkgutil
import re
from collections import defaultdict
from collections.abc import Iterator
from http import HTTPStatus
from pathlib import Path

import cauri
import pytest
from cauri.books.commit import Contended
from cauri.edge.problems import INTERNAL_ERROR, STATUS, UNAVAILABLE, problem
from cauri.errors import ContendedError, Refusal, UnavailableError
from cauri.inventory.model import OutOfStock
from cauri.payments.model import ProviderUnavailable

ROOT = Path(__file__).parent.parent.parent
DOCUMENTATION = (ROOT / "docs" / "errors.md").read_text("utf-8")
TESTS = "\n".join(path.read_text("utf-8") for path in (ROOT / "tests").rglob("*.py") if path != Path(__file__))

for module in pkgutil.walk_packages(cauri.__path__, "cauri."):
    importlib.import_module(module.name)


def descendants(kind: type[Refusal]) -> Iterator[type[Refusal]]:
    for child in kind.__subclasses__():
        yield child
        yield from descendants(child)


OURS = {one for one in descendants(Refusal) if one.__module__.startswith("cauri.")}  # tests make some of their own
REFUSALS = sorted({one for one in OURS if "code" in vars(one)}, key=lambda one: one.__qualname__)
CODES = sorted({one.code for one in REFUSALS})
SHARED = {"currency_mismatch"}  # two ways to meet another currency, one thing to do about it


def test_codes_are_snake_case_and_mean_one_thing() -> None:
    by_code = defaultdict(list)
    for refusal in REFUSALS:
        assert re.fullmatch(r"[a-z]+(_[a-z]+)*", refusal.code), refusal
        by_code[refusal.code].append(refusal)
    assert {code for code, refusals in by_code.items() if len(refusals) > 1} == SHARED


def test_the_table_has_every_code_and_no_other() -> None:
    assert set(STATUS) == {*CODES, INTERNAL_ERROR, UNAVAILABLE}


def test_the_documentation_has_every_code_with_its_status_and_no_other() -> None:
    written = re.findall(r"^### (\w+)\n\n\*\*(\d+)\.\*\*", DOCUMENTATION, re.MULTILINE)
    assert sorted(written) == sorted((code, str(int(status))) for code, status in STATUS.items())


@pytest.mark.parametrize("refusal", REFUSALS, ids=lambda refusal: refusal.__name__)
def test_a_test_meets_every_refusal(refusal: type[Refusal]) -> None:
    assert re.search(rf"\b{refusal.__name__}\b|[\"']{refusal.code}[\"']", TESTS), f"no test meets {refusal.__name__}"


@pytest.mark.parametrize("refusal", REFUSALS, ids=lambda refusal: refusal.__name__)
def test_a_refusal_says_what_it_refuses_and_adds_no_member_that_is_taken(refusal: type[Refusal]) -> None:
    source = inspect.getsource(refusal)
    taken = re.findall(r'"(type|title|status|detail|code|request_id|suggestion)":', source)
    assert taken == []
    assert refusal.detail is not Refusal.detail


def test_a_problem_is_as_rfc_9457_has_it() -> None:
    said = problem(OutOfStock("coffee", 3, 2), "req-1", "https://soko.example/docs/errors")
    assert said.status is HTTPStatus.CONFLICT
    assert json.loads(said.body) == {
        "type": "https://soko.example/docs/errors#out_of_stock",
        "title": "Out of stock",
        "status": 409,
        "detail": "3 of coffee were asked for, and 2 are available.",
        "code": "out_of_stock",
        "request_id": "req-1",
        "suggestion": "Take 2 or fewer.",
        "sku": "coffee",
        "asked": 3,
        "available": 2,
    }


def test_what_is_contended_in_the_end_may_be_sent_again() -> None:
    said = json.loads(problem(Contended(), "req-1", "").body)
    assert (said["status"], said["code"]) == (409, "contended")
    assert "same key" in said["suggestion"]


@pytest.mark.parametrize("trouble", [UnavailableError("10.0.0.7 refused"), ContendedError("TransactionConflict")])
def test_what_nobody_knows_yet_is_503_with_a_time_to_come_back(trouble: Exception) -> None:
    said = problem(trouble, "req-1", "")
    assert (said.status, said.headers) == (HTTPStatus.SERVICE_UNAVAILABLE, {"Retry-After": "1"})
    assert str(trouble) not in said.body


def test_a_provider_that_gives_no_answer_is_503_with_a_time_to_come_back() -> None:
    said = problem(ProviderUnavailable("paystack"), "req-1", "")
    assert (said.status, said.headers) == (HTTPStatus.SERVICE_UNAVAILABLE, {"Retry-After": "1"})


def test_what_nobody_expected_says_nothing_of_our_inside() -> None:
    said = problem(KeyError("a table of ours"), "req-1", "")
    assert (said.status, json.loads(said.body)["code"]) == (HTTPStatus.INTERNAL_SERVER_ERROR, "internal_error")
    assert "table" not in said.body
