"""A way to the database that can go silent: what is sent is taken, and nothing ever comes back."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import TypeVar

from sqlalchemy import Engine

from outreach.store.reach import reach

R = TypeVar("R")
TOO_LONG = 10.0


class Way:
    """Passes on what comes, both ways, until it is hushed."""

    def __init__(self, engine: Engine) -> None:
        self._far = engine.url.host or "127.0.0.1", engine.url.port or 5432
        self._door = socket.create_server(("127.0.0.1", 0))
        self._hushed = {"asks": set[int](), "answers": set[int]()}
        self._sockets: list[socket.socket] = []
        self._open = 0
        url = engine.url.set(host="127.0.0.1", port=self._door.getsockname()[1])
        self.engine = reach(url.render_as_string(hide_password=False))
        threading.Thread(target=self._listen, daemon=True).start()

    def hush(self, *directions: str) -> None:
        """From now on nothing passes over the connections that there are; new ones are well."""
        for one in directions or ("asks", "answers"):
            self._hushed[one] |= set(range(self._open))

    def close(self) -> None:
        self.engine.dispose()
        with suppress(OSError):
            self._door.shutdown(socket.SHUT_RDWR)
        for one in (self._door, *self._sockets):
            with suppress(OSError):
                one.close()

    def _listen(self) -> None:
        with suppress(OSError):
            while True:
                near, _ = self._door.accept()
                far = socket.create_connection(self._far)
                self._sockets += near, far
                for direction, one, other in (("asks", near, far), ("answers", far, near)):
                    threading.Thread(target=self._pass, args=(self._open, direction, one, other), daemon=True).start()
                self._open += 1

    def _pass(self, number: int, direction: str, one: socket.socket, other: socket.socket) -> None:
        with suppress(OSError):
            while data := one.recv(65536):
                if number not in self._hushed[direction]:
                    other.sendall(data)
            other.shutdown(socket.SHUT_RDWR)


@contextmanager
def way(engine: Engine) -> Iterator[Way]:
    """A way to the database of `engine`, with an engine of its own that goes by it, as a worker's does."""
    made = Way(engine)
    try:
        yield made
    finally:
        made.close()


def in_time(work: Callable[[], R]) -> R | Exception:
    """What `work` returns or raises; an assertion fails if that takes so long that it must be waiting for ever."""
    said: list[R | Exception] = []

    def do() -> None:
        try:
            said.append(work())
        except Exception as error:
            said.append(error)

    one = threading.Thread(target=do, daemon=True)
    one.start()
    one.join(TOO_LONG)
    assert said, "it waits without end"
    return said[0]
