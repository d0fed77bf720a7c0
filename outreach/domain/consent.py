"""Consent as a ledger: what an address has agreed to, as a pure function over its append-only events.

    asked               the opt-in request went out
    agreed              express consent, with the digit 1, the page's button, or on paper
    opted_out           the patient said STOP, by any means
    restored            the patient said START: takes back what opted_out took, and nothing else
    revoked_by_staff    front desk, telephone, letter: only a new agreement undoes it
    revoked_by_carrier  complaint, dead mailbox, the carrier's own list: only a new agreement undoes it
    address_changed     consent belongs to the address: a new one begins with nothing
    chosen              the patient chose a language or a wording: kept as proof, says nothing of permission

Events are read in the order of the ledger. What takes consent away counts at once, whatever its time says; what gives
it counts only when it is later than everything that took it away: neither a replay nor a late import undoes a STOP.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import UTC, datetime
from enum import StrEnum
from typing import NamedTuple

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
    CHOSEN = "chosen"


class Basis(StrEnum):
    """What an event rests on, as the law would ask. Stored; never rename a value."""

    EXPRESS = "express"  # the patient's own yes to the words shown, by text or button
    WRITTEN = "written"  # signed on paper
    ATTESTED = "attested"  # the clinic or its software tells that the patient agreed
    REQUEST = "request"  # the patient asked for it: to stop, to start again, to be asked, to change a choice
    NUMBER_GIVEN = "number_given"  # the patient gave the address to the clinic, which asks there once
    CARRIER = "carrier"  # the carrier's list or a complaint


class Scope(StrEnum):
    """What an event speaks for. Stored; never rename a value."""

    ADDRESS = "address"
    ALL = "all"  # every address of the patient: a STOP by text, or by the law's date any stop


def basis_of(kind: ConsentKind, method: str) -> Basis:
    """The basis of an event by its kind and the way it came."""
    if kind is ConsentKind.REVOKED_BY_CARRIER:
        return Basis.CARRIER
    if kind is ConsentKind.ASKED:
        return Basis.REQUEST if method == JOIN else Basis.NUMBER_GIVEN
    if kind is not ConsentKind.AGREED:
        return Basis.REQUEST
    if method == "paper":
        return Basis.WRITTEN
    return Basis.EXPRESS if method in ("sms", "email", "page") else Basis.ATTESTED


JOIN = "join"
"""The method of what a person typed on the clinic's public page."""


class State(StrEnum):
    """Where an address stands now."""

    NONE = "none"
    ASKED = "asked"
    AGREED = "agreed"
    OPTED_OUT = "opted_out"
    REVOKED_BY_STAFF = "revoked_by_staff"
    REVOKED_BY_CARRIER = "revoked_by_carrier"


NO_MORE = frozenset({State.OPTED_OUT, State.REVOKED_BY_STAFF, State.REVOKED_BY_CARRIER})
"""Where somebody said no, or it was said for them."""


class Standing(StrEnum):
    """Where a patient stands with all addresses together, for lists and counts. Stored; never rename a value."""

    OPEN = "open"  # has not answered yet, or has no address
    AGREED = "agreed"  # may be written to at one of them
    REFUSED = "refused"  # may not, and once said no: to be left in peace, not to be asked


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
TAKING = (*_TAKES, ConsentKind.ADDRESS_CHANGED)
"""The kinds after which an address may not be written to until it agrees anew."""


class ConsentEvent(NamedTuple):
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


class Permission(NamedTuple):
    """The answer: may this address be written to now, why not, and may the words be clinical (`warned`)."""

    allowed: bool
    reason: Reason | None
    warned: bool
    state: State


def may_contact(events: Iterable[ConsentEvent], now: datetime, purpose: str = "care") -> Permission:
    """May messages of this purpose go to the address these events (in ledger order) belong to?"""
    state, warned = _standing(events, now, purpose)
    allowed = state is _AGREED
    return Permission(allowed, _REASON.get(state), allowed and warned, state)


def may_ask(events: Iterable[ConsentEvent], now: datetime, purpose: str = "care") -> bool:
    """May the opt-in request go there? Not to whoever has agreed, and never to whoever said no."""
    return _standing(events, now, purpose)[0] in (State.NONE, State.ASKED)


def standing(ledgers: Iterable[Collection[ConsentEvent]]) -> Standing:
    """Where a patient stands whose addresses these ledgers are; an agreement counts from the day it is written down.

    For lists and counts alone: whether a message may go is asked of the ledger itself, by `may_contact`.
    """
    known = list(ledgers)
    if any(may_contact(events, _EVER).allowed for events in known):
        return Standing.AGREED
    no = any(ConsentKind(event.kind) in _TAKES for events in known for event in events)
    return Standing.REFUSED if no else Standing.OPEN


_EVER = datetime.max.replace(tzinfo=UTC)
# Asked once per message; Python looks an enumeration's member up by its name each time, which would be half of it.
_NONE, _ASKED, _AGREED, _OUT = State.NONE, State.ASKED, State.AGREED, State.OPTED_OUT
_SAYS_YES, _SAYS_START, _IS_ASKED = ConsentKind.AGREED, ConsentKind.RESTORED, ConsentKind.ASKED
_MOVES = ConsentKind.ADDRESS_CHANGED


def _standing(events: Iterable[ConsentEvent], now: datetime, purpose: str) -> tuple[State, bool]:  # noqa: C901
    """The state after all events, and whether what was agreed to held the warning. Plain values: one per message."""
    state, warned, before_stop = _NONE, False, _NONE
    taken_at: datetime | None = None
    seen: set[tuple[str, str]] = set()
    for event in events:
        kind, at = event.kind, event.at
        if kind.__class__ is not ConsentKind:
            kind = ConsentKind(kind)
        if event.id:
            if (kind, event.id) in seen:
                continue
            seen.add((kind, event.id))
        taken = _TAKES.get(kind)
        if taken is not None:
            if state is not _OUT:
                before_stop = state
            state, taken_at = _taken(state, taken, event), max(taken_at or at, at)
        elif kind is _MOVES:
            state, warned, before_stop, taken_at = _NONE, False, _NONE, max(taken_at or at, at)
        elif (taken_at is not None and at <= taken_at) or at > now or event.purpose != purpose:
            continue
        elif kind is _SAYS_YES:
            # A second agreement adds to the first: one given without the warning does not unsay the warning.
            state, warned = _AGREED, event.warned or (state is _AGREED and warned)
        elif kind is _SAYS_START and state is _OUT:
            state = before_stop
        elif kind is _IS_ASKED and state is _NONE:
            state = _ASKED
    return state, warned


def _taken(state: State, taken: State, event: ConsentEvent) -> State:
    """The state after consent was taken away; a revocation by staff or carrier is stronger than a STOP."""
    if event.kind == ConsentKind.REVOKED_BY_CARRIER and event.method == Reason.UNSUBSCRIBED_AT_CARRIER:
        # The carrier heard a STOP that we did not, or did as well: it is a STOP, and START undoes it.
        taken = State.OPTED_OUT
    stronger = state in (State.REVOKED_BY_STAFF, State.REVOKED_BY_CARRIER)
    return state if taken is State.OPTED_OUT and stronger else taken
