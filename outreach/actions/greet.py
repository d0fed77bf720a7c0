"""Greeting a stranger: a number that no patient has is kept, told once who we are, and shown to a person."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from outreach.actions.size_up import Sized, tells_of_symptom
from outreach.actions.speak import Speakers
from outreach.content.compose import Values, Words
from outreach.domain.channel import Channel
from outreach.domain.message import Inbound
from outreach.domain.response import HELP, URGENT
from outreach.store import audit, inbox, tasks
from outreach.store.tables import Clinic

ONCE_IN = timedelta(days=30)
"""Strangers are told who we are once in this time."""
SILENT = frozenset({"stop", "start", "thanks"})
"""What a stranger needs no answer to: we never wrote to that number, and a STOP is remembered (enrol.ask)."""


def greet(
    session: Session, clinic: Clinic, inbound: Inbound, normal: str, sized: Sized, words: Words, speakers: Speakers,
    index: bytes, now: datetime,
) -> str:  # fmt: skip
    """Keep it; returns the words the webhook answers with, "" for none, and for a message that is known already."""
    said, seen = sized.said, sized.seen
    met = [kind for kind in inbox.strangers(session, clinic.id, index, now - ONCE_IN) if kind not in SILENT]
    kinds = ("urgent",) if said.urgent else () if said.kind in SILENT and not said.doubtful else ("reply",)
    inbound_id = inbox.keep(
        session, clinic.id, inbound, normal, sender=None, understood=said.kind, answer=None, locale=said.locale,
        about=None, needs_person=bool(kinds), urgent=said.urgent,
        wish=inbox.SYMPTOM if tells_of_symptom(sized, kinds) else said.wish, robot=bool(seen.robot), now=now,
    )  # fmt: skip
    if inbound_id is None:
        return ""
    step = _step(sized, bool(met))
    answer = _words(session, clinic, step, said.locale, words, speakers) if step else ""
    occasion = f"stranger:{index.hex()[:16]}"
    for kind in kinds:
        if kind == "urgent":
            if not tasks.urgent_waits(session, clinic.id, None, index):
                tasks.open_task(session, clinic_id=clinic.id, patient_id=None, kind=kind, now=now,
                                inbound_id=inbound_id, occasion=f"{occasion}:inbound:{inbound_id}")  # fmt: skip
            continue
        # Somebody may write a whole story in ten texts: one look at it, and one more after each that was closed.
        tasks.open_or_join(session, clinic_id=clinic.id, patient_id=None, kind=kind, now=now, inbound_id=inbound_id,
                           index=index, occasion=f"{occasion}:inbound:{inbound_id}")  # fmt: skip
    audit.note(  # neither words nor number; the only place that keeps what was answered
        session, clinic_id=clinic.id, at=now, actor_kind="system", actor_id=None, action="stranger.wrote",
        subject="inbound", subject_id=inbound_id,
        detail={"taken_for": said.kind, "answer": step if answer else "", "tasks": list(kinds), "robot": seen.robot},
    )  # fmt: skip
    return answer


def _step(sized: Sized, met: bool) -> str:
    """What a stranger is answered with; "" for nothing: a machine, or somebody who needs or knows it all already."""
    said, seen = sized.said, sized.seen
    if seen.robot or not seen.reachable:
        return ""
    if said.urgent:
        return URGENT
    return "" if said.kind in SILENT or met or (said.kind == "help" and seen.carrier_answered) else HELP


def _words(
    session: Session, clinic: Clinic, step: str, heard: str | None, words: Words, speakers: Speakers
) -> str:  # fmt: skip
    """In the language of the word used, else the clinic's; "" where the clinic has approved no answer at all: the task
    is there, and a person answers."""
    locale = heard if heard in words.voices and heard != "en" else clinic.locale
    choice = speakers.view(session, clinic, words).choice(step, Channel.SMS, locale or clinic.locale, "neutral")
    if choice is None:
        return ""
    values = Values(clinic.name, clinic.phone, clinic.zone, clinic.address, clinic.zone, clinic.emergency)
    said = choice.words.compose(
        step, Channel.SMS, choice.locale, "neutral", values, interpreter=choice.interpreter
    )  # fmt: skip
    return said.text
