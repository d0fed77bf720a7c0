"""Ours against the usual design: CPU per SMS of everything that took part, as the slope between two sizes."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

from outreach.bench import cpu, usual
from outreach.bench.ground import Ground, settle
from outreach.bench.plan import Plan, Wrong
from outreach.bench.pumping import CLINICS, engine_stretches
from outreach.bench.report import Row
from outreach.bench.stock import Stock, past
from outreach.settings import ROOT, Settings
from outreach.wiring import Outreach

SIZES = (400, 2000)
BROKER_DATABASE = "/7"
PATIENCE = 180.0


def usual_rows(ground: Ground, plan: Plan) -> list[Row]:
    """CPU per SMS of ours over the usual design's; both with PostgreSQL, the usual one with broker and publisher."""
    plan.tell("pump, to compare with")
    stretches = engine_stretches(ground, plan, 2 if plan.quick else 3)
    ours = [(one.worker + one.postgres) / plan.messages for one in stretches]
    slope = statistics.median(_slopes(ground, plan))
    ratios = [one / slope for one in ours]
    return [Row.of("usual", ratios, ours_us=statistics.median(ours) * 1e6, usual_us=slope * 1e6)]


def _slopes(ground: Ground, plan: Plan) -> list[float]:
    """CPU seconds per message, from the difference of a large and a small run: what only starting costs falls away."""
    small, large = (size // 4 if plan.quick else size for size in SIZES)
    slopes = []
    with ground.outreach() as out, _worker(ground, out.settings) as worker:
        stock = Stock.open(out, CLINICS, datetime.now(UTC))
        _run(ground, out, stock, worker, small)  # the worker's own first imports and connections
        for number in range(1 if plan.quick else 3):
            plan.tell(f"one task per message {number + 1}")
            used = [_run(ground, out, stock, worker, size) for size in (small, large)]
            slopes.append((used[1] - used[0]) / (large - small))
    return slopes


def _run(ground: Ground, out: Outreach, stock: Stock, worker: int, count: int) -> float:
    """CPU seconds of publisher, worker, broker and PostgreSQL for `count` messages."""
    ids = stock.fill(count, past())
    settle(out.engine)
    ground.carrier.reset()
    pids = (worker, ground.postgres, ground.valkey)
    others, mine = sum(map(cpu.tree, pids)), cpu.mine()
    usual.publish(broker(ground), ids)
    published = cpu.mine() - mine
    _await(ground, count)
    return sum(map(cpu.tree, pids)) - others + published


def _await(ground: Ground, count: int) -> None:
    """Until the stand-in has them all: asking the database would be counted as its work."""
    deadline = time.monotonic() + PATIENCE
    while (counts := ground.carrier.counts())["distinct"] < count:
        if time.monotonic() > deadline:
            raise Wrong(f"the usual design: of {count} messages {counts['distinct']} arrived in {PATIENCE:.0f} s")
        time.sleep(0.1)
    time.sleep(0.3)  # the last commits
    if counts["doubles"]:
        raise Wrong(f"the usual design: {counts['doubles']} messages arrived twice")


def broker(ground: Ground) -> str:
    return ground.engines.redis_url.rpartition("/")[0] + BROKER_DATABASE


@contextmanager
def _worker(ground: Ground, settings: Settings) -> Iterator[int]:
    command = [
        sys.executable, "-m", "celery", "-A", "outreach.bench.usual", "--quiet", "worker", "--pool", "threads",
        "--concurrency", str(usual.THREADS), "--loglevel", "ERROR", "--without-gossip", "--without-mingle",
        "--without-heartbeat",
    ]  # fmt: skip
    process = subprocess.Popen(
        command, cwd=ROOT, env=environment(settings, broker(ground)), stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        yield process.pid
    finally:
        process.kill()
        process.wait()


def environment(settings: Settings, broker_url: str) -> dict[str, str]:
    """What a process of the service reads, for a child of the bench."""
    assert settings.database_url is not None
    assert settings.key is not None
    return {
        **{name: value for name, value in os.environ.items() if not name.startswith("OUTREACH_")},
        "PYTHONPATH": os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH", "")])),
        "OUTREACH_DATABASE_URL": settings.database_url, "OUTREACH_REDIS_URL": broker_url,
        "OUTREACH_KEY": settings.key, "OUTREACH_VAR": str(settings.var), "OUTREACH_PUBLIC_URL": settings.public_url,
        "OUTREACH_TWILIO_ACCOUNT_SID": settings.twilio_account_sid, "OUTREACH_SANDBOX": "false",
        "OUTREACH_TWILIO_AUTH_TOKEN": settings.twilio_auth_token, "OUTREACH_DEMO": "false",
        "OUTREACH_TWILIO_BASE_URL": settings.twilio_base_url or "",
        "PYTHONWARNINGS": "ignore",  # Celery's about running as root: nothing here outlives the run
    }  # fmt: skip
