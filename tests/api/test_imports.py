"""Nothing is imported that a request may not need."""

from __future__ import annotations

import subprocess
import sys
from functools import cache

import pytest

from local.openapi import APIS, ROOT

UNNEEDED = (
    "local",
    "boto3",
    "aws_xray_sdk",
    "cauri.edge.openapi",
    "cauri.edge.outbox",
    "cauri.providers.demo",
    "aws_lambda_powertools.event_handler.openapi.models",
    "aws_lambda_powertools.event_handler.openapi.swagger_ui",
    "aws_lambda_powertools.event_handler.openapi.schema_generator",
    "jinja2",
    "reportlab",
    "segno",
)


@cache
def loaded_by(name: str) -> frozenset[str]:
    """What a function has loaded when it is ready for its first request."""
    code = f"import sys, functions.{name}; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    return frozenset(done.stdout.split())


@pytest.mark.parametrize("name", APIS)
def test_a_function_loads_no_module_that_its_requests_do_without(name: str) -> None:
    assert loaded_by(name).isdisjoint(UNNEEDED)


@pytest.mark.parametrize("name", APIS)
def test_a_function_loads_no_other_functions_handlers(name: str) -> None:
    handlers = {loaded for loaded in loaded_by(name) if loaded.startswith("functions.") and loaded.count(".") == 2}
    assert handlers == {f"functions.{name}"}


@pytest.mark.parametrize("name", sorted(set(APIS) - {"checkout.api"}))
def test_a_function_loads_no_checkout_that_it_does_not_run(name: str) -> None:
    assert "cauri.checkout.commands" not in loaded_by(name)
