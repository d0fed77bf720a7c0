"""Sizing up a reply: who may have written, what was asked, what it means, and whether a machine wrote it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy.orm import Session

from outreach.domain import robots
from outreach.domain.consent import NO_MORE, State, may_contact
from outreach.domain.decision import REQUEST
from outreach.domain.message import Inbound
from outreach.domain.replies import CHECK_IN, VISIT, ReplyWords, Understood, understand
from outreach.domain.response import HELP, RECEIVED, URGENT, Situation, answered_by_carrier, heard_with
from outreach.store import answers, asked, consents, repeats
from outreach.store.inbox import Sender
from outreach.store.seen import Seen
from outreach.store.tables import Clinic

ASKING = (REQUEST, VISIT, CHECK_IN)
"""The messages that a reply may answer."""
LATELY = timedelta(days=3)
"""Two of a family who were both asked within this time cannot be told apart by a digit."""
A_DAY = timedelta(days=1)


class Sized(NamedTuple):
    """A reply with all that decides about it. `question`: what it may answer."""

    said: Understood
    seen: Situation
    question: Seen | None


def size_up(
    session: Session,
    clinic: Clinic,
    inbound: Inbound,
    people: Sequence[Sender],
    replies: ReplyWords,
    index: bytes,
    now: datetime,
) -> Sized:
    """Read what is known of a number (its blind `index`) and its people, none for a stranger's. Changes nothing."""
    # Whoever had the number before is asked nothing by it now, but a STOP from it still counts for them.
    theirs = [one for one in people if one.active] or people
    question = asked.question(session, theirs, ASKING, now) if theirs else None
    rest = _beside_our_words(session, inbound.body, theirs)
    said = understand(inbound.body if rest is None else rest, replies, question.step if question else None)
    said = heard_with(said, inbound.opt_out_type)
    within = 1 + asked.heard_since(session, clinic.id, index, now - robots.WITHIN)
    carrier = answered_by_carrier(clinic.carrier_answers, inbound.body, inbound.opt_out_type, said.kind)
    in_a_day = 1 + asked.heard_since(session, clinic.id, index, now - robots.A_DAY)
    lately = repeats.said_since(session, clinic.id, index, now - robots.HOUR, robots.MOST_A_DAY)
    same = robots.alike(inbound.body, lately)
    # Two machines that ask each other for help would go on for ever.
    helped = said.kind == "help" and bool(theirs) and robots.helped(
        repeats.given(session, theirs, HELP, now - robots.A_DAY), now
    )  # fmt: skip
    seen = Situation(
        robot=robots.robot(said, echo=rest is not None, within=within, in_a_day=in_a_day, same=same),
        carrier_answered=carrier,
        helped_lately=helped,
        reachable=inbound.sender.startswith("+"),
    )  # fmt: skip
    return Sized(said, _with_people(session, seen, theirs, question, now) if theirs else seen, question)


def tells_of_symptom(sized: Sized, tasks: Sequence[str]) -> bool:
    """Whether a person is to read of a symptom: what a machine writes, or what opens no task, tells nobody of one."""
    return sized.said.symptom and bool(tasks) and sized.seen.robot in ("", "many")


def _with_people(
    session: Session, seen: Situation, people: Sequence[Sender], question: Seen | None, now: datetime
) -> Situation:
    patients = {one.patient_id for one in people}
    several = len(patients) > 1
    ledgers = consents.ledgers(session, [one.address_id for one in people])
    states = [may_contact(ledgers.get(one.address_id, ()), now).state for one in people]
    given = asked.answered(session, people, (RECEIVED, URGENT), now - A_DAY)
    # A machine is told what to do in an emergency once a day: else two that alarm each other never end.
    urgent_since = now - (A_DAY if seen.robot else robots.WITHIN)
    before = answers.to(session, question) if question else None
    return Situation(
        asked=question.step if question else "",
        before=before.digit if before else "",
        people=len(patients),
        asked_people=asked.asked_of(session, people, ASKING, now - LATELY) if several and question else 1,
        stopped=all(state in NO_MORE for state in states),
        restorable=State.OPTED_OUT in states,
        robot=seen.robot,
        carrier_answered=seen.carrier_answered,
        helped_lately=seen.helped_lately,
        received_lately=RECEIVED in given,
        urgent_lately=URGENT in given and given[URGENT] > urgent_since,
        reachable=seen.reachable,
    )


def _beside_our_words(session: Session, body: str, people: Sequence[Sender]) -> str | None:
    """What stands beside a copy of one of our texts; None where there is none. A short reply is not looked at."""
    if not people or not robots.long_enough(body):
        return None
    return robots.echoed(body, asked.words_to(session, people))
