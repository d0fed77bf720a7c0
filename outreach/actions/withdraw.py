"""Withdrawing: STOP and its kin, effective at once for everything not yet handed over; and START, its one undoing."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from outreach.domain.brakes import OWED_TO_THE_STOPPED
from outreach.domain.consent import ConsentEvent, ConsentKind, Scope, State, may_contact
from outreach.errors import Reason
from outreach.store import consents, messages, patients, tasks, told_once
from outreach.store.people import Reach

TEXT = "sms"
"""The method of a reply by text, whose STOP and START speak for every channel."""


def stop(
    session: Session,
    address_ids: UUID | Collection[UUID],
    *,
    method: str,
    evidence: str,
    now: datetime,
    actor: str = "patient",
    wording: str | None = None,
    locale: str = "",
    every_channel: bool = False,
    alone: bool = False,
) -> int:
    """The patient wants no more. Returns how many waiting messages were suppressed.

    Everybody of the clinic who shares the number or mailbox is included: we cannot know who of a family wrote, and
    silence is the safe side. Who replies STOP to a text wants nothing more on any channel; the button of an e-mail or
    a carrier's own list speaks for that address alone, unless `every_channel` (Law.ends_every_channel). `wording`:
    what the person wrote, kept sealed. A repeat of the same evidence is harmless. `alone`: only the people whose
    addresses these are, who were asked by name and said no: a sister who agreed on the same number stays agreed.
    """
    everywhere = every_channel or method == TEXT
    shared = _reached(session, address_ids, everywhere)
    if alone:
        own = {one.patient_id for one in shared if one.id in _several(address_ids)}
        shared = [one for one in shared if one.patient_id in own]
    _write(session, shared, ConsentKind.OPTED_OUT, method=method, evidence=evidence, now=now, actor=actor,
           wording=wording, locale=locale, scope=Scope.ALL if everywhere else Scope.ADDRESS)  # fmt: skip
    return messages.suppress_scheduled(session, [one.id for one in shared], Reason.OPTED_OUT, now, OWED_TO_THE_STOPPED)


def ask_whose(session: Session, clinic_id: UUID, patient_id: UUID, address_ids: Collection[UUID], message_id: UUID,
              now: datetime) -> None:  # fmt: skip
    """Several people have the number or mailbox that was stopped: a person is to ask whom that was meant for."""
    if {one.patient_id for one in patients.sharing(session, address_ids)} - {patient_id}:
        tasks.open_task(session, clinic_id=clinic_id, patient_id=patient_id, kind="shared", message_id=message_id,
                        occasion=f"stopped:{message_id}:{now:%Y%m%dT%H%M%S}", now=now)  # fmt: skip


def restore(
    session: Session,
    address_ids: UUID | Collection[UUID],
    *,
    method: str,
    evidence: str,
    now: datetime,
    actor: str = "patient",
    locale: str = "",
    alone: bool = False,
    wording: str | None = None,
) -> list[UUID]:
    """The patient said START. Returns the addresses that may be written to again; none if STOP had taken nothing.

    Gives back what STOP took, and no more: not a first agreement, not what staff or a carrier revoked. An address
    beside those that START came from is given back only where one and the same STOP took both: whoever has a patient's
    old number by now cannot undo what the patient said from the new one. `alone`: only these addresses, since we know
    who it was; a sister with the same phone may have meant her own STOP.
    """
    shared = _reached(session, address_ids, method == TEXT)
    if alone:
        shared = [one for one in shared if one.id in _several(address_ids)]
    before = consents.ledgers(session, [one.id for one in shared])
    asked = set(_several(address_ids))
    stops = {event.id for one in asked for event in before.get(one, ()) if event.kind == ConsentKind.OPTED_OUT}
    stopped = [
        one
        for one in shared
        if may_contact(before.get(one.id, ()), now).state is State.OPTED_OUT
        and (one.id in asked or _same_stop(before[one.id], method, stops))
    ]
    _write(session, stopped, ConsentKind.RESTORED, method=method, evidence=evidence, now=now, actor=actor,
           wording=wording, locale=locale)  # fmt: skip
    after = consents.ledgers(session, [one.id for one in stopped])
    now_is = {one.id: may_contact(after.get(one.id, ()), now) for one in stopped}
    allowed = [one for one, permission in now_is.items() if permission.allowed]
    if allowed:
        messages.revive(session, allowed, now)
        told_once.reconsider(session, allowed, now)
    if others := [one for one, permission in now_is.items() if permission.reason is Reason.NO_CONSENT]:
        messages.say_instead(session, others, Reason.OPTED_OUT, Reason.NO_CONSENT, now)
    return allowed


def revoke(
    session: Session, address_id: UUID, *, actor: str, evidence: str, now: datetime, scope: Scope = Scope.ADDRESS
) -> int:
    """Staff note that the patient withdrew by telephone, letter or at the desk. START does not undo it."""
    reach = patients.address(session, address_id)
    _write(session, [reach], ConsentKind.REVOKED_BY_STAFF, method="staff", evidence=evidence, now=now, actor=actor,
           wording=None, locale="", scope=scope)  # fmt: skip
    return messages.suppress_scheduled(session, [address_id], Reason.WITHDRAWN, now)


def _reached(session: Session, address_ids: UUID | Collection[UUID], everywhere: bool) -> list[Reach]:
    """The addresses a STOP or START speaks for: those that share the number; `everywhere`, its people's others too."""
    shared = patients.sharing(session, _several(address_ids))
    if not everywhere:
        return shared
    people = {(one.clinic_id, one.patient_id) for one in shared}
    others = [reach for person in sorted(people) for reach in patients.addresses(session, *person).values()]
    return list({one.id: one for one in [*shared, *others]}.values())


def _same_stop(events: Sequence[ConsentEvent], method: str, stops: Collection[str]) -> bool:
    """Whether the first STOP since the last agreement came this way, and is one of `stops`: a later one took nothing.

    Who has unsubscribed a mailbox by its own button, and then texts STOP and START, has not asked for mails again.
    """
    first = None
    for one in events:
        if one.kind in (ConsentKind.AGREED, ConsentKind.RESTORED):
            first = None
        elif one.kind == ConsentKind.OPTED_OUT and first is None:
            first = one
    return first is not None and first.method == method and first.id in stops


def _several(address_ids: UUID | Collection[UUID]) -> Collection[UUID]:
    return [address_ids] if isinstance(address_ids, UUID) else address_ids


def _write(
    session: Session,
    reaches: Sequence[Reach],
    kind: ConsentKind,
    *,
    method: str,
    evidence: str,
    now: datetime,
    actor: str,
    wording: str | None,
    locale: str,
    scope: Scope = Scope.ADDRESS,
) -> None:
    consents.take_turns(session, {one.patient_id for one in reaches})
    for one in reaches:
        consents.add(
            session, clinic_id=one.clinic_id, patient_id=one.patient_id, address_id=one.id, channel=one.channel,
            kind=kind, method=method, actor=actor, at=now, evidence=evidence, wording=wording, locale=locale,
            scope=scope,
        )  # fmt: skip
