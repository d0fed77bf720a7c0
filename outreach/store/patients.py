"""Patients and their addresses: sealed on the way in, opened on the way out, found by blind index."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, Required, TypedDict, Unpack
from uuid import UUID, uuid4

from sqlalchemy import ColumnElement, Uuid, any_, bindparam, func, select, update
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session

from outreach.domain import finding
from outreach.domain.channel import Channel
from outreach.domain.contact import index_form
from outreach.errors import NotFound
from outreach.store import consents, search
from outreach.store.people import (
    ONE,
    PERSON,
    REACH,
    Person,
    Reach,
    asking,
    asking_addresses,
    external_index,
    person,
    reach,
    reached,
    reaching,
)  # fmt: skip
from outreach.store.rows import Ask, fetch, together
from outreach.store.tables import Address, Patient
from outreach.store.vault import vault_of

_THESE = Patient.id == any_(bindparam("ids", type_=ARRAY(Uuid)))  # one statement however many: it stays prepared
_NAMED = select(*PERSON).where(Patient.clinic_id == bindparam("clinic_id"), _THESE)


class Newcomer(TypedDict, total=False):
    """A patient to add. `external`: the clinic's own identifier; "" for none."""

    clinic_id: Required[UUID]
    name: Required[str]
    locale: Required[str]
    zone: Required[str]
    wording: Required[str]
    now: Required[datetime]
    external: str


def add(session: Session, **who: Unpack[Newcomer]) -> UUID:
    """Add a patient who has no address yet."""
    return add_with(session, given={}, **who)[0].id


def add_with(
    session: Session, *, given: Mapping[Channel, str], **who: Unpack[Newcomer]
) -> tuple[Person, dict[Channel, Reach]]:
    """Add a patient with these addresses (normal form), in one round trip."""
    clinic_id, name, external, now = who["clinic_id"], who["name"], who.get("external", ""), who["now"]
    vault, patient_id = vault_of(session), uuid4()
    terms = finding.of_name(name) | finding.of_external(external)
    reach = {}
    for channel, value in given.items():
        terms = terms | finding.of_address(channel, value)
        reach[channel] = Reach(uuid4(), clinic_id, patient_id, channel, value, True)
    row = {
        "id": patient_id,
        "clinic": clinic_id,
        "external": vault.seal(external, "patient.external", clinic_id, patient_id) if external else None,
        "external_index": external_index(vault, external, clinic_id) if external else None,
        "name": vault.seal(name, "patient.name", clinic_id, patient_id),
        "locale": who["locale"],
        "zone": who["zone"],
        "wording": who["wording"],
        "search": search.hashes(vault, clinic_id, terms),
        "now": now,
    }
    session.flush()
    together(session, Ask(_ADD, row), *(reaching(vault, one, now) for one in reach.values()))
    return Person(patient_id, clinic_id, name, external, who["locale"], who["zone"], who["wording"], True), reach


_ADD = """
insert into patient (id, clinic_id, external_sealed, external_index, name_sealed, locale, zone, wording, active, test,
  version, search, created_at)
values (%(id)b, %(clinic)b, %(external)b, %(external_index)b, %(name)b, %(locale)b, %(zone)b, %(wording)b, true, false,
  0, %(search)b::bigint[], %(now)b) returning id"""


def get(session: Session, clinic_id: UUID, patient_id: UUID) -> Person:
    """One patient of the clinic, or NotFound."""
    return _one(session, together(session, asking(clinic_id, patient_id))[0])


_LOCK = f"{ONE} for no key update"


def _one(session: Session, rows: Sequence[Any]) -> Person:
    if not rows:
        raise NotFound("no such patient in this clinic")
    return person(vault_of(session), rows[0])


def by_external(session: Session, clinic_id: UUID, external: str) -> Person | None:
    """The patient with the clinic's own identifier."""
    vault = vault_of(session)
    own = Patient.clinic_id == clinic_id, Patient.external_index == external_index(vault, external, clinic_id)
    row = session.execute(select(*PERSON).where(*own)).one_or_none()
    return person(vault, row) if row else None


def listing(session: Session, clinic_id: UUID) -> list[Person]:
    """All of a clinic's patients: for a rehearsal's dozens, never for a page."""
    rows = select(*PERSON).where(Patient.clinic_id == clinic_id).order_by(Patient.created_at)
    return [person(vault_of(session), row) for row in session.execute(rows)]


def named(session: Session, clinic_id: UUID, patient_ids: Collection[UUID]) -> dict[UUID, Person]:
    """These patients of the clinic, in one query: for the few that a page shows."""
    if not patient_ids:
        return {}
    vault, rows = vault_of(session), session.execute(_NAMED, {"clinic_id": clinic_id, "ids": list(patient_ids)})
    return {row.id: person(vault, row) for row in rows}


def newest(
    session: Session, where: Collection[ColumnElement[bool]], limit: int, before: tuple[datetime, UUID] | None = None
) -> list[tuple[datetime, Person]]:
    """Patients that meet `where`, the latest enrolled first, from below `before` (when enrolled, id) on."""
    rows = select(Patient.created_at, *PERSON).where(*where)
    if before is not None:
        rows = rows.where(func.row(Patient.created_at, Patient.id) < func.row(*before))
    vault = vault_of(session)
    found = session.execute(rows.order_by(Patient.created_at.desc(), Patient.id.desc()).limit(limit))
    return [(row[0], person(vault, row[1:])) for row in found]


def change(session: Session, person: Person, values: Mapping[str, str | bool]) -> None:
    """Set some of name, locale, zone, wording, active, and count the change. Nothing given: an address changed."""
    columns: dict[str, object] = {key: value for key, value in values.items() if key != "name"}
    if "name" in values:
        sealed = vault_of(session).seal(str(values["name"]), "patient.name", person.clinic_id, person.id)
        columns["name_sealed"] = sealed
    session.execute(
        update(Patient)
        .where(Patient.id == person.id, Patient.clinic_id == person.clinic_id)
        .values(columns | {"version": Patient.version + 1})
        .execution_options(synchronize_session=False)
    )
    if "name" in values or values.get("active"):  # who was taken back with a list is found by nothing
        search.relearn(session, [person.id])


def lock(session: Session, clinic_id: UUID, patient_id: UUID) -> Person:
    """One patient of the clinic, its row locked: two who change it take turns. NotFound as get()."""
    session.flush()
    return _one(session, fetch(session, _LOCK, clinic=clinic_id, id=patient_id))


def lock_reached(session: Session, clinic_id: UUID, patient_id: UUID) -> tuple[Person, dict[Channel, Reach]]:
    """The same with the active addresses, in one round trip."""
    session.flush()
    ours = {"clinic": clinic_id, "id": patient_id}
    who, reach = together(session, Ask(_LOCK, ours), asking_addresses(clinic_id, patient_id))
    return _one(session, who), reached(session, reach)


def addresses(session: Session, clinic_id: UUID, patient_id: UUID) -> dict[Channel, Reach]:
    """The patient's active address of each channel."""
    return reached(session, together(session, asking_addresses(clinic_id, patient_id))[0])


def address(session: Session, address_id: UUID) -> Reach:
    """One address, or NotFound."""
    row = session.execute(select(*REACH).where(Address.id == address_id)).one_or_none()
    if row is None:
        raise NotFound("no such address")
    return reach(vault_of(session), row)


def sharing(session: Session, address_ids: Collection[UUID]) -> list[Reach]:
    """These addresses and every other of their clinic with the same number or mailbox: a family's phone."""
    same = select(Address.clinic_id, Address.channel, Address.value_index).where(Address.id.in_(address_ids)).subquery()
    rows = session.execute(
        select(*REACH)
        .join(
            same,
            (same.c.clinic_id == Address.clinic_id)
            & (same.c.channel == Address.channel)
            & (same.c.value_index == Address.value_index),
        )
        .distinct()
        .order_by(Address.id)
    )
    vault = vault_of(session)
    return [reach(vault, row) for row in rows]


def set_address(
    session: Session, clinic_id: UUID, patient_id: UUID, channel: Channel, value: str, now: datetime
) -> tuple[UUID, bool]:  # fmt: skip
    """Make `value` (normal form) the patient's active address of the channel. Returns (id, whether that is news).

    An address from before keeps its row and its ledger: going back to an old number brings its STOP along, and gives
    one that was unusable another chance. The one it has already is left as it is: a list loaded again is no news of it.
    """
    vault, fresh = vault_of(session), uuid4()
    index = vault.index(channel.value, index_form(channel, value), clinic_id)
    ours = (Address.clinic_id == clinic_id, Address.patient_id == patient_id, Address.channel == channel.value)
    before = select(Address.id, Address.active, Address.value_index).where(*ours)
    rows = session.execute(before).all()
    known = next((row for row in rows if row.value_index == index), None)
    if known is not None and known.active:
        return known.id, False
    if any(row.active for row in rows):
        session.execute(update(Address).where(*ours, Address.active).values(active=False))
    if known is not None:
        session.execute(update(Address).where(Address.id == known.id).values(active=True, unusable_at=None))
        consents.keep(session, patient_id)
        return known.id, True
    one = Reach(fresh, clinic_id, patient_id, channel, value, True)
    together(session, reaching(vault, one, now))
    consents.keep(session, patient_id)
    search.learn(session, clinic_id, patient_id, finding.of_address(channel, value))
    return fresh, True


def drop_address(session: Session, clinic_id: UUID, patient_id: UUID, channel: Channel) -> None:
    """The patient has no address of this channel any more; its row and ledger stay."""
    ours = (Address.clinic_id == clinic_id, Address.patient_id == patient_id, Address.channel == channel.value)
    session.execute(update(Address).where(*ours, Address.active).values(active=False))
    consents.keep(session, patient_id)
