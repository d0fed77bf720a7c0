"""A far side of our own: each connection is served in a thread of its own, and none outlives the test."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def listening(serve: Callable[[socket.socket], None]) -> Iterator[int]:
    """The port where connections are handed to `serve`; it must come back soon after the block ends."""
    door = socket.create_server(("127.0.0.1", 0))
    threads: list[threading.Thread] = []

    def listen() -> None:
        while True:
            try:
                one, _ = door.accept()
            except OSError:
                return
            threads.append(threading.Thread(target=serve, args=(one,), daemon=True))
            threads[-1].start()

    listener = threading.Thread(target=listen, daemon=True)
    listener.start()
    yield door.getsockname()[1]
    door.shutdown(socket.SHUT_RDWR)
    door.close()
    listener.join(5)
    for thread in threads:
        thread.join(5)
