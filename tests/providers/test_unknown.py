"""Whatever goes wrong on the wire, the answer is Unknown: no exception, and no decline."""

from __future__ import annotations

import json
import socket
import struct
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from cauri.money import Money
from cauri.providers.demo import DemoProvider
from cauri.providers.http import Answer, Http
from cauri.providers.ports import Captured, RefundCall, Refunded, Unknown

from tests.providers.servers import saying
from tests.providers.world import KES_12_50, SECRET, TENANT, SetClock, short_http

CHARGE = {
    "id": "ch_1",
    "reference": "pay_1",
    "amount": 1250,
    "currency": "KES",
    "status": "success",
    "paid_at": "2026-11-20T09:30:00Z",
}
REFUND = {
    "id": "re_1",
    "reference": "ref_1",
    "charge_reference": "pay_1",
    "amount": 1250,
    "currency": "KES",
    "status": "processed",
    "refunded_at": "2026-11-20T09:30:00Z",
}
REFUND_CALL = RefundCall(TENANT, "ref_1", "pay_1", KES_12_50)


def provider_at(url: str) -> DemoProvider:
    return DemoProvider(url, SECRET, SetClock(), http=short_http())


@contextmanager
def provider_saying(status: int, body: bytes | dict[str, Any], **headers: str) -> Iterator[DemoProvider]:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    with saying(lambda server: server.answer(status, headers, raw)) as url:
        yield provider_at(url)


def expect_unknown(provider: DemoProvider) -> None:
    assert isinstance(provider.verify(TENANT, "pay_1"), Unknown)
    assert isinstance(provider.refund(REFUND_CALL), Unknown)


def test_the_samples_below_are_answers_before_they_are_spoilt() -> None:
    with provider_saying(200, CHARGE) as provider:
        assert isinstance(provider.verify(TENANT, "pay_1"), Captured)
    with provider_saying(200, REFUND) as provider:
        assert isinstance(provider.refund(REFUND_CALL), Refunded)


# -- The connection -------------------------------------------------------------------------------------


def test_a_refused_connection_is_unknown() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        expect_unknown(provider_at(f"http://127.0.0.1:{unused.getsockname()[1]}/"))


def test_a_name_that_does_not_resolve_is_unknown() -> None:
    expect_unknown(provider_at("http://provider.invalid/"))


def test_a_server_that_does_not_accept_is_unknown_within_the_deadline() -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=0) as deaf:
        address = deaf.getsockname()
        with socket.create_connection(address), socket.socket() as second:
            second.setblocking(False)
            second.connect_ex(address)
            started = time.monotonic()
            expect_unknown(provider_at(f"http://127.0.0.1:{address[1]}/"))
    assert time.monotonic() - started < 3


def test_an_answer_that_does_not_come_in_time_is_unknown() -> None:
    with saying(lambda _: time.sleep(1)) as url:
        started = time.monotonic()
        assert provider_at(url).verify(TENANT, "pay_1") == Unknown("ReadTimeoutError")
        assert time.monotonic() - started < 0.9


def test_an_answer_that_drips_is_unknown_when_its_time_is_over() -> None:
    def drip(server: Any) -> None:
        server.send_response(200)
        server.send_header("content-length", "1000")
        server.end_headers()
        try:
            for _ in range(30):
                server.wfile.write(b" ")
                time.sleep(0.1)
        except OSError:
            server.close_connection = True

    with saying(drip) as url:
        started = time.monotonic()
        assert provider_at(url).verify(TENANT, "pay_1") == Unknown("the answer came too slowly")
        assert time.monotonic() - started < 1.5


def hang_up(server: Any) -> None:
    server.close_connection = True


def hang_up_rudely(server: Any) -> None:
    server.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    server.connection.close()
    server.close_connection = True


def hang_up_in_the_middle(server: Any) -> None:
    raw = json.dumps(CHARGE).encode()
    server.wfile.write(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % len(raw) + raw[:-20])
    server.connection.shutdown(socket.SHUT_WR)
    server.close_connection = True


def talk_nonsense(server: Any) -> None:
    server.wfile.write(b"SSH-2.0-OpenSSH_9.6\r\n")
    server.close_connection = True


@pytest.mark.parametrize("speak", [hang_up, hang_up_rudely, hang_up_in_the_middle, talk_nonsense])
def test_a_connection_that_breaks_is_unknown(speak: Callable[[Any], None]) -> None:
    with saying(speak) as url:
        expect_unknown(provider_at(url))


def test_a_connection_that_died_while_it_was_kept_is_opened_anew() -> None:
    asked: list[str] = []

    def answer_and_die(server: Any) -> None:
        asked.append(server.path)
        if len(asked) == 2:  # the kept connection, which turns out to be dead
            hang_up(server)
        else:
            server.answer(200, {}, json.dumps(CHARGE).encode())

    with saying(answer_and_die) as url:
        provider = provider_at(url)
        assert isinstance(provider.verify(TENANT, "pay_1"), Captured)
        assert isinstance(provider.verify(TENANT, "pay_1"), Captured)
    assert len(asked) == 3


def test_what_is_not_safe_twice_is_asked_once() -> None:
    asked: list[str] = []

    def count_and_hang_up(server: Any) -> None:
        asked.append(server.path)
        hang_up(server)

    with saying(count_and_hang_up) as url:
        assert isinstance(short_http().ask("POST", url, headers={}, body=b"{}"), Unknown)
    assert len(asked) == 1


def test_trouble_is_reported_without_the_address_which_may_hold_a_secret() -> None:
    answer = Http(connect_seconds=0.2, read_seconds=0.2).ask("GET", "http://secret.invalid/", headers={})

    assert isinstance(answer, Unknown)
    assert "secret" not in answer.why


# -- The answer -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [201, 204, 302, 400, 401, 403, 404, 409, 429, 500, 502, 503])
def test_a_status_that_says_nothing_of_the_charge_is_unknown(status: int) -> None:
    with provider_saying(status, b"" if status == 204 else b'{"message":"no"}', location="/elsewhere") as provider:
        expect_unknown(provider)


@pytest.mark.parametrize(
    "body",
    [b"", b"<html>It works!</html>", b"null", b"[]", b"42", b'"success"', b"\xff\xfe", b'{"reference":"pay_1"', b"{}"],
)
@pytest.mark.parametrize("status", [200, 404, 422])
def test_an_answer_that_is_not_json_of_the_agreed_shape_is_unknown(status: int, body: bytes) -> None:
    with provider_saying(status, body) as provider:
        expect_unknown(provider)


@pytest.mark.parametrize(
    "spoilt",
    [
        {"reference": "pay_2"},
        {"currency": "KSH"},
        {"currency": "XAU"},
        {"currency": "kes"},
        {"currency": None},
        {"amount": "1250"},
        {"amount": 12.5},
        {"amount": 0},
        {"amount": -1250},
        {"amount": True},
        {"amount": None},
        {"status": "paid"},
        {"status": None},
        {"paid_at": None},
        {"paid_at": "yesterday"},
        {"paid_at": "2026-11-20T09:30:00"},
        {"id": None},
    ],
)
def test_a_success_with_anything_wrong_in_it_is_unknown(spoilt: dict[str, Any]) -> None:
    with provider_saying(200, CHARGE | spoilt) as provider:
        assert isinstance(provider.verify(TENANT, "pay_1"), Unknown)


@pytest.mark.parametrize(
    "spoilt",
    [
        {"reference": "ref_2"},
        {"charge_reference": "pay_2"},
        {"currency": "UGX"},
        {"amount": 1249},
        {"status": "queued"},
        {"refunded_at": None},
        {"id": 7},
    ],
)
def test_a_refund_that_is_not_the_one_that_was_asked_for_is_unknown(spoilt: dict[str, Any]) -> None:
    with provider_saying(200, REFUND | spoilt) as provider:
        assert isinstance(provider.refund(REFUND_CALL), Unknown)


def test_a_not_found_or_a_decline_about_something_else_is_unknown() -> None:
    with provider_saying(404, {"error": "no_such_charge", "reference": "pay_2"}) as provider:
        assert isinstance(provider.verify(TENANT, "pay_1"), Unknown)
    with provider_saying(404, {"error": "no_such_tenant", "reference": "pay_1"}) as provider:
        assert isinstance(provider.verify(TENANT, "pay_1"), Unknown)
    with provider_saying(422, {"error": "exceeds_captured", "reference": "ref_2"}) as provider:
        assert isinstance(provider.refund(REFUND_CALL), Unknown)


def test_an_endless_answer_is_unknown() -> None:
    with provider_saying(200, b" " * (300 * 1024) + json.dumps(CHARGE).encode()) as provider:
        assert provider.verify(TENANT, "pay_1") == Unknown("the answer is too long")


def test_the_reasons_for_unknown_do_not_repeat_what_the_provider_said() -> None:
    with provider_saying(200, CHARGE | {"amount": "card of Amina 4242"}) as provider:
        answer = provider.verify(TENANT, "pay_1")
    assert answer == Unknown("not as agreed: amount")


def test_what_the_provider_took_is_told_even_if_it_is_not_what_was_asked() -> None:
    with provider_saying(200, CHARGE | {"amount": 99, "currency": "USD"}) as provider:
        answer = provider.verify(TENANT, "pay_1")
    assert isinstance(answer, Captured)
    assert answer.amount == Money(99, "USD")


def test_a_redirect_is_an_answer_and_not_followed() -> None:
    with saying(lambda server: server.answer(302, {"location": "http://169.254.169.254/"}, b"")) as url:
        assert short_http().ask("GET", url, headers={}) == Answer(302, b"")


def test_forgotten_connections_are_opened_anew() -> None:
    http = short_http()
    with saying(lambda server: server.answer(200, {}, b"{}")) as url:
        assert http.ask("GET", url, headers={}) == Answer(200, b"{}")
        http.forget_connections()
        assert http.ask("GET", url, headers={}) == Answer(200, b"{}")
