"""Messages that become due one after the other: how late they leave, and how much memory a worker holds meanwhile."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

from sqlalchemy import text

from outreach.actions.dispatch import drain
from outreach.bench import cpu
from outreach.bench.comparison import environment
from outreach.bench.ground import Ground, settle
from outreach.bench.plan import Plan, Wrong, posting
from outreach.bench.pumping import CLINICS, accepted_of, pump_of
from outreach.bench.report import Row
from outreach.bench.stock import Stock
from outreach.settings import ROOT
from outreach.wiring import Outreach

LATE_RATE, MEMORY_RATE = 300, 1000
AHEAD = 8.0
"""Seconds until the first is due: rows must be there, and the worker warm."""
BEHIND = 10.0
"""Seconds: a worker that fell farther back did not pump at the rate its memory is told for."""

_LATENESS = text("""
select percentile_cont(array[0.5, 0.99, 1.0]) within group (order by extract(epoch from sent_at - due_at))
from message where id between :first and :last""")


def lateness_rows(ground: Ground, plan: Plan) -> list[Row]:
    """p99 of sent minus due, less the carrier's latency, while 300 a second become due: an open loop."""
    seconds = 4 if plan.quick else 20
    reps = 1 if plan.quick else 3
    found = []
    with ground.outreach() as out, pump_of(out, plan.window) as pump:
        stock = Stock.open(out, CLINICS, datetime.now(UTC))
        for number in range(reps):
            plan.tell(f"lateness {number + 1}/{reps}")
            ids, _ = _paced(out, stock, LATE_RATE, seconds)
            with posting(ground, len(ids), plan.window, "lateness"):
                drain(pump, seconds=AHEAD + seconds + 2, linger=True)
            if accepted_of(out, ids) != len(ids):
                raise Wrong("lateness: not every message was handed over in time")
            found.append([late - ground.latency for late in _lateness(out, ids)])
    rows = Row.of("lateness", [late for _, late, _ in found], median_s=sorted(mid for mid, _, _ in found)[reps // 2],
                  worst_s=max(most for _, _, most in found))  # fmt: skip
    return [rows]


def memory_rows(ground: Ground, plan: Plan) -> list[Row]:
    """The greatest share of memory that one Celery worker of the service holds while 1,000 a second become due."""
    seconds = 5 if plan.quick else 20
    with ground.outreach() as out, service(ground, out, 1) as (worker,):
        stock = Stock.open(out, CLINICS, datetime.now(UTC))
        plan.tell("memory of a worker")
        ground.carrier.reset()
        ids, start = _paced(out, stock, MEMORY_RATE, seconds)
        seen = []
        ends = start + timedelta(seconds=seconds)
        while datetime.now(UTC) < ends:
            seen.append(cpu.memory(worker) / 1e6)
            time.sleep(0.25)
        _await(ground, len(ids))
        late = _lateness(out, ids)[1]
    if late > BEHIND:
        raise Wrong(f"memory: the worker fell {late:.0f} s behind; it did not pump {MEMORY_RATE} a second")
    return [Row("memory", max(seen), min(seen), max(seen), {"lateness_p99_s": late})]


def _paced(out: Outreach, stock: Stock, rate: int, seconds: int) -> tuple[list[UUID], datetime]:
    """Rows that become due `rate` a second from AHEAD seconds after now on."""
    begun = time.monotonic()
    start = datetime.now(UTC) + timedelta(seconds=AHEAD + rate * seconds / 2000)
    ids = stock.fill(rate * seconds, lambda number: start + timedelta(seconds=number / rate))
    settle(out.engine)
    if datetime.now(UTC) > start - timedelta(seconds=1):
        raise Wrong(f"the rows took {time.monotonic() - begun:.0f} s to make: the machine is too busy to measure")
    return ids, start


def _lateness(out: Outreach, ids: list[UUID]) -> list[float]:
    """Median, p99 and worst of sent minus due, in seconds."""
    with out.sessions() as session:
        found = session.scalar(_LATENESS, {"first": min(ids), "last": max(ids)})
    return [float(one) for one in found or ()]


def _await(ground: Ground, count: int) -> None:
    deadline = time.monotonic() + 60
    while (counts := ground.carrier.counts())["distinct"] < count:
        if time.monotonic() > deadline:
            raise Wrong(f"memory: of {count} messages {counts['distinct']} arrived")
        time.sleep(0.2)
    time.sleep(1)  # the last outcomes are recorded
    if counts["doubles"]:
        raise Wrong(f"memory: {counts['doubles']} messages arrived twice")


@contextmanager
def service(ground: Ground, out: Outreach, workers: int) -> Iterator[list[int]]:
    """Workers and beat as `outreach up` starts them; yields the workers' pids."""
    broker = ground.engines.redis_url.rpartition("/")[0] + "/8"
    worker = ["worker", "--pool", "threads", "--concurrency", "4", "--without-gossip", "--without-mingle"]
    beat = ["beat", "--pidfile=", "--schedule", str(ground.engines.var / f"beat-{uuid4().hex}")]
    processes = [
        subprocess.Popen(
            [sys.executable, "-m", "celery", "-A", "workers.app", "--quiet", *arguments, "--loglevel", "WARNING"],
            cwd=ROOT, env=environment(out.settings, broker), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        for arguments in (*([*worker, "--hostname", f"bench{number}@%h"] for number in range(workers)), beat)
    ]  # fmt: skip
    try:
        yield [process.pid for process in processes[:-1]]
    finally:
        for process in processes:
            process.terminate()
        for process in processes:
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
