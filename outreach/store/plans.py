"""A course's plan: what it is made from, read under a lock in one round trip, and what a new one changes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID, uuid4

from sqlalchemy.orm import Session

from outreach.domain.channel import Channel
from outreach.domain.consent import ConsentEvent
from outreach.domain.message import Planned
from outreach.domain.plan import Visit
from outreach.domain.status import Status
from outreach.errors import NotFound, Reason
from outreach.store import choices, consents, enrolments, fallbacks, infusions, people
from outreach.store.arrays import Ids, Texts
from outreach.store.choices import Choice
from outreach.store.enrolments import Series
from outreach.store.messages import HANDED_OVER, planning
from outreach.store.people import Person, Reach
from outreach.store.rows import Ask, together

NEVER_WENT_OUT = (Status.SCHEDULED, Status.EXPIRED, Status.SUPPRESSED)


class Unsent(NamedTuple):
    """A planned row that never left: everything by which a new plan is compared with it."""

    id: UUID
    clinic_id: UUID
    step: str
    channel: Channel
    infusion_id: UUID | None
    revision: int
    address_id: UUID | None
    wall: datetime
    zone: str
    tz_version: str
    due_at: datetime
    useful_until: datetime
    status: Status
    reason: str | None


class Ground(NamedTuple):
    """What a plan is made from. `said`: what was handed over, is being handed over, or possibly went out. `ledgers`:
    of the active addresses, before anything is planned. `enrolment`: its id, and the digest of the rules it was last
    planned by."""

    choice: Choice
    person: Person
    visits: list[Visit]
    reach: dict[Channel, Reach]
    ledgers: dict[UUID, list[ConsentEvent]]
    waiting: list[Unsent]
    said: frozenset[tuple[str, Channel, UUID | None]]
    enrolment: tuple[UUID, str] | None


# Among the messages of the course's patient, which have an index; a second one would slow each claim. What never went
# out is locked against the pump while a new plan is compared with it.
_UNSENT = """
select id, clinic_id, step, channel, infusion_id, revision, address_id, wall, zone, tz_version, due_at, useful_until,
  status, reason
from message where patient_id = %(patient)b and course_id = %(course)b and occasion is null
  and status = any(%(never)b::text[]) order by id for update"""
_SAID = """
select step, channel, infusion_id
from message where patient_id = %(patient)b and course_id = %(course)b and occasion is null
  and status = any(%(gone)b::text[])"""
_NEVER, _GONE = (Texts.of([status.value for status in some]) for some in (NEVER_WENT_OUT, HANDED_OVER))


def ground(session: Session, course: Series, sequence: str, now: datetime) -> Ground:
    """What the plan of a locked course is made from: what the pump took before the lock is among `said`.

    What waits to stand in for a message about a visit that has changed since is put aside by the way. NotFound.
    """
    own = {"patient": course.patient_id, "course": course.id}
    chose, who, visits, reach, ledgers, waiting, said, enrolled, _ = together(
        session,
        choices.asking(course.clinic_id, sequence),
        people.asking(course.clinic_id, course.patient_id),
        infusions.asking(course.id),
        people.asking_addresses(course.clinic_id, course.patient_id),
        consents.asking_of(course.patient_id),
        Ask(_UNSENT, own | {"never": _NEVER}),
        Ask(_SAID, own | {"gone": _GONE}),
        enrolments.asking(course.id, sequence),
        fallbacks.putting_aside(course.id, course.patient_id, now),
    )
    known = people.opened(session, who)
    if not known:
        raise NotFound("no such patient in this clinic")
    return Ground(
        choices.told(chose).get((course.clinic_id, sequence), choices.AS_WRITTEN),
        known[0],
        [Visit(*row) for row in visits],
        people.reached(session, reach),
        consents.told(ledgers),
        [_unsent(row) for row in waiting],
        frozenset((step, Channel(channel), infusion_id) for step, channel, infusion_id in said),
        next(iter(enrolled), None),
    )


def _unsent(row: Sequence[object]) -> Unsent:
    one = Unsent(*row)  # type: ignore[arg-type]
    return one._replace(channel=Channel(one.channel), status=Status(one.status))


_PUT_ASIDE = """
with aside as (
  update message m set status = 'cancelled', reason = l.reason, ended_at = %(now)b::timestamptz
  from unnest(%(ids)b::uuid[], %(reasons)b::text[]) as l (id, reason) where m.id = l.id
  returning m.id, m.clinic_id, m.reason)
insert into event (clinic_id, message_id, source, word, status, reason, at)
select clinic_id, id, 'plan', 'put aside', 'cancelled', reason, %(now)b::timestamptz from aside returning message_id
"""


def write(
    session: Session,
    course: Series,
    known: Ground,
    sequence: str,
    digest: str,
    leaving: Mapping[UUID, Reason],
    fresh: Sequence[Planned],
    now: datetime,
) -> tuple[int, dict[UUID, list[ConsentEvent]]]:
    """Enrol the course where it is not, cancel what leaves (message id → why), and plan what is new. How many are new,
    and the ledgers since: a STOP that was written down after ground() did not see what is planned here.

    Also rows that had expired or were suppressed leave: their visit has a new date, nothing of them went out, and the
    new row needs their place in the unique key. Like messages.revive(), a decision of ours and not news; the event
    keeps the past.
    """
    enrolment_id = known.enrolment[0] if known.enrolment else uuid4()
    asks = []
    if known.enrolment is None or known.enrolment[1] != digest:
        asks.append(enrolments.enrolling(enrolment_id, course, sequence, digest, now))
    if leaving:
        reasons = Texts.of([reason.value for reason in leaving.values()])
        asks.append(Ask(_PUT_ASIDE, {"ids": Ids.of(leaving), "reasons": reasons, "now": now}))
    if fresh:
        addresses = {channel: one.id for channel, one in known.reach.items()}
        asks.append(planning(clinic_id=course.clinic_id, patient_id=course.patient_id, enrolment_id=enrolment_id,
                             planned=fresh, addresses=addresses, now=now))  # fmt: skip
    if not asks:
        return 0, known.ledgers
    *told, ledgers = together(session, *asks, consents.asking_of(course.patient_id))
    return len(told[-1]) if fresh else 0, consents.told(ledgers)
