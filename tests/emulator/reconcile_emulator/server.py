"""The HTTP server: threads, connections that are kept, and ones that are cut on purpose.

werkzeug's own closes every connection after one answer and hides the socket. A client that makes
sixteen calls at once deserves connections that stay, as AWS's do.
"""

from __future__ import annotations

import io
import os
import socket
import struct
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote

HOST = "127.0.0.1"


class Cut(Exception):
    """Ends a connection without an answer, with a reset, as a dying machine or proxy does."""


class Hangup(Exception):
    """Ends a connection in the middle of an answer, after what was sent so far has arrived."""


class Handler(BaseHTTPRequestHandler):
    """Hands requests to the WSGI application."""

    protocol_version = "HTTP/1.1"
    # Otherwise the body of an answer waits up to 40 ms for an acknowledgement of its head.
    disable_nagle_algorithm = True
    server: Server

    def log_message(self, *_: object) -> None:
        """Says nothing: calls are in the call log."""

    def _answer(self) -> None:
        try:
            body = self._body()
            head: list[Any] = []
            chunks = self.server.application(self._environ(body), lambda *start: head.extend(start))
            self._send(head[0], head[1], chunks)
        except Cut:
            self.close_connection = True
            linger_no_time = struct.pack("ii", 1, 0)
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger_no_time)
            os.close(self.connection.detach())
        except (Hangup, ConnectionError):
            self.close_connection = True

    do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = do_PATCH = do_OPTIONS = _answer

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))
        parts = []
        while size := int(self.rfile.readline().split(b";")[0], 16):
            parts.append(self.rfile.read(size))
            self.rfile.readline()
        while self.rfile.readline().strip():
            pass
        return b"".join(parts)

    def _environ(self, body: bytes) -> dict[str, Any]:
        path, _, query = self.path.partition("?")
        environ: dict[str, Any] = {
            "REQUEST_METHOD": self.command,
            "SCRIPT_NAME": "",
            # WSGI wants bytes dressed up as Latin-1.
            "PATH_INFO": unquote(path).encode().decode("latin-1"),
            "QUERY_STRING": query,
            "RAW_URI": self.path,
            "REQUEST_URI": self.path,
            "REMOTE_ADDR": self.client_address[0],
            "SERVER_NAME": HOST,
            "SERVER_PORT": str(self.server.server_port),
            "SERVER_PROTOCOL": self.request_version,
            "CONTENT_TYPE": self.headers.get("Content-Type", ""),
            "CONTENT_LENGTH": str(len(body)),
            "wsgi.version": (1, 0),
            "wsgi.url_scheme": "http",
            "wsgi.input": io.BytesIO(body),
            "wsgi.errors": io.StringIO(),
            "wsgi.multithread": True,
            "wsgi.multiprocess": False,
            "wsgi.run_once": False,
        }
        for name, value in self.headers.items():
            key = name.upper().replace("-", "_")
            if key not in ("CONTENT_TYPE", "CONTENT_LENGTH", "TRANSFER_ENCODING"):
                key = f"HTTP_{key}"
                environ[key] = f"{environ[key]},{value}" if key in environ else value
        return environ

    def _send(self, status: str, headers: list[tuple[str, str]], chunks: Any) -> None:
        lines = [f"{self.protocol_version} {status}", *(f"{name}: {value}" for name, value in headers)]
        head = "\r\n".join([*lines, "", ""]).encode("latin-1")
        names = {name.lower() for name, _ in headers}
        bodiless = self.command == "HEAD" or status[:3] in ("204", "304")
        if not bodiless and "content-length" not in names:
            body = b"".join(chunks)
            head = head[:-2] + f"Content-Length: {len(body)}\r\n\r\n".encode()
            chunks = [body]
        elif bodiless:
            chunks = []
        for chunk in chunks:
            self.wfile.write(head + chunk)
            head = b""
        if head:
            self.wfile.write(head)


class Server(ThreadingHTTPServer):
    """A thread for each connection, on the loopback interface only."""

    daemon_threads = True
    # A burst of new connections must not be refused.
    request_queue_size = 256

    def __init__(self, port: int, application: Any):
        super().__init__((HOST, port), Handler)
        self.application = application

    def server_bind(self) -> None:
        # The base class looks its own name up, which can take seconds without a resolver.
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(self.server_address)
        self.server_address = self.socket.getsockname()
        self.server_name, self.server_port = HOST, self.server_address[1]

    def handle_error(self, *_: object) -> None:
        """A client that went away is no error here."""
