"""Taking in a patient list: kept as read, its columns understood, checked in a dry run, then let go or dropped."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from outreach.actions.cells import Rules
from outreach.actions.columns import FIXABLE, NAMES, Reading, guess, missing, plain
from outreach.actions.foresee import foresee, pack
from outreach.actions.listing import lines_of
from outreach.actions.roster import Roster, check
from outreach.actions.sheet import Sheet, read_sheet
from outreach.actions.speak import Speakers
from outreach.actions.tongues import reader
from outreach.actions.workbook import ZIP, unpacked_size
from outreach.content.compose import Words
from outreach.errors import BadFile, BadInput, NotAllowed, say
from outreach.store import audit, clinics, uploads
from outreach.store.tables import Clinic
from outreach.store.uploads import List

SMALL = 1000
"""Rows that are checked while the person waits; longer lists are checked by a worker."""
LONG = 1_000_000
"""Bytes of a workbook, unpacked (some 3,000 rows), that take too long to unpack while the person waits."""


def take_in(session: Session, clinic_id: UUID, staff_id: UUID | None, name: str, data: bytes, now: datetime) -> List:
    """Keep a file. What is short is read at once; a long workbook is read by a worker (state reading).

    BadFile: it cannot be used. When its headers are known from before, its columns are understood already.
    """
    name = name[:200]
    if data.startswith(ZIP) and unpacked_size(data) > LONG:
        raw = base64.b64encode(data).decode()
        upload_id = uploads.add(session, clinic_id=clinic_id, staff_id=staff_id, name=name, content=raw,
                                state="reading", now=now)  # fmt: skip
        one = uploads.get(session, clinic_id, upload_id)
    else:
        sheet = read_sheet(data, name)
        upload_id = uploads.add(session, clinic_id=clinic_id, staff_id=staff_id, name=name, content="", now=now,
                                state="reading")  # fmt: skip
        one = uploads.get(session, clinic_id, upload_id)
        _keep(session, one, sheet, now)
    _note(session, one, staff_id, "list.uploaded", now, bytes=len(data))
    return uploads.get(session, clinic_id, upload_id)


def read_kept(session: Session, one: List, now: datetime) -> None:
    """Read a workbook that was too long to be read while the person waited; why it cannot be used is kept."""
    raw = uploads.content(session, one)
    assert raw is not None  # kept until it is read
    try:
        _keep(session, one, read_sheet(base64.b64decode(raw), one.name), now)
    except BadFile as error:
        uploads.turn(session, one, ["reading"], now, state="failed", lease_until=None, forget=True,
                     result={"unread": [error.line, pack(error.what), pack(error.remedy)]})  # fmt: skip


def _keep(session: Session, one: List, sheet: Sheet, now: datetime) -> None:
    reading = remembered(session, one.clinic_id, sheet.headers)
    uploads.turn(
        session, one, ["reading"], now, state="checking" if reading else "mapping", lease_until=None,
        content=sheet.as_json(), total=len(sheet.rows), result={"known": True} if reading else {},
        mapping=(reading or Reading(guess(sheet.headers))).as_json(),
    )  # fmt: skip


def remembered(session: Session, clinic_id: UUID, headers: Sequence[str]) -> Reading | None:
    """What the clinic said of columns of these names, whatever their order."""
    order = _order(headers)
    said = uploads.remembered(session, clinic_id, _key(headers))
    if said is None or not all(0 <= at < len(order) for at in said["columns"].values()):
        return None
    return Reading({name: order[at] for name, at in said["columns"].items() if name in NAMES}, said["fixed"],
                   said["dates"])  # fmt: skip


def understand(session: Session, one: List, headers: Sequence[str], reading: Reading, now: datetime) -> None:
    """What a person says the columns mean. BadInput when something needed is missing; remembered for the next list."""
    if wanted := missing(reading.columns, reading.fixed):
        raise BadInput(say("Something needed has no column yet: %(fields)s.", fields=", ".join(wanted)))
    if not uploads.turn(session, one, ["mapping", "checked", "checking"], now, state="checking", lease_until=None,
                        mapping=reading.as_json(), result={}):  # fmt: skip
        raise NotAllowed(say("This list is being loaded already; its columns can no longer be changed."))
    order = _order(headers)
    said = Reading({name: order.index(at) for name, at in reading.columns.items()}, reading.fixed, reading.dates)
    uploads.remember(session, one.clinic_id, _key(headers), said.as_json(), now)


def chosen_reading(fields: Mapping[str, str], headers: Sequence[str]) -> Reading:
    """From a form: column.<field> = position or "", fixed.<field> = value, dates. BadInput: a column chosen twice."""
    columns: dict[str, int] = {}
    for name in NAMES:
        at = fields.get(f"column.{name}", "")
        if at.isdecimal() and int(at) < len(headers):
            if int(at) in columns.values():
                twice = headers[int(at)]
                raise BadInput(say('The column "%(column)s" is chosen twice. Choose it once.', column=twice))
            columns[name] = int(at)
    fixed = {name: value.strip()[:80] for name in FIXABLE if (value := fields.get(f"fixed.{name}", "")).strip()}
    dates = fields.get("dates", "iso")
    return Reading(columns, fixed, dates if dates in ("iso", "mdy", "dmy") else "iso")


def read_roster(session: Session, one: List, words: Words) -> tuple[Clinic, Sheet, Roster]:
    """The list as its columns are understood, checked cell by cell.

    By the rules of the day it came: a check resumed after midnight must count the same rows.
    """
    kept = uploads.content(session, one)
    if kept is None:
        raise NotAllowed(say("What stood in this list is no longer kept. Upload the file again."))
    clinic, sheet = clinics.by_id(session, one.clinic_id), Sheet.of(kept)
    spoken = Speakers().view(session, clinic, words)
    own = tuple(spoken.words.language(locale).own_name for locale in spoken.offered)
    rules = Rules(clinic.country, clinic.zone, reader(spoken), spoken.offered, one.created_at, own)
    return clinic, sheet, check(lines_of(sheet, Reading.of(one.mapping)), rules)


def dry_run(session: Session, one: List, words: Words, now: datetime) -> None:
    """Find out what every row would do, and keep it; nothing of a patient is written."""
    clinic, sheet, roster = read_roster(session, one, words)
    findings = foresee(session, clinic, [number for number, _ in sheet.rows], roster)
    uploads.turn(session, one, ["checking"], now, state="checked", lease_until=None, faults=findings.as_json(),
                 result={**one.result, "foreseen": findings.counts}, done=0)  # fmt: skip


def let_go(session: Session, one: List, staff_id: UUID, now: datetime) -> bool:
    """Load the good rows, in the background. False: it was let go already (a second click)."""
    started = uploads.turn(session, one, ["checked"], now, state="waiting", lease_until=None, done=0)
    if started:
        _note(session, one, staff_id, "list.started", now, rows=one.total)
    return started


def drop(session: Session, one: List, staff_id: UUID, now: datetime) -> bool:
    """Not to be loaded: what stood in it is forgotten."""
    dropped = uploads.turn(session, one, uploads.UNDECIDED, now, state="dropped", lease_until=None, forget=True,
                           faults="")  # fmt: skip
    if dropped:
        _note(session, one, staff_id, "list.dropped", now)
    return dropped


def drop_undecided(session: Session, now: datetime) -> int:
    """Drop every clinic's lists that nobody decided about for a week. Returns how many."""
    gone = sorted(uploads.forget_undecided(session, now))  # clinic by clinic: two who note must not wait in a ring
    for clinic_id, list_id in gone:
        audit.note(session, clinic_id=clinic_id, at=now, actor_kind="system", actor_id=None, action="list.dropped",
                   subject="list", subject_id=list_id)  # fmt: skip
    return len(gone)


def _note(session: Session, one: List, staff_id: UUID | None, action: str, now: datetime, **detail: Any) -> None:
    audit.note(session, clinic_id=one.clinic_id, at=now, actor_kind="staff", actor_id=staff_id, action=action,
               subject="list", subject_id=one.id, detail=detail)  # fmt: skip


def _order(headers: Sequence[str]) -> list[int]:
    """Positions by name: the same headers in another order are the same kind of list."""
    return sorted(range(len(headers)), key=lambda at: (plain(headers[at]), at))


def _key(headers: Sequence[str]) -> str:
    return json.dumps([plain(headers[at]) for at in _order(headers)])
