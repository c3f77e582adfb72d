"""Our HTTP against servers that speak it in all the ways that they may, and against those that don't."""

from __future__ import annotations

import datetime
import socket
import ssl
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http.client import HTTPException
from pathlib import Path

import pytest
from cauri.exchange import HEAD_BYTES_MAX, Exchange
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

WHOLE = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


class Peer:
    """Answers each request with the next of `answers`, in pieces; None is to hang up instead."""

    def __init__(self, answers: Sequence[Sequence[bytes] | None], secured: ssl.SSLContext | None) -> None:
        self._answers = list(answers)
        self._secured = secured
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.connections = 0
        self.requests: list[bytes] = []
        self.hung_up = threading.Event()
        self.port = self._listening.getsockname()[1]

    def close(self) -> None:
        self._listening.close()

    def serve(self) -> None:
        while self._answers:
            try:
                accepted, _ = self._listening.accept()
                connection = self._secured.wrap_socket(accepted, server_side=True) if self._secured else accepted
            except OSError:
                continue  # it does not trust us
            self.connections += 1
            with connection:
                self._talk(connection)
            self.hung_up.set()

    def _talk(self, connection: socket.socket) -> None:
        while self._answers and (request := self._request(connection)):
            self.requests.append(request)
            pieces = self._answers.pop(0)
            if pieces is None:
                return
            for piece in pieces:
                connection.sendall(piece)
            if b"close" in b"".join(pieces):
                return

    def _request(self, connection: socket.socket) -> bytes:
        received = b""
        while not received.endswith(b"body"):
            more = connection.recv(65536)
            if not more:
                return b""
            received += more
        return received


@contextmanager
def peer(*answers: Sequence[bytes] | None, secured: ssl.SSLContext | None = None) -> Iterator[Peer]:
    server = Peer(answers, secured)
    threading.Thread(target=server.serve, daemon=True).start()
    try:
        yield server
    finally:
        server.close()


def exchange_with(server: Peer, *, scheme: str = "http", host: str = "127.0.0.1") -> Exchange:
    return Exchange(f"{scheme}://{host}:{server.port}/", connect_seconds=1, read_seconds=1, kept=2)


@pytest.mark.parametrize(
    "pieces",
    [
        [WHOLE],
        [WHOLE[:20], WHOLE[20:41], WHOLE[41:]],
        [b"HTTP/1.1 200 \r\ncontent-length:2\r\nX-Empty:\r\n\r\n{}"],
        [
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
            b"1;why\r\n{\r\n01\r",
            b"\n}\r\n0\r\nLate: x\r\n\r\n",
        ],
    ],
)
def test_an_answer_may_come_in_many_ways_and_the_connection_is_kept(pieces: list[bytes]) -> None:
    with peer(pieces, [WHOLE]) as server:
        exchange = exchange_with(server)
        assert [exchange.post({"X-Amz-Target": "t"}, b"body") for _ in range(2)] == [(200, b"{}")] * 2
        assert server.connections == 1
    assert server.requests[0] == (
        b"POST / HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nAccept-Encoding: identity\r\nContent-Length: 4\r\n"
        b"X-Amz-Target: t\r\n\r\nbody" % server.port
    )


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 503 No\r\nConnection: close\r\nContent-Length: 2\r\n\r\nno",
        b"HTTP/1.1 503 No\r\nX: close\r\n\r\nno",  # its end is that of the connection
    ],
)
def test_a_connection_that_is_to_be_closed_is_not_kept(answer: bytes) -> None:
    with peer([answer], [WHOLE]) as server:
        exchange = exchange_with(server)
        assert exchange.post({}, b"body") == (503, b"no")
        assert exchange.post({}, b"body") == (200, b"{}")
        assert server.connections == 2


def test_a_connection_that_was_dropped_while_it_was_idle_is_not_used() -> None:
    with peer([b"HTTP/1.1 200 OK\r\nX: close\r\nContent-Length: 2\r\n\r\n{}"], [WHOLE]) as server:
        exchange = exchange_with(server)
        exchange.post({}, b"body")
        assert server.hung_up.wait(1)
        assert exchange.post({}, b"body") == (200, b"{}")
        assert (server.connections, len(server.requests)) == (2, 2)


def test_what_came_too_much_is_no_answer_to_the_next() -> None:
    with peer([WHOLE + WHOLE.replace(b"{}", b"[]")], [WHOLE]) as server:
        exchange = exchange_with(server)
        assert [exchange.post({}, b"body") for _ in range(2)] == [(200, b"{}")] * 2


@pytest.mark.parametrize(
    "pieces",
    [
        None,
        [b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nclose"],
        [b"HTTP/1.1 200 OK\r\nContent-Length: nine\r\n\r\nclose"],
        [CHUNKED + b"xyz\r\nclose"],
        [b"SSH-2.0-OpenSSH_9.6\r\n\r\nclose"],
        [b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * HEAD_BYTES_MAX + b"close"],
    ],
)
def test_what_is_no_answer_is_an_error_and_ends_the_connection(pieces: list[bytes] | None) -> None:
    with peer(pieces, [WHOLE]) as server:
        exchange = exchange_with(server)
        with pytest.raises((HTTPException, OSError)):
            exchange.post({}, b"body")
        assert exchange.post({}, b"body") == (200, b"{}")
        assert server.connections == 2


def test_who_answers_too_late_is_not_listened_to_afterwards() -> None:
    with peer([b"HTTP/1.1 200 OK\r\n"], [WHOLE]) as server:
        exchange = Exchange(f"http://127.0.0.1:{server.port}", connect_seconds=1, read_seconds=0.05, kept=2)
        with pytest.raises(TimeoutError):
            exchange.post({}, b"body")
        assert exchange.post({}, b"body") == (200, b"{}")


def test_many_threads_have_a_connection_each_and_few_are_kept() -> None:
    with peer() as server:
        exchange = exchange_with(server)
        together = threading.Barrier(6)

        def answer_one() -> None:
            connection, _ = server._listening.accept()
            server._request(connection)
            together.wait(5)
            connection.sendall(WHOLE)

        threads = [threading.Thread(target=answer_one) for _ in range(6)]
        threads += [threading.Thread(target=exchange.post, args=({}, b"body")) for _ in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(5)
        assert len(exchange._idle) == 2


# -- Whom to trust --------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A key with a certificate for localhost that it signed itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path = tmp_path_factory.mktemp("trust") / "both.pem"
    path.write_bytes(private + made.public_bytes(serialization.Encoding.PEM))
    return path


def secured(certificate: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context


def test_over_tls_with_the_authorities_that_the_environment_names(
    certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_CA_BUNDLE", str(certificate))
    with peer([WHOLE], [WHOLE], secured=secured(certificate)) as server:
        exchange = exchange_with(server, scheme="https", host="localhost")
        assert [exchange.post({}, b"body") for _ in range(2)] == [(200, b"{}")] * 2
        assert server.connections == 1


@pytest.mark.parametrize("named, host", [(False, "localhost"), (True, "127.0.0.1")])
def test_nobody_else_is_trusted(certificate: Path, monkeypatch: pytest.MonkeyPatch, *, named: bool, host: str) -> None:
    """Neither who signed for himself, nor who is somebody else."""
    if named:
        monkeypatch.setenv("AWS_CA_BUNDLE", str(certificate))
    else:
        monkeypatch.delenv("AWS_CA_BUNDLE", raising=False)
    with peer([WHOLE], secured=secured(certificate)) as server, pytest.raises(ssl.SSLCertVerificationError):
        exchange_with(server, scheme="https", host=host).post({}, b"body")
    assert server.requests == []
