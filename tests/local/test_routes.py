"""The most specific route that has the method takes a request."""

import pytest

from local.http.routes import Match, Router
from local.template import Route

ROUTES = [
    ("ANY", "/{proxy+}", "rest"),
    ("GET", "/v1/orders", "list"),
    ("ANY", "/v1/orders/{proxy+}", "orders"),
    ("GET", "/v1/orders/{id}", "order"),
    ("POST", "/v1/orders/{id}", "change"),
    ("GET", "/v1/orders/open", "open"),
    ("GET", "/v1/{kind}/open", "kinds"),
]


@pytest.fixture
def router() -> Router:
    return Router(Route("Api", *route) for route in ROUTES)


@pytest.mark.parametrize(
    "method, path, function, parameters",
    [
        ("GET", "/v1/orders", "list", {}),
        ("GET", "/v1/orders/open", "open", {}),
        ("GET", "/v1/orders/o1", "order", {"id": "o1"}),
        ("POST", "/v1/orders/o1", "change", {"id": "o1"}),
        ("DELETE", "/v1/orders/o1", "orders", {"proxy": "o1"}),
        ("GET", "/v1/orders/o1/lines", "orders", {"proxy": "o1/lines"}),
        ("GET", "/v1/carts/open", "kinds", {"kind": "carts"}),
        ("POST", "/v1/orders", "rest", {"proxy": "v1/orders"}),
        ("GET", "/elsewhere", "rest", {"proxy": "elsewhere"}),
    ],
)
def test_the_most_specific_route_with_the_method_wins(
    router: Router, method: str, path: str, function: str, parameters: dict[str, str]
) -> None:
    match = router.match(method, path)
    assert match is not None
    assert (match.function, match.path_parameters) == (function, parameters)


def test_a_greedy_variable_needs_something_to_take(router: Router) -> None:
    assert router.match("GET", "/") is None


def test_the_default_route_takes_what_no_other_does() -> None:
    router = Router([Route("Api", "ANY", "$default", "default"), Route("Api", "GET", "/a", "a")])
    assert router.match("GET", "/b") == Match("$default", "default", {})
    assert router.match("GET", "/a") == Match("GET /a", "a", {})
