"""Rows to measure with: clinics, patients who agreed, their visits, and messages that are due; thousands a second."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

import psycopg
from psycopg import sql
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from outreach.actions.approve import approve_everything
from outreach.domain import finding
from outreach.domain.channel import Channel
from outreach.domain.window import tz_version
from outreach.store import clinics, search
from outreach.store.ids import fresh_id
from outreach.store.vault import Vault
from outreach.wiring import Outreach

LOCALES = ("en", "es", "ar")
STEPS = ("pre.tomorrow", "post.check_in", "pre.the_day", "post.first_days")
ZONES = ("America/New_York", "America/Los_Angeles", "Pacific/Auckland", "Asia/Tokyo", "Asia/Kolkata", "Europe/Madrid",
         "Europe/London", "America/Sao_Paulo", "Pacific/Honolulu", "Australia/Sydney", "Asia/Dubai")  # fmt: skip
"""Somewhere it is day: quiet hours are asked for every message, and hold none."""
_NAME_WORDS = finding.of_name("Jordan Example")
PLENTY = 1_000_000
"""The frequency cap of these clinics: counted for every message, and never reached."""


@dataclass(frozen=True)
class Stock:
    """Clinics of one database and how rows get into it."""

    engine: Engine
    vault: Vault
    clinics: tuple[UUID, ...]
    zones: tuple[str, ...]

    @classmethod
    def open(cls, out: Outreach, count: int, now: datetime) -> Stock:
        """Make `count` clinics with a sender each, in zones where it is day; they have approved the words they use."""
        zones = awake(now)
        with out.sessions.begin() as session:
            made = tuple(_clinic(session, zones[number % len(zones)]) for number in range(count))
            for clinic_id in made:
                approve_everything(session, clinic_id, out.words, now, LOCALES)
        return cls(out.engine, out.vault, made, zones)

    def fill(self, count: int, due: Callable[[int], datetime], channel: Channel = Channel.SMS) -> list[UUID]:
        """Add `count` scheduled messages, each of a patient of its own; `due` tells when the n-th is due (UTC).

        Three languages, four steps, the clinics by turns; every patient agreed and was warned. Returns message ids.
        """
        tables: dict[str, list[dict[str, Any]]] = {}
        for number in range(count):
            for table, row in self._one(number, due(number), channel):
                tables.setdefault(table, []).append(row)
        self.copy(tables)
        return [row["id"] for row in tables["message"]]

    def copy(self, tables: Mapping[str, Sequence[dict[str, Any]]]) -> None:
        """Write whole rows, table by table, in one transaction; the rows of a table name the same columns."""
        raw = self.engine.raw_connection()
        try:
            connection = raw.driver_connection
            assert isinstance(connection, psycopg.Connection)
            for table, rows in tables.items():
                _copy(connection, table, rows)
            connection.commit()
        finally:
            raw.close()

    def _one(self, number: int, due_at: datetime, channel: Channel) -> Iterator[tuple[str, dict[str, Any]]]:
        clinic, zone = self.clinics[number % len(self.clinics)], self.zones[number % len(self.zones)]
        patient, address, course, infusion, enrolment = (fresh_id() for _ in range(5))
        vault, made = self.vault, due_at - timedelta(days=7)
        wall = (due_at + timedelta(days=1)).astimezone(ZoneInfo(zone)).replace(tzinfo=None, minute=30, second=0)
        value = f"+1{random.randrange(2_000_000_000, 9_999_999_999)}"
        if channel is Channel.EMAIL:
            value = f"someone.{fresh_id().hex}@mail.example"
        own = {"clinic_id": clinic}
        of = own | {"patient_id": patient}
        yield "patient", own | {
            "id": patient, "name_sealed": vault.seal("Jordan Example", "patient.name", clinic, patient),
            "locale": LOCALES[number % 3], "zone": zone, "wording": "full", "active": True, "test": False, "version": 0,
            "standing": "agreed",
            "created_at": made,
            "search": search.hashes(vault, clinic, _NAME_WORDS | finding.of_address(channel, value)),
        }  # fmt: skip
        yield "address", of | {
            "id": address, "channel": channel.value, "active": True, "created_at": made,
            "value_sealed": vault.seal(value, "address.value", clinic, address),
            "value_index": vault.index(channel.value, value, clinic),
        }  # fmt: skip
        yield "consent_event", of | {
            "id": fresh_id(), "address_id": address, "channel": channel.value, "kind": "agreed", "purpose": "care",
            "warned": True, "method": "paper", "wording_version": "", "locale": "en", "actor": "staff", "at": made,
            "evidence": f"form:{address}",
        }  # fmt: skip
        yield "course", of | {"id": course, "label": "", "status": "active", "created_at": made}
        yield "infusion", own | {
            "id": infusion, "course_id": course, "starts": wall.replace(microsecond=0), "zone": zone, "minutes": 60,
            "status": "booked", "revision": 0, "created_at": made,
        }  # fmt: skip
        yield "enrolment", of | {
            "id": enrolment, "course_id": course, "sequence": "ketamine-infusion", "sequence_digest": "bench",
            "status": "active", "created_at": made,
        }  # fmt: skip
        message = fresh_id()
        yield "message", of | {
            "id": message, "enrolment_id": enrolment, "course_id": course, "infusion_id": infusion,
            "address_id": address, "step": STEPS[number % len(STEPS)], "channel": channel.value, "revision": 0,
            "wall": wall, "zone": zone, "tz_version": tz_version(), "rule": "bench", "due_at": due_at,
            "useful_until": due_at + timedelta(hours=20), "planned_at": made, "status": "scheduled", "urgent": False,
            "attempts": 0, "segments": 0,
        }  # fmt: skip
        yield "event", own | {
            "message_id": message, "source": "plan", "word": "planned", "status": "scheduled", "at": made,
        }  # fmt: skip


def awake(now: datetime) -> tuple[str, ...]:
    """Zones in which it is between 9 and 19 o'clock."""
    return tuple(zone for zone in ZONES if 9 <= now.astimezone(ZoneInfo(zone)).hour < 19)


def plain_url(engine: Engine) -> str:
    """The database's URL for psycopg itself, password included: never print it."""
    return engine.url.set(drivername="postgresql").render_as_string(hide_password=False)


def past(now: datetime | None = None) -> Callable[[int], datetime]:
    """All due a minute ago, a microsecond apart."""
    start = (now or datetime.now(UTC)) - timedelta(minutes=1)
    return lambda number: start + timedelta(microseconds=number)


def _clinic(session: Session, zone: str) -> UUID:
    number = random.randrange(10**9)
    return clinics.add(
        session, slug=f"bench-{uuid4().hex[:12]}", name="Lakeside Infusion Center", zone=zone, country="US",
        locale="en", phone="+1 312-555-0100", address="1 Example Street, Chicago, IL 60601", emergency="911",
        most_a_day=PLENTY, most_a_week=PLENTY, sms_sender=f"+1{number + 2_000_000_000}",
        email_sender="care@lakeside.example",
    ).id  # fmt: skip


def _copy(connection: psycopg.Connection[Any], table: str, rows: Sequence[dict[str, Any]]) -> None:
    names = list(rows[0])
    statement = sql.SQL("COPY {} ({}) FROM STDIN").format(
        sql.Identifier(table), sql.SQL(", ").join(map(sql.Identifier, names))
    )
    with connection.cursor() as cursor, cursor.copy(statement) as copy:
        for row in rows:
            copy.write_row([row[name] for name in names])
