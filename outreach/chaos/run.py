"""One run: messages flow, disasters strike by the clock, and when all is mended both witnesses are heard."""

from __future__ import annotations

import contextlib
import heapq
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count
from random import Random
from typing import Any

from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from outreach.chaos.disasters import Disaster, Kind, Weather
from outreach.chaos.ground import Ground
from outreach.chaos.recovery import Struck
from outreach.chaos.verdict import Facts, Row, Verdict, judge
from outreach.domain.status import Status
from outreach.store.reports import balance
from outreach.store.traffic import Attempt, Event, Message

POLL = 0.5
STEADY = 4.0
"""Nothing may change for so many seconds before the last word is believed."""

Told = Callable[[str, int, int], None]
"""Called with what happens, disasters met, and messages taken so far."""


def silent(_what: str, _met: int, _taken: int) -> None:
    """Tells nobody."""


@dataclass
class Run:
    """A run under way; `play` once. `finish` seconds are allowed after the last disaster."""

    ground: Ground
    disasters: Sequence[Disaster]
    skies: Sequence[Weather]
    seed: int
    finish: float = 120.0
    told: Told = silent
    struck: list[Struck] = field(default_factory=list)
    _todo: list[tuple[float, int, Callable[[], None]]] = field(default_factory=list)
    _order: Iterator[int] = field(default_factory=count)

    def play(self) -> Verdict:
        """Strike, mend, wait, judge."""
        began = time.monotonic()
        self._plan(began)
        while self._todo:
            at, _, act = self._todo[0]
            if (wait := at - time.monotonic()) > 0:
                time.sleep(min(wait, POLL))
                continue
            heapq.heappop(self._todo)
            act()
        self.ground.weather({})
        self.ground.cast.mend_all()
        self.told("everything runs again", len(self.struck), self._taken())
        return self._settled()

    def _plan(self, began: float) -> None:
        """Put the weather and the disasters on the clock; what is down at its turn is hit when it is up again."""
        random = Random(self.seed)
        at = began
        free: dict[str, float] = {}
        for disaster in self.disasters:
            at = max(at + disaster.after, free.get(disaster.target, 0.0))
            free[disaster.target] = at + disaster.down + 1.0
            self._at(at, lambda disaster=disaster: self._strike(disaster, random))  # type: ignore[misc]
        for sky in self.skies:
            if began + sky.at < at:
                self._at(began + sky.at, lambda sky=sky: self.ground.weather(sky.faults))  # type: ignore[misc]

    def _at(self, at: float, act: Callable[[], None]) -> None:
        heapq.heappush(self._todo, (at, next(self._order), act))

    def _strike(self, disaster: Disaster, random: Random) -> None:
        cast, began = self.ground.cast, time.time()
        if disaster.kind is Kind.KILL:
            cast.kill(disaster.target)
        elif disaster.kind is Kind.BACKEND:
            cast.kill_backend(random)
        else:
            cast.freeze(disaster.target)
        self.told(f"{disaster.kind} of {disaster.target}", len(self.struck) + 1, self._taken())
        self._at(time.monotonic() + disaster.down, lambda: self._mend(disaster, began))

    def _mend(self, disaster: Disaster, began: float) -> None:
        cast = self.ground.cast
        if disaster.kind is Kind.FREEZE:
            cast.thaw(disaster.target)
        else:
            cast.mend(disaster.target)
        self.struck.append(Struck(disaster, began, time.time()))

    def _taken(self) -> int:
        taken: int = self.ground.carrier.counts()["distinct"]
        return taken

    def _settled(self) -> Verdict:
        """Wait until nothing is open and the carrier has no more to tell, or until time is up."""
        deadline = time.monotonic() + self.finish
        verdict: Verdict | None = None
        while verdict is None or (time.monotonic() < deadline and (verdict.open or self._untold())):
            with contextlib.suppress(SQLAlchemyError):  # PostgreSQL may still be recovering
                verdict = hear(self.ground)
            self.told("waiting for the last news", len(self.struck), verdict.distinct if verdict else 0)
            time.sleep(POLL)
        return verdict

    def _untold(self) -> int:
        """Callbacks that the carrier still means to make."""
        told = self.ground.carrier.counts()["callbacks"]
        left: int = told.get("planned", 0) - told.get("told", 0) - told.get("given_up", 0)
        return left


def hear(ground: Ground) -> Verdict:
    """Hear both witnesses. Ours first: what the carrier takes meanwhile is only more than we claim."""
    with ground.out.sessions() as session:
        facts = _ours(session)
    taken, told = ground.carrier.attempts(), frozenset(ground.carrier.told())
    return judge(Facts(taken=taken, told=told, **facts))


def _ours(session: Session) -> dict[str, Any]:
    """Our half of the facts, in one snapshot."""
    session.connection(execution_options={"isolation_level": "REPEATABLE READ"})
    columns = Message.id, Message.patient_id, Message.status, Message.due_at, Message.wall
    rows = [
        Row(row.id, row.patient_id, Status(row.status), row.due_at, row.wall)
        for row in session.execute(select(*columns))
    ]
    attempts = {str(row.id): row.message_id for row in session.execute(select(Attempt.id, Attempt.message_id))}
    events = session.execute(select(Event.attempt_id, Event.word).where(Event.source == "carrier"))
    heard = frozenset((str(row.attempt_id), row.word) for row in events)
    return {
        "rows": rows, "attempts": attempts, "heard": heard, "balanced": balance(session).holds,
        "now": datetime.now(UTC),
    }  # fmt: skip
