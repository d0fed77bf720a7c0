"""Carriers' news, many at once: kept as events, applied forward-only, whatever their order and however often."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import select, tuple_
from sqlalchemy.orm import Session

from outreach.domain.message import Receipt
from outreach.domain.status import ENDS, RANK, Status
from outreach.store.arrays import Ids, Texts
from outreach.store.rows import fetch
from outreach.store.traffic import Event


class News(NamedTuple):
    """One receipt, and the attempt that its callback's URL names."""

    attempt_id: UUID
    receipt: Receipt


class Heard(NamedTuple):
    """What one piece of news met. `status`: the message's once the whole batch is applied; `moved`: by this one.

    `struck`: the breaker counts something against this clinic, so that a success is news to it.
    """

    message_id: UUID
    clinic_id: UUID
    address_id: UUID | None
    sender_id: UUID | None
    step: str
    status: Status
    moved: bool
    struck: bool


def _rank(column: str) -> str:
    """domain.status.RANK in SQL: null for null, which is above nothing."""
    return f"CASE {column} " + " ".join(f"WHEN '{status}' THEN {rank}" for status, rank in RANK.items()) + " END"


# One statement, so that a batch costs one round trip. Rows are locked in the order of their ids: two batches that share
# messages wait for each other instead of blocking each other. `heard` reads each row as it is after that wait.
_HEAR = f"""
WITH news AS MATERIALIZED (
    SELECT *
    FROM unnest(%(attempts)b::uuid[], %(carrier_ids)b::text[], %(words)b::text[], %(statuses)b::text[],
                %(reasons)b::text[], %(codes)b::text[])
         WITH ORDINALITY AS n (attempt_id, carrier_id, word, status, reason, code, place)
), heard AS MATERIALIZED (
    SELECT n.*, m.id AS message_id, m.clinic_id, m.address_id, a.sender_id, m.step, m.status AS was,
        m.attempt_id AS own
    FROM news n JOIN attempt a ON a.id = n.attempt_id JOIN message m ON m.id = a.message_id
    ORDER BY m.id, n.place
    FOR NO KEY UPDATE OF m
), kept AS (
    INSERT INTO event (clinic_id, message_id, attempt_id, source, word, status, reason, code, carrier_id, at)
    SELECT clinic_id, message_id, attempt_id, 'carrier', word, status, reason, code, carrier_id, %(at)b::timestamptz
    FROM heard ORDER BY place
    ON CONFLICT DO NOTHING
), furthest AS (
    SELECT DISTINCT ON (message_id) *
    FROM heard
    WHERE {_rank("status")} > {_rank("was")} AND (status <> ALL(%(failures)b::text[]) OR attempt_id = own)
    ORDER BY message_id, {_rank("status")} DESC, place
), moved AS (
    UPDATE message m
    SET status = f.status,
        reason = f.reason,
        carrier_id = coalesce(nullif(f.carrier_id, ''), m.carrier_id),
        attempt_id = coalesce(m.attempt_id, f.attempt_id),
        sent_at = coalesce(m.sent_at, %(at)b::timestamptz),
        ended_at = CASE WHEN {_rank("f.status")} = {RANK[Status.DELIVERED]} THEN %(at)b::timestamptz ELSE m.ended_at END
    FROM furthest f
    WHERE m.id = f.message_id
    RETURNING m.id, f.place, m.status
)
SELECT h.place, h.message_id, h.clinic_id, h.address_id, h.sender_id, h.step, coalesce(v.status, h.was),
       coalesce(v.place = h.place, false), h.clinic_id IN (SELECT clinic_id FROM strike)
FROM heard h LEFT JOIN moved v ON v.id = h.message_id
"""
_FAILURES = Texts.of([Status.FAILED, Status.UNDELIVERED, Status.CANCELLED])
assert {RANK[end] for end in ENDS} == {RANK[Status.DELIVERED]}


def hear_all(session: Session, news: Sequence[News], at: datetime) -> list[Heard | None]:
    """Keep and apply `news`, in the order they came: one answer each, None for an attempt we never made.

    Of several for one message the furthest counts, and of several ends the first. News of an older attempt than the
    row's own moves it too, where it got on: that attempt did reach the carrier; but what failed then does not end what
    was sent again since. So does news of an attempt taken for refused, whose message is scheduled again: it must not go
    out a second time.
    """
    if not news:
        return []
    told = [one.receipt for one in news]
    rows = fetch(
        session,
        _HEAR,
        attempts=Ids.of([one.attempt_id for one in news]),
        carrier_ids=Texts.of([one.carrier_id for one in told]),
        words=Texts.of([one.word[:40] for one in told]),
        statuses=Texts.of([one.status for one in told]),
        reasons=Texts.of([one.reason for one in told]),
        codes=Texts.of([one.code[:20] or None for one in told]),
        at=at,
        failures=_FAILURES,
    )
    answers: list[Heard | None] = [None] * len(news)
    for place, message_id, clinic_id, address_id, sender_id, step, status, *flags in rows:
        answers[place - 1] = Heard(message_id, clinic_id, address_id, sender_id, step, Status(status), *flags)
    return answers


def known(session: Session, news: Collection[News]) -> set[News]:
    """Those of `news` that were heard before: a replay, perhaps a week later."""
    keys = {(one.attempt_id, one.receipt.carrier_id, one.receipt.word[:40]): one for one in news}
    rows = session.execute(
        select(Event.attempt_id, Event.carrier_id, Event.word).where(
            tuple_(Event.attempt_id, Event.carrier_id, Event.word).in_(list(keys)), Event.source == "carrier"
        )
    )
    return {keys[(attempt_id, carrier_id or "", word)] for attempt_id, carrier_id, word in rows if attempt_id}
