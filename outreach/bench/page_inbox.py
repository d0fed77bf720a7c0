"""What people wrote to a clinic in years, and what waits of it: for measuring the inbox and the conversations."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import select, text

from outreach.bench.stock import Stock
from outreach.domain import deadlines
from outreach.store.tables import Patient

HEARD, HEARD_QUICK = 100_000, 600
THREADS = 200  # with an open task
STRANGERS = 300  # numbers that nobody has
TALKER = 300  # messages of one patient, who writes more than anybody
CLOSED = 20  # closed tasks for each open one
KINDS = ("reply", "reply", "change", "silence", "call", "urgent", "reply", "missed", "stop", "shared")
UNDERSTOOD = ("answer", "thanks", "other", "answer", "stop", "help", "other", "start", "thanks", "urgent")
WROTE = "Thank you for the reminder. Could my sister drive me home afterwards, and may I have a light breakfast?"
SAID = (
    "Lakeside Infusion Center: your ketamine infusion is on Saturday, November 28, 2026 at 10:30 AM. Please have"
    " somebody who drives you home. Questions: +1 312-555-0100. https://care.lakeside.example/p/AAAAAAAAAAAAAAAAAAAAAA"
)

# Those that a page opens: of this day and the next ones, and of whoever stands in the inbox.
_OPENED = """
select id from message where status <> 'scheduled' and (due_at > now() - interval '2 days'
  or patient_id in (select patient_id from task where closed_at is null))"""
_WORDS = """
with words as (select * from unnest(cast(:ids as uuid[]), cast(:sealed as bytea[])) as words(id, sealed)), tried as (
  update message set attempt_id = coalesce(attempt_id, gen_random_uuid()) from words where message.id = words.id
  returning message.id, attempt_id, clinic_id, sealed)
insert into attempt (id, clinic_id, message_id, number, carrier, started_at, body_sealed)
select attempt_id, clinic_id, id, 1, 'twilio', now(), sealed from tried
on conflict (id) do update set body_sealed = excluded.body_sealed"""


def written(stock: Stock, count: int, now: datetime) -> None:
    """`count` messages of patients and of unknown numbers, nearly all of them read; the open threads."""
    clinic = stock.clinics[0]
    with stock.engine.connect() as connection:
        people = [row[0] for row in connection.execute(select(Patient.id).where(Patient.clinic_id == clinic))]
    heard = list(_heard(stock, clinic, people, count, now))
    stock.copy({"inbound": heard, "task": list(_tasks(clinic, heard, now))})


def spoken(stock: Stock) -> None:
    """Give words to those messages of the past that a page opens; the words of the rest are never asked for."""
    clinic = stock.clinics[0]
    with stock.engine.begin() as connection:
        ids = list(connection.scalars(text(_OPENED)))
        sealed = [stock.vault.seal(SAID, "message.body", clinic, one) for one in ids]
        connection.execute(text("set local session_replication_role = replica"))
        connection.execute(text(_WORDS), {"ids": ids, "sealed": sealed})


def _heard(stock: Stock, clinic: UUID, people: list[UUID], count: int, now: datetime) -> Iterator[dict[str, Any]]:
    vault = stock.vault
    numbers = [f"+1312555{number:04d}" for number in range(STRANGERS)]
    indexes = [vault.index("sms", number, clinic) for number in numbers]
    for place in range(count):
        row, kind = uuid4(), UNDERSTOOD[place % len(UNDERSTOOD)]
        stranger = place // 25 % STRANGERS if place % 25 == 24 else None
        whose = people[0 if place < TALKER else place * 7919 % len(people)] if stranger is None else None
        at, waits = now - timedelta(minutes=1 + place * 10), place < THREADS + TALKER
        yield {
            "id": row, "clinic_id": clinic, "carrier_id": f"SM{row.hex}", "channel": "sms", "patient_id": whose,
            "sender_sealed": vault.seal(numbers[stranger or 0], "inbound.sender", clinic, row),
            "sender_index": indexes[stranger] if stranger is not None else (whose or row).bytes,
            "body_sealed": vault.seal(WROTE, "inbound.body", clinic, row), "understood": kind,
            "answer": "1" if kind == "answer" else None, "needs_person": waits or kind in ("other", "urgent"),
            "urgent": [], "wish": "", "robot": False, "received_at": at,
            "read_at": None if waits else at + timedelta(hours=1),
        }  # fmt: skip


def _tasks(clinic: UUID, heard: list[dict[str, Any]], now: datetime) -> Iterator[dict[str, Any]]:
    """An open task for each of THREADS different threads, and many that are closed."""
    seen: set[Any] = set()
    for row in heard:
        whose = row["patient_id"] or row["sender_index"]
        if len(seen) < THREADS and whose in seen:
            continue
        is_open, kind = len(seen) < THREADS, KINDS[len(seen) % len(KINDS)]
        seen.add(row["id"] if not is_open else whose)
        if len(seen) > THREADS * (CLOSED + 1):
            return
        opened = now - timedelta(minutes=len(seen) * 15) if is_open else row["received_at"]
        yield {
            "id": uuid4(), "clinic_id": clinic, "patient_id": row["patient_id"], "kind": kind,
            "occasion": f"inbound:{row['id']}", "inbound_id": row["id"], "opened_at": opened,
            "due_at": deadlines.due_at(kind, opened), "closed_at": None if is_open else opened + timedelta(hours=2),
            "outcome": "" if is_open else "answered", "escalated": 0,
        }  # fmt: skip
