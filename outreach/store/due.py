"""Due messages with everything needed to decide, compose and send them."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Any, NamedTuple
from uuid import UUID

import structlog
from cryptography.exceptions import InvalidTag
from sqlalchemy.orm import Session

from outreach.domain.caps import Caps
from outreach.domain.channel import Channel
from outreach.domain.decision import FREE, Traffic
from outreach.domain.plan import Visit, Visits
from outreach.domain.status import Status
from outreach.errors import Reason
from outreach.store import infusions
from outreach.store.arrays import Ids
from outreach.store.rows import Ask, together
from outreach.store.seen import Seen
from outreach.store.vault import Vault, vault_of

log = structlog.get_logger()

AFTER = timedelta(milliseconds=1)
"""Put off behind an earlier one, a patient's messages stand so far apart: due at one instant, chance would choose."""
_CHANNELS = {channel.value: channel for channel in Channel}
_STATUSES = {status.value: status for status in Status}
_LONG_AGO = datetime(1970, 1, 2, tzinfo=UTC)


@dataclass(frozen=True)
class ClinicFacts:
    """What a message needs to know of its clinic."""

    id: UUID
    name: str
    zone: str
    phone: str
    address: str
    emergency: str
    wording: str
    quiet_from: time
    quiet_to: time
    most_a_day: int
    most_a_week: int
    law: str = ""
    locale: str = "en"
    unapproved: str = "default"
    words_version: int = 0


class Due(NamedTuple):
    """A due message with all that is needed to decide, compose and send it. `to` is opened; never log it.

    `flying`: another message of this patient is in a worker's hands just now, or an answer to them is due, which goes
    first: this worker may not have seen it yet, or its clock be a little behind.
    `earlier`: since when one that is meant to go before it is due and waits as well. `overtaken`: it was tried before,
    and its visit has changed since.
    `refusals`: how often a carrier refused it; what was never begun has cost it no try.
    `address_active`: the address is the patient's now, and works; `address_usable`: it works, old or not.
    """

    message: Seen
    clinic: ClinicFacts
    to: str | None
    address_active: bool
    patient_active: bool
    patient_locale: str
    patient_zone: str
    patient_wording: str
    visits: Visits
    sequence: str | None = None
    flying: bool = False
    traffic: Traffic = FREE
    earlier: datetime | None = None
    overtaken: bool = False
    address_usable: bool = True
    refusals: int = 0


_CLINICS = """
select id, name, zone, phone, address, emergency, wording, quiet_from, quiet_to, most_a_day, most_a_week,
  law, locale, unapproved, words_version
from clinic where id = any(%(ids)b::uuid[])
"""
_VERSIONS = "select id, words_version from clinic where id = any(%(ids)b::uuid[])"

# What else this patient is sent on this channel: read after the patient's row is locked, so that two workers cannot
# both find room for one more. What was sent in seven days fell due in those, or in as many before as a message may be
# useful late (fourteen at most in what ships: tests/actions/test_fences.py). What a person holds back does not hold up
# what comes after it.
_READ = """
select m.id, m.clinic_id, m.patient_id, m.address_id, m.course_id, m.infusion_id, m.occasion, m.step, m.channel,
  m.wall, m.zone, m.rule, m.due_at, m.useful_until, m.status, m.reason, m.locale, m.wording, m.segments,
  m.attempts, m.carrier, m.sent_at, m.ended_at, m.facts_sealed,
  a.value_sealed, coalesce(a.active and a.unusable_at is null, false), p.active, p.locale, p.zone, p.wording,
  e.sequence, t.flying, t.sent, t.behind, t.before, t.earlier,
  m.attempts > 0 and not case
    when m.occasion like 'visit:%%' then exists (select from infusion i where i.course_id = m.course_id
      and m.occasion = 'visit:' || i.id || ':' || i.revision)
    when m.occasion is not null then true
    else exists (select from infusion i where i.course_id = m.course_id and i.status <> 'cancelled'
      and (m.infusion_id is null or (i.id = m.infusion_id and i.revision = m.revision))) end,
  coalesce(a.unusable_at is null, false), asked.place::int4,
  case when m.attempts > 0 then (select count(*) from event e
    where e.message_id = m.id and e.source = 'us' and e.word = 'refused') else 0 end
from unnest(%(ids)b::uuid[]) with ordinality as asked(id, place)
join message m on m.id = asked.id
join patient p on p.id = m.patient_id
left join address a on a.id = m.address_id
left join enrolment e on e.id = m.enrolment_id
cross join lateral (
  select coalesce(bool_or(r.status = 'sending' or (r.urgent and not m.urgent and r.status = 'scheduled'
      and r.channel = m.channel and r.due_at <= %(now)b::timestamptz + interval '2 seconds')), false) as flying,
    array_agg(coalesce(r.sent_at, r.due_at)) filter (where r.status in
      ('unknown', 'accepted', 'sent', 'delivered', 'undelivered') and r.channel = m.channel) as sent,
    max(r.due_at) filter (where r.status = 'scheduled' and r.wall < m.wall and r.channel = m.channel
      and r.urgent = m.urgent and r.due_at >= m.due_at
      and (r.attempts > 0 or r.due_at <= %(now)b::timestamptz)
      and (r.reason is null or r.reason not in ('paused', 'unapproved'))) as behind,
    count(*) filter (where r.status = 'scheduled' and r.wall < m.wall and r.channel = m.channel) as before,
    min(r.due_at) filter (where r.status = 'scheduled' and r.wall < m.wall and r.channel = m.channel
      and r.urgent = m.urgent and r.due_at < m.due_at) as earlier
  from message r
  where r.patient_id = m.patient_id and r.id <> m.id
    and r.due_at > %(now)b::timestamptz - interval '22 days' and r.due_at <= %(now)b::timestamptz + interval '1 hour'
) t
order by m.due_at, m.id
"""


_VISITS = """
select asked.place::int4, i.id, i.starts, i.zone, i.minutes, i.revision, i.status
from unnest(%(ids)b::uuid[]) with ordinality as asked(id, place)
join message m on m.id = asked.id join infusion i on i.course_id = m.course_id
order by i.starts, i.id
"""
_READERS = "select id, active, locale, zone, wording from patient where id = any(%(ids)b::uuid[])"


def read_due(session: Session, message_id: UUID) -> Due | None:
    """One message with its reader, to be looked at. None: there is none, or its sealed columns do not open.

    Without the words of one that has gone out: those are with its attempt (store.seen).
    """
    rows, visits = together(session, *asking([message_id], _LONG_AGO))
    [clinics] = together(session, asking_clinics({row[1] for row in rows}))
    return next(iter(told(vault_of(session), rows, visits, told_clinics(clinics), None)), None)


def looked_at(session: Session, rows: Sequence[Seen], beside: Ask) -> tuple[list[Due], Sequence[Any]]:
    """These messages with what their words are made of, for previews, which decide and send nothing: to nobody.

    `beside`: asked in the same round trip; its rows come second.
    """
    if not rows:
        return [], together(session, beside)[0]
    patients, visits, clinics, more = together(
        session,
        Ask(_READERS, {"ids": Ids.of({row.patient_id for row in rows})}),
        infusions.asking_courses({row.course_id for row in rows if row.course_id}),
        asking_clinics({row.clinic_id for row in rows}),
        beside,
    )
    courses: dict[UUID | None, Visits] = {one: Visits(its) for one, its in infusions.by_course(visits).items()}
    facts, none = told_clinics(clinics), Visits()
    readers: dict[UUID, tuple[bool, str, str, str]] = {one: (on, *said) for one, on, *said in patients}

    return [
        Due(row, facts[row.clinic_id], None, False, *readers[row.patient_id], courses.get(row.course_id, none))
        for row in rows
    ], more


def asking(ids: Sequence[UUID], now: datetime) -> tuple[Ask, Ask]:
    """What `told` needs: the messages, and the visits they are about. Their patients must be locked before."""
    wanted = Ids.of(ids)
    return Ask(_READ, {"ids": wanted, "now": now}), Ask(_VISITS, {"ids": wanted})


def told(
    vault: Vault,
    rows: Iterable[Sequence[Any]],
    visits: Iterable[Sequence[Any]],
    clinics: Mapping[UUID, ClinicFacts],
    now: datetime | None,
) -> list[Due]:
    """Messages in due order, as they are to be decided at `now` (None: they are only looked at).

    A row whose sealed columns do not open is left out, loudly.
    """
    by_place: dict[int, list[Sequence[Any]]] = {}
    for visit in visits:
        by_place.setdefault(visit[0], []).append(visit)

    due = []
    for row in rows:
        booked = Visits([Visit(one[1], row[4], *one[2:]) for one in by_place.get(row[38], ())])
        try:
            due.append(_one(vault, row, clinics[row[1]], booked, now))
        except (InvalidTag, ValueError, IndexError):  # from elsewhere, cut short, or no text
            log.exception("a sealed column does not open", message=str(row[0]))
    return due


def asking_versions(clinic_ids: Collection[UUID]) -> Ask:
    """Of each clinic, how many decisions on its words there are by now."""
    return Ask(_VERSIONS, {"ids": Ids.of(clinic_ids)})


def asking_clinics(ids: Collection[UUID]) -> Ask:
    return Ask(_CLINICS, {"ids": Ids.of(ids)})


def told_clinics(rows: Iterable[Sequence[Any]]) -> dict[UUID, ClinicFacts]:
    """Clinics by id."""
    return {row[0]: ClinicFacts(*row) for row in rows}


def _one(vault: Vault, row: Sequence[Any], clinic: ClinicFacts, booked: Visits, now: datetime | None) -> Due:
    clinic_id, message_id, address_id = row[1], row[0], row[3]
    sealed, flying, sent, behind, before = row[24], row[31], row[32], row[33], row[34]
    to = vault.open(sealed, "address.value", clinic_id, address_id) if sealed else None
    room_at = Caps(clinic.most_a_day, clinic.most_a_week).room_at(sent, now) if sent and now else None
    traffic = Traffic(room_at, behind + before * AFTER if behind else None) if room_at or behind else FREE
    message = Seen._make((
        *row[:8], _CHANNELS[row[8]], *row[9:14], _STATUSES[row[14]], Reason(row[15]) if row[15] else None, *row[16:18],
        "", "", *row[18:23],
        json.loads(vault.open(row[23], "message.facts", clinic_id, message_id)) if row[23] else {},
        None,  # what is due has not been said
    ))  # fmt: skip
    return Due._make((message, clinic, to, *row[25:30], booked, row[30], flying, traffic, *row[35:38], row[39]))
