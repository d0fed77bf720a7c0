"""The consent ledger: appended to, read in its order, never changed."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.orm import Session

from outreach.domain.channel import Channel
from outreach.domain.consent import TAKING, ConsentEvent, ConsentKind, Scope, basis_of, standing
from outreach.store.arrays import Ids
from outreach.store.rows import Ask, fetch, run
from outreach.store.tables import Consent, Patient
from outreach.store.vault import vault_of


def add(
    session: Session,
    *,
    clinic_id: UUID,
    patient_id: UUID,
    address_id: UUID,
    channel: Channel,
    kind: ConsentKind,
    method: str,
    actor: str,
    at: datetime,
    evidence: str,
    warned: bool = False,
    wording: str | None = None,
    wording_version: str = "",
    locale: str = "",
    purpose: str = "care",
    scope: Scope = Scope.ADDRESS,
) -> UUID | None:
    """Append to the ledger of an address. `evidence` names the source (an inbound id, a form); None: it was there.

    `wording`: the words the person was shown; kept sealed. `at`: when it was said, not when we wrote it down.
    `scope`: what it speaks for; what it rests on follows from its kind and method. What gives or takes consent waits
    its turn for the patient (`take_turns`): whoever writes for several patients takes all turns first.
    """
    vault, event_id, moves = vault_of(session), uuid4(), kind not in _SAYS_NOTHING
    if moves:
        take_turns(session, [patient_id])
    added = session.scalar(
        upsert(Consent)
        .values(
            id=event_id,
            clinic_id=clinic_id,
            patient_id=patient_id,
            address_id=address_id,
            channel=channel.value,
            kind=kind.value,
            purpose=purpose,
            scope=scope.value,
            basis=basis_of(kind, method).value,
            warned=warned,
            method=method,
            wording_sealed=vault.seal(wording, "consent_event.wording", clinic_id, event_id) if wording else None,
            wording_version=wording_version,
            locale=locale,
            actor=actor,
            at=at,
            evidence=evidence,
        )
        .on_conflict_do_nothing(constraint="consent_event_once")
        .returning(Consent.id)
    )
    if moves and added is not None:
        keep(session, patient_id)
    return added


def take_turns(session: Session, patient_ids: Iterable[UUID]) -> None:
    """Hold the ledgers of these patients until the transaction ends: the order they are written in is that of commits.

    Locked in the order of their ids, before any address or message of theirs: two who write for one family wait for
    each other and never in a ring.
    """
    run(session, _TURNS, ids=Ids.of(set(patient_ids)))


def keep(session: Session, patient_id: UUID) -> None:
    """Write down anew where the patient stands, by the ledgers of the addresses that are active now.

    Forgotten after a change of either, lists and counts are wrong; what is sent is not, since it asks the ledger.
    """
    take_turns(session, [patient_id])  # a statement of its own: the next one sees what the one before us committed
    stands = standing(told(fetch(session, _OF_PATIENT, patient=patient_id)).values()).value
    session.execute(
        update(Patient)
        .where(Patient.id == patient_id, Patient.standing != stands)
        .values(standing=stands)
        .execution_options(synchronize_session=False)
    )


_SAYS_NOTHING = (ConsentKind.ASKED, ConsentKind.CHOSEN)
"""Kinds that leave every patient standing where they stood: they wait for nobody, since the pump writes them."""
_TURNS = "select id from patient where id = any(%(ids)b::uuid[]) order by id for no key update"
_TAKE_AWAY = [kind.value for kind in TAKING]
_KINDS = {kind.value: kind for kind in ConsentKind}
_CHANNELS = {channel.value: channel for channel in Channel}
_LEDGERS = """
select address_id, kind, at, channel, purpose, method, warned, evidence from consent_event
where address_id = any(%(ids)b::uuid[]) order by seq
"""
_OF_PATIENT = """
select c.address_id, c.kind, c.at, c.channel, c.purpose, c.method, c.warned, c.evidence
from address a join consent_event c on c.address_id = a.id
where a.patient_id = %(patient)b::uuid and a.active order by c.seq
"""
_OF_MESSAGES = """
select c.address_id, c.kind, c.at, c.channel, c.purpose, c.method, c.warned, c.evidence
from (select distinct m.address_id from message m where m.id = any(%(ids)b::uuid[])) a
join consent_event c on c.address_id = a.address_id order by c.seq
"""

# For almost every batch the inner part finds nothing, by index alone: this is asked once more for all that is sent.
_AFTER_A_NO = """
select address_id, kind, at, channel, purpose, method, warned, evidence from consent_event
where address_id in (select n.address_id from consent_event n
  where n.address_id = any(%(ids)b::uuid[]) and n.kind = any(%(takes)b::text[]))
order by seq
"""


def ledger(session: Session, address_id: UUID) -> list[ConsentEvent]:
    """What an address said, in the order of the ledger."""
    return ledgers(session, [address_id]).get(address_id, [])


def ledgers(session: Session, address_ids: Collection[UUID]) -> dict[UUID, list[ConsentEvent]]:
    """The ledgers of several addresses; those that said nothing are absent."""
    return told(fetch(session, _LEDGERS, ids=Ids.of(address_ids))) if address_ids else {}


def asking_after_a_no(address_ids: Collection[UUID]) -> Ask:
    """The ledgers of those of the addresses from which consent was ever taken away."""
    return Ask(_AFTER_A_NO, {"ids": Ids.of(address_ids), "takes": _TAKE_AWAY})


def asking_for(message_ids: Sequence[UUID]) -> Ask:
    """The ledgers of the addresses that these messages go to."""
    return Ask(_OF_MESSAGES, {"ids": Ids.of(message_ids)})


def told(rows: Iterable[Sequence[Any]]) -> dict[UUID, list[ConsentEvent]]:
    """Ledgers by address."""
    found: dict[UUID, list[ConsentEvent]] = {}
    for address_id, kind, at, channel, purpose, method, warned, evidence in rows:
        event = ConsentEvent(_KINDS[kind], at, _CHANNELS[channel], purpose, method, warned, evidence)
        found.setdefault(address_id, []).append(event)
    return found


@dataclass(frozen=True)
class Proof:
    """One row of the ledger with the words that were shown, for the patient's page and the export.

    `address_id`: what it is bound to. `scope`, `basis`: "" in rows from before they were written down.
    """

    kind: ConsentKind
    channel: Channel
    at: datetime
    method: str
    actor: str
    warned: bool
    locale: str
    wording: str
    wording_version: str
    evidence: str
    id: UUID
    address_id: UUID
    purpose: str
    scope: str
    basis: str


def history(session: Session, clinic_id: UUID, patient_id: UUID) -> list[Proof]:
    """Everything a patient's addresses ever said, in the order of the ledger."""
    vault = vault_of(session)
    rows = session.scalars(
        select(Consent).where(Consent.clinic_id == clinic_id, Consent.patient_id == patient_id).order_by(Consent.seq)
    )
    return [
        Proof(ConsentKind(row.kind), Channel(row.channel), row.at, row.method, row.actor, row.warned, row.locale,
              vault.open(row.wording_sealed, "consent_event.wording", clinic_id, row.id) if row.wording_sealed else "",
              row.wording_version, row.evidence, row.id, row.address_id, row.purpose, row.scope, row.basis)
        for row in rows
    ]  # fmt: skip
