"""Claiming: a fair share of what is due is locked, decided, composed, and stands as `sending` when it commits."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from uuid import UUID

import structlog
from sqlalchemy.orm import Session

from outreach.actions.claimed import Claim, by_turns, mark
from outreach.actions.compose import Permitted, standing_of
from outreach.actions.hint import Owed, hints_of, owed
from outreach.actions.hours import Hours
from outreach.actions.prepare import Preparing, Sources
from outreach.actions.slots import Places, plenty
from outreach.actions.speak import UNAPPROVED
from outreach.actions.unanswered import did_not_go
from outreach.content.spoken import Spoken
from outreach.domain.brakes import Pauses
from outreach.domain.channel import Channel
from outreach.domain.clockwatch import TOLERANCE
from outreach.domain.decision import End, Go, Wait, decide
from outreach.domain.sender import Meter, Sender, choose
from outreach.domain.status import Status
from outreach.errors import BadInput, NotApproved, Reason
from outreach.providers.base import ticks
from outreach.store import alerts, consents, pauses, senders, turns
from outreach.store import due as due_messages
from outreach.store.aside import breathe
from outreach.store.due import ClinicFacts, Due
from outreach.store.messages import finish
from outreach.store.queue import Going, begin_sending, defer
from outreach.store.rows import together
from outreach.store.turns import Ahead, Lane, Turn, Wanted
from outreach.store.vault import Vault, vault_of

log = structlog.get_logger()
SET_ASIDE = timedelta(hours=1)
"""How long a row that no program can read waits before it is tried again; loud in the log each time."""
WORDS_AGAIN = timedelta(minutes=2)
"""How long a message waits for words before it is looked at again: an approval that commits while a claim is deciding
does not find it to wake it."""
CLOCKS_APART = timedelta(minutes=5)
"""How long a message waits that the database's clock forbids and ours does not. A worker whose clock is right would not
have sent it either, so nobody's message is held up."""
HELD_REST = 5.0
BREATH = 16
"""Messages composed in one piece; then the loop may read what carriers answered meanwhile."""


def claim(
    session: Session,
    sources: Sources,
    wanted: Wanted,
    now: datetime,
    *,
    lease: float,
    timeout: float,
    busy: Collection[UUID] = (),
    ahead: Ahead = Ahead(),  # noqa: B008  immutable
    places: Places = plenty,
    shared: datetime | None = None,
) -> Claim:
    """Take up to so many messages of each lane, from its mark on. The caller's commit makes them `sending`.

    `lease` and `timeout` in seconds: a message not begun `timeout` before its lease ends is not begun at all.
    `places`: what finds none is left for the next claim, so more may be asked for than are free when it begins.
    `shared`: the database's time, where `now` is far behind it.
    """
    clinic_ids = {lane.clinic_id for lane, _, _ in wanted}
    stopping, knowing, sending, locked = together(
        session, pauses.asking(clinic_ids, now), due_messages.asking_clinics(clinic_ids), senders.asking(clinic_ids),
        turns.asking(wanted, now, busy, ahead),
    )  # fmt: skip
    taking = _Taking(session, sources, now, ticks() + lease - timeout, pauses.told(stopping), places, shared)
    lined_up = turns.told(wanted, locked)
    if lined_up:
        taking.open(due_messages.told_clinics(knowing), senders.told(sending))
        taking.all(lined_up)
        taking.write(timedelta(seconds=lease))
    mark(taking.claim, wanted, lined_up, taking.dealt, taking.passed)
    return taking.claim


class _Taking:
    """One claim in progress."""

    def __init__(
        self, session: Session, sources: Sources, now: datetime, begin_by: float, stops: Pauses, places: Places,
        shared: datetime | None,
    ) -> None:  # fmt: skip
        self.session, self.sources, self.now, self.begin_by, self.stops = session, sources, now, begin_by, stops
        self.places, self.taken, self.left = places, Counter[Channel](), dict[Channel, int]()
        self.vault: Vault = vault_of(session)
        self.claim, self.hours = Claim(), Hours(now, shared)
        self.clinics: Mapping[UUID, ClinicFacts] = {}
        self.spoken: dict[int, Spoken] = {}
        self.senders: dict[tuple[int, Channel], list[Sender]] = {}
        self.meters: dict[UUID, Meter] = {}
        self.going: list[Going] = []
        self.ends: dict[tuple[Status, Reason], list[UUID]] = {}
        self.waits: list[tuple[UUID, datetime, Reason | None]] = []
        self.dealt: set[int] = set()
        self.begun: set[int] = set()
        self.passed: dict[Lane, datetime] = {}
        self.owed: Owed = owed(sources, ())

    def open(self, clinics: Mapping[UUID, ClinicFacts], every: Mapping[UUID, Sequence[Sender]]) -> None:
        """The clinics, and the senders that may be used now; limited ones locked for this claim, or not used in it."""
        self.clinics = clinics
        self.spoken = {
            id(one): self.sources.speakers.view(self.session, one, self.sources.words) for one in clinics.values()
        }
        limited: dict[UUID, Sender] = {}
        for clinic in clinics.values():
            for one in every.get(clinic.id, ()):
                if one.carrier in self.sources.carriers and not self.stops.sender_held(clinic.id, one.id):
                    self.senders.setdefault((id(clinic), one.channel), []).append(one)
                    if one.per_second is not None:
                        limited[one.id] = one
        for sender_id, free_at in senders.draw(self.session, list(limited)).items():
            self.meters[sender_id] = Meter(limited[sender_id], self.now, max(free_at or self.now, self.now))

    def all(self, lined_up: Sequence[Turn]) -> None:
        """Deal with the turns in order; what is not dealt with waits for the next claim."""
        held = self._held(lined_up) if self.stops.on else set()
        ours_now = [turn for turn in lined_up if turn.lane not in held] if held else lined_up
        # Ids as numbers: a UUID is hashed by Python, and these are looked up a dozen times for each message.
        lane_of = {turn.id.int: turn.lane for turn in ours_now}
        ids = [turn.id for turn in ours_now]
        ours, rows, visits, consented, *hints = together(
            self.session, turns.asking_turnstile(lined_up), *due_messages.asking(ids, self.now),
            consents.asking_for(ids), *hints_of(self.sources, ids, self.now),
        )  # fmt: skip
        self.owed = owed(self.sources, hints)
        patients, ledgers = {row[0].int for row in ours}, consents.told(consented)
        found = due_messages.told(self.vault, rows, visits, self.clinics, self.now)
        self.preparing = Preparing(self.sources, self.vault, self.now, self.begin_by, found)
        if len(found) < len(lane_of):
            known = {due.message.id.int for due in found}
            for turn in lined_up:
                if turn.id.int in lane_of and turn.id.int not in known:
                    self._wait(turn.id, self.now + SET_ASIDE)
        for due in by_turns(found, lane_of):
            message = due.message
            lane, patient = lane_of[message.id.int], message.patient_id.int
            if due.flying or patient not in patients:  # or somebody has locked the patient: others go first meanwhile
                self.claim.busy.setdefault((message.patient_id, lane), message.due_at)
            if due.flying or patient in self.begun or patient not in patients:
                continue  # one at a time: a patient's messages arrive in the order they were meant
            if due.overtaken:  # refused, after its visit was moved or cancelled while it was in the air
                self.claim.overtaken.append(due)
                continue
            if due.earlier is not None:  # out of sight: locked by another worker, or passed while theirs was flying
                self.passed[lane] = min(due.earlier, self.passed.get(lane, due.earlier))
                continue
            if self._left(lane.channel) <= 0:
                continue
            self._one(due, lane, standing_of(due, ledgers, self.now + TOLERANCE))

    def _left(self, channel: Channel) -> int:
        """Places that may still be taken; they change only where we let others work (`breathe`)."""
        if channel not in self.left:
            self.left[channel] = self.places(channel) - self.taken[channel]
        return self.left[channel]

    def _held(self, lined_up: Sequence[Turn]) -> set[Lane]:
        """Lanes of clinics that are paused: they rest, and nothing in them is touched."""
        held = {turn.lane for turn in lined_up if self.stops.lane_held(turn.lane.clinic_id, turn.lane.urgent)}
        self.claim.rest |= dict.fromkeys(held, HELD_REST)
        return held

    def _one(self, due: Due, lane: Lane, permission: Permitted) -> None:
        message = due.message
        held = self.stops.message_held(message.clinic_id, due.sequence, message.step, due.patient_locale)
        try:
            opening = self.hours.opening(due)
        except BadInput:
            log.warning("zone missing, set aside", message=str(message.id))
            self._wait(message.id, self.now + SET_ASIDE)
            return
        verdict = decide(message.step, message.useful_until, permission.standing, opening, self.now, due.traffic, held)
        if isinstance(verdict, Go) and self.hours.doubted(due):
            verdict = Wait(self.now + CLOCKS_APART)
        if isinstance(verdict, Go):
            sender = self._sender(due, lane)
            if sender is None:
                return
            verdict = self._go(due, sender, permission.warned)
        if isinstance(verdict, Wait):
            self._wait(message.id, verdict.until, verdict.reason)
        elif isinstance(verdict, End):
            self.ends.setdefault((verdict.status, verdict.reason), []).append(message.id)
            self.claim.counts[verdict.status.value] += 1
            did_not_go(self.session, message.clinic_id, message.id, message.step, verdict.reason, self.now)
            self.dealt.add(message.id.int)

    def _sender(self, due: Due, lane: Lane) -> Sender | None:
        """The patient's sender, when it has room; else the lane rests until it has."""
        # Whoever refused it surely never sent it: another carrier, where there is one, may.
        shunned = (due.message.carrier,) if due.message.attempts and due.message.carrier else ()
        sender = choose(self.senders.get((id(due.clinic), lane.channel), ()), due.message.patient_id, shunned)
        if sender is None:
            seconds = HELD_REST
        elif sender.per_second is None or ((meter := self.meters.get(sender.id)) and meter.open):
            return sender
        else:  # at its limit, or another worker draws from it just now
            seconds = (meter.opens_at - self.now).total_seconds() if meter else 0.0
        self.claim.rest[lane] = min(self.claim.rest.get(lane, seconds), seconds)
        return None

    def _go(self, due: Due, sender: Sender, warned: bool) -> Go | Wait | End:
        """Compose, and take it. BadInput: no such words."""
        try:
            spoken = self.spoken[id(due.clinic)]
            handed, row = self.preparing.prepare(due, sender, spoken, warned, hint=self.owed(due, self.now))
        except NotApproved as error:
            return self._unapproved(due, error)
        except BadInput:
            log.warning("words missing", message=str(due.message.id), step=due.message.step, locale=due.patient_locale)
            return End(Status.SUPPRESSED, Reason.WORDS_MISSING)
        except Exception as error:  # one row that cannot be composed must not hold up every clinic's messages
            log.exception("cannot be composed, set aside", message=str(due.message.id), error=type(error).__name__)
            return Wait(self.now + SET_ASIDE)
        self.claim.handed.append(handed)
        self.going.append(row)
        self.taken[due.message.channel] += 1
        self.left[due.message.channel] -= 1
        if not len(self.going) % BREATH:
            breathe()
            self.left.clear()
        self.begun.add(due.message.patient_id.int)
        self.dealt.add(due.message.id.int)
        if self.meters and (meter := self.meters.get(sender.id)):
            meter.charge(row.segments or 1)
        return Go()

    def _unapproved(self, due: Due, missing: NotApproved) -> Wait:
        """It waits for its words as long as it is useful; approving them wakes it at once."""
        log.warning("words not approved", message=str(due.message.id), step=missing.step, locale=missing.locale)
        key = f"{missing.locale}/{missing.step}"
        alerts.raise_alert(self.session, due.clinic.id, UNAPPROVED, key, key, self.now)
        return Wait(min(self.now + WORDS_AGAIN, due.message.useful_until), Reason.UNAPPROVED)

    def _wait(self, message_id: UUID, until: datetime, reason: Reason | None = None) -> None:
        self.waits.append((message_id, until, reason))
        self.claim.counts["waiting"] += 1
        self.dealt.add(message_id.int)

    def write(self, lease: timedelta) -> None:
        for (status, reason), ids in self.ends.items():
            finish(self.session, ids, status, reason, self.now)
        defer(self.session, self.waits)
        begin_sending(self.session, self.going, lease)
        senders.charge(self.session, {meter.sender.id: meter.free_at for meter in self.meters.values() if meter.used})
