"""Write the pages that the API serves as they are: `python -m local.openapi`.

The description comes from the handlers, the page of the errors from docs/errors.md. A test fails while they differ.
"""

from __future__ import annotations

import importlib
import itertools
import json
from collections.abc import Mapping
from html import escape
from pathlib import Path
from typing import Final

from cauri.edge.http import Api
from cauri.edge.openapi import describe
from markdown_it import MarkdownIt

ROOT: Final = Path(__file__).parent.parent
STATIC: Final = ROOT / "layers" / "cauri" / "cauri" / "edge" / "static"
APIS: Final = (
    "inventory.api",
    "checkout.api",
    "checkout.promotions",
    "orders.api",
    "refunds.api",
    "payments.api",
    "wallet.api",
    "billing.api",
    "billing.runs",
    "billing.schedules",
    "billing.documents",
    "notices.api",
    "books.api",
    "reconciliation.api",
    "platform.api",
)

_PAGE: Final = """\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="icon" href="data:,">
<title>{title}</title>
<link rel="stylesheet" href="/docs/page.css">
</head>
<body>
<main>
{body}</main>
</body>
</html>
"""


def apis() -> list[Api]:
    return [importlib.import_module(f"functions.{name}").api for name in APIS]


def generated() -> Mapping[Path, str]:
    """What the files should hold."""
    description = json.dumps(describe(apis()), indent=1, ensure_ascii=False) + "\n"
    errors = (ROOT / "docs" / "errors.md").read_text("utf-8")
    return {STATIC / "openapi.json": description, STATIC / "errors.html": page(errors, "cauri: error codes")}


def page(markdown: str, title: str) -> str:
    """A page of a Markdown text whose headings can be linked to by their own words."""
    renderer = MarkdownIt("commonmark", {"html": False}).enable("table")
    tokens = renderer.parse(markdown)
    for heading, text in itertools.pairwise(tokens):
        if heading.type == "heading_open":
            heading.attrSet("id", text.content.strip("`").replace(" ", "-"))
    return _PAGE.format(title=escape(title), body=renderer.renderer.render(tokens, renderer.options, {}))


def main() -> None:
    STATIC.mkdir(exist_ok=True)
    for path, text in generated().items():
        path.write_text(text, "utf-8")


if __name__ == "__main__":
    main()
