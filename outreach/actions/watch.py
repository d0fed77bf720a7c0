"""The watch: does the balance hold, is anything stuck, did anything go out twice? Raises alerts and takes them back."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import structlog
from sqlalchemy.orm import Session

from outreach.actions.speak import UNAPPROVED
from outreach.store import alerts, clinics, pauses
from outreach.store.balance import Fault, Sheet, Span, weigh
from outreach.store.stuck import Stuck, stuck
from outreach.store.turns import mend_queue

log = structlog.get_logger()

SHORT = timedelta(hours=2)
"""How far back the watch of every few minutes weighs; the nightly one weighs everything."""

SHOWN = 3
"""So many ids stand in an alert; `outreach balance` names them all."""


@dataclass(frozen=True)
class Watched:
    """What a watch saw."""

    sheet: Sheet
    stuck: list[Stuck]

    @property
    def well(self) -> bool:
        return self.sheet.holds and not self.stuck


def watch(session: Session, now: datetime, back: timedelta | None = SHORT) -> Watched:
    """Look at every clinic: what is due from `back` ago until now; `back` None: at everything there is, once a night.

    Kinds of alerts: balance (key: the fault), stuck (key: the status), doubled (key: the message). A balance that was
    off is cleared only by a look at everything, since a short look may miss what it saw before; what went out twice is
    cleared by a person alone. An alert that words are not approved is only taken back here; the claim raises it.
    """
    if back is not None:  # not in a long look: what it wakes would be locked until the end of it
        pauses.end_lapsed(session, now)
        if wrong := mend_queue(session, now):
            log.error("queue mended", count=wrong)
    ids = sorted(clinic.id for clinic in clinics.every(session))
    start = None if back is None else now - back
    end = None if back is None else now + timedelta(minutes=1)
    seen = Watched(weigh(session, [Span(one, start, end) for one in ids], back is None), stuck(session, ids, now))
    raised = [*_stuck(seen.stuck), *_faults(one for one in seen.sheet.faults if one.kind != "doubled")]
    for clinic_id, kind, key, about in raised:
        alerts.raise_alert(session, clinic_id, kind, key, about, now)
    _doubled(session, seen.sheet.faults, now)
    over = ["stuck"] if back is not None else ["stuck", "balance"]
    alerts.clear_others(session, over, {(one[0], one[1], one[2]) for one in raised}, now)
    _worded(session, now)
    if not seen.well:
        log.warning("balance off", count=len(seen.sheet.faults), waiting=len(seen.stuck))
    return seen


def _worded(session: Session, now: datetime) -> None:
    """Take back what was said about words that no message waits for any longer: it went, was ended, or was planned
    anew, or its words were approved while the claim that raised the alert had yet to commit."""
    lacking = [one for one in alerts.every_open(session) if one.kind == UNAPPROVED]
    if lacking:
        waits = pauses.wordless(session, now)
        keep = {
            (one.clinic_id, one.kind, one.key)
            for one in lacking
            if (one.clinic_id, one.key.partition("/")[2]) in waits
        }  # fmt: skip
        alerts.clear_others(session, [UNAPPROVED], keep, now)


Alarm = tuple[UUID, str, str, str]


def _stuck(found: Sequence[Stuck]) -> list[Alarm]:
    by_place: dict[tuple[UUID, str], list[Stuck]] = {}
    for one in found:
        by_place.setdefault((one.clinic_id, one.status.value), []).append(one)
    return [
        (clinic_id, "stuck", status, f"{many[0].of} {status} since {many[0].since:%Y-%m-%d %H:%MZ}: {_ids(many)}")
        for (clinic_id, status), many in sorted(by_place.items())
    ]


def _faults(found: Iterable[Fault]) -> list[Alarm]:
    by_kind: dict[tuple[UUID, str], list[Fault]] = {}
    for one in found:
        by_kind.setdefault((one.clinic_id, one.kind), []).append(one)
    return [
        (clinic_id, "balance", kind, f"{len(many)} {kind}: {_ids(many)}")
        for (clinic_id, kind), many in sorted(by_kind.items())
    ]


def _doubled(session: Session, faults: Sequence[Fault], now: datetime) -> None:
    """Once each: what somebody has seen to already is not told again the next night."""
    twice = [one for one in faults if one.kind == "doubled"]
    known = alerts.ever(session, "doubled", [str(one.message_id) for one in twice])
    for one in twice:
        if str(one.message_id) not in known:
            about = f"message {one.message_id}, step {one.step}"
            alerts.raise_alert(session, one.clinic_id, "doubled", str(one.message_id), about, now)


def _ids(many: Sequence[Fault] | Sequence[Stuck]) -> str:
    more = f" and {len(many) - SHOWN} more" if len(many) > SHOWN else ""
    return ", ".join(str(one.message_id) for one in many[:SHOWN]) + more
