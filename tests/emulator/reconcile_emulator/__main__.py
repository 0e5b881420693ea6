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


def main() -> None:
    arguments = _arguments()
    logging.basicConfig(level=logging.INFO, format="%(name)s: %(message)s", stream=sys.stderr)
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    signal.signal(signal.SIGINT, lambda *_: os._exit(0))
    _watch(arguments.exit_with_stdin, arguments.parent)

    # Importing moto takes two seconds; a parent that is gone by then is noticed meanwhile.
    from .app import Emulator, Guarded
    from .server import HOST, Server

    try:
        server = Server(arguments.port, Guarded(Emulator()))
    except OSError as problem:
        sys.exit(f"reconcile_emulator: cannot listen on {HOST}:{arguments.port}: {problem.strerror}")
    if arguments.port_file:
        # Whoever waits for the file must never read half of it.
        partial = arguments.port_file.with_suffix(".partial")
        partial.write_text(f"{server.server_port}\n")
        partial.replace(arguments.port_file)
    print(f"http://{HOST}:{server.server_port}", flush=True)
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
