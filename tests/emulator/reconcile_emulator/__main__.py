"""`python -m reconcile_emulator`: the server's life from a free port to its parent's end."""

from __future__ import annotations

import argparse
import logging
import os
import signal
import sys
import threading
import time
from pathlib import Path

HOST = "127.0.0.1"


def main() -> None:
    arguments = _arguments()
    logging.basicConfig(level=logging.INFO, format="%(name)s: %(message)s", stream=sys.stderr)
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    signal.signal(signal.SIGINT, lambda *_: os._exit(0))
    _watch(arguments.exit_with_stdin, arguments.parent)

    # Importing moto takes two seconds; a parent that is gone by then is noticed meanwhile.
    from werkzeug.serving import WSGIRequestHandler, make_server

    from .app import Emulator, Guarded

    class Handler(WSGIRequestHandler):
        # Connections are kept: a client that makes sixteen calls at once would otherwise open
        # a new one for each call.
        protocol_version = "HTTP/1.1"

        def log_request(self, *_: object) -> None:
            """Calls are in the call log; a line each on the terminal would drown everything."""

        def setup(self) -> None:
            super().setup()
            # Answers leave in two writes, headers and body; with Nagle's algorithm the second
            # waits 40 ms for an acknowledgement of the first.
            import socket

            self.request.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    server = make_server(HOST, arguments.port, Guarded(Emulator()), threaded=True, request_handler=Handler)
    server.daemon_threads = True
    if arguments.port_file:
        # Whoever waits for the file must never read half of it.
        partial = arguments.port_file.with_suffix(".partial")
        partial.write_text(f"{server.port}\n")
        partial.replace(arguments.port_file)
    print(f"http://{HOST}:{server.port}", flush=True)
    server.serve_forever()


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="reconcile_emulator", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="the port on 127.0.0.1; 0 takes a free one")
    parser.add_argument("--port-file", type=Path, help="where to write the port once it answers")
    parser.add_argument("--exit-with-stdin", action="store_true", help="exit when standard input closes")
    parser.add_argument("--parent", type=int, help="exit when the process with this id is no longer the parent")
    return parser.parse_args()


def _watch(exit_with_stdin: bool, parent: int | None) -> None:
    """Makes sure that this process does not outlive whoever started it."""

    def stdin() -> None:
        while sys.stdin.buffer.read1(1024):
            pass
        os._exit(0)

    def ancestry() -> None:
        while os.getppid() == parent:
            time.sleep(0.5)
        os._exit(0)

    if exit_with_stdin:
        threading.Thread(target=stdin, daemon=True).start()
    if parent:
        threading.Thread(target=ancestry, daemon=True).start()


if __name__ == "__main__":
    main()
