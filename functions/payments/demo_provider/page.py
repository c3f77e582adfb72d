"""The hosted page, as HTML."""

from __future__ import annotations

import base64
import hashlib
from html import escape
from pathlib import Path
from string import Template
from typing import Final

from cauri.providers.demo_link import Link

from .books import Booked
from .script import Outcome, Play

_HERE: Final = Path(__file__).parent
_STYLE: Final = (_HERE / "page.css").read_text()
_PAGE: Final = Template((_HERE / "page.html").read_text())
_FORM: Final = Template((_HERE / "form.html").read_text())

_STYLE_HASH: Final = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
HEADERS: Final[dict[str, str | list[str]]] = {
    "cache-control": "no-store",
    "content-security-policy": (
        f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "referrer-policy": "no-referrer",  # the address is the key to the payment
    "x-content-type-options": "nosniff",
}

_CHOICES: Final = {
    Outcome.SUCCEED: ("Pay", "The bank says yes, and the shop is told."),
    Outcome.DECLINE: ("Decline", "The bank says no. You can try again."),
    Outcome.TIME_OUT: ("Leave", "You go without paying. Nobody is told."),
    Outcome.SUCCEED_LATE: ("Pay, but late", "The bank takes its time, then says yes."),
    Outcome.DUPLICATE: ("Pay, told three times", "The same news comes again and again."),
    Outcome.OUT_OF_ORDER: ("Pay, told in disorder", "Old news of a decline comes after the new."),
    Outcome.UNKNOWN_THEN_KNOWN: ("Pay, with an outage", "For a while, the shop asks in vain."),
    Outcome.WEBHOOK_LOST: ("Pay, never told", "The shop hears of it only if it asks."),
}

_NOTICES: Final = {
    "success": ("good", "Payment received", "The shop has its money. You can go back now."),
    "processing": ("wait", "Your bank is deciding", "You can go back: the shop will be told."),
    "failed": ("bad", "Your card was declined", "Nothing was charged. You can try again below."),
    "abandoned": ("wait", "You left without paying", "Nothing was charged. You can still pay below."),
}


def checkout(link: Link, booked: Booked | None, scripted: Play) -> str:
    """What there is to pay, what became of it so far, and what can be chosen next."""
    status = booked.status if booked else "pending"
    over = status in ("success", "processing")
    body = _notice(status) + (
        _way_back(link, main=True) if over else _form(link, scripted) + _way_back(link, main=False)
    )
    return _PAGE.substitute(
        title=escape(f"{link.merchant}: pay {link.money()}"),
        style=_STYLE,
        head=_head(link),
        body=body,
        foot=f"Reference <code>{escape(link.reference)}</code>",
    )


def no_link(*, expired: bool) -> str:
    title = "This payment link has expired" if expired else "This is not a payment link"
    text = "Go back to the shop to get a new one. Nothing was charged."
    return _PAGE.substitute(title=title, style=_STYLE, head=f"<h1>{title}</h1>", body=f"<p>{text}</p>", foot="")


def _head(link: Link) -> str:
    currency, _, figures = str(link.money()).partition(" ")
    return (
        f'<p class="merchant">{escape(link.merchant)}</p>'
        f'<h1><span class="currency">{escape(currency)}</span> {escape(figures)}</h1>'
    )


def _notice(status: str) -> str:
    if status not in _NOTICES:
        return ""
    kind, title, text = _NOTICES[status]
    return f'<div class="notice {kind}" role="status"><h2>{title}</h2><p>{text}</p></div>'


def _way_back(link: Link, *, main: bool) -> str:
    kind = "button" if main else "back"
    return f'<a class="{kind}" href="{escape(link.return_url)}">Return to {escape(link.merchant)}</a>'


def _form(link: Link, scripted: Play) -> str:
    choices = "".join(_choice(outcome, checked=outcome is scripted.outcome) for outcome in Outcome)
    return _FORM.substitute(
        choices=choices,
        after_seconds=scripted.after_seconds,
        asks=scripted.asks,
        amount=escape(str(link.money())),
    )


def _choice(outcome: Outcome, *, checked: bool) -> str:
    label, text = _CHOICES[outcome]
    return (
        f'<label class="choice"><input type="radio" name="outcome" value="{outcome}"{" checked" * checked} '
        f'aria-labelledby="{outcome}" aria-describedby="{outcome}_means">'
        f'<span><strong id="{outcome}">{label}</strong><small id="{outcome}_means">{text}</small></span></label>\n'
    )
