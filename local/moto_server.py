"""The engine when there is no dynoxide: DynamoDB in memory, by moto, in a process of its own."""

from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import WSGIRequestHandler, make_server

from local.engine import sound_moto


class Quiet(WSGIRequestHandler):
    protocol_version = "HTTP/1.1"  # keeps connections

    def log(self, type: str, message: str, *args: object) -> None:  # noqa: A002 werkzeug's own name
        """Not a line per request."""


def main(port: str) -> None:
    sound_moto.install()
    application = DomainDispatcherApplication(create_backend_app)
    make_server("127.0.0.1", int(port), application, threaded=True, request_handler=Quiet).serve_forever()
