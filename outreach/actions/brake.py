"""The circuit breaker: counts what carriers refuse, and pauses a sender or a step before it goes on failing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import structlog
from sqlalchemy.orm import Session

from outreach.domain.brakes import RULES, Scope, Trip, kind_of, trips
from outreach.errors import Reason
from outreach.store import alerts, pauses, strikes
from outreach.store.pauses import strike_name

log = structlog.get_logger()
ACTOR = "breaker"


@dataclass(frozen=True)
class Trial:
    """One answer of a carrier. `reason` None: it went well. `zone` is the clinic's.

    `late`: told by a receipt after the carrier had accepted. An acceptance does not forgive what receipts said
    (filtered words are accepted first and refused later), a delivery does.
    """

    clinic_id: UUID
    sender_id: UUID | None
    step: str
    zone: str
    reason: Reason | None
    late: bool = False


@dataclass
class _Run:
    """What a batch says of one strike: failures after its last success, and whether there was a success."""

    trial: Trial
    kind: Reason
    failures: int = 0
    forgiven: bool = False


def judge(session: Session, trials: Sequence[Trial], now: datetime, struck: bool | None = None) -> None:
    """Count a batch of answers, in their order. All went well, as before: that is one read and no write.

    `struck`: whether their clinics have strikes, if that was just read.
    """
    if not any(trial.reason for trial in trials):
        if struck is None:
            struck = bool(strikes.present(session, {one.clinic_id for one in trials}))
        if not struck:
            return  # nearly always
    runs = _tally(trials)
    forgiven = {key for key, run in runs.items() if run.forgiven}
    had = forgiven & strikes.present(session, {key[0] for key in forgiven}) if forgiven else set()
    failing = {key: run.failures for key, run in runs.items() if run.failures}
    if not failing and not had:
        return
    strikes.take_turns(session, {key[0] for key in (*failing, *had)})
    _forgive(session, runs, strikes.clear(session, had), now)
    for key, count in strikes.add(session, failing, now).items():
        run = runs[key]
        rested = pauses.rested(session, key, run.kind, now) if RULES[run.kind].rests else timedelta(0)
        trip = trips(run.kind, count, run.trial.zone, now, rested)
        if trip is not None:
            _pull(session, run.trial, run.kind, trip, count, now)


def _tally(trials: Sequence[Trial]) -> dict[strikes.Key, _Run]:
    runs: dict[strikes.Key, _Run] = {}
    told: set[Trial] = set()
    for trial in trials:
        if trial.reason is None:
            if trial in told:  # a hundred messages of one step by one sender say the same
                continue
            told.add(trial)
            for key, forgiven in _places(trial):
                run = runs.setdefault(key, _Run(trial, forgiven))
                run.failures, run.forgiven = 0, True
        elif (kind := kind_of(trial.reason)) and (name := _against(trial, RULES[kind].scope)):
            key = (trial.clinic_id, RULES[kind].scope.value, strike_name(name, kind.value, trial.late))
            runs.setdefault(key, _Run(trial, kind)).failures += 1
            told.clear()
    return runs


def _places(trial: Trial) -> Iterator[tuple[strikes.Key, Reason]]:
    """All that a success forgives."""
    for kind, rule in RULES.items():
        name = _against(trial, rule.scope)
        if trial.late and rule.rests:  # news of what was handed over long ago: no sign that new calls are answered
            continue
        if name:
            for late in (False, True) if trial.late else (False,):
                yield (trial.clinic_id, rule.scope.value, strike_name(name, kind.value, late)), kind


def _against(trial: Trial, scope: Scope) -> str:
    if scope is Scope.STEP:
        return trial.step
    return str(trial.sender_id) if trial.sender_id else ""


def _forgive(session: Session, runs: dict[strikes.Key, _Run], cleared: set[strikes.Key], now: datetime) -> None:
    """The alert of what passes by itself is over with it; any other pause stays until somebody lifts it."""
    for clinic_id, scope, key in cleared:
        run = runs[clinic_id, scope, key]
        if RULES[run.kind].passes:
            alerts.clear(session, clinic_id, run.kind.value, _against(run.trial, Scope(scope)), now)


def _pull(session: Session, trial: Trial, kind: Reason, trip: Trip, count: int, now: datetime) -> None:
    key = _against(trial, trip.scope)
    if trip.pauses:
        pauses.switch_on(session, trial.clinic_id, trip.scope, key, kind.value, ACTOR, now, trip.until)
    until = f", until {trip.until:%Y-%m-%d %H:%MZ}" if trip.until else ""
    held = f"{trip.scope.value} {key} is paused{until}" if trip.pauses else f"{trip.scope.value} {key} goes on"
    alerts.raise_alert(session, trial.clinic_id, kind.value, key, f"{count} in a row; {held}", now)
    log.warning("breaker", clinic=str(trial.clinic_id), kind=trip.scope.value, reason=kind.value, count=count,
                step=trial.step)  # fmt: skip
