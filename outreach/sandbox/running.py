"""The sandbox in a thread of this process: for tests and for a rehearsal that needs no second program."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import uvicorn
from starlette.applications import Starlette

from outreach.sandbox.book import Book

START_SECONDS = 15.0


@dataclass(frozen=True)
class Running:
    """Where it listens. `book` may be read while nothing is being sent."""

    url: str
    smtp_port: int | None
    book: Book


@contextmanager
def running(app: Starlette, port: int = 0) -> Iterator[Running]:
    """Serve `app` (of outreach.sandbox.app.build) on loopback; port 0 takes a free one."""
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", port))
        server = uvicorn.Server(
            uvicorn.Config(app, log_level="critical", access_log=False, timeout_graceful_shutdown=1, lifespan="on")
        )
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, name="sandbox", daemon=True)
        thread.start()
        try:
            _wait(server, thread)
            yield Running(f"http://127.0.0.1:{listener.getsockname()[1]}", app.state.smtp_port, app.state.book)
        finally:
            server.should_exit = True
            thread.join(10)


def _wait(server: uvicorn.Server, thread: threading.Thread) -> None:
    over = time.monotonic() + START_SECONDS
    while not server.started:
        if not thread.is_alive() or time.monotonic() > over:
            raise RuntimeError("the sandbox did not start")
        time.sleep(0.01)
