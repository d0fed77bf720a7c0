"""The pump's own claim, committed: among few and many scheduled rows, and while somebody holds a snapshot open."""

from __future__ import annotations

import statistics
import time
from datetime import UTC, datetime

from sqlalchemy import text

from outreach.actions.books import Claimer
from outreach.actions.lanes import Lanes
from outreach.actions.prepare import Sources
from outreach.actions.timekeeper import Timekeeper
from outreach.bench import crowd
from outreach.bench.ground import Ground, settle
from outreach.bench.plan import Plan, Wrong
from outreach.bench.report import Row
from outreach.bench.stock import Stock, past
from outreach.domain.channel import Channel
from outreach.store.rows import together
from outreach.store.turns import asking
from outreach.wiring import Outreach

BATCH = 200
PER_REP = 6
CLINICS = 20
FEW, MANY, MANY_QUICK = 100_000, 5_000_000, 1_000_000
CHURNED, CHURNED_QUICK = 200_000, 20_000
SEEDS = 10_000


ANSWERED = text("""
with landed as (delete from flight returning messages)
update message set status = 'accepted', sent_at = now(), carrier_id = id::text
where id in (select unnest(messages) from landed) and status = 'sending'""")


class Timed(Claimer):
    """The claiming hand of a worker, as the pump has it, and a clock beside it."""

    def __init__(self, out: Outreach) -> None:
        pump = out.pump()
        self.lanes = Lanes({Channel.SMS}, pump.poll)
        sources = Sources(out.words, out.sequences, pump.public_url, frozenset({"twilio"}))
        clock = Timekeeper(pump.clock, pump.ahead.seconds)
        super().__init__(pump.sessions, lambda: sources, self.lanes, clock, pump.lease, pump.timeout, pump.ahead)
        self._now, self._window = pump.clock, pump.ahead

    def timed(self, room: int = BATCH) -> float:
        """Lock, read, decide, compose, begin, commit; returns wall seconds. Wrong: fewer than `room` were had."""
        self._wait()
        begun = time.perf_counter()
        found = self.claim({Channel.SMS: room})
        took = time.perf_counter() - begun
        with self.transaction() as session:  # the carrier answered all of them: their patients are free again
            session.execute(ANSWERED)
        if len(found.handed) != room:
            raise Wrong(f"claim: {len(found.handed)} messages came where {room} are due")
        return took

    def lock(self, room: int = BATCH) -> float:
        """Wall seconds of finding and locking alone, given back at once: where many rows would show."""
        self._wait()
        now = self._now()
        with self.transaction() as session:
            self.lanes.look(session, now, self._window)
            wanted, begun = self.lanes.share({Channel.SMS: room}), time.perf_counter()
            together(session, asking(wanted, now, (), self._window))
            return time.perf_counter() - begun

    def _wait(self) -> None:
        """A pump waits for its next look as well; it is not what is measured."""
        if not self.lanes.busy:
            time.sleep(max(0.0, self.lanes.next_look(time.monotonic()) - time.monotonic()))


def claim_rows(ground: Ground, plan: Plan) -> list[Row]:
    """A claim of 200 among 5,000,000 scheduled rows over one among 100,000; by turns."""
    many = MANY_QUICK if plan.quick else MANY
    with ground.outreach() as small, ground.outreach() as large:
        plan.tell(f"making {FEW:,} and {many:,} scheduled rows")
        claimers = [crowded(small, FEW), crowded(large, many)]
        for _ in range(3):
            for one in claimers:
                one.timed()
        pairs = []
        for number in range(plan.reps):
            plan.tell(f"claims {number + 1}/{plan.reps}")
            times = [[one.timed() for one in claimers] for _ in range(PER_REP)]
            pairs.append([statistics.median(column) for column in zip(*times, strict=True)])
        locks = {f"{name}_lock_ms": _locking(one) for name, one in zip(("few", "many"), claimers, strict=True)}
    return [_row("claim", [(few, much) for few, much in pairs], "few_ms", "many_ms", locks)]


def snapshot_rows(ground: Ground, plan: Plan) -> list[Row]:
    """A claim after 200,000 messages have passed under a snapshot that is still open, over one after it is gone."""
    churned = CHURNED_QUICK if plan.quick else CHURNED
    with ground.outreach() as out, out.engine.connect() as other:
        plan.tell("making rows to pass")
        claimer = _overdue(out, churned)
        other = other.execution_options(isolation_level="REPEATABLE READ")
        other.execute(text("select count(*) from clinic"))  # from now on the snapshot holds
        plan.tell(f"passing {churned:,} messages under an open snapshot")
        _churn(claimer, churned)
        held, locks = _medians(claimer, plan), {"held_lock_ms": _locking(claimer)}
        other.rollback()
        settle(out.engine)
        free, locks["without_lock_ms"] = _medians(claimer, plan), _locking(claimer)
    return [_row("snapshot", list(zip(free, held, strict=True)), "without_ms", "held_ms", locks)]


def _locking(claimer: Timed) -> float:
    """Milliseconds; the median of some."""
    return statistics.median(claimer.lock() for _ in range(PER_REP)) * 1000


def _row(target: str, pairs: list[tuple[float, float]], first: str, second: str, locks: dict[str, float]) -> Row:
    beside = {
        first: statistics.median(one for one, _ in pairs) * 1000,
        second: statistics.median(other for _, other in pairs) * 1000,
    }
    return Row.of(target, [other / one for one, other in pairs], **beside, **locks)


def _medians(claimer: Timed, plan: Plan) -> list[float]:
    """A median for each repetition, after three claims that only warm caches."""
    for _ in range(3):
        claimer.timed()
    return [statistics.median(claimer.timed() for _ in range(PER_REP)) for _ in range(plan.reps)]


def crowded(out: Outreach, scheduled: int) -> Timed:
    """A worker before so many scheduled rows, of which SEEDS are due."""
    stock = Stock.open(out, CLINICS, datetime.now(UTC))
    stock.fill(SEEDS, past())
    crowd.multiply(out.engine, scheduled // SEEDS - 1, crowd.FUTURE)
    settle(out.engine)
    return Timed(out)


def _overdue(out: Outreach, churned: int) -> Timed:
    """More than `churned` due messages of as many patients as can wait for one another."""
    stock = Stock.open(out, CLINICS, datetime.now(UTC))
    stock.fill(SEEDS, past())
    crowd.multiply(out.engine, churned // SEEDS + 8, crowd.OVERDUE)
    settle(out.engine)
    return Timed(out)


def _churn(claimer: Timed, count: int) -> None:
    """Real claims, and the carrier's answer to each."""
    for _ in range(count // 500):
        claimer.timed(500)
