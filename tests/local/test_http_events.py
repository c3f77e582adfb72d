"""Payload format 2.0, both ways."""

import base64
import json
from typing import Any

import pytest

from local.http.events import Endpoint, Headers, MalformedAnswerError, Request, event_of, response_of


def event(*headers: tuple[str, str], body: bytes = b"", query: str = "") -> dict[str, Any]:
    raw: Headers = [(name.encode(), value.encode()) for name, value in headers]
    request = Request("POST", "/a b", "/a%20b", query, raw, body, "203.0.113.9", "1.1", 8000)
    return event_of(request, Endpoint("api", "127.0.0.1:8000"), "r-1", "POST /{p}", request.path, {"p": "a b"})


def test_headers_are_lower_case_and_joined_and_cookies_are_apart() -> None:
    made = event(("X-One", "1"), ("x-one", "2"), ("Cookie", "a=1; b=2"), ("cookie", "c=3"))
    assert made["headers"]["x-one"] == "1,2"
    assert made["cookies"] == ["a=1", "b=2", "c=3"]
    assert "cookie" not in made["headers"]


def test_a_query_is_kept_raw_and_joined() -> None:
    made = event(query="x=1&x=2&empty=&t=a%20b")
    assert made["rawQueryString"] == "x=1&x=2&empty=&t=a%20b"
    assert made["queryStringParameters"] == {"x": "1,2", "empty": "", "t": "a b"}


def test_what_is_not_there_has_no_key() -> None:
    assert event().keys().isdisjoint({"cookies", "queryStringParameters", "body"})


def test_the_context_names_the_caller_and_the_request() -> None:
    context = event(("User-Agent", "curl"))["requestContext"]
    assert context["http"] == {
        "method": "POST",
        "path": "/a b",
        "protocol": "HTTP/1.1",
        "sourceIp": "203.0.113.9",
        "userAgent": "curl",
    }
    assert (context["requestId"], context["routeKey"], context["stage"]) == ("r-1", "POST /{p}", "$default")


@pytest.mark.parametrize(
    "content_type", ["application/json", "text/plain; charset=utf-8", "application/problem+json", ""]
)
def test_text_arrives_as_text(content_type: str) -> None:
    made = event(("content-type", content_type), body='{"a": "ü"}'.encode())
    assert (made["body"], made["isBase64Encoded"]) == ('{"a": "ü"}', False)


@pytest.mark.parametrize(
    "content_type, body",
    [("image/png", b"\x89PNG"), ("application/x-www-form-urlencoded", b"a=1"), ("application/json", b"\xff")],
)
def test_all_else_arrives_in_base64(content_type: str, body: bytes) -> None:
    made = event(("content-type", content_type), body=body)
    assert made["isBase64Encoded"]
    assert base64.b64decode(made["body"]) == body


def test_a_full_answer_is_taken_as_it_says() -> None:
    response = response_of(
        json.dumps(
            {
                "statusCode": 201,
                "headers": {"Content-Type": "image/png", "X-Count": 7, "X-Yes": True},
                "cookies": ["a=1", "b=2"],
                "body": base64.b64encode(b"\x89PNG").decode(),
                "isBase64Encoded": True,
            }
        ).encode()
    )
    assert (response.status, response.body) == (201, b"\x89PNG")
    assert response.headers == [
        (b"content-type", b"image/png"),
        (b"x-count", b"7"),
        (b"x-yes", b"true"),
        (b"set-cookie", b"a=1"),
        (b"set-cookie", b"b=2"),
    ]


@pytest.mark.parametrize("answer, body", [({"a": 1}, b'{"a":1}'), ("text", b"text"), ([1], b"[1]"), (None, b"null")])
def test_an_answer_without_a_status_is_the_body(answer: Any, body: bytes) -> None:
    response = response_of(json.dumps(answer).encode())
    assert (response.status, response.body) == (200, body)
    assert response.headers == [(b"content-type", b"application/json")]


@pytest.mark.parametrize("answer", [{"statusCode": "none"}, {"statusCode": 200, "body": "%%", "isBase64Encoded": True}])
def test_an_answer_that_makes_no_sense_is_refused(answer: Any) -> None:
    with pytest.raises(MalformedAnswerError):
        response_of(json.dumps(answer).encode())
