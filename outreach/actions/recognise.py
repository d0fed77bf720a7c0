"""Recognising a second form for the same person: one who is enrolled already is not enrolled again under another id."""

from __future__ import annotations

from sqlalchemy.orm import Session

from outreach.actions.enrol import Enrol
from outreach.domain.channel import Channel
from outreach.domain.contact import index_form, phone
from outreach.store import inbox, patients
from outreach.store.tables import Clinic


def recognised(session: Session, clinic: Clinic, form: Enrol) -> bool:
    """Whether the clinic has this patient: by its own identifier, or by name and an address.

    After take_turn(), so that of two forms at once the second sees the first. A family may share an address; another
    name is another person.
    """
    if form.external and patients.by_external(session, clinic.id, form.external):
        return True
    addresses = [(Channel.SMS, phone(form.phone, clinic.country, lenient=True))] if form.phone else []
    addresses += [(Channel.EMAIL, index_form(Channel.EMAIL, form.email))] if form.email else []
    there = {one.patient_id for channel, address in addresses
             for one in inbox.senders(session, clinic.id, channel, address)}  # fmt: skip
    people = patients.named(session, clinic.id, there).values()
    name = " ".join(form.name.split()).casefold()
    return any(one.name.casefold() == name and not one.test and _same_number(one.external, form) for one in people)


def _same_number(external: str, form: Enrol) -> bool:
    """Two of one name at one address are two people where the clinic gives them two identifiers: father and son."""
    return not (external and form.external and external != form.external)
