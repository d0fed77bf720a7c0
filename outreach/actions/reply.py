"""What a patient wrote: kept once, understood in any language, acted upon, answered once."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

import structlog
from sqlalchemy.orm import Session

from outreach.actions import agree, fallback, withdraw
from outreach.content.compose import Words
from outreach.domain.channel import Channel
from outreach.domain.consent import State, may_contact
from outreach.domain.contact import index_form
from outreach.domain.decision import REQUEST
from outreach.domain.message import Inbound
from outreach.domain.replies import ReplyWords, Understood, understand
from outreach.domain.window import tz_version, wall_at
from outreach.store import consents, inbox, seen
from outreach.store.messages import add_occasion

log = structlog.get_logger()
ASKING = (REQUEST, "pre.the_day", "post.check_in")
ANSWER_WITHIN = timedelta(minutes=5)


def heard(session: Session, inbound: Inbound, *, replies: ReplyWords, words: Words, now: datetime) -> UUID | None:
    """Take in one inbound message. None: no clinic texts from that number, or this message is known already."""
    clinic_id = inbox.clinic_of_sender(session, inbound.to, inbound.service)
    if clinic_id is None:
        log.warning("inbound for no clinic of ours", channel=inbound.channel.value)
        return None
    normal = index_form(inbound.channel, inbound.sender)
    people = inbox.senders(session, clinic_id, inbound.channel, normal)
    asked = seen.last_asking(session, [one.address_id for one in people], ASKING)
    said = understand(inbound.body, replies, asked.step if asked else None)
    kind = "stop" if inbound.opt_out_type == "STOP" else said.kind
    writer = _writer(people, asked)
    inbound_id = inbox.keep(
        session, clinic_id, inbound, normal, sender=writer, understood=kind, answer=said.answer, locale=said.locale,
        about=asked.id if asked and said.answer else None,
        needs_person=_needs_person(kind, said, asked, people), now=now,
    )  # fmt: skip
    if inbound_id is None or writer is None:
        return inbound_id
    fallback.heard_from(session, {one.address_id for one in people}, now)
    locale = _locale(said, writer, words)
    if kind == "stop":
        _stop(session, clinic_id, writer, inbound_id, inbound.body, locale, now)
    elif kind == "start":
        if withdraw.restore(session, writer.address_id, method="sms", evidence=str(inbound_id), now=now, locale=locale):
            _answer(session, clinic_id, writer, "reply.restarted", inbound_id, locale, now)
    elif kind == "help":
        _answer(session, clinic_id, writer, "reply.help", inbound_id, locale, now)
    elif said.answer == "1" and asked and asked.step == REQUEST and asked.address_id:
        agree.agree(session, asked.address_id, method="sms", evidence=str(inbound_id), locale=asked.locale or "",
                    wording=asked.body, now=now)  # fmt: skip
    return inbound_id


def _writer(people: Sequence[inbox.Sender], asked: seen.Seen | None) -> inbox.Sender | None:
    """Who of a shared phone wrote: whoever was asked last, else the first."""
    if asked:
        return next((one for one in people if one.address_id == asked.address_id), None)
    return people[0] if people else None


def _needs_person(kind: str, said: Understood, asked: seen.Seen | None, people: Sequence[inbox.Sender]) -> bool:
    """Nothing a patient writes goes unread: what no rule settles is for staff."""
    if kind == "stop":
        return said.doubtful or len({one.patient_id for one in people}) != 1
    if kind in ("start", "help", "thanks"):
        return said.doubtful
    return not (said.answer == "1" and asked is not None)


def _locale(said: Understood, writer: inbox.Sender, words: Words) -> str:
    """The language of the word used; STOP, START and HELP in Latin belong to every language."""
    if said.locale and said.locale != "en" and said.locale in words.locales:
        return said.locale
    return writer.locale


def _stop(
    session: Session, clinic_id: UUID, writer: inbox.Sender, inbound_id: UUID, body: str, locale: str, now: datetime
) -> None:
    """Opt out everybody on that number; confirm once, and not again to a patient who had stopped before."""
    already = may_contact(consents.ledger(session, writer.address_id), now).state is State.OPTED_OUT
    withdraw.stop(session, writer.address_id, method="sms", evidence=str(inbound_id), now=now, wording=body,
                  locale=locale)  # fmt: skip
    if not already:
        _answer(session, clinic_id, writer, "reply.stopped", inbound_id, locale, now)


def _answer(
    session: Session, clinic_id: UUID, writer: inbox.Sender, step: str, inbound_id: UUID, locale: str, now: datetime
) -> None:
    within = ANSWER_WITHIN if step == "reply.stopped" else timedelta(hours=1)
    add_occasion(
        session, clinic_id=clinic_id, patient_id=writer.patient_id, address_id=writer.address_id,
        channel=Channel.SMS, step=step, occasion=f"inbound:{inbound_id}", zone=writer.zone, due_at=now,
        useful_until=now + within, wall=wall_at(now, writer.zone), tz_version=tz_version(), locale=locale,
    )  # fmt: skip
