"""The words of a message: a template per kind, whose first line is the subject. One layout makes a page of any of them.

Jinja2 takes 50 ms to import: only what writes letters should.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Final

from jinja2 import Environment, PackageLoader, StrictUndefined

from cauri.notices.model import Kind
from cauri.values import dataclass

SUBJECT: Final = "Subject: "


@dataclass(frozen=True)
class Letter:
    subject: str
    text: str
    html: str


@dataclass(frozen=True)
class Button:
    """What the reader can do about it."""

    label: str
    url: str


def letter(kind: Kind, issuer: str, words: Mapping[str, str], button: Button | None = None) -> Letter:
    """The letter that tells of `kind` with these words. Raises jinja2's UndefinedError where one is missing."""
    known = {"issuer": issuer, "button": button, **words}
    written = _environment().get_template(f"{kind}.txt").render(known).strip()
    head, _, body = written.partition("\n")
    subject, body = head.removeprefix(SUBJECT), body.strip()
    paragraphs = [" ".join(paragraph.split()) for paragraph in body.split("\n\n")]
    html = _environment().get_template("layout.html").render(known, subject=subject, paragraphs=paragraphs)
    return Letter(subject, _plain(paragraphs, button, issuer), html)


def _plain(paragraphs: list[str], button: Button | None, issuer: str) -> str:
    asked = [f"{button.label}: {button.url}"] if button else []
    return "\n\n".join([*paragraphs, *asked, issuer]) + "\n"


@functools.cache
def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("cauri.notices"),
        undefined=StrictUndefined,
        autoescape=lambda name: bool(name and name.endswith(".html")),
        trim_blocks=True,
        lstrip_blocks=True,
    )
