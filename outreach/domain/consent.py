"""Consent as a ledger: what an address has agreed to, as a pure function over its append-only events.

    asked               the opt-in request went out
    agreed              express consent, with the digit 1, the page's button, or on paper
    opted_out           the patient said STOP, by any means
    restored            the patient said START: takes back what opted_out took, and nothing else
    revoked_by_staff    front desk, telephone, letter: only a new agreement undoes it
    revoked_by_carrier  complaint, dead mailbox, the carrier's own list: only a new agreement undoes it
    address_changed     consent belongs to the address: a new one begins with nothing

Events are read in the order of the ledger. What takes consent away counts at once, whatever its time says; what gives
it counts only when it is later than everything that took it away: neither a replay nor a late import undoes a STOP.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from outreach.domain.channel import Channel
from outreach.errors import Reason


class ConsentKind(StrEnum):
    """Stored; never rename a value."""

    ASKED = "asked"
    AGREED = "agreed"
    OPTED_OUT = "opted_out"
    RESTORED = "restored"
    REVOKED_BY_STAFF = "revoked_by_staff"
    REVOKED_BY_CARRIER = "revoked_by_carrier"
    ADDRESS_CHANGED = "address_changed"


class State(StrEnum):
    """Where an address stands now."""

    NONE = "none"
    ASKED = "asked"
    AGREED = "agreed"
    OPTED_OUT = "opted_out"
    REVOKED_BY_STAFF = "revoked_by_staff"
    REVOKED_BY_CARRIER = "revoked_by_carrier"


_REASON = {
    State.NONE: Reason.NO_CONSENT,
    State.ASKED: Reason.NO_CONSENT,
    State.OPTED_OUT: Reason.OPTED_OUT,
    State.REVOKED_BY_STAFF: Reason.WITHDRAWN,
    State.REVOKED_BY_CARRIER: Reason.UNSUBSCRIBED_AT_CARRIER,
}
_TAKES = {
    ConsentKind.OPTED_OUT: State.OPTED_OUT,
    ConsentKind.REVOKED_BY_STAFF: State.REVOKED_BY_STAFF,
    ConsentKind.REVOKED_BY_CARRIER: State.REVOKED_BY_CARRIER,
}


@dataclass(frozen=True)
class ConsentEvent:
    """One row of the ledger of one address. `at` is aware; `id` makes a repeat harmless ("" = no repeat can happen).

    `method`: sms, page, paper, staff, ...; for revoked_by_carrier the carrier's reason in our words.
    `warned`: the warning that the channel is not encrypted was part of what was agreed to.
    """

    kind: ConsentKind | str
    at: datetime
    channel: Channel
    purpose: str = "care"
    method: str = ""
    warned: bool = False
    id: str = ""


@dataclass(frozen=True)
class Permission:
    """The answer: may this address be written to now, why not, and may the words be clinical (`warned`)."""

    allowed: bool
    reason: Reason | None
    warned: bool
    state: State


@dataclass(frozen=True)
class _Standing:
    state: State = State.NONE
    warned: bool = False
    taken_at: datetime | None = None
    before_stop: State = State.NONE


def may_contact(events: Iterable[ConsentEvent], now: datetime, purpose: str = "care") -> Permission:
    """May messages of this purpose go to the address these events (in ledger order) belong to?"""
    standing = _standing(events, now, purpose)
    allowed = standing.state == State.AGREED
    return Permission(allowed, _REASON.get(standing.state), allowed and standing.warned, standing.state)


def may_ask(events: Iterable[ConsentEvent], now: datetime, purpose: str = "care") -> bool:
    """May the opt-in request go there? Not to whoever has agreed, and never to whoever said no."""
    return _standing(events, now, purpose).state in (State.NONE, State.ASKED)


def _standing(events: Iterable[ConsentEvent], now: datetime, purpose: str) -> _Standing:
    standing, seen = _Standing(), set[tuple[str, str]]()
    for event in events:
        mark = (str(event.kind), event.id)
        if event.id and mark in seen:
            continue
        seen.add(mark)
        standing = _after(standing, event, now, purpose)
    return standing


def _after(standing: _Standing, event: ConsentEvent, now: datetime, purpose: str) -> _Standing:
    kind = ConsentKind(event.kind)
    if kind in _TAKES:
        return _taken(standing, kind, event)
    if kind == ConsentKind.ADDRESS_CHANGED:
        return _Standing(taken_at=_latest(standing.taken_at, event.at))
    stale = standing.taken_at is not None and event.at <= standing.taken_at
    if stale or event.at > now or event.purpose != purpose:
        return standing
    if kind == ConsentKind.AGREED:
        # A second agreement adds to the first: one given without the warning does not unsay the warning.
        warned = event.warned or (standing.state == State.AGREED and standing.warned)
        return replace(standing, state=State.AGREED, warned=warned)
    if kind == ConsentKind.RESTORED and standing.state == State.OPTED_OUT:
        return replace(standing, state=standing.before_stop)
    if kind == ConsentKind.ASKED and standing.state == State.NONE:
        return replace(standing, state=State.ASKED)
    return standing


def _taken(standing: _Standing, kind: ConsentKind, event: ConsentEvent) -> _Standing:
    state = _TAKES[kind]
    if kind == ConsentKind.REVOKED_BY_CARRIER and event.method == Reason.UNSUBSCRIBED_AT_CARRIER:
        # The carrier heard a STOP that we did not, or did as well: it is a STOP, and START undoes it.
        state = State.OPTED_OUT
    stronger = standing.state in (State.REVOKED_BY_STAFF, State.REVOKED_BY_CARRIER)
    if state == State.OPTED_OUT and stronger:
        state = standing.state
    before = standing.before_stop if standing.state == State.OPTED_OUT else standing.state
    return replace(standing, state=state, before_stop=before, taken_at=_latest(standing.taken_at, event.at))


def _latest(first: datetime | None, second: datetime) -> datetime:
    return second if first is None else max(first, second)
