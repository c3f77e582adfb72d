"""The API's own pages: written before it is deployed, and served as they are. None of them needs the network."""

from __future__ import annotations

import functools
from http import HTTPStatus
from importlib import resources
from typing import Final

from aws_lambda_powertools.event_handler import Response

_STATIC: Final = "cauri.edge"
_SWAGGER_UI: Final = "aws_lambda_powertools.event_handler.openapi.swagger_ui"

_HEADERS: Final = {
    "Cache-Control": "public, max-age=300",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    # Swagger UI writes style attributes; scripts come from us alone.
    "Content-Security-Policy": "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:",
}


def page(name: str, media_type: str) -> Response[str]:
    """A page of ours."""
    return _response(_text(_STATIC, f"static/{name}"), media_type)


def swagger_ui(name: str, media_type: str) -> Response[str]:
    """A file of Swagger UI, which powertools carries."""
    return _response(_text(_SWAGGER_UI, name), media_type)


@functools.cache
def _text(package: str, path: str) -> str:
    return resources.files(package).joinpath(path).read_text("utf-8")


def _response(text: str, media_type: str) -> Response[str]:
    return Response(HTTPStatus.OK, media_type, text, headers={**_HEADERS}, compress=True)
