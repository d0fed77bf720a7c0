"""The course of a rehearsal: the clock steps from due time to due time, patients answer, everything settles."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import select

from outreach.actions.recover import SETTLE_AFTER
from outreach.cli.stage import Stage
from outreach.domain.channel import Channel
from outreach.domain.decision import REQUEST
from outreach.domain.status import Status
from outreach.errors import OutreachError
from outreach.store import patients
from outreach.store.reports import Pending, pending
from outreach.store.seen import Seen, for_clinic
from outreach.store.traffic import InboundMessage

POLL = 0.03
PATIENCE = 120.0
EVERY_AGREES_BUT = 4
EVERY_STOPS = 10
STOP_AFTER = "pre.the_day"
STOP_WORDS = {"es": "alto", "ar": "توقف"}


@dataclass
class Course:
    """One rehearsal under way. `told` is called with (messages ended, all of them) after each step."""

    stage: Stage
    clinic_id: UUID
    now: datetime
    told: Callable[[int, int], None] = lambda ended, planned: None
    answered: set[UUID] = field(default_factory=set)
    answers: list[str] = field(default_factory=list)
    mended: list[str] = field(default_factory=list)
    requests: int = 0

    def play(self) -> None:
        """Until nothing is to come: step to the next due time, let workers and carriers work, let patients answer."""
        self.stage.set_clock(self.now)
        while True:
            left = self._settled()
            if self._patients_answer():
                continue
            if left.next_due is not None:
                self.now = left.next_due
            elif left.unknown and left.unknown == left.open:
                raise OutreachError(
                    f"{left.unknown} messages stay in doubt: the carrier was asked and does not know them."
                )
            elif left.open:
                # Only texts and mails without further news are left; after this the recovery settles them.
                self.now += SETTLE_AFTER + timedelta(minutes=1)
            else:
                return
            self.stage.set_clock(self.now)

    def messages(self) -> list[Seen]:
        with self.stage.out.sessions() as session:
            return for_clinic(session, self.clinic_id)

    def _settled(self) -> Pending:
        """Wait until nothing is due, in flight or unreported at this moment of the rehearsal's clock."""
        patience = time.monotonic() + PATIENCE
        while True:
            with self.stage.out.sessions() as session:
                left = pending(session, self.now, self.now - SETTLE_AFTER)
            if not (left.due or left.sending or left.texts_open or (left.overdue and not left.next_due)):
                break
            if time.monotonic() > patience:
                raise OutreachError(
                    f"nothing moves any more: {left.due} due, {left.sending} in a carrier's hands, {left.texts_open}"
                    f" texts without a receipt. The logs are in {self.stage.settings.var / 'rehearsal'}."
                )
            self.mended += self.stage.mend()
            time.sleep(POLL)
        self.told(left.ended, left.ended + left.open)
        return left

    def _patients_answer(self) -> int:
        """Three of four who are asked agree; every tenth patient stops after hearing of the day. Returns how many."""
        with self.stage.out.sessions() as session:
            fresh = [one for one in for_clinic(session, self.clinic_id, steps=(REQUEST, STOP_AFTER))
                     if one.id not in self.answered and one.status in (Status.DELIVERED, Status.SENT)]  # fmt: skip
            reaches = {one.id: patients.address(session, one.address_id) for one in fresh if one.address_id}
        wrote = 0
        for one in fresh:
            self.answered.add(one.id)
            if one.id not in reaches:
                continue
            if one.step == REQUEST:
                self.requests += 1
                if self.requests % EVERY_AGREES_BUT:
                    wrote += self._agree(one, reaches[one.id].value)
            elif one.channel is Channel.SMS and one.patient_id.int % EVERY_STOPS == 0:
                wrote += self._write(one, reaches[one.id].value, STOP_WORDS.get(one.locale or "", "STOP"))
        return wrote

    def _agree(self, request: Seen, address: str) -> int:
        if request.channel is Channel.SMS:
            return self._write(request, address, "1")
        token = self.stage.out.vault.token("message", request.id)
        self.stage.press(f"/p/{token}/agree")
        self.answers.append("agreed by e-mail page")
        return 1

    def _write(self, about: Seen, address: str, body: str) -> int:
        before = self._inbound_count()
        self.stage.sandbox("/sandbox/inbound", {"from": address, "body": body})
        patience = time.monotonic() + PATIENCE
        while self._inbound_count() == before:
            if time.monotonic() > patience:
                raise OutreachError("a patient's answer did not arrive at the inbound hook.")
            self.mended += self.stage.mend()
            time.sleep(POLL)
        self.answers.append(f"wrote {body!r} after {about.step}")
        return 1

    def _inbound_count(self) -> int:
        with self.stage.out.sessions() as session:
            return len(session.scalars(select(InboundMessage.id)).all())
