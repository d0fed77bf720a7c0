"""Lists ask the database no more often for many rows than for a few, and stay small: every page of the console."""

from __future__ import annotations

import re
from datetime import timedelta
from html import unescape
from uuid import UUID, uuid4

import psycopg
import pytest
from fastapi.testclient import TestClient
from httpx import Response
from sqlalchemy import select, text

from outreach.bench.page_doors import Door, Room, doors
from outreach.bench.page_inbox import spoken
from outreach.bench.page_previews import enrolled, previews
from outreach.bench.stock import Stock
from outreach.domain.access import Role, Scope
from outreach.domain.channel import Channel
from outreach.domain.message import Inbound
from outreach.domain.news import Kind
from outreach.store import alerts, audit, clinics, inbox, keys, notes, senders, staff, tasks, uploads, webhooks
from outreach.store.tables import Address
from tests.web.house import NOW, PASSWORD, House, field

FEW, MANY = 4, 200  # more than any list shows on one page
CONSOLE, PATIENT = 150_000, 30_000  # bytes of a page, with its style where that stands in it

CALLED = """
insert into webhook_call (id, clinic_id, webhook_id, kind, source, payload_sealed, state, attempts, due_at, created_at,
  note) select gen_random_uuid(), clinic_id, id, 'task.opened', 'x' || gen_random_uuid(), '', 'told', 1, :now, :now, ''
from webhook"""
# Every fifth arrived with its words, every fifth nobody knows of, every fifth failed.
ENDED = """
update message set status = (array['delivered', 'unknown', 'failed'])[n], sent_at = null, ended_at = :now,
  reason = case when n = 3 then 'blocked' end, attempt_id = gen_random_uuid(), lease_until = :now
from (select id as which, row_number() over (order by due_at, step, id) % 5 as n
      from message where status = 'scheduled' and rule = 'bench') as drawn
where id = which and n between 1 and 3"""
ATTEMPTED = """
insert into attempt (id, clinic_id, message_id, number, carrier, started_at)
select attempt_id, clinic_id, id, 1, 'twilio', :now from message where attempt_id is not null
on conflict do nothing"""


def fill(house: House, who: UUID, count: int) -> None:
    """So many more of everything that a page lists."""
    out, clinic = house.out, house.clinic_id
    stock = Stock(out.engine, out.vault, (clinic,), ("America/Chicago",))
    mine = select(Address.id, Address.patient_id).where(Address.clinic_id == clinic)
    with out.sessions() as session:
        known = [row.id for row in session.execute(mine)]
    stock.fill(count, lambda number: NOW + timedelta(minutes=number))
    with out.sessions.begin() as session:
        people = session.execute(mine.where(Address.id.not_in(known))).all()
        first = people[0].patient_id
        for number, (address_id, patient_id) in enumerate(people):
            number_of = f"+1202555{number:04}"
            sender = inbox.Sender(address_id, patient_id, "en", "America/Chicago")
            for whose in (sender, None, inbox.Sender(people[0].id, first, "en", "America/Chicago")):
                wrote = Inbound(f"SM{uuid4()}", Channel.SMS, number_of, "", "When?")
                row = inbox.keep(
                    session, clinic, wrote, number_of, sender=whose, understood="other", answer=None, locale="en",
                    about=None, needs_person=True, now=NOW - timedelta(minutes=number),
                )  # fmt: skip
                tasks.open_task(session, clinic_id=clinic, patient_id=whose.patient_id if whose else None, now=NOW,
                                kind="reply", occasion=f"inbound:{row}", inbound_id=row)  # fmt: skip
            notes.add(session, clinic, first, "Prefers the afternoon.", staff_id=who, now=NOW)
            alerts.raise_alert(session, clinic, "unusable address", str(address_id), "", NOW)
            senders.add(session, clinic, Channel.SMS, f"+1303{len(people):03}{number:04}")
            uploads.add(session, clinic_id=clinic, staff_id=who, name="list.csv", content="{}", state="dropped",
                        now=NOW)  # fmt: skip
            staff.add(session, clinic_id=clinic, email=f"{uuid4()}@x.example", name="Robin", role=Role.VIEWER)
            keys.make(session, clinic_id=clinic, name="Bookings", scopes=list(Scope), expires_at=None, staff_id=who,
                      now=NOW)  # fmt: skip
        for _ in range(1 + count // 10):
            webhooks.add(session, clinic, "https://x.example/hook", list(Kind), NOW)
        for number in range(count):
            audit.note(session, clinic_id=clinic, at=NOW, actor_kind="staff", actor_id=who, action="visit.moved",
                       subject="visit", subject_id=who, detail={"messages": number})  # fmt: skip
        clinics.by_id(session, clinic).join_open = True
        for statement in (CALLED, ENDED, ATTEMPTED):
            session.execute(text(statement), {"now": NOW})
    spoken(stock)


def test_no_page_asks_once_more_for_each_row_and_none_grows_without_end(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    with house.out.sessions.begin() as session:
        person = staff.recognise(session, house.email, PASSWORD)
        assert person is not None
    asked = 0
    real = psycopg.Cursor.execute

    def counting(self: object, *args: object, **more: object) -> object:
        nonlocal asked
        asked += 1
        return real(self, *args, **more)  # type: ignore[call-overload]

    monkeypatch.setattr(psycopg.Cursor, "execute", counting)  # below everything: also what goes to the driver at once
    enrolled(house.out, house.clinic_id, NOW)
    desk, counts, sizes = house.desk(), dict[str, list[int]](), dict[str, int]()
    wrong: dict[str, int] = {}
    for more in (FEW, MANY - FEW):
        fill(house, person.staff_id, more)
        csrf = field(desk.get("/account").text, "csrf")
        for door in [*doors(house.out), *previews(house.out)]:
            if door.room is Room.API:
                continue
            if more == FEW:
                ask(desk, door, csrf)  # what is kept in memory is read by the first who asks
            asked = 0
            answer = ask(desk, door, csrf)
            if answer.status_code not in (200, 303):
                wrong[door.path] = answer.status_code
            counts.setdefault(door.name, []).append(asked)
            sizes[door.name] = len(answer.content)
            if len(answer.content) >= (PATIENT if door.room is Room.PATIENT else CONSOLE):
                wrong[door.path] = len(answer.content)
    assert wrong == {}
    assert len(counts) > 50
    assert {name: two for name, two in counts.items() if len(two) == 2 and two[1] > two[0] + 1} == {}
    assert max(two[-1] for name, two in counts.items() if not name.startswith("POST")) < 30
    assert max(two[-1] for two in counts.values()) < 50, "a preview does the whole change, and reads what came of it"
    assert counts["POST /patients/new, 12 visits"][-1] <= counts["POST /patients/new, 1 visit"][-1]
    assert sizes["/patients"] > 15_000, "a full list, or nothing is proved"
    for path, one_of, there in (
        ("/staff", r'id="role-([^"]+)"', 1 + MANY), ("/keys", r'action="/keys/([^/]+)/revoke"', MANY),
        ("/held", r'action="/held/alerts/([^"]+)"', MANY),
    ):  # fmt: skip
        seen = turned(desk, path, one_of)
        assert (len(seen), len(set(seen))) == (there, there), path
        garbled = re.findall(one_of, desk.get(f"{path}?after=garbled").text)
        assert garbled == seen[: len(garbled)] != [], "an address that is no place shows the first page"


def ask(desk: TestClient, door: Door, csrf: str) -> Response:
    if door.form is None:
        found: Response = desk.get(door.path)
    else:
        found = desk.post(door.path, data={**door.form, "csrf": csrf})
    return found


def turned(desk: TestClient, path: str, one_of: str) -> list[str]:
    """What a list shows from its first page to its last, every page small."""
    seen: list[str] = []
    while path:
        page = desk.get(path)
        assert len(page.content) < CONSOLE, path
        seen += re.findall(one_of, page.text)
        further = re.search(r'rel="next" href="([^"]+)"', page.text)
        path = unescape(further[1]) if further else ""
    return seen
