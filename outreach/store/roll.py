"""The clinic's list of patients: found by words, sifted, a page at a time; only that page's rows are opened."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import Boolean, ColumnElement, literal_column, true
from sqlalchemy.orm import Session

from outreach.store import patients, search
from outreach.store.people import Person
from outreach.store.places import mark, place
from outreach.store.tables import Patient
from outreach.store.vault import vault_of

SHOWS = ("no_consent", "stopped", "unusable", "inactive")
"""What a list can be narrowed to, besides a language."""


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
    """Patients of the clinic, the latest enrolled first; those who stand for staff are in no list, and who is inactive
    only where it was asked for, or looked for by name or number.

    `meanings`: what was looked for (domain.finding.wanted); None: everybody. `before`: the `next` of the page above.
    """
    where: list[ColumnElement[bool]] = [Patient.clinic_id == clinic_id, ~Patient.test]
    if meanings is None and show != "inactive":
        where.append(Patient.active == true())
    if meanings is not None:
        if not meanings:
            return Page([], "")
        where.append(search.meets(vault_of(session), clinic_id, meanings))
    if locale:
        where.append(Patient.locale == locale)
    if show in SHOWS:
        where.append(literal_column(f"({_SIFTS[show]})", Boolean))
    found = patients.newest(session, where, limit + 1, place(before))
    shown = found[:limit]
    following = mark(shown[-1][0], shown[-1][1].id) if len(found) > limit else ""
    return Page([person for _, person in shown], following)


_ACTIVE = "patient.active and not patient.test"  # as the index patient_stands says it
_SIFTS = {
    "unusable": """exists (
  select from address where address.patient_id = patient.id and address.active and address.unusable_at is not null)""",
    "no_consent": f"{_ACTIVE} and patient.standing = 'open'",
    "stopped": f"{_ACTIVE} and patient.standing = 'refused'",
    "inactive": "not patient.active",
}
