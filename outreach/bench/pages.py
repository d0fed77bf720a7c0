"""Every page, asked for over HTTP in a clinic with a million messages: its time, the CPU it takes, its size."""

from __future__ import annotations

import re
import socket
import statistics
import sys
import threading
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

import urllib3
import uvicorn
from sqlalchemy import Engine, event

from outreach.bench import cpu
from outreach.bench.ground import Ground
from outreach.bench.page_doors import Room, doors
from outreach.bench.page_previews import previews
from outreach.bench.page_stock import settled_clinic
from outreach.bench.plan import Plan, Wrong
from outreach.bench.report import TARGETS, Row
from outreach.web.app import create
from outreach.web.console.desk import COOKIE
from outreach.wiring import Outreach

TIMES, TIMES_QUICK = 100, 1
MOST_BLAMED, LONGEST = 3, 400
FLOOR = "/sign-in"
"""What serving any page costs, on this machine and under this load: the form, after one look for a session."""
STRANGER = {"Cookie": f"{COOKIE}=nobody"}
SEARCHES = ("Jor", "Jordan Example", "0143", "+12025550143")  # everybody here has that name: the worst case


@dataclass
class Asked:
    """What one page took, each time, in seconds; of them all together the CPU; its statements by the time they took."""

    name: str
    seconds: list[float] = field(default_factory=list)
    size: int = 0
    statements: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    web: float = 0.0
    postgres: float = 0.0
    room: Room = Room.CONSOLE
    inbox: bool = False

    @property
    def median(self) -> float:
        return statistics.median(self.seconds) * 1000

    @property
    def p99(self) -> float:
        return sorted(self.seconds)[min(len(self.seconds) - 1, int(len(self.seconds) * 0.99))] * 1000

    @property
    def cpu(self) -> float:
        """Milliseconds of the web process and of PostgreSQL for a request; other work on the machine hardly tells."""
        return (self.web + self.postgres) * 1000 / len(self.seconds)

    def blame(self) -> str:
        """How much of it the database took, and the statements that took most."""
        each = {
            " ".join(one.split())[:LONGEST]: spent * 1000 / len(self.seconds) for one, spent in self.statements.items()
        }
        worst = sorted(each.items(), key=lambda pair: -pair[1])[:MOST_BLAMED]
        told = "".join(f"\n  {spent:.0f} ms: {statement}" for statement, spent in worst)
        return f"{sum(each.values()):.0f} ms in {len(each)} statements of the database:{told}"


def page_rows(ground: Ground, plan: Plan) -> list[Row]:
    """The slowest page decides each row; beside it stand all. Pages past a target are told with their query."""
    with ground.outreach() as out:
        stock = settled_clinic(out, out.clock(), plan.quick, plan.tell)
        with _serving(out) as url:
            asked = _ask_all(out, _Asking(url, stock.cookie, stock.keys, ground.postgres), plan)
    for one in asked:
        if one.median > TARGETS["page_median"].must or one.p99 > TARGETS["page_p99"].must:
            took = f"median {one.median:.0f} ms, p99 {one.p99:.0f} ms, CPU {one.cpu:.0f} ms"
            sys.stderr.write(f"slow: {one.name}: {took}; {one.blame()}\n")
    return rows_of(asked)


def rows_of(asked: Sequence[Asked]) -> list[Row]:
    """What the promises are held against."""
    floor = next(one.cpu for one in asked if one.name == FLOOR)
    console = [one for one in asked if one.room is not Room.PATIENT]
    return [
        _row("page_median", {one.name: one.median for one in asked}),
        _row("page_p99", {one.name: one.p99 for one in asked}),
        _row("page_cpu", {one.name: one.cpu for one in asked}),
        _row("page_ratio", {one.name: one.cpu / floor for one in asked}),
        _row("page_inbox", {one.name: one.p99 for one in asked if one.inbox}),
        _row("page_size", {one.name: one.size / 1000 for one in console}),
        _row("page_patient_size", {one.name: one.size / 1000 for one in asked if one.room is Room.PATIENT}),
    ]


def _row(target: str, values: dict[str, float]) -> Row:
    return Row(target, max(values.values()), min(values.values()), max(values.values()), values)


@dataclass(frozen=True)
class _Asking:
    """Where, and as whom. `postgres`: the process whose CPU is counted with its children's."""

    url: str
    cookie: str
    keys: Sequence[str]
    postgres: int

    def headers(self, room: Room, place: int) -> dict[str, str]:
        """Each page of the API is asked for with another key: none of them may ask more than so often."""
        if room is Room.API:
            return {"Authorization": f"Bearer {self.keys[place % len(self.keys)]}"}
        return {"Cookie": f"{COOKIE}={self.cookie}"} if room is Room.CONSOLE else {}


def _ask_all(out: Outreach, asking: _Asking, plan: Plan) -> list[Asked]:
    times = TIMES_QUICK if plan.quick else TIMES
    found = []
    host, _, port = asking.url.removeprefix("http://").partition(":")
    with urllib3.HTTPConnectionPool(host, int(port)) as pool:

        def ask(asked: Asked, method: str, path: str, headers: Mapping[str, str], body: str | None = None) -> None:
            plan.tell(asked.name)
            found.append(_ask(out.engine, pool, asking.postgres, times, asked, method, path, headers, body))

        for place, door in enumerate(doors(out)):
            asked = Asked(door.name, room=door.room, inbox=door.inbox)
            ask(asked, "GET", door.path, STRANGER if door.path == FLOOR else asking.headers(door.room, place))
        sent = asking.headers(Room.CONSOLE, 0)
        csrf = _csrf(pool, sent)
        sent |= {"Content-Type": "application/x-www-form-urlencoded"}
        for words in SEARCHES:
            ask(Asked(f"find {words}"), "POST", "/patients", sent, urlencode({"csrf": csrf, "find": words}))
        for door in previews(out):
            ask(Asked(door.name), "POST", door.path, sent, urlencode({"csrf": csrf, **(door.form or {})}))
    return found


def _ask(
    engine: Engine, pool: urllib3.HTTPConnectionPool, postgres: int, times: int, asked: Asked, method: str, path: str,
    headers: Mapping[str, str], body: str | None,
) -> Asked:  # fmt: skip
    pool.request(method, path, headers=headers, body=body, redirect=False)  # templates and plans are made once
    with _statements(engine, asked.statements):
        web, base = cpu.mine() - time.thread_time(), cpu.tree(postgres)  # this thread only asks
        for _ in range(times):
            begun = time.perf_counter()
            answer = pool.request(method, path, headers=headers, body=body, redirect=False)
            asked.seconds.append(time.perf_counter() - begun)
        asked.web, asked.postgres = cpu.mine() - time.thread_time() - web, cpu.tree(postgres) - base
    if answer.status not in (200, 303):
        raise Wrong(f"{asked.name}: answered {answer.status}")
    asked.size = len(answer.data) + (_style(pool, answer.data.decode()) if asked.room is Room.PATIENT else 0)
    return asked


def _style(pool: urllib3.HTTPConnectionPool, html: str) -> int:
    """The bytes of the stylesheets that a page asks for."""
    return sum(len(pool.request("GET", href).data) for href in re.findall(r'rel="stylesheet" href="([^"]+)"', html))


def _csrf(pool: urllib3.HTTPConnectionPool, headers: Mapping[str, str]) -> str:
    found = re.search(r'name="csrf" value="([^"]+)"', pool.request("GET", "/patients", headers=headers).data.decode())
    if found is None:
        raise Wrong("the page of patients shows no form")
    return found[1]


@contextmanager
def _statements(engine: Engine, spent: dict[str, float]) -> Iterator[None]:
    """Adds up, by statement, the seconds that the database took."""
    began: dict[int, float] = {}

    def before(_connection: Any, cursor: Any, *_rest: Any) -> None:
        began[id(cursor)] = time.perf_counter()

    def after(_connection: Any, cursor: Any, statement: str, *_rest: Any) -> None:
        spent[statement] += time.perf_counter() - began.pop(id(cursor), time.perf_counter())

    event.listen(engine, "before_cursor_execute", before)
    event.listen(engine, "after_cursor_execute", after)
    try:
        yield
    finally:
        event.remove(engine, "before_cursor_execute", before)
        event.remove(engine, "after_cursor_execute", after)


@contextmanager
def _serving(out: Outreach) -> Iterator[str]:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        server = uvicorn.Server(uvicorn.Config(create(out), log_level="critical", access_log=False))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        while not server.started and thread.is_alive():
            time.sleep(0.01)
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join(10)
