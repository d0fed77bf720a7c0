"""How cost grows with messages, rows, clinics and workers: the measured points behind docs/scaling.md."""

from __future__ import annotations

import statistics
import time
from collections.abc import Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Engine, text

from outreach.bench import cpu
from outreach.bench.claims import Timed, crowded
from outreach.bench.ground import Ground, ground, settle
from outreach.bench.paced import service
from outreach.bench.plan import Plan, Wrong
from outreach.bench.pumping import CLINICS, engine_stretch, pump_of
from outreach.bench.receipts import receipt_costs
from outreach.bench.report import machine_facts
from outreach.bench.stock import Stock, past

Series = list[dict[str, float]]

MESSAGES = (1000, 2000, 4000, 8000, 16000, 32000)
SCHEDULED = (20_000, 100_000, 1_000_000, 5_000_000)
MANY_CLINICS = (1, 10, 100, 1000)
WORKERS = (1, 2)
_QUICK = {"messages": (200, 400), "scheduled": (20_000, 40_000), "clinics": (1, 10), "workers": (1, 2)}
_SIZE = "select sum(pg_total_relation_size(one::regclass)) from unnest(array['message','attempt','event']) one"
_WAL = "select pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')"


def measure(plan: Plan) -> dict[str, Any]:
    """All points, with the facts of the machine; CPU in microseconds per message."""
    with ground(plan.latency) as made:
        return {
            "machine": machine_facts(made.version()) | {"window": plan.window, "latency_ms": plan.latency},
            "messages": _by_messages(made, plan, _QUICK["messages"] if plan.quick else MESSAGES),
            "clinics": _by_clinics(made, plan, _QUICK["clinics"] if plan.quick else MANY_CLINICS),
            "workers": _by_workers(made, plan, _QUICK["workers"] if plan.quick else WORKERS),
            "scheduled": _by_rows(made, plan, _QUICK["scheduled"] if plan.quick else SCHEDULED),
            "each": _each(made, plan),
        }


def _by_messages(ground: Ground, plan: Plan, sizes: Sequence[int]) -> Series:
    found = []
    with ground.outreach() as out, pump_of(out, plan.window) as pump:
        stock = Stock.open(out, CLINICS, datetime.now(UTC))
        engine_stretch(ground, out, pump, stock, 100)  # warm-up
        for size in sizes:
            plan.tell(f"{size:,} messages")
            used = engine_stretch(ground, out, pump, stock, size)
            found.append({"messages": size, "worker_us": used.worker / size * 1e6,
                          "postgres_us": used.postgres / size * 1e6, "per_second": size / used.wall})  # fmt: skip
    return found


def _by_clinics(ground: Ground, plan: Plan, numbers: Sequence[int]) -> Series:
    found = []
    for number in numbers:
        plan.tell(f"{number:,} clinics")
        with ground.outreach() as out, pump_of(out, plan.window) as pump:
            stock = Stock.open(out, number, datetime.now(UTC))
            engine_stretch(ground, out, pump, stock, max(100, number))  # warm-up
            used = engine_stretch(ground, out, pump, stock, plan.messages)
            found.append({"clinics": number, "worker_us": used.worker / plan.messages * 1e6,
                          "postgres_us": used.postgres / plan.messages * 1e6,
                          "per_second": plan.messages / used.wall})  # fmt: skip
    return found


def _by_workers(ground: Ground, plan: Plan, numbers: Sequence[int]) -> Series:
    """Real Celery workers over one backlog; the clock runs from the first message's arrival to the last's."""
    found = []
    for number in numbers:
        plan.tell(f"{number} worker processes")
        with ground.outreach() as out, ExitStack() as stack:
            stock = Stock.open(out, CLINICS, datetime.now(UTC))
            stock.fill(200 * number, past())
            pids = stack.enter_context(service(ground, out, number))
            _until(ground, 200 * number)  # each has begun
            time.sleep(3)
            ground.carrier.reset()
            count = plan.messages * 2
            before = sum(map(cpu.tree, pids))
            stock.fill(count, past())
            first, last = _until(ground, 1), _until(ground, count)
            used = sum(map(cpu.tree, pids)) - before
            found.append({"workers": number, "per_second": count / (last - first), "worker_us": used / count * 1e6})
    return found


def _by_rows(ground: Ground, plan: Plan, numbers: Sequence[int]) -> Series:
    found = []
    for number in numbers:
        plan.tell(f"{number:,} scheduled rows")
        with ground.outreach() as out:
            claimer: Timed = crowded(out, number)
            for _ in range(3):
                claimer.timed()
            claims = [claimer.timed() * 1000 for _ in range(12)]
            locks = [claimer.lock() * 1000 for _ in range(12)]
            found.append({"scheduled": number, "claim_ms": statistics.median(claims),
                          "lock_ms": statistics.median(locks)})  # fmt: skip
    return found


def _each(ground: Ground, plan: Plan) -> dict[str, float]:
    """What one message costs in all: CPU, bytes kept, bytes logged; and what one receipt costs."""
    plan.tell("bytes of one message")
    with ground.outreach() as out, pump_of(out, plan.window) as pump:
        stock = Stock.open(out, CLINICS, datetime.now(UTC))
        engine_stretch(ground, out, pump, stock, 100)
        size, wal, count = _number(out.engine, _SIZE), _number(out.engine, _WAL), plan.messages
        used = engine_stretch(ground, out, pump, stock, count)
        wal, size = _number(out.engine, _WAL) - wal, _number(out.engine, _SIZE) - size
    web, database = receipt_costs(ground, plan)
    return {
        "worker_us": used.worker / count * 1e6, "postgres_us": used.postgres / count * 1e6, "kept_bytes": size / count,
        "logged_bytes": wal / count, "per_second": count / used.wall, "receipt_web_us": web,
        "receipt_postgres_us": database,
    }  # fmt: skip


def _until(ground: Ground, count: int) -> float:
    """The monotonic second at which the stand-in has had `count` messages."""
    deadline = time.monotonic() + 120
    while (counts := ground.carrier.counts())["distinct"] < count:
        if time.monotonic() > deadline:
            raise Wrong(f"scaling: of {count} messages {counts['distinct']} arrived")
        time.sleep(0.05)
    if counts["doubles"]:
        raise Wrong(f"scaling: {counts['doubles']} messages arrived twice")
    return time.monotonic()


def _number(engine: Engine, query: str) -> float:
    settle(engine)
    with engine.connect() as connection:
        return float(connection.scalar(text(query)) or 0)
