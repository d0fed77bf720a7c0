"""Pressing an answer: a button of the patient's page does what replying with its digit by text does, once."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from outreach.actions import fallback
from outreach.domain.contact import index_form
from outreach.domain.decision import REQUEST
from outreach.domain.message import Inbound
from outreach.domain.plan import Visit
from outreach.domain.replies import Understood
from outreach.domain.response import Situation, respond
from outreach.domain.sequence import Sequence as Steps
from outreach.store import answers, audit, inbox, tasks
from outreach.store.due import Due

STILL_OF_USE = timedelta(days=7)
"""How long after it was due a question that no visit limits can be answered."""


def asks(due: Due, sequences: Mapping[str, Steps]) -> tuple[str, ...]:
    """The digits that a message asks for; none for the request for consent, which has a button of its own."""
    if due.message.step == REQUEST or due.message.address_id is None:
        return ()
    steps = (step for sequence in sequences.values() for step in sequence.steps)
    return next((step.answers for step in steps if step.key == due.message.step), ())


def in_time(due: Due, visit: Visit | None, now: datetime) -> bool:
    """Whether an answer still means what the question meant: its visit is still to come and has not been changed since.

    A question after the visit can be answered for a week.
    """
    message = due.message
    if message.step.startswith("post."):
        return now < message.due_at + STILL_OF_USE
    return visit is not None and visit.status == "booked" and now < visit.start and not due.overtaken


def press(session: Session, due: Due, digit: str, locale: str, now: datetime) -> bool:
    """Keep the answer as if it had been written, and open what it needs a person for. False: there is one already.

    The page shows the answer, so that no text needs to say it as well.
    """
    message = due.message
    assert message.address_id is not None  # asks() offers nothing otherwise
    assert due.to is not None
    if answers.to(session, message) is not None:
        return False
    inbound = Inbound(answers.page_id(message.id), message.channel, due.to, "", digit)
    writer = inbox.Sender(message.address_id, message.patient_id, due.patient_locale, due.patient_zone)
    said = Understood("answer", "1" if digit == "1" else "2", why="the button of the page")
    kinds = respond(said, Situation(asked=message.step)).tasks
    inbound_id = inbox.keep(
        session, message.clinic_id, inbound, index_form(message.channel, due.to), sender=writer, understood=said.kind,
        answer=digit, locale=locale, about=message.id, needs_person=bool(kinds), now=now,
    )  # fmt: skip
    if inbound_id is None:
        return False
    for kind in kinds:
        tasks.open_or_join(session, clinic_id=message.clinic_id, patient_id=message.patient_id, kind=kind, now=now,
                           occasion=f"inbound:{inbound_id}", message_id=message.id, inbound_id=inbound_id,
                           index=b"")  # fmt: skip
    fallback.heard_from(session, {message.address_id}, now)
    audit.note(
        session, clinic_id=message.clinic_id, at=now, actor_kind="patient", actor_id=message.patient_id,
        action="message.answered", subject="message", subject_id=message.id, detail={"answer": digit, "by": "page"},
    )  # fmt: skip
    return True
