"""The books of one shift: what came back is written down and what is due is claimed, by one thread, turn by turn."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

import structlog
from sqlalchemy import Connection
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session, sessionmaker

from outreach.actions.claim import Claim, Handed, Sources, claim
from outreach.actions.land import land
from outreach.actions.lanes import Lanes, Wanted
from outreach.actions.timekeeper import Timekeeper
from outreach.domain.channel import Channel
from outreach.store.queue import Outcome
from outreach.store.rows import as_before, by_index
from outreach.store.turns import Ahead

log = structlog.get_logger()

Landed = Sequence[tuple[Handed, Outcome]]


class Books:
    """Over one connection of its own: taking one from the pool each time would ask it first whether it is alive."""

    def __init__(
        self,
        sessions: sessionmaker[Session],
        sources: Sources,
        lanes: Lanes,
        clock: Timekeeper,
        lease: float,
        timeout: float,
        ahead: Ahead,
    ) -> None:
        self._sessions, self._sources, self._lanes, self._clock = sessions, sources, lanes, clock
        self._lease, self._timeout, self._ahead = lease, timeout, ahead
        self._connection: Connection | None = None
        self.counts: Counter[str] = Counter()
        self.fault: Exception | None = None
        """What went wrong; nothing new is begun after it, and it is raised when everything has landed."""

    def turn(self, landed: Landed, room: Mapping[Channel, int]) -> list[Handed]:
        """Record what came back and claim what fits, in one transaction; what was claimed is to be begun.

        A database that is away is waited for with what came back, as long as a lease: what carriers said must not be
        forgotten. If it stays away longer, the rows become doubtful, and callbacks or the carrier's list settle them.
        """
        found: Claim = Claim()
        wanted: Wanted = []
        recorded = False
        try:
            with self._transaction() as session:
                land(session, landed)
                recorded = True
                if room:
                    found, wanted = self._claim(session, room)
        except Exception as error:
            if recorded or not self._land(landed):
                self.fault = self.fault or error
            if recorded:
                self._land(landed)
            return []
        self.counts.update(outcome.status.value for _, outcome in landed)
        self._lanes.learn(found, wanted, bool(landed))
        self.counts += found.counts
        return found.handed

    def _claim(self, session: Session, room: Mapping[Channel, int]) -> tuple[Claim, Wanted]:
        self._clock.compare(session)
        now = self._clock()
        self._lanes.look(session, now, self._ahead)
        wanted = self._lanes.share(room)
        if not wanted:
            return Claim(), wanted
        return claim(
            session, self._sources, wanted, now, lease=self._lease, timeout=self._timeout,
            busy=self._lanes.waiting_patients(), ahead=self._ahead,
        ), wanted  # fmt: skip

    def _land(self, landed: Landed) -> bool:
        """Only record, after a turn that failed: again and again while the database is away, else one by one.

        False: the database stayed away.
        """
        give_up = time.monotonic() + self._lease
        while landed:
            try:
                with self._transaction() as session:
                    land(session, landed)
            except OperationalError as error:
                if time.monotonic() > give_up:
                    return False
                log.warning("database away, outcomes wait", count=len(landed), error=type(error).__name__)
                time.sleep(1)
            except Exception as error:  # one that cannot be written must not take the others with it
                attempt = str(landed[0][1].attempt_id)
                log.exception("not recorded", attempt=attempt, count=len(landed), error=type(error).__name__)
                return all(tuple(self._land([one]) for one in landed)) if len(landed) > 1 else True
            else:
                self.counts.update(outcome.status.value for _, outcome in landed)
                self._lanes.learn(Claim(), [], True)
                return True
        return True

    @contextmanager
    def _transaction(self) -> Iterator[Session]:
        if self._connection is None:
            self._connection = self._sessions.kw["bind"].connect()
            by_index(self._connection)
        try:
            with self._sessions(bind=self._connection) as session, session.begin():
                yield session
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Give the connection back."""
        if self._connection is not None:
            as_before(self._connection)
            self._connection.close()
            self._connection = None
