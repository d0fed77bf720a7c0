"""Recognising a second form for the same person: one who is enrolled already is not enrolled again under another id."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy.orm import Session

from outreach.actions.enrol import Enrol
from outreach.domain.channel import Channel
from outreach.domain.contact import index_form, phone
from outreach.store import changes, inbox, patients
from outreach.store.tables import Clinic


@dataclass(frozen=True)
class Recognised:
    """Whom the clinic has, and the field of the form that says so: external, phone or email."""

    patient_id: UUID
    by: str


def recognised(session: Session, clinic: Clinic, form: Enrol) -> Recognised | None:
    """Whom the clinic has: by its own identifier, or by name and an address; None for nobody.

    After take_turn(), so that of two forms at once the second sees the first. A family may share an address; another
    name is another person. Whoever was taken back with a list is nobody's number any more: enrolled anew.
    """
    if form.external and (known := patients.by_external(session, clinic.id, form.external)):
        return Recognised(known.id, "external")
    addresses = [("phone", Channel.SMS, phone(form.phone, clinic.country, lenient=True))] if form.phone else []
    addresses += [("email", Channel.EMAIL, index_form(Channel.EMAIL, form.email))] if form.email else []
    there = [(one.patient_id, field) for field, channel, address in addresses
             for one in inbox.senders(session, clinic.id, channel, address)]  # fmt: skip
    people = patients.named(session, clinic.id, {patient_id for patient_id, _ in there})
    name = " ".join(form.name.split()).casefold()
    same = {one.id for one in people.values()
            if one.name.casefold() == name and not one.test and _same_number(one.external, form)}  # fmt: skip
    same -= changes.taken_back(session, clinic.id, same) if same else set()
    return next((Recognised(patient_id, field) for patient_id, field in there if patient_id in same), None)


def _same_number(external: str, form: Enrol) -> bool:
    """Two of one name at one address are two people where the clinic gives them two identifiers: father and son."""
    return not (external and form.external and external != form.external)
