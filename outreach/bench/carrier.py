"""A stand-in for Twilio in a process of its own: takes messages at little cost, counts them, and fails when told to."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import resource
from typing import Any, cast
from urllib.parse import parse_qsl

import uvloop

from outreach.bench.carrier_book import Book, Taken, read_form
from outreach.bench.carrier_callbacks import Callbacks
from outreach.bench.carrier_faults import Faults, Turn

JSON = b"Content-Type: application/json\r\nContent-Length: "
OK, CREATED = b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 201 CREATED\r\n"
LONGEST = 4_000_000
PARENT_EVERY = 1.0


class Carrier:
    """What all connections share: the book of messages, the faults in force, the callbacks, the counts."""

    def __init__(self, loop: asyncio.AbstractEventLoop, latency_ms: float, keep: bool) -> None:
        self.loop = loop
        self.book = Book(keep)
        self.callbacks = Callbacks(loop)
        self.faults = Faults(latency_ms=latency_ms)
        self._start = latency_ms
        self.wires: set[Wire] = set()
        self.made = 0
        self.posts = 0

    def counts(self) -> dict[str, Any]:
        """`posts` counts requests, `distinct` attempts taken, `doubles` attempts taken again; seconds are CPU's."""
        used = resource.getrusage(resource.RUSAGE_SELF)
        return {
            "posts": self.posts, "taken": self.book.taken, "distinct": len(self.book.attempts),
            "doubles": self.book.taken - len(self.book.attempts),
            "connections_open": sum(wire.posted for wire in self.wires), "connections_made": self.made,
            "cpu_seconds": used.ru_utime + used.ru_stime, "faults": dict(self.faults.met),
            "callbacks": dict(self.callbacks.counts),
        }  # fmt: skip

    def reset(self) -> None:
        """Forget every message, count and fault; the latency of the command line is in force again."""
        self.posts = 0
        self.made = sum(wire.posted for wire in self.wires)
        self.book.clear()
        self.callbacks.clear()
        self.faults = Faults(latency_ms=self._start)

    def set_faults(self, told: dict[str, Any]) -> None:
        """Faults replace the old ones whole; `callbacks` are left alone when they are not named."""
        told = dict(told)
        if "callbacks" in told:
            self.callbacks.set(told.pop("callbacks"))
        met = self.faults.met
        self.faults = Faults(**{"latency_ms": self._start, **told})
        self.faults.met = met

    def take(self, form: dict[bytes, bytes], account: bytes) -> Taken:
        taken = self.book.take(form, account, self.faults.list_lag_ms / 1000, self.callbacks.settings)
        self.callbacks.follow(taken)
        return taken


class Wire(asyncio.Protocol):
    """One kept connection: a request at a time, as HTTP/1.1 clients do."""

    def __init__(self, carrier: Carrier) -> None:
        self.carrier = carrier
        self.posted = False
        self._held = b""
        self._transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self.carrier.wires.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self.carrier.wires.discard(self)

    def data_received(self, data: bytes) -> None:
        if self._held:
            data = self._held + data
        while (end := data.find(b"\r\n\r\n")) >= 0:
            head = data[:end]
            size = _length(head)
            if len(data) < end + 4 + size:
                break
            self._answer(head, data[end + 4 : end + 4 + size])
            data = data[end + 4 + size :]
        self._held = data
        if len(data) > LONGEST:
            self._transport.abort()

    def _answer(self, head: bytes, body: bytes) -> None:
        method, target, _ = head.split(b"\r\n", 1)[0].split(b" ", 2)
        if method == b"POST" and target.endswith(b"/Messages.json"):
            self._post(target, body)
        elif target.startswith(b"/control/"):
            self._control(method, target, body)
        elif method == b"GET" and b"/Messages.json" in target:
            query = dict(parse_qsl(target.partition(b"?")[2].decode()))
            self._write(OK, json.dumps(self.carrier.book.listed(query)).encode())
        else:
            self._write(b"HTTP/1.1 404 NOT FOUND\r\n", b'{"code": 20404, "message": "not found", "status": 404}')

    def _post(self, target: bytes, body: bytes) -> None:
        carrier = self.carrier
        carrier.posts += 1
        if not self.posted:
            self.posted = True
            carrier.made += 1
        turn, seconds = carrier.faults.turn()
        answer, status = b"", CREATED
        if turn.takes:
            taken = carrier.take(read_form(body), target.split(b"/")[3])
            answer = taken.created()
        if turn is Turn.SILENT or turn is Turn.HANG:
            return
        if turn is Turn.GARBLED:
            answer = b"<html><body>" + answer[:90]
        elif turn is not Turn.TAKE:
            status, answer = carrier.faults.failure(turn)
        if seconds > 0:
            carrier.loop.call_later(seconds, self._write, status, answer)
        else:
            self._write(status, answer)

    def _control(self, method: bytes, target: bytes, body: bytes) -> None:
        carrier, name = self.carrier, target.rpartition(b"/")[2]
        said: Any = {}
        if name == b"counts":
            said = carrier.counts()
        elif name == b"attempts":
            said = [attempt for attempt, _ in carrier.book.order]
        elif name == b"taken":
            said = carrier.book.order
        elif name == b"told":
            said = carrier.callbacks.told
        elif name == b"faults" and method == b"POST":
            try:
                carrier.set_faults(json.loads(body))
            except (ValueError, TypeError) as error:
                self._write(b"HTTP/1.1 400 BAD REQUEST\r\n", json.dumps({"error": str(error)}).encode())
                return
        elif name == b"reset" and method == b"POST":
            carrier.reset()
        self._write(OK, json.dumps(said).encode())

    def _write(self, status: bytes, body: bytes) -> None:
        if not self._transport.is_closing():
            self._transport.write(b"%b%b%d\r\n\r\n%b" % (status, JSON, len(body), body))


def _length(head: bytes) -> int:
    """Bytes of the body; clients write the name as they like."""
    at = head.find(b"Content-Length:")
    if at < 0:
        at = head.lower().find(b"content-length:")
        if at < 0:
            return 0
    return int(head[at + 15 :].split(b"\r\n", 1)[0])


async def serve(port: int, latency_ms: float, keep: bool) -> None:
    """Listen on loopback, say where, and go when whoever started us has gone."""
    loop = asyncio.get_running_loop()
    carrier = Carrier(loop, latency_ms, keep)
    server = await loop.create_server(lambda: Wire(carrier), "127.0.0.1", port, backlog=2048)
    print(json.dumps({"port": server.sockets[0].getsockname()[1]}), flush=True)  # noqa: T201 the one word we say
    parent = os.getppid()
    while os.getppid() == parent:
        await asyncio.sleep(PARENT_EVERY)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--latency-ms", type=float, default=0.0)
    parser.add_argument("--forget", action="store_true", help="keep no texts: for millions of messages; no list")
    given = parser.parse_args()
    uvloop.run(serve(given.port, given.latency_ms, not given.forget))


if __name__ == "__main__":
    main()
