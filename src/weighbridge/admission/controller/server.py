"""Answers probes and Prometheus. It serves three fixed paths and reads nothing that a client sends."""

from __future__ import annotations

import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Final

from weighbridge.errors import OutputError, UsageError

TEXT: Final = "text/plain; version=0.0.4; charset=utf-8"
CLIENT_SECONDS: Final = 5.0
"""Longest wait for a client's request."""

Page = Callable[[], tuple[int, str]]
"""Return the status and the text of a page."""


def parse_address(text: str) -> tuple[str, int]:
    """Read ``HOST:PORT``.

    Raises:
        UsageError: For anything else.
    """
    host, colon, port = text.rpartition(":")
    if not colon or not port.isdecimal() or int(port) > 65535:  # noqa: PLR2004
        raise UsageError(f"{text!r} is not HOST:PORT", remedy="give an address such as 127.0.0.1:8080")
    return host.strip("[]"), int(port)


class Server:
    """The pages, served from a thread of its own until closed."""

    def __init__(self, address: tuple[str, int], pages: dict[str, Page]) -> None:
        try:
            self._server = ThreadingHTTPServer(address, _handler(pages))
        except OSError as error:
            raise OutputError(f"{address[0]}:{address[1]} cannot be served: {error.strerror}") from None
        self._server.daemon_threads = True
        self.port = int(self._server.server_address[1])
        self._thread = threading.Thread(target=self._server.serve_forever, name="metrics", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop serving."""
        self._server.shutdown()
        self._server.server_close()


def _handler(pages: dict[str, Page]) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        timeout = CLIENT_SECONDS
        server_version = "weighbridge"
        sys_version = ""

        def do_GET(self) -> None:
            page = pages.get(self.path)
            status, text = (404, "not found\n") if page is None else page()
            body = text.encode()
            self.send_response(status)
            self.send_header("Content-Type", TEXT)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:  # probes come every few seconds
            pass

    return Handler
