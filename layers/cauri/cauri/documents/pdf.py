"""A document as PDF. The same document is the same bytes, whenever it is made.

Importing this takes some 0.4 s: only what makes a document should.
"""

from __future__ import annotations

import functools
import io
from collections.abc import Sequence
from importlib import resources
from typing import Any, Final
from xml.sax.saxutils import escape

import segno
from reportlab.lib.colors import HexColor
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import (
    BaseDocTemplate,
    Flowable,
    Frame,
    KeepTogether,
    PageTemplate,
    Paragraph,
    Spacer,
    Table,
    TableStyle,
)

from cauri.documents.model import Document, Fact, Payment, Row

INK: Final = HexColor("#1d2433")
QUIET: Final = HexColor("#667085")
RULE: Final = HexColor("#d9dee7")
SHADE: Final = HexColor("#f5f7fa")
ACCENT: Final = HexColor("#0f766e")
MARGIN: Final = 18 * mm
WIDTH: Final = A4[0] - 2 * MARGIN
FOOT: Final = 14 * mm
QR_SIDE: Final = 26 * mm
REGULAR: Final = "NotoSans"
BOLD: Final = "NotoSans-Bold"


def pdf(document: Document) -> bytes:
    """`document` on as many A4 pages as it takes."""
    _fonts()
    out = io.BytesIO()
    template = BaseDocTemplate(
        out,
        pagesize=A4,
        title=f"{document.title} {document.number}".strip(),
        author=document.issuer[0],
        creator="cauri",
        invariant=1,  # no time and no chance in it
    )
    frame = Frame(MARGIN, MARGIN + FOOT, WIDTH, A4[1] - 2 * MARGIN - FOOT, 0, 0, 0, 0)
    template.addPageTemplates(PageTemplate(frames=[frame], onPage=functools.partial(_furnish, document)))
    template.build(_story(document), canvasmaker=_Numbered)
    return out.getvalue()


@functools.cache
def _fonts() -> None:
    for name, file in ((REGULAR, "NotoSans-Regular.ttf"), (BOLD, "NotoSans-Bold.ttf")):
        data = resources.files("cauri.documents").joinpath(f"fonts/{file}").read_bytes()
        pdfmetrics.registerFont(TTFont(name, io.BytesIO(data)))
    pdfmetrics.registerFontFamily(REGULAR, normal=REGULAR, bold=BOLD, italic=REGULAR, boldItalic=BOLD)


def _style(size: float, *, bold: bool = False, color: Any = INK, right: bool = False) -> ParagraphStyle:
    return ParagraphStyle(
        f"{size}-{bold}-{color}-{right}",
        fontName=BOLD if bold else REGULAR,
        fontSize=size,
        leading=size * 1.4,
        textColor=color,
        alignment=2 if right else 0,
        splitLongWords=1,
    )


def _text(text: str, style: ParagraphStyle) -> Paragraph:
    """What people wrote is text, whatever it looks like."""
    return Paragraph(escape(text), style)


# -- The parts, from top to bottom


def _story(document: Document) -> list[Flowable]:
    closing = [_totals(document.totals)]
    if document.payment is not None:
        closing += [Spacer(0, 8 * mm), _pay(document.payment)]
    if document.note:
        closing += [Spacer(0, 6 * mm), _text(document.note, _style(8.5, color=QUIET))]
    opening = [_head(document), Spacer(0, 9 * mm), _who_and_when(document), Spacer(0, 9 * mm)]
    return [*opening, _lines(document), Spacer(0, 4 * mm), KeepTogether(closing)]


def _head(document: Document) -> Table:
    issuer = [_text(document.issuer[0], _style(15, bold=True))]
    issuer += [_text(line, _style(8.5, color=QUIET)) for line in document.issuer[1:]]
    named = [_text(document.title, _style(15, bold=True, color=ACCENT, right=True))]
    if document.number:
        named.append(_text(document.number, _style(10, right=True)))
    return _grid([[issuer, named]], [0.58 * WIDTH, 0.42 * WIDTH])


def _who_and_when(document: Document) -> Table:
    to = [_text("To", _style(8, color=QUIET)), _text(document.recipient[0], _style(10, bold=True))]
    to += [_text(line, _style(9)) for line in document.recipient[1:]]
    facts = [
        [_text(fact.label, _style(8.5, color=QUIET)), _text(fact.value, _style(9, bold=fact.strong, right=True))]
        for fact in document.facts
    ]
    width = 0.42 * WIDTH
    return _grid([[to, _grid(facts, [0.42 * width, 0.58 * width], padding=1.5)]], [WIDTH - width, width])


def _lines(document: Document) -> Table:
    whole = sum(column.share for column in document.columns)
    widths = [WIDTH * column.share / whole for column in document.columns]
    rights = [column.right for column in document.columns]
    head = [_text(column.title, _style(8, bold=True, color=QUIET, right=column.right)) for column in document.columns]
    rows = [_cells(row, rights) for row in document.rows] or [[_text("Nothing", _style(9, color=QUIET))]]
    table = Table([head, *rows], widths, repeatRows=1)
    table.setStyle(
        TableStyle(
            [
                ("VALIGN", (0, 0), (-1, -1), "TOP"),
                ("BACKGROUND", (0, 0), (-1, 0), SHADE),
                ("LINEBELOW", (0, 0), (-1, -1), 0.5, RULE),
                ("TOPPADDING", (0, 0), (-1, -1), 4),
                ("BOTTOMPADDING", (0, 0), (-1, -1), 5),
                ("LEFTPADDING", (0, 0), (-1, -1), 5),
                ("RIGHTPADDING", (0, 0), (-1, -1), 5),
            ]
        )
    )
    return table


def _cells(row: Row, rights: Sequence[bool]) -> list[Any]:
    first: list[Paragraph] = [_text(row.cells[0], _style(9, right=rights[0]))]
    if row.note:
        first.append(_text(row.note, _style(7.5, color=QUIET)))
    rest = [_text(cell, _style(9, right=right)) for cell, right in zip(row.cells[1:], rights[1:], strict=True)]
    return [first, *rest]


def _totals(totals: Sequence[Fact]) -> Table:
    width = 0.5 * WIDTH
    rows = [
        [
            _text(each.label, _style(10 if each.strong else 9, bold=each.strong)),
            _text(each.value, _style(11 if each.strong else 9, bold=each.strong, right=True)),
        ]
        for each in totals
    ]
    table = _grid(rows, [0.5 * width, 0.5 * width], padding=2.5)
    strong = [at for at, each in enumerate(totals) if each.strong]
    table.setStyle(TableStyle([("LINEABOVE", (0, at), (-1, at), 0.8, INK) for at in strong]))
    table.hAlign = "RIGHT"
    return table


def _pay(payment: Payment) -> Table:
    """The code takes a camera there, and the words a mouse."""
    words = [
        _text(payment.invitation, _style(10, bold=True)),
        Spacer(0, 1 * mm),
        Paragraph(f'<link href="{escape(payment.url)}">{escape(payment.url)}</link>', _style(8, color=ACCENT)),
    ]
    table = Table([[_Qr(payment.url), words]], [QR_SIDE + 8 * mm, WIDTH - QR_SIDE - 8 * mm])
    table.setStyle(
        TableStyle(
            [
                ("BACKGROUND", (0, 0), (-1, -1), SHADE),
                ("VALIGN", (0, 0), (-1, -1), "MIDDLE"),
                ("LEFTPADDING", (0, 0), (-1, -1), 4 * mm),
                ("TOPPADDING", (0, 0), (-1, -1), 3 * mm),
                ("BOTTOMPADDING", (0, 0), (-1, -1), 3 * mm),
            ]
        )
    )
    return table


def _grid(rows: Sequence[Sequence[Any]], widths: Sequence[float], padding: float = 0) -> Table:
    table = Table(list(rows), list(widths))
    table.setStyle(
        TableStyle(
            [
                ("VALIGN", (0, 0), (-1, -1), "TOP"),
                ("LEFTPADDING", (0, 0), (-1, -1), 0),
                ("RIGHTPADDING", (0, 0), (-1, -1), 0),
                ("TOPPADDING", (0, 0), (-1, -1), padding),
                ("BOTTOMPADDING", (0, 0), (-1, -1), padding),
            ]
        )
    )
    return table


class _Qr(Flowable):  # type: ignore[misc]
    """A QR code of squares, sharp at any size."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.width = self.height = QR_SIDE
        self._matrix = segno.make(text, error="m", micro=False).matrix

    def draw(self) -> None:
        side = QR_SIDE / len(self._matrix)
        self.canv.setFillColor(INK)
        for down, row in enumerate(self._matrix):
            for across, dark in enumerate(row):
                if dark:
                    # A hair wider than the square, so that no light shows between two.
                    place = across * side, QR_SIDE - (down + 1) * side
                    self.canv.rect(*place, side + 0.05, side + 0.05, stroke=0, fill=1)


# -- What every page has


def _furnish(document: Document, canvas: Canvas, template: BaseDocTemplate) -> None:
    canvas.saveState()
    canvas.setFillColor(ACCENT)
    canvas.rect(0, A4[1] - 3 * mm, A4[0], 3 * mm, stroke=0, fill=1)
    if document.stamp:
        _stamp(canvas, document.stamp)
    canvas.setFillColor(QUIET)
    canvas.setFont(REGULAR, 8)
    canvas.drawString(MARGIN, MARGIN, f"{document.issuer[0]} · {document.title} {document.number}".strip())
    canvas.restoreState()


def _stamp(canvas: Canvas, text: str) -> None:
    canvas.saveState()
    canvas.translate(A4[0] / 2, A4[1] / 2)
    canvas.rotate(32)
    canvas.setFillColor(ACCENT)
    canvas.setFillAlpha(0.07)
    canvas.setFont(BOLD, 110)
    canvas.drawCentredString(0, -40, text)
    canvas.restoreState()


class _Numbered(Canvas):  # type: ignore[misc]
    """Writes on every page how many there are, which is known at the end."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._pages: list[dict[str, Any]] = []

    def showPage(self) -> None:  # noqa: N802 - its name
        self._pages.append(dict(self.__dict__))
        self._startPage()

    def save(self) -> None:
        for number, page in enumerate(self._pages, start=1):
            self.__dict__.update(page)
            self.setFillColor(QUIET)
            self.setFont(REGULAR, 8)
            self.drawRightString(A4[0] - MARGIN, MARGIN, f"{number} / {len(self._pages)}")
            super().showPage()
        super().save()
