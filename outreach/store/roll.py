"""The clinic's list of patients: found by words, sifted, a page at a time; only that page's rows are opened."""

from __future__ import annotations

import base64
from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from sqlalchemy import Boolean, ColumnElement, literal_column
from sqlalchemy.orm import Session

from outreach.store import patients, search
from outreach.store.patients import Person
from outreach.store.tables import TAKING, Patient
from outreach.store.vault import vault_of

SHOWS = ("no_consent", "stopped", "unusable", "inactive")
"""What a list can be narrowed to, besides a language."""
_FIRST = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Page:
    """`next`: where the following page begins, as text for an address; "" on the last."""

    people: list[Person]
    next: str


def page(
    session: Session,
    clinic_id: UUID,
    limit: int,
    *,
    meanings: Collection[Collection[str]] | None = None,
    locale: str = "",
    show: str = "",
    before: str = "",
) -> Page:
    """Patients of the clinic, the latest enrolled first; those who stand for staff are in no list.

    `meanings`: what was looked for (domain.finding.wanted); None: everybody. `before`: the `next` of the page above.
    """
    where: list[ColumnElement[bool]] = [Patient.clinic_id == clinic_id, ~Patient.test]
    if meanings is not None:
        if not meanings:
            return Page([], "")
        where.append(search.meets(vault_of(session), clinic_id, meanings))
    if locale:
        where.append(Patient.locale == locale)
    if show in SHOWS:
        where.append(literal_column(f"({_SIFTS[show]})", Boolean))
    found = patients.newest(session, where, limit + 1, _place(before))
    shown = found[:limit]
    following = _mark(shown[-1][0], shown[-1][1].id) if len(found) > limit else ""
    return Page([person for _, person in shown], following)


AGREES = f"""exists (
  select from consent_event given where given.address_id = address.id
    and (given.kind = 'agreed' or (given.kind = 'restored' and exists (
      select from consent_event first
      where first.address_id = address.id and first.kind = 'agreed' and first.seq < given.seq and not exists (
        select from consent_event over
        where over.address_id = address.id and over.seq > first.seq
          and (over.kind in ('revoked_by_staff', 'address_changed') or (over.kind = 'revoked_by_carrier'
            and over.method <> 'unsubscribed_at_carrier'))))))
    and not exists (
      select from consent_event taken
      where taken.address_id = address.id and (taken.seq > given.seq or taken.at >= given.at)
        and taken.kind in ({TAKING})))"""
"""Whether `address` may be written to: domain.consent as SQL tells it, for lists and counts (a test compares them)."""
STOPPED = """exists (
  select from consent_event taken where taken.address_id = address.id
    and taken.kind in ('opted_out', 'revoked_by_staff', 'revoked_by_carrier'))"""
"""Whether `address`, where it may not be written to, once had a no: to be left in peace, not to be asked."""
_SIFTS = {
    "unusable": """exists (
  select from address where address.patient_id = patient.id and address.active and address.unusable_at is not null)""",
    "no_consent": f"""patient.active and not exists (
  select from address where address.patient_id = patient.id and address.active and ({AGREES} or {STOPPED}))""",
    "stopped": f"""patient.active and not exists (
  select from address where address.patient_id = patient.id and address.active and {AGREES})
  and exists (select from address where address.patient_id = patient.id and address.active and {STOPPED})""",
    "inactive": "not patient.active",
}


def _mark(made: datetime, patient_id: UUID) -> str:
    raw = ((made - _FIRST) // timedelta(microseconds=1)).to_bytes(8) + patient_id.bytes
    return base64.urlsafe_b64encode(raw).decode()


def _place(mark: str) -> tuple[datetime, UUID] | None:
    """None, the beginning of the list, for what is no place: an old or garbled address shows the first page."""
    try:
        raw = base64.b64decode(mark, altchars=b"-_", validate=True)
    except ValueError:
        return None
    if len(raw) != 24 or not raw[0] < 16:
        return None
    try:
        made = _FIRST + timedelta(microseconds=int.from_bytes(raw[:8]))
    except OverflowError:
        return None
    return made, UUID(bytes=raw[8:])
