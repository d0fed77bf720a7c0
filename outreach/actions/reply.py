"""What a patient wrote: kept once, understood in any language, acted upon by domain.response, answered once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

import structlog
from sqlalchemy.orm import Session

from outreach.actions import agree, fallback, withdraw
from outreach.actions.greet import greet
from outreach.actions.size_up import Sized, size_up, tells_of_symptom
from outreach.actions.speak import Speakers
from outreach.content.compose import Words
from outreach.domain.channel import Channel
from outreach.domain.contact import index_form
from outreach.domain.deadlines import SYMPTOM_DAYS, days_after, due_at
from outreach.domain.law import Law
from outreach.domain.message import Inbound
from outreach.domain.replies import ReplyWords, Understood
from outreach.domain.response import Response, respond
from outreach.domain.window import tz_version, wall_at
from outreach.store import audit, clinics, inbox, infusions, tasks
from outreach.store.inbox import Sender
from outreach.store.messages import add_occasion

log = structlog.get_logger()
ANSWER_WITHIN = timedelta(hours=1)


def heard(
    session: Session, inbound: Inbound, *, replies: ReplyWords, words: Words, speakers: Speakers,
    laws: Mapping[str, Law], now: datetime,
) -> str:  # fmt: skip
    """Take in one inbound message; one that is known already changes nothing. `speakers`: the process's own.

    Patients are answered by the pump, like everything else. Returns what the webhook itself is to say, which is for
    strangers only, since there is no patient whose message it could be; "" for nothing.
    """
    clinic_id = inbox.clinic_of_sender(session, inbound.to, inbound.service)
    if clinic_id is None:
        log.warning("inbound for no clinic of ours", channel=inbound.channel.value)
        return ""
    clinic, normal = clinics.by_id(session, clinic_id), index_form(inbound.channel, inbound.sender)
    index = inbox.take_turn(session, clinic_id, inbound.channel, normal)
    people = inbox.senders(session, clinic_id, inbound.channel, normal)
    sized = size_up(session, clinic, inbound, people, replies, index, now)
    if not people:
        return greet(session, clinic, inbound, normal, sized, words, speakers, index, now)
    writer = next((one for one in people if sized.question and one.address_id == sized.question.address_id), people[0])
    response = respond(sized.said, sized.seen)
    if writer.test:  # somebody of the staff tries the service out: obeyed and answered like anybody, read by nobody
        response = replace(response, tasks=())
    soon = days_after_infusion(session, clinic_id, writer, sized, response, now)
    inbound_id = keep(session, clinic_id, inbound, normal, writer, sized, response, now)
    if inbound_id is None:
        return ""
    fallback.heard_from(session, {one.address_id for one in people}, now)
    act(session, writer, clinic_id, inbound_id, inbound.body, sized, response, words,
        laws[clinic.law].confirm_within, now, soon)  # fmt: skip
    return ""


def act(
    session: Session, writer: Sender, clinic_id: UUID, inbound_id: UUID, body: str, sized: Sized, response: Response,
    words: Words, confirm_within: timedelta, now: datetime, soon: int | None = None, *, channel: Channel = Channel.SMS,
    evidence: str = "",
) -> None:  # fmt: skip
    """Do what was decided: the effect, the answers that follow from it, a task for each thing that needs a person.

    `soon`: a symptom so many days after an infusion, which a person reads within the hour. `channel`: that it came by;
    a stop ends them all. `evidence`: what the ledger names as its source, else the message that is kept.
    """
    said, question = sized.said, sized.question
    locale, answers, kinds = locale_of(said, writer.locale, words.locales), response.answers, response.tasks
    if response.effect == "stop":
        withdraw.stop(session, writer.address_id, method=channel.value, evidence=evidence or str(inbound_id), now=now,
                      wording=body, locale=locale, every_channel=True)  # fmt: skip
    elif response.effect == "start":
        if not withdraw.restore(session, writer.address_id, method="sms", evidence=str(inbound_id), now=now,
                                locale=locale):  # fmt: skip
            answers, kinds = (), () if writer.test else ("reply",)
    elif response.effect == "agree" and question and question.address_id:
        agree.agree(session, question.address_id, method="sms", evidence=str(inbound_id), now=now,
                    locale=question.locale or "", wording=question.body)  # fmt: skip
    for step in answers:
        within = confirm_within if step.startswith("reply.stopped") else ANSWER_WITHIN
        _answer(session, clinic_id, writer, step, inbound_id, locale, within, now)
    about = question.id if question and response.binds else None
    for kind in kinds:
        _open(session, clinic_id, writer, kind, about, inbound_id, sized, soon, now)
    audit.note(
        session, clinic_id=clinic_id, at=now, actor_kind="patient", actor_id=writer.patient_id, action="patient.wrote",
        subject="patient", subject_id=writer.patient_id,
        detail={"inbound": str(inbound_id), "taken_for": said.kind, "why": said.why, "effect": response.effect,
                "answers": list(answers), "tasks": list(kinds), "robot": sized.seen.robot,
                "channel": channel.value}
        | ({} if soon is None else {"symptom_days_after": soon}),
    )  # fmt: skip


def _open(
    session: Session, clinic_id: UUID, writer: Sender, kind: str, about: UUID | None, inbound_id: UUID, sized: Sized,
    soon: int | None, now: datetime,
) -> None:  # fmt: skip
    """A message joins the open task of its conversation, what is urgent one that nobody has taken yet.

    A machine writes for ever: whoever has looked at one once a day has looked at it; but too many messages may be a
    person's after all.
    """
    occasion = f"inbound:{inbound_id}"
    if kind == "urgent":
        if not tasks.urgent_waits(session, clinic_id, writer.patient_id, b""):
            tasks.open_task(session, clinic_id=clinic_id, patient_id=writer.patient_id, kind=kind, occasion=occasion,
                            now=now, message_id=about, inbound_id=inbound_id)  # fmt: skip
        return
    if sized.seen.robot and sized.seen.robot != "many":
        occasion = f"robot:{writer.address_id}:{now:%Y-%m-%d}"
    tasks.open_or_join(session, clinic_id=clinic_id, patient_id=writer.patient_id, kind=kind, occasion=occasion,
                       now=now, message_id=about, inbound_id=inbound_id, index=b"",
                       due_at=due_at(kind, now, soon))  # fmt: skip


def days_after_infusion(
    session: Session, clinic_id: UUID, writer: Sender, sized: Sized, response: Response, now: datetime
) -> int | None:  # fmt: skip
    """Days since this patient's infusion, where a symptom is told of that a person is to read soon after one."""
    if not tells_of_symptom(sized, response.tasks):
        return None
    recent = infusions.recent(session, clinic_id, writer.patient_id, now, SYMPTOM_DAYS)
    return days_after(recent, writer.zone, now)


def locale_of(said: Understood, own: str, offered: tuple[str, ...]) -> str:
    """The language of the word used; the patient's own where the word is one of it, or English: STOP is everybody's.

    A word that both ways of writing Chinese share is listed under one of them.
    """
    if said.locale is None or said.locale == "en" or _language(own) in map(_language, said.locales):
        return own
    return next((one for one in (said.locale, *said.locales) if one in offered), own)


def _language(locale: str) -> str:
    return locale.partition("_")[0]


def keep(
    session: Session, clinic_id: UUID, inbound: Inbound, normal: str, writer: Sender, sized: Sized, response: Response,
    now: datetime,
) -> UUID | None:  # fmt: skip
    """Keep what one patient wrote, with what was decided about it; None where it is known already."""
    said, machine = sized.said, bool(sized.seen.robot)
    digit = None if machine else said.answer
    return inbox.keep(
        session, clinic_id, inbound, normal, sender=writer, understood=said.kind, answer=digit, locale=said.locale,
        about=sized.question.id if sized.question and response.binds else None,
        needs_person=bool(response.tasks), urgent=said.urgent, robot=machine, now=now,
        wish=inbox.SYMPTOM if tells_of_symptom(sized, response.tasks) else said.wish,
    )  # fmt: skip


def _answer(
    session: Session, clinic_id: UUID, writer: Sender, step: str, inbound_id: UUID, locale: str, within: timedelta,
    now: datetime,
) -> None:  # fmt: skip
    add_occasion(
        session, clinic_id=clinic_id, patient_id=writer.patient_id, address_id=writer.address_id,
        channel=Channel.SMS, step=step, occasion=f"inbound:{inbound_id}", zone=writer.zone, due_at=now,
        useful_until=now + within, wall=wall_at(now, writer.zone), tz_version=tz_version(), locale=locale,
    )  # fmt: skip
