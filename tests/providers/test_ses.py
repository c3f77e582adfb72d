"""SES as functions meet it, and the inbox that plays it on this machine."""

from __future__ import annotations

import base64
import itertools
import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest
from cauri.providers.email import Attachment, Email, Undeliverable
from cauri.providers.ses import Ses, mime

from local.aws import AwsError
from local.http.events import Response
from local.mail.inbox import Inbox
from local.mail.pages import page
from local.state import State
from tests.providers.servers import serving

PAPER = Attachment("Rechnung ä.pdf", "application/pdf", b"%PDF-1.4")


def email(to: str = "amina@example.com", **more: str) -> Email:
    words = {"sender_name": "Soko", "subject": "Invoice", "text": "Dear Amina", "html": "<p>Dear Amina</p>"} | more
    return Email(to=to, attachments=(PAPER,), **words)


@pytest.fixture
def inbox(tmp_path: Path) -> Iterator[Inbox]:
    state = State(tmp_path)
    yield Inbox(state)
    state.close()


TROUBLE = {"nobody": (400, "MessageRejected"), "busy": (429, "TooManyRequestsException")}


@pytest.fixture
def ses(monkeypatch: pytest.MonkeyPatch) -> Iterator[Ses]:
    numbers = itertools.count(1)

    class Endpoint(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["content-length"])))
            [address] = asked["Destination"]["ToAddresses"]
            status, problem = TROUBLE.get(address.partition("@")[0], (200, ""))
            self.send_response(status)
            self.send_header("x-amzn-errortype", problem)
            self.end_headers()
            self.wfile.write(json.dumps({"MessageId": f"ses-{next(numbers)}"}).encode())

        def log_message(self, *_: object) -> None:
            """A test's output is the test's."""

    with serving(Endpoint) as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL_SESV2", url)
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "local")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "local")
        yield Ses("billing@cauri.example", "us-east-1")


def test_a_message_is_handed_over_and_has_an_id(ses: Ses) -> None:
    assert ses.send(email()) == "ses-1"
    assert ses.send(email()) == "ses-2"


def test_what_ses_will_not_take_is_undeliverable_and_what_it_can_not_take_now_is_not(ses: Ses) -> None:
    with pytest.raises(Undeliverable, match="MessageRejected"):
        ses.send(email("nobody@example.org"))
    with pytest.raises(Exception, match="TooManyRequests"):
        ses.send(email("busy@example.org"))


def sent(inbox: Inbox, message: Email) -> str:
    """Through MIME and back, as the inbox has it."""
    raw = base64.b64encode(mime(message, "billing@cauri.example")).decode()
    return inbox.receive({"Destination": {"ToAddresses": [message.to]}, "Content": {"Raw": {"Data": raw}}})["MessageId"]


def test_the_inbox_has_what_was_sent(inbox: Inbox) -> None:
    received = inbox.get(sent(inbox, email(sender_name="Soko, Ltd ü")))
    assert received is not None
    assert received.sender == '"Soko, Ltd ü" <billing@cauri.example>'
    assert (received.to, received.subject) == ("amina@example.com", "Invoice")
    assert (received.text.strip(), received.html.strip()) == ("Dear Amina", "<p>Dear Amina</p>")
    assert [(one.name, one.data) for one in received.attachments] == [(PAPER.name, PAPER.data)]
    assert [one.id for one in inbox.all()] == [received.id]


def test_nobody_s_name_begins_a_header_of_its_own(inbox: Inbox) -> None:
    received = inbox.get(sent(inbox, email(sender_name="A\r\nBcc: x@example.com", subject="B\nBcc: y@example.com")))
    assert received is not None
    assert received.subject == "B Bcc: y@example.com"
    assert "Bcc: x@example.com" in received.sender


@pytest.mark.parametrize("request_", [{}, {"Destination": {"ToAddresses": ["x@reject.example"]}}])
def test_the_inbox_refuses_what_ses_would(inbox: Inbox, request_: dict[str, object]) -> None:
    with pytest.raises(AwsError):
        inbox.receive(request_)
    with pytest.raises(AwsError):
        inbox.receive({"Destination": {"ToAddresses": ["a@example.com"]}, "Content": {"Raw": {"Data": "~"}}})


def headers(response: Response) -> dict[bytes, bytes]:
    return dict(response.headers)


def test_the_inbox_can_be_read_in_a_browser_and_runs_nothing_of_what_it_got(inbox: Inbox) -> None:
    message_id = sent(inbox, email(subject="<script>1</script>", html="<script>1</script>"))
    listed = page(inbox, "/inbox").body.decode()
    assert "&lt;script&gt;" in listed
    assert f"/inbox/{message_id}" in listed
    assert "<script>" not in page(inbox, f"/inbox/{message_id}").body.decode()
    framed = page(inbox, f"/inbox/{message_id}/html")
    assert b"default-src 'none'" in headers(framed)[b"content-security-policy"]
    attached = page(inbox, f"/inbox/{message_id}/0/any.pdf")
    assert (attached.body, headers(attached)[b"content-type"]) == (PAPER.data, b"application/pdf")
    assert headers(attached)[b"content-disposition"] == b"inline; filename*=UTF-8''Rechnung%20%C3%A4.pdf"


@pytest.mark.parametrize("path", ["nowhere", "nowhere/html", "{id}/1/x.pdf", "{id}/x/x.pdf", "{id}/0/x/y"])
def test_what_is_not_there_is_not_found(inbox: Inbox, path: str) -> None:
    message_id = sent(inbox, email())
    assert page(inbox, f"/inbox/{path.replace('{id}', message_id)}").status == 404


def test_an_empty_inbox_says_so(inbox: Inbox) -> None:
    assert "Nobody was sent anything yet" in page(inbox, "/inbox").body.decode()
