"""The consent ledger: appended to, read in its order, never changed."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Required, TypedDict, Unpack
from uuid import UUID, uuid4

from sqlalchemy import select
from sqlalchemy.orm import Session

from outreach.domain.channel import Channel
from outreach.domain.consent import TAKING, ConsentEvent, ConsentKind, Scope, basis_of, standing
from outreach.store.arrays import Ids
from outreach.store.rows import Ask, run, together
from outreach.store.tables import Consent
from outreach.store.vault import Vault, vault_of


class Said(TypedDict, total=False):
    """One thing that was said about writing to an address. `evidence` names the source (an inbound id, a form).

    `wording`: the words the person was shown; kept sealed. `at`: when it was said, not when we wrote it down.
    `scope`: what it speaks for; what it rests on follows from its kind and method.
    """

    clinic_id: Required[UUID]
    patient_id: Required[UUID]
    address_id: Required[UUID]
    channel: Required[Channel]
    kind: Required[ConsentKind]
    method: Required[str]
    actor: Required[str]
    at: Required[datetime]
    evidence: Required[str]
    warned: bool
    wording: str | None
    wording_version: str
    locale: str
    purpose: str
    scope: Scope


def add(session: Session, **one: Unpack[Said]) -> UUID | None:
    """Append to the ledger of an address; None: it was there."""
    return add_all(session, [one])[0][0]


def add_all(session: Session, said: Sequence[Said]) -> tuple[list[UUID | None], dict[UUID, list[ConsentEvent]]]:
    """Append several of one patient: their ids (None: it was there), and the ledgers of the active addresses since.

    What gives or takes consent waits its turn for the patient (`take_turns`): whoever writes for several patients takes
    all turns first. What does neither waits for nobody, and the ledgers are not read.
    """
    [patient_id] = {one["patient_id"] for one in said}
    moves = any(one["kind"] not in _SAYS_NOTHING for one in said)
    rows = [_row(vault_of(session), one) for one in said]
    asks = [Ask(_ADD, row) for row in rows]
    if not moves:
        return [told[0][0] if told else None for told in together(session, *asks)], {}
    turn, *added, ledgers = together(session, Ask(_TURNS, {"ids": Ids.of([patient_id])}), *asks, asking_of(patient_id))
    events = told(ledgers)
    _stands(session, patient_id, turn, events)
    return [rows[0][0] if rows else None for rows in added], events


def _row(vault: Vault, one: Said) -> dict[str, object]:
    event_id, wording = uuid4(), one.get("wording")
    sealed = vault.seal(wording, "consent_event.wording", one["clinic_id"], event_id) if wording else None
    return {
        "warned": False, "wording_version": "", "locale": "", "purpose": "care",
        **one,
        "id": event_id, "channel": one["channel"].value, "kind": one["kind"].value, "wording": sealed,
        "scope": one.get("scope", Scope.ADDRESS).value, "basis": basis_of(one["kind"], one["method"]).value,
    }  # fmt: skip


_ADD = """
insert into consent_event (id, clinic_id, patient_id, address_id, channel, kind, purpose, scope, basis, warned, method,
  wording_sealed, wording_version, locale, actor, at, evidence)
values (%(id)b, %(clinic_id)b, %(patient_id)b, %(address_id)b, %(channel)b, %(kind)b, %(purpose)b, %(scope)b, %(basis)b,
  %(warned)b, %(method)b, %(wording)b, %(wording_version)b, %(locale)b, %(actor)b, %(at)b, %(evidence)b)
on conflict on constraint consent_event_once do nothing returning id
"""


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
    # The turn is a statement of its own: the next one sees what the one before us committed.
    turn, ledgers = together(session, Ask(_TURNS, {"ids": Ids.of([patient_id])}), asking_of(patient_id))
    _stands(session, patient_id, turn, told(ledgers))


def _stands(
    session: Session, patient_id: UUID, turn: Sequence[Any], ledgers: Mapping[UUID, Sequence[ConsentEvent]]
) -> None:
    stands = standing(ledgers.values()).value
    if any(stood != stands for _, stood in turn):
        run(session, "update patient set standing = %(stands)b where id = %(id)b", stands=stands, id=patient_id)


_SAYS_NOTHING = (ConsentKind.ASKED, ConsentKind.CHOSEN)
"""Kinds that leave every patient standing where they stood: they wait for nobody, since the pump writes them."""
_TURNS = "select id, standing from patient where id = any(%(ids)b::uuid[]) order by id for no key update"
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
    return told(together(session, asking(address_ids))[0]) if address_ids else {}


def asking(address_ids: Collection[UUID]) -> Ask:
    """The same, together with others."""
    return Ask(_LEDGERS, {"ids": Ids.of(address_ids)})


def asking_after_a_no(address_ids: Collection[UUID]) -> Ask:
    """The ledgers of those of the addresses from which consent was ever taken away."""
    return Ask(_AFTER_A_NO, {"ids": Ids.of(address_ids), "takes": _TAKE_AWAY})


def asking_for(message_ids: Sequence[UUID]) -> Ask:
    """The ledgers of the addresses that these messages go to."""
    return Ask(_OF_MESSAGES, {"ids": Ids.of(message_ids)})


def asking_of(patient_id: UUID) -> Ask:
    """The ledgers of a patient's active addresses."""
    return Ask(_OF_PATIENT, {"patient": patient_id})


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
