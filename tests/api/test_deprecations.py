"""A route that will go says so: with every answer, and in the description."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any

import pytest
from aws_lambda_powertools.event_handler.openapi.params import Path
from cauri.books.caller import Caller
from cauri.edge.deprecations import DEPRECATED, Deprecation
from cauri.edge.http import Api
from cauri.edge.openapi import describe
from cauri.edge.problems import NotFound

from local.openapi import apis
from tests.api.client import Client, People, Reply, event_of, reply_of

SINCE = datetime(2026, 11, 1, tzinfo=UTC)
SUNSET = datetime(2027, 5, 1, 12, 30, tzinfo=UTC)
OLD = "/v1/invoice/<name>"


@dataclass(frozen=True)
class Greeting:
    text: str


def api_with(*deprecations: tuple[str, Deprecation]) -> Api:
    """An API of two routes, one of which knows everybody but Nemo."""
    api = Api("Platform", {("GET", path): deprecation for path, deprecation in deprecations})

    def greet(name: Annotated[str, Path()], caller: Caller) -> Greeting:
        """Greet somebody"""
        if name == "nemo":
            raise NotFound
        return Greeting(f"Hello, {name}")

    def welcome(caller: Caller) -> Greeting:
        """Greet everybody"""
        return Greeting("Hello")

    api.read(OLD, roles={"admin"}, answer=Greeting)(greet)
    api.read("/v1/invoices", roles={"admin"}, answer=Greeting)(welcome)
    return api


def ask(api: Api, client: Client, path: str) -> Reply:
    headers = {"authorization": f"Bearer {client.token}"} if client.token else {}
    return reply_of(api.handler(event_of("GET", path, None, headers, ""), None))


@pytest.fixture
def api() -> Api:
    return api_with((OLD, Deprecation(SINCE, "/v1/invoices/<name>/greeting", SUNSET)))


@pytest.mark.parametrize(("name", "status"), [("amina", 200), ("nemo", 404)])
def test_every_answer_of_a_deprecated_route_says_what_to_call_instead(
    name: str, status: int, api: Api, people: People
) -> None:
    reply = ask(api, people.admin, f"/v1/invoice/{name}")
    assert reply.status == status
    assert reply.headers["deprecation"] == "@1793491200"
    assert reply.headers["sunset"] == "Sat, 01 May 2027 12:30:00 GMT"
    assert reply.headers["link"] == f'</v1/invoices/{name}/greeting>; rel="successor-version"'


def test_who_is_not_let_in_hears_of_it_too(api: Api, people: People) -> None:
    for client, status in ((Client(None), 401), (people.guest, 403)):
        reply = ask(api, client, "/v1/invoice/amina")
        assert (reply.status, reply.headers["deprecation"]) == (status, "@1793491200")


def test_a_route_may_be_deprecated_before_it_is_known_when_it_goes(people: People) -> None:
    reply = ask(api_with((OLD, Deprecation(SINCE, "/v1/invoices"))), people.admin, "/v1/invoice/amina")
    assert reply.headers["link"] == '</v1/invoices>; rel="successor-version"'
    assert "sunset" not in reply.headers


def test_other_routes_say_nothing(api: Api, people: People) -> None:
    reply = ask(api, people.admin, "/v1/invoices")
    assert reply.status == 200
    assert reply.headers.keys().isdisjoint({"deprecation", "sunset", "link"})


def test_the_description_marks_it(api: Api) -> None:
    paths: dict[str, Any] = describe([api])["paths"]
    assert paths["/v1/invoice/{name}"]["get"]["deprecated"] is True
    assert "deprecated" not in paths["/v1/invoices"]["get"]


def test_the_table_names_routes_that_there_are() -> None:
    routes = {(operation.method, operation.path) for api in apis() for operation in api.operations}
    assert DEPRECATED.keys() <= routes
