"""Addresses, and what they agreed to: the ledger, and the two things other software may add to it."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Response
from pydantic import BaseModel, Field, StringConstraints
from sqlalchemy.orm import Session

from outreach.actions import withdraw
from outreach.actions.amend import give_address
from outreach.actions.attest import address_of, attest
from outreach.domain.channel import Channel
from outreach.domain.consent import may_contact
from outreach.store import consents, patients
from outreach.store.kept import Answer
from outreach.web.api.door import AtDoor, IdempotencyKey, said
from outreach.web.api.enrolments import of_patient
from outreach.web.api.fields import Asked, At, Instant, Line, Locale, Word

router = APIRouter(prefix="/v1", tags=["addresses and consents"])


class AddressOut(BaseModel):
    """A number or mailbox that is used now, and how it stands."""

    id: UUID
    channel: Channel
    value: str = Field(examples=["+12025550143"])
    usable: bool = Field(description="false: a carrier says that nothing arrives there.")
    consent: str = Field(description="none, asked, agreed, opted_out, revoked_by_staff or revoked_by_carrier.")
    allowed: bool = Field(description="Whether messages may go there now.")


class Addresses(BaseModel):
    """At most one of each channel."""

    items: list[AddressOut]


class AddressIn(Asked):
    """A number or mailbox."""

    value: Line = Field(max_length=254, examples=["+12025550143"])


class AddressGiven(BaseModel):
    """What giving an address did."""

    id: UUID
    changed: bool
    asked: int = Field(description="Requests for consent that were queued: it belongs to the address.")


class ConsentOut(BaseModel):
    """One row of the ledger; rows are never changed."""

    kind: str = Field(examples=["agreed"])
    channel: Channel
    at: At
    method: str = Field(examples=["paper"])
    actor: str
    warned: bool = Field(description="It was told that the channel is not encrypted.")
    locale: str
    wording_version: str
    evidence: str


class Ledger(BaseModel):
    """Everything the patient's addresses ever said, in the order it was written down."""

    items: list[ConsentOut]


class Proof(ConsentOut):
    """One row of the ledger with all that is known of it."""

    id: UUID
    address_id: UUID
    purpose: str = Field(examples=["care"])
    scope: str = Field(description='address, all, or "" in rows from before it was written down.')
    basis: str = Field(description='express, written, attested, request, number_given, carrier, or "" as above.')
    wording: str = Field(description="The words that were shown, or that the patient wrote.")


class Proofs(BaseModel):
    """Every event of a patient's addresses, also of those no longer used, in the order they were written down."""

    patient_id: UUID
    items: list[Proof]


class Agreement(Asked):
    """An agreement that you hold the evidence of."""

    channel: Channel
    method: Literal["paper", "in_person", "telephone", "portal"]
    evidence: Word = Field(description="What proves it, by your own identifier; the same one twice counts once.",
                           examples=["form-2026-1187"])  # fmt: skip
    at: Instant = Field(description="When the patient said so.")
    warned: bool = Field(False, description="The patient was told that SMS and e-mail are not encrypted. Without it"
                         " only neutral words are sent.")  # fmt: skip
    wording: Annotated[str, StringConstraints(max_length=4000, pattern=r"^[^\x00]*$")] = Field(
        "", description="The words the patient was shown; kept sealed."
    )
    wording_version: Word | None = None
    locale: Locale | None = None


class Revocation(Asked):
    """A withdrawal that you heard of."""

    channel: Channel
    evidence: Word = Field(examples=["call-2026-11-21-3"])


class Recorded(BaseModel):
    """How the address stands now."""

    news: bool = Field(description="false: this evidence was there already.")
    consent: str
    allowed: bool
    suppressed: int = Field(description="Waiting messages that will not be sent because of it.")


@router.get("/patients/{patient_id}/addresses")
def addresses(caller: AtDoor, patient_id: UUID) -> Addresses:
    """The patient's addresses and how each stands."""
    now = caller.out.clock()
    with caller.out.sessions() as session:
        patients.get(session, caller.clinic_id, patient_id)
        reach = patients.addresses(session, caller.clinic_id, patient_id)
        ledgers = consents.ledgers(session, [one.id for one in reach.values()])
    stands = {one.id: may_contact(ledgers.get(one.id, ()), now) for one in reach.values()}
    return Addresses(
        items=[
            AddressOut(id=one.id, channel=one.channel, value=one.value, usable=one.usable,
                       consent=stands[one.id].state.value, allowed=stands[one.id].allowed)
            for one in sorted(reach.values(), key=lambda one: one.channel)
        ]
    )  # fmt: skip


@router.put("/patients/{patient_id}/addresses/{channel}", response_model=AddressGiven)
def give(caller: AtDoor, patient_id: UUID, channel: Channel, given: AddressIn) -> Response:
    """Make it the patient's address of this channel. What is unsent goes there; the address is asked for consent."""

    def act(session: Session) -> Answer:
        address_id, news, asked = give_address(
            session, caller.clinic_id, patient_id, channel, given.value,
            of_patient(caller, session, patient_id), caller.out.clock(),
        )  # fmt: skip
        if news:
            caller.note(session, "address.changed", "patient", patient_id, channel=channel.value, address=address_id)
        return said(AddressGiven(id=address_id, changed=news, asked=asked))

    return caller.change(act)


@router.get("/patients/{patient_id}/consents")
def ledger(caller: AtDoor, patient_id: UUID) -> Ledger:
    """The ledger of the patient's addresses."""
    with caller.out.sessions() as session:
        patients.get(session, caller.clinic_id, patient_id)
        rows = consents.history(session, caller.clinic_id, patient_id)
    return Ledger(
        items=[
            ConsentOut(kind=one.kind.value, channel=one.channel, at=one.at, method=one.method, actor=one.actor,
                       warned=one.warned, locale=one.locale, wording_version=one.wording_version,
                       evidence=one.evidence)
            for one in rows
        ]
    )  # fmt: skip


@router.get("/patients/{patient_id}/consents/export")
def export(caller: AtDoor, patient_id: UUID) -> Proofs:
    """The ledger with the words shown, as proof. That it was read is noted in the audit."""
    with caller.out.sessions.begin() as session:
        patients.get(session, caller.clinic_id, patient_id)
        rows = consents.history(session, caller.clinic_id, patient_id)
        caller.note(session, "consent.exported", "patient", patient_id, events=len(rows))
    return Proofs(patient_id=patient_id, items=[Proof(**asdict(one)) for one in rows])


@router.post("/patients/{patient_id}/consents", status_code=201, response_model=Recorded)
def agreed(caller: AtDoor, patient_id: UUID, given: Agreement, repeat: IdempotencyKey = None) -> Response:
    """Write down an agreement. A STOP that came later than `at` stays the last word."""

    def act(session: Session) -> Answer:
        now = caller.out.clock()
        news = attest(
            session, caller.clinic_id, patient_id, given.channel, method=given.method, at=given.at,
            evidence=f"key:{given.evidence}", warned=given.warned, wording=given.wording,
            wording_version=given.wording_version or "", locale=given.locale or "", actor=caller.actor, now=now,
        )  # fmt: skip
        if news:
            caller.note(session, "consent.recorded", "patient", patient_id, channel=given.channel.value)
        return said(_standing(session, caller, patient_id, given.channel, news), 201)

    return caller.change(act)


@router.post("/patients/{patient_id}/consents/revoke", response_model=Recorded)
def revoke(caller: AtDoor, patient_id: UUID, given: Revocation, repeat: IdempotencyKey = None) -> Response:
    """The patient told you to stop. Only a new agreement undoes it."""

    def act(session: Session) -> Answer:
        now = caller.out.clock()
        reach = address_of(session, caller.clinic_id, patient_id, given.channel)
        before = len(consents.ledger(session, reach.id))
        stopped = withdraw.revoke(session, reach.id, actor=caller.actor, evidence=f"key:{given.evidence}", now=now)
        news = len(consents.ledger(session, reach.id)) > before
        if news:
            caller.note(session, "consent.revoked", "patient", patient_id, channel=given.channel.value)
        return said(_standing(session, caller, patient_id, given.channel, news, stopped))

    return caller.change(act)


def _standing(
    session: Session, caller: AtDoor, patient_id: UUID, channel: Channel, news: bool, suppressed: int = 0
) -> Recorded:
    reach = address_of(session, caller.clinic_id, patient_id, channel)
    found = may_contact(consents.ledger(session, reach.id), caller.out.clock())
    return Recorded(news=news, consent=found.state.value, allowed=found.allowed, suppressed=suppressed)
