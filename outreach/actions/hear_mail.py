"""Hearing what comes by mail: a complaint takes the mailbox's consent away, a dead one is written to no more, and what
a patient writes is read like a text."""

from __future__ import annotations

import hashlib
from datetime import datetime

from sqlalchemy.orm import Session

from outreach.actions.fallback import bury
from outreach.actions.read_mail import read_mail
from outreach.content.compose import Words
from outreach.domain.channel import Channel
from outreach.domain.consent import ConsentKind
from outreach.domain.contact import index_form
from outreach.domain.letter import read_letter
from outreach.domain.mail_report import LETTER, MailReport, read_report
from outreach.domain.replies import ReplyWords
from outreach.errors import Reason
from outreach.store import audit, clinics, consents, inbox, messages

COMPLAINT = "complaint"


def hear_mail(
    session: Session, raw: bytes, now: datetime, *, replies: ReplyWords, words: Words
) -> tuple[MailReport, int]:  # fmt: skip
    """Act on one mail as it came in; what it was, and how many patients it was about (of a letter: how many clinics').

    A complaint is a no that START does not undo. The same mail twice changes nothing more. What names a mailbox of
    nobody is passed over: forged, it can at most silence and open a task, never open a mailbox.
    """
    report, evidence = read_report(raw), f"mail:{hashlib.sha256(raw).hexdigest()[:32]}"
    if report.kind == "other":
        letter = read_letter(raw)
        if letter is None:
            return report, 0
        return LETTER, read_mail(session, letter, evidence, now, replies=replies, words=words)
    if not report.mailbox:
        return report, 0
    normal = index_form(Channel.EMAIL, report.mailbox)
    about, stopped = 0, []
    for clinic in sorted(clinics.every(session), key=lambda one: one.id):
        people = inbox.senders(session, clinic.id, Channel.EMAIL, normal)
        ids = [one.address_id for one in people]
        about += len(people)
        if report.kind == "dead":
            bury(session, ids, now)
            continue
        consents.take_turns(session, {one.patient_id for one in people})
        for one in people:
            if consents.add(
                session, clinic_id=clinic.id, patient_id=one.patient_id, address_id=one.address_id,
                channel=Channel.EMAIL, kind=ConsentKind.REVOKED_BY_CARRIER, method=COMPLAINT, actor="carrier",
                at=now, evidence=evidence,
            ):  # fmt: skip
                stopped.append((clinic.id, one.patient_id))
        messages.suppress_scheduled(session, ids, Reason.OPTED_OUT, now)
    for clinic_id, patient_id in stopped:
        audit.note(
            session, clinic_id=clinic_id, at=now, actor_kind="system", actor_id=None, action="consent.stopped",
            subject="patient", subject_id=patient_id,
            detail={"channels": ["email"], "by": COMPLAINT, "code": report.code},
        )  # fmt: skip
    return report, about
