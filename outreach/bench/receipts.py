"""Receipts: the real web process that answers 204 after its commit, against one that only checks the signature."""

from __future__ import annotations

import statistics
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy import func, select, text

from outreach.bench import callers, cpu
from outreach.bench.comparison import environment
from outreach.bench.ground import Ground, settle
from outreach.bench.plan import Plan, Wrong
from outreach.bench.pumping import CLINICS
from outreach.bench.report import Row
from outreach.bench.stock import Stock, past
from outreach.domain.status import Status
from outreach.settings import ROOT, Settings
from outreach.store.traffic import Message
from outreach.wiring import Outreach

WHOLE, NULL = "outreach.web.app:create", "outreach.bench.null_receipt:create"

_HANDED_OVER = text("""
with going as (
  update message set status = 'accepted', attempt_id = uuidv7(), attempts = 1, carrier = 'twilio', sent_at = now()
  where status = 'scheduled' returning id, clinic_id, attempt_id, sent_at
), tried as (
  insert into attempt (id, clinic_id, message_id, number, carrier, started_at)
  select attempt_id, clinic_id, id, 1, 'twilio', sent_at from going returning id
) select id from tried""")


def receipt_rows(ground: Ground, plan: Plan) -> list[Row]:
    """CPU of web process and PostgreSQL per receipt, over the CPU of the null server for the same calls."""
    count = 400 if plan.quick else plan.messages
    ratios, ours, floors, rates = [], [], [], []
    with ground.outreach() as out, _server(NULL, out.settings) as null, _server(WHOLE, out.settings) as whole:
        stock = Stock.open(out, CLINICS, datetime.now(UTC))
        for number in range(-1, plan.reps):
            attempts = _handed_over(out, stock, count)
            floor, _ = _measure(ground, out, null, attempts, with_database=False)
            mine, wall = _measure(ground, out, whole, attempts, with_database=True)
            _check(out, count)
            if number < 0:
                continue  # a warm-up of both
            plan.tell(f"receipts {number + 1}/{plan.reps}")
            ratios.append(mine / floor)
            ours.append(mine / count * 1e6)
            floors.append(floor / count * 1e6)
            rates.append(count / wall)
    middle = plan.reps // 2
    return [
        Row.of("receipts", ratios, null_us=sorted(floors)[middle], ours_us=sorted(ours)[middle],
               per_second=sorted(rates)[middle])
    ]  # fmt: skip


def receipt_costs(ground: Ground, plan: Plan) -> tuple[float, float]:
    """CPU microseconds of one receipt in the web process and in PostgreSQL."""
    plan.tell("receipts")
    found = []
    count = 400 if plan.quick else plan.messages
    with ground.outreach() as out, _server(WHOLE, out.settings) as whole:
        stock = Stock.open(out, CLINICS, datetime.now(UTC))
        for _ in range(1 + plan.reps):
            attempts, database = _handed_over(out, stock, count), cpu.tree(ground.postgres)
            web, _wall = _measure(ground, out, whole, attempts, with_database=False)
            found.append((web / count * 1e6, (cpu.tree(ground.postgres) - database) / count * 1e6))
    warm = found[1:]
    return statistics.median(web for web, _ in warm), statistics.median(database for _, database in warm)


def _measure(
    ground: Ground, out: Outreach, server: tuple[int, int], attempts: list[UUID], *, with_database: bool
) -> tuple[float, float]:
    """CPU seconds and wall seconds of one receipt for each attempt."""
    pid, port = server
    settings = out.settings
    made = list(callers.requests(
        attempts, "delivered", settings.twilio_account_sid, settings.twilio_auth_token, settings.public_url, port
    ))  # fmt: skip
    pids = (pid, ground.postgres) if with_database else (pid,)
    before = sum(map(cpu.tree, pids))
    wall = callers.call(port, made)
    return sum(map(cpu.tree, pids)) - before, wall


def _handed_over(out: Outreach, stock: Stock, count: int) -> list[UUID]:
    """Fresh messages that a carrier took, without the carrier; their attempts in no special order."""
    stock.fill(count, past())
    with out.sessions.begin() as session:
        session.execute(text("delete from message where status = 'delivered'"))
        attempts = list(session.scalars(_HANDED_OVER))
    settle(out.engine)
    return attempts


def _check(out: Outreach, count: int) -> None:
    with out.sessions() as session:
        found = session.scalar(
            select(func.count()).select_from(Message).where(Message.status == Status.DELIVERED.value)
        )
    if found != count:
        raise Wrong(f"receipts: of {count} messages {found} stand as delivered")


@contextmanager
def _server(factory: str, settings: Settings) -> Iterator[tuple[int, int]]:
    """A web process as the service starts it: (pid, port)."""
    port = callers.free_port()
    command = [
        sys.executable, "-m", "uvicorn", factory, "--factory", "--host", "127.0.0.1", "--port", str(port),
        "--no-access-log", "--log-level", "warning",
    ]  # fmt: skip
    assert settings.redis_url is not None
    process = subprocess.Popen(
        command, cwd=ROOT, env=environment(settings, settings.redis_url), stdin=subprocess.DEVNULL
    )
    try:
        callers.await_port(port)
        yield process.pid, port
    finally:
        process.terminate()
        process.wait(20)
