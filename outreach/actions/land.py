"""Landing: what carriers answered is written down, and what follows from it is done in the same transaction."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy.orm import Session

from outreach.actions import agree, brake, withdraw
from outreach.actions.claim import Handed
from outreach.domain.decision import REQUEST
from outreach.domain.status import Status
from outreach.errors import Reason
from outreach.store.queue import Outcome, record


def land(session: Session, landed: Sequence[tuple[Handed, Outcome]]) -> None:
    """Record a batch of outcomes with their consequences: the ledger, and the brakes."""
    if not landed:
        return
    record(session, [outcome for _, outcome in landed])
    brake.judge(session, [_trial(handed, outcome) for handed, outcome in landed if _tells(outcome)], landed[0][1].at)
    for handed, outcome in landed:
        message = handed.due.message
        if message.step == REQUEST and outcome.status in (Status.ACCEPTED, Status.SENT):
            agree.asked(session, message, handed.parcel, outcome.at)
        if outcome.reason is Reason.UNSUBSCRIBED_AT_CARRIER and message.address_id:
            withdraw.stop(session, message.address_id, method="carrier", evidence=str(outcome.attempt_id),
                          now=outcome.at)  # fmt: skip


def _tells(outcome: Outcome) -> bool:
    """Whether it says anything about sender or step: what was not begun, or not answered, does not."""
    return outcome.word in ("accepted", "refused")


def _trial(handed: Handed, outcome: Outcome) -> brake.Trial:
    message = handed.due.message
    return brake.Trial(message.clinic_id, handed.sender.id, message.step, handed.due.clinic.zone, outcome.reason)
