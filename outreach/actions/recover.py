"""What became of messages in doubt, and of those no news will come for any more. Nothing is resent from here."""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, timedelta
from uuid import UUID

import structlog
from sqlalchemy.orm import Session, sessionmaker

from outreach.actions import fallback, withdraw
from outreach.domain.doubt import AGES, ASKABLE, HOLD, overdue
from outreach.domain.message import Found, text_hash
from outreach.domain.status import Status, advance
from outreach.errors import OutreachError, Reason
from outreach.providers.base import Provider
from outreach.store import alerts, doubts
from outreach.store.doubts import Doubt
from outreach.store.leases import expire_leases

log = structlog.get_logger()

SETTLE_AFTER = timedelta(hours=72)
"""After this a message with no further news ends: sent is presumed delivered, accepted is undelivered (no_news)."""

SILENT_AFTER, SILENT_UNTIL = timedelta(hours=6), timedelta(hours=24)
"""Accepted and no news for so long: its callbacks may have been lost, and the carrier's list is asked once."""

SETTLED_AT_ONCE = 2000
"""Rows that one round ends at most, so that no transaction grows long."""

SKEW = timedelta(minutes=2)
"""How far the carrier's clock may be behind the database's."""

ALERT = "doubt"

PATIENCE = 20.0
"""Seconds one round begins questions for; what is left then is left for the next round."""

AWAY_AFTER = 2
"""Failed questions of one round after which that carrier is asked no more in it."""

AWAY, NOT_ASKED = "carrier away", "not asked"
"""Why there is no list: the carrier does not answer; or it was not its turn, which uses no question up."""

Listed = Mapping[tuple[str, str], Sequence[Found] | str]
"""By (carrier, number): what the carrier lists, or the word of why it told us nothing."""


def recover(
    sessions: sessionmaker[Session],
    providers: Mapping[str, Provider],
    clock: Callable[[], datetime],
    hold: timedelta = HOLD,
    limit: int = 50,
    patience: float = PATIENCE,
    seconds: Callable[[], float] = time.monotonic,
) -> int:
    """Leases over → unknown; what is in doubt is asked of the carrier; old news is settled. Returns rows that moved.

    `limit`: messages asked about in one round, of each kind. Found: adopted, forward only. Not found: asked again
    later (domain.doubt), and after the last question left to a person. `patience`: for how long questions are begun,
    by `seconds`; one that was not begun is not used up.
    """
    now = clock()
    with sessions.begin() as session:
        moved = expire_leases(session, now, SETTLED_AT_ONCE)
        for status, end, reason in ((Status.SENT, Status.DELIVERED, Reason.PRESUMED),
                                    (Status.ACCEPTED, Status.UNDELIVERED, Reason.NO_NEWS)):  # fmt: skip
            moved += doubts.settle(session, status, end, reason, now - SETTLE_AFTER, now, SETTLED_AT_ONCE)
    with sessions() as session:
        open_ones = doubts.doubtful(session, hold, limit) + doubts.silent(
            session, now - SILENT_AFTER, now - SILENT_UNTIL, limit
        )
    # No transaction is open while the carrier is asked; compare-and-set makes a second asker harmless.
    until = seconds() + patience
    listed = _ask(open_ones, providers, lambda: seconds() < until)
    with sessions.begin() as session:
        return moved + _learn(session, open_ones, listed, hold, clock())


def _ask(open_ones: Sequence[Doubt], providers: Mapping[str, Provider], in_time: Callable[[], bool]) -> Listed:
    """One question for each carrier, number and day, while there is time and the carrier answers."""
    days: dict[tuple[str, str], set[date]] = {}
    for one in open_ones:
        # Begun before midnight, it may have been made after it.
        begun = {one.started_at.date(), (one.started_at + timedelta(minutes=10)).date()}
        days.setdefault((one.carrier, one.to or ""), set()).update(begun)
    listed: dict[tuple[str, str], Sequence[Found] | str] = {
        (carrier, to): NOT_ASKED if to and _askable(providers, carrier) else "no list" for carrier, to in days
    }
    # In a new order each round: two numbers whose lists cannot be read do not stand before all others for good.
    line = [key for key in random.sample(list(days), len(days)) if listed[key] == NOT_ASKED]
    failed, answered = Counter[str](), set[str]()
    while line and in_time():
        carrier, to = key = line.pop(0)
        try:
            listed[key] = [found for day in sorted(days[key]) for found in providers[carrier].find(to, day)]
            answered.add(carrier)
        except OutreachError as error:
            log.warning("carrier could not be asked", carrier=carrier, error=type(error).__name__)
            listed[key] = AWAY
            failed[carrier] += 1
            if failed[carrier] >= AWAY_AFTER:
                rest = [key for key in line if key[0] == carrier]
                line = [key for key in line if key[0] != carrier]
                listed.update(dict.fromkeys(rest, NOT_ASKED if carrier in answered else AWAY))
            line.sort(key=lambda key: failed[key[0]])  # the carriers that answer come first
    return listed


def _askable(providers: Mapping[str, Provider], carrier: str) -> bool:
    return carrier in providers and providers[carrier].channel in ASKABLE


def _learn(session: Session, open_ones: Sequence[Doubt], listed: Listed, hold: timedelta, now: datetime) -> int:
    """Adopt what was found; count the questions that were in vain; tell a person where none is left. Returns moved."""
    doubts.one_at_a_time(session)  # two rounds at once must not give one entry of the list to two messages
    entries = {
        id for found in listed.values() if not isinstance(found, str) for id in (one.carrier_id for one in found)
    }
    taken = doubts.known_carrier_ids(session, {one.address_id for one in open_ones if one.address_id}, entries)
    moved, vain = 0, list[tuple[Doubt, str]]()
    for one in open_ones:
        answer = listed[one.carrier, one.to or ""]
        if answer == NOT_ASKED:
            continue
        if isinstance(answer, str):
            if answer != AWAY or (one.status is Status.UNKNOWN and overdue(one.channel, one.age, one.asked, hold)):
                vain.append((one, answer))
            continue
        found = next((entry for entry in answer if _is(entry, one, taken)), None)
        if found is None:
            vain.append((one, "not listed"))
            continue
        taken.add(found.carrier_id)
        moved += _adopt(session, one, found, now)
    doubts.asked(session, vain, now)
    _tell(session, [one for one, _ in vain], now)
    return moved


def _is(found: Found, doubt: Doubt, taken: set[str]) -> bool:
    """Whether this entry of the list is that message: by the carrier's own id, else by sender, words and time."""
    if doubt.carrier_id:
        return found.carrier_id == doubt.carrier_id
    if found.carrier_id in taken or text_hash(found.body) != doubt.text_hash:
        return False
    if found.created_at is not None and found.created_at < doubt.started_at - SKEW:
        return False  # the same words of an earlier day, or to the other patient on a shared phone
    return found.sender in doubt.senders or any(sender.startswith("MG") for sender in doubt.senders)


def _adopt(session: Session, doubt: Doubt, found: Found, now: datetime) -> bool:
    """The carrier has it: the row takes its id and, forward only, its status."""
    status = found.status or Status.ACCEPTED
    if advance(doubt.status, status) is doubt.status:  # accepted, and no further: asked once, now it waits
        doubts.asked(session, [(doubt, "listed")], now)
        return False
    if found.reason is Reason.UNSUBSCRIBED_AT_CARRIER and doubt.address_id:
        withdraw.stop(session, doubt.address_id, method="carrier", evidence=str(doubt.attempt_id), now=now)
    moved = doubts.turn(session, doubt.message_id, doubt.attempt_id, doubt.status, status, now, word="found",
                        reason=found.reason, code=found.extra.get("code"), carrier_id=found.carrier_id,
                        sent_at=now)  # fmt: skip
    if moved:
        fallback.after_failure(session, [(doubt.message_id, found.reason)], now)
    return moved


def _tell(session: Session, asked: Sequence[Doubt], now: datetime) -> None:
    """An alert for each clinic where messages wait for a person; over when none does."""
    waiting = doubts.waiting(session)
    spent = {one.clinic_id for one in asked if one.status is Status.UNKNOWN and one.asked + 1 >= len(AGES[one.channel])}
    for clinic_id in spent & waiting.keys():
        about = f"{waiting[clinic_id]} messages may or may not have gone out: decide on the page In doubt."
        alerts.raise_alert(session, clinic_id, ALERT, "", about, now)
        log.warning("in doubt, a person decides", clinic=str(clinic_id), count=waiting[clinic_id])
    keep: set[tuple[UUID | None, str, str]] = {(clinic_id, ALERT, "") for clinic_id in waiting}
    alerts.clear_others(session, [ALERT], keep, now)
