"""The books of one shift: one hand claims what is due, the other writes down what came back; each asks the database
over a connection of its own, and steps aside while it waits (store.aside)."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence

import structlog
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session, sessionmaker

from outreach.actions.carry import not_begun, withheld
from outreach.actions.claim import SET_ASIDE, claim
from outreach.actions.claimed import Claim
from outreach.actions.compose import standing_of
from outreach.actions.desk import Desk
from outreach.actions.land import land
from outreach.actions.lanes import Lanes
from outreach.actions.overtaken import supersede
from outreach.actions.prepare import Handed, Sources
from outreach.actions.slots import Places, plenty
from outreach.actions.timekeeper import Timekeeper
from outreach.domain.channel import Channel
from outreach.domain.decision import refused
from outreach.store import consents
from outreach.store import due as due_messages
from outreach.store.aside import rest
from outreach.store.due import Due
from outreach.store.queue import Outcome, defer
from outreach.store.rows import together_last
from outreach.store.turns import Ahead

log = structlog.get_logger()

Landed = Sequence[tuple[Handed, Outcome]]


class Claimer(Desk):
    """Claims what is due, lane by lane."""

    def __init__(
        self,
        sessions: sessionmaker[Session],
        sources: Callable[[], Sources],
        lanes: Lanes,
        clock: Timekeeper,
        lease: float,
        timeout: float,
        ahead: Ahead,
        places: Places = plenty,
    ) -> None:
        # As long as a lease: a claim that is given up may be committed, and is then in doubt though nothing of it left.
        super().__init__(sessions, sessions.kw["bind"], patience=lease)
        self._sources, self._lanes, self._clock = sources, lanes, clock
        self._lease, self._timeout, self._ahead, self._places = lease, timeout, ahead, places

    def claim(self, room: Mapping[Channel, int]) -> Claim:
        """Take up to so many messages by channel; committed, they are to be begun."""
        found = Claim()
        with self.transaction() as session:
            self._clock.compare(session)
            now = self._clock()
            self._lanes.look(session, now, self._ahead)
            wanted = self._lanes.share(room)
            if wanted:
                found = claim(
                    session, self._sources(), wanted, now, lease=self._lease, timeout=self._timeout,
                    busy=self._lanes.waiting_patients(), ahead=self._ahead, places=self._places,
                    shared=self._clock.shared(),
                )  # fmt: skip
        self._lanes.learn(found, wanted)
        return found

    def last_look(self, handed: Sequence[Handed]) -> dict[int, Outcome]:
        """By attempt: what must not leave after all, since consent was taken away after the claim had read it, or not
        in these words, since the clinic has decided about words meanwhile: it is claimed again at once.

        A STOP waits for the claim's locks, and then finds its message `sending`: only this keeps it here. Who withdraws
        words does not even wait.
        """
        clinics = {one.id: one for one in {id(one.due.clinic): one.due.clinic for one in handed}.values()}
        with self.transaction() as session:
            noes, versions = together_last(
                session, consents.asking_after_a_no({to for one in handed if (to := one.due.message.address_id)}),
                due_messages.asking_versions(clinics),
            )  # fmt: skip
        ledgers, counted = consents.told(noes), {row[0]: row[1] for row in versions}
        if not ledgers and all(counted.get(one.id) == one.words_version for one in clinics.values()):
            return {}
        now = self._clock()
        moved = {
            one.parcel.attempt_id.int: not_begun(one, now)
            for one in handed
            if counted.get(one.due.clinic.id) != one.due.clinic.words_version
        }
        return moved | {
            one.parcel.attempt_id.int: withheld(one, reason, now)
            for one in handed
            if one.due.message.address_id in ledgers
            and (reason := refused(one.due.message.step, standing_of(one.due, ledgers, now).standing))
        }

    def plan_anew(self, overtaken: Sequence[Due]) -> None:
        """Each alone: the course is locked before its messages, as everywhere. One that cannot be (its zone is gone) is
        set aside: it would else come first again and again, and end every shift."""
        for one in overtaken:
            try:
                with self.transaction() as session:
                    supersede(session, one, self._sources().sequences, self._clock())
            except OperationalError:
                raise
            except Exception as error:
                log.exception("not planned anew, set aside", message=str(one.message.id), error=type(error).__name__)
                with self.transaction() as session:
                    defer(session, [(one.message.id, self._clock() + SET_ASIDE, None)])


class Recorder(Desk):
    """Writes down what came back."""

    def __init__(self, sessions: sessionmaker[Session], lease: float) -> None:
        super().__init__(sessions, sessions.kw["bind"], patience=lease / 2)
        self._lease = lease
        self.counts: Counter[str] = Counter()

    def record(self, landed: Landed) -> OperationalError | None:
        """Again and again while the database is away, as long as a lease: what carriers said must not be forgotten.

        If it stays away longer (the error is returned) the rows become doubtful, and callbacks or the carrier's list
        settle them. What cannot be written is tried one by one, so that it does not take the others with it.
        """
        give_up = time.monotonic() + self._lease
        while True:
            try:
                with self.transaction() as session:
                    land(session, landed)
            except OperationalError as error:
                if time.monotonic() > give_up:
                    return error
                log.warning("database away, outcomes wait", count=len(landed), error=type(error).__name__)
                rest(1)
            except Exception as error:
                attempt = str(landed[0][1].attempt_id)
                log.exception("not recorded", attempt=attempt, count=len(landed), error=type(error).__name__)
                if len(landed) == 1:
                    return None
                return next((fault for one in landed if (fault := self.record([one]))), None)
            else:
                self.counts.update(outcome.status.value for _, outcome in landed)
                return None
