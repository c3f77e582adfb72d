"""S3, as far as seals need it: objects that are put once, and read. They are files of the state directory.

Whatever is there is locked: it is not written again, and not deleted.
"""

import hashlib
from pathlib import Path
from urllib.parse import quote
from xml.sax.saxutils import escape

from local.addresses import STORE
from local.http.events import Request, Response


class Store:
    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def answer(self, request: Request) -> Response:
        bucket, _, key = request.path.removeprefix(STORE).partition("/")
        path = self._directory / quote(bucket, safe="") / quote(key, safe="")
        match request.method:
            case "PUT" if path.exists():
                return _refused(412, "PreconditionFailed", "there is an object of this key")
            case "PUT":
                return self._put(path, request.body)
            case "GET" if path.exists():
                return Response(200, [(b"content-type", b"application/octet-stream")], path.read_bytes())
            case "GET":
                return _refused(404, "NoSuchKey", "the specified key does not exist")
            case _:
                return _refused(403, "AccessDenied", "objects are locked")

    def _put(self, path: Path, body: bytes) -> Response:
        """Whole or not at all, and there when it is answered."""
        path.parent.mkdir(parents=True, exist_ok=True)
        written = path.with_name(f".{path.name}")
        written.write_bytes(body)
        written.replace(path)
        tag = hashlib.md5(body, usedforsecurity=False).hexdigest()
        return Response(200, [(b"etag", f'"{tag}"'.encode())], b"")


def _refused(status: int, code: str, text: str) -> Response:
    body = (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>{code}</Code><Message>{escape(text)}</Message></Error>'
    )
    return Response(status, [(b"content-type", b"application/xml")], body.encode())
