"""Every page of the console, asked for over HTTP in a clinic with a million messages: its time and its size."""

from __future__ import annotations

import re
import socket
import statistics
import sys
import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

import urllib3
import uvicorn
from sqlalchemy import Engine, event, text

from outreach.bench.ground import Ground
from outreach.bench.page_stock import settled_clinic
from outreach.bench.plan import Plan, Wrong
from outreach.bench.report import TARGETS, Row
from outreach.domain.access import Role
from outreach.store import staff
from outreach.web.access import DOORS, PUBLIC, staff_may
from outreach.web.app import create
from outreach.web.console.desk import COOKIE
from outreach.wiring import Outreach

TIMES, TIMES_QUICK = 100, 3
MOST_BLAMED, LONGEST = 3, 400
FILES = (".csv", ".xlsx", ".css", ".ics", ".json")
# For each name in a path, what the stock has; a page that needs something else is told of and left out.
EXAMPLES = {
    "patient_id": "select id from patient order by id limit 1 offset 100",
    "visit_id": "select id from infusion where status = 'booked' order by starts desc limit 1",
}
FIXED = {"name": "ketamine-infusion"}
SEARCHES = ("Jor", "Jordan Example", "0143", "+12025550143")  # everybody here has that name: the worst case


@dataclass
class Asked:
    """What one page took, each time, in seconds; the statements of it by the time they took."""

    name: str
    seconds: list[float] = field(default_factory=list)
    size: int = 0
    statements: dict[str, float] = field(default_factory=lambda: defaultdict(float))

    @property
    def median(self) -> float:
        return statistics.median(self.seconds) * 1000

    @property
    def p99(self) -> float:
        return sorted(self.seconds)[min(len(self.seconds) - 1, int(len(self.seconds) * 0.99))] * 1000

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
        clinic = settled_clinic(out, out.clock(), plan.quick, plan.tell)
        with out.sessions.begin() as session:
            desk = staff.add(
                session, clinic_id=clinic, email="desk@lakeside.example", name="Desk", password="a long enough word",
                role=Role.ADMINISTRATOR,
            )  # fmt: skip
            cookie = staff.begin_session(session, clinic, getattr(desk, "id", desk), out.clock())
        with _serving(out) as url:
            asked = _ask_all(out, url, cookie, TIMES_QUICK if plan.quick else TIMES, plan)
    for one in asked:
        if one.median > TARGETS["page_median"].must or one.p99 > TARGETS["page_p99"].must:
            sys.stderr.write(f"slow: {one.name}: median {one.median:.0f} ms, p99 {one.p99:.0f} ms; {one.blame()}\n")
    return [
        _row("page_median", {one.name: one.median for one in asked}),
        _row("page_p99", {one.name: one.p99 for one in asked}),
        _row("page_size", {one.name: one.size / 1000 for one in asked}),
    ]


def _row(target: str, values: dict[str, float]) -> Row:
    return Row(target, max(values.values()), min(values.values()), max(values.values()), values)


def _ask_all(out: Outreach, url: str, cookie: str, times: int, plan: Plan) -> list[Asked]:
    headers = {"Cookie": f"{COOKIE}={cookie}"}
    found = []
    with urllib3.HTTPConnectionPool(url.removeprefix("http://").partition(":")[0], int(url.rpartition(":")[2])) as pool:
        for path in _paths(out):
            plan.tell(path)
            found.append(_ask(out.engine, pool, times, path, "GET", path, headers, None))
        csrf = _csrf(pool, headers)
        sent = headers | {"Content-Type": "application/x-www-form-urlencoded"}
        for words in SEARCHES:
            body = urlencode({"csrf": csrf, "find": words})
            found.append(_ask(out.engine, pool, times, f"find {words}", "POST", "/patients", sent, body))
    return found


def _ask(
    engine: Engine, pool: urllib3.HTTPConnectionPool, times: int, name: str, method: str, path: str,
    headers: dict[str, str], body: str | None,
) -> Asked:  # fmt: skip
    asked = Asked(name)
    pool.request(method, path, headers=headers, body=body, redirect=False)  # templates and plans are made once
    with _statements(engine, asked.statements):
        for _ in range(times):
            begun = time.perf_counter()
            answer = pool.request(method, path, headers=headers, body=body, redirect=False)
            asked.seconds.append(time.perf_counter() - begun)
    if answer.status != 200:
        raise Wrong(f"{name}: answered {answer.status}")
    asked.size = len(answer.data)
    return asked


def _paths(out: Outreach) -> Iterator[str]:
    for (method, path), who in DOORS.items():
        if method != "GET" or who is PUBLIC or path.startswith(("/api/", "/styleguide")) or path.endswith(FILES):
            continue
        if not staff_may(Role.ADMINISTRATOR, method, path):
            continue
        names = re.findall(r"\{(\w+)\}", path)
        if unknown := [name for name in names if name not in EXAMPLES and name not in FIXED]:
            sys.stderr.write(f"left out: {path}; the stock has no {', '.join(unknown)}\n")
            continue
        with out.sessions() as session:
            for name in names:
                value = FIXED.get(name) or session.execute(text(EXAMPLES[name])).scalar_one()
                path = path.replace("{" + name + "}", str(value))
        yield path


def _csrf(pool: urllib3.HTTPConnectionPool, headers: dict[str, str]) -> str:
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
