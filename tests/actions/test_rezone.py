"""New zone data: what is unsent follows its wall time, what went out stays as it went."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import Engine, func, select, update
from sqlalchemy.orm import Session, sessionmaker

from outreach.actions import rezone
from outreach.actions.enrol import Enrol, NewVisit, Paper, enrol
from outreach.actions.move import move
from outreach.domain.channel import Channel
from outreach.domain.sequence import Sequence
from outreach.domain.status import Status
from outreach.errors import Reason
from outreach.store import clinics, infusions
from outreach.store.reports import balance
from outreach.store.traffic import Event, Message
from outreach.store.vault import Vault
from tests.actions.moving_zone import NAME, MovingZone, moving_zone

NOW = datetime(2026, 12, 1, 18, tzinfo=UTC)
CHICAGO = "America/Chicago"
TENTH = datetime(2026, 12, 10, 10)
HOUR = timedelta(hours=1)


@dataclass
class Plans:
    """A clinic in Chicago whose zone, or whose patients' zone, may be the one that changes."""

    sessions: sessionmaker[Session]
    sequence: Sequence
    zone: MovingZone
    clinic_id: UUID
    now: datetime = NOW

    def enrol(self, *visits: NewVisit, zone: str = CHICAGO, number: int = 43, agreed: bool = True) -> UUID:
        """A patient living in `zone`; the course."""
        signed = Paper(channels=frozenset({Channel.SMS}), on=date(2026, 11, 20), warned=True) if agreed else Paper()
        form = Enrol(self.clinic_id, "Ana Sample", "en", visits, phone=f"+131255501{number}", zone=zone, paper=signed)
        with self.sessions.begin() as session:
            return enrol(session, form, self.sequence, self.now).course_id

    def refresh(self) -> int:
        return rezone.refresh(self.sessions, {self.sequence.name: self.sequence}, lambda: self.now)

    def rows(self, **columns: Any) -> dict[str, Message]:
        """By step; one visit, one channel."""
        with self.sessions() as session:
            found = session.scalars(select(Message).filter_by(**columns).order_by(Message.due_at)).all()
        return {row.step: row for row in found}

    def change(self, which: str, **values: Any) -> None:
        with self.sessions.begin() as session:
            session.execute(update(Message).where(Message.step == which).values(**values))

    def visits(self, course_id: UUID) -> list[UUID]:
        with self.sessions() as session:
            return [visit.id for visit in infusions.of_course(session, course_id)]

    def stale(self) -> int:
        with self.sessions() as session:
            due = Message.status == "scheduled", Message.tz_version != "2027a"
            return session.scalar(select(func.count()).select_from(Message).where(*due)) or 0


@pytest.fixture
def plans(engine: Engine, vault: Vault, sequence: Sequence, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
          ) -> Iterator[Plans]:  # fmt: skip
    sessions = sessionmaker(engine, info={"vault": vault}, expire_on_commit=False)
    with moving_zone(tmp_path, monkeypatch) as zone:
        zone.set(-6, "2026z")
        with sessions.begin() as session:
            clinic = clinics.add(
                session, slug="lakeside", name="Lakeside", zone=CHICAGO, country="US", locale="en",
                phone="+13125550100", address="1 Example Street", emergency="911", sms_sender="+13125550100",
            )  # fmt: skip
        yield Plans(sessions, sequence, zone, clinic.id)


def visit(zone: str = CHICAGO, starts: datetime = TENTH) -> NewVisit:
    return NewVisit(starts, 60, zone=zone)


def test_everything_unsent_follows_its_wall_time_and_what_went_out_stays(plans: Plans) -> None:
    plans.enrol(visit(NAME), zone=NAME)
    plans.change("pre.what_to_expect", status="delivered", sent_at=NOW)
    before = plans.rows()
    plans.zone.set(-5, "2027a")
    assert plans.refresh() == len(plans.rows(status="scheduled", occasion=None)) > 5
    after = plans.rows()
    for step, row in after.items():
        old = before[step]
        by = timedelta(0) if row.status != "scheduled" or row.occasion else HOUR
        assert (row.id, row.wall, row.rule, row.status) == (old.id, old.wall, old.rule, old.status)
        assert (old.due_at - row.due_at, old.useful_until - row.useful_until) == (by, by), step
        assert row.tz_version == ("2026z" if step == "pre.what_to_expect" else "2027a")


def test_a_second_time_changes_nothing(plans: Plans) -> None:
    plans.enrol(visit(NAME), zone=NAME)
    plans.zone.set(-5, "2027a")
    plans.refresh()
    before = {step: (row.due_at, row.useful_until) for step, row in plans.rows().items()}
    assert plans.refresh() == 0
    assert {step: (row.due_at, row.useful_until) for step, row in plans.rows().items()} == before
    with plans.sessions() as session:
        said = session.scalar(select(func.count()).select_from(Event).where(Event.word == "new zone data"))
        assert (said, balance(session).holds) == (len(plans.rows(status="scheduled", occasion=None)), True)


def test_zones_whose_rules_did_not_change_are_only_marked(plans: Plans) -> None:
    plans.enrol(visit())
    before = {step: row.due_at for step, row in plans.rows().items()}
    plans.zone.set(-5, "2027a")
    assert (plans.stale() > 0, plans.refresh(), plans.stale()) == (True, 0, 0)
    assert {step: row.due_at for step, row in plans.rows().items()} == before


def test_when_only_the_clinics_zone_changed_the_visit_moves_and_the_patients_mornings_do_not(plans: Plans) -> None:
    plans.enrol(visit(NAME))
    before = plans.rows()
    plans.zone.set(-5, "2027a")
    plans.refresh()
    after = plans.rows()
    assert after["pre.the_day"].due_at == before["pre.the_day"].due_at
    assert after["pre.the_day"].useful_until == before["pre.the_day"].useful_until - HOUR  # its visit's start
    assert after["post.first_hours"].due_at == before["post.first_hours"].due_at - HOUR
    assert after["post.first_hours"].wall == before["post.first_hours"].wall - HOUR
    assert after["pre.the_day"].id == before["pre.the_day"].id


def test_when_only_the_patients_zone_changed_hours_after_the_visit_keep_their_instant(plans: Plans) -> None:
    plans.enrol(visit(), zone=NAME)
    before = plans.rows()
    plans.zone.set(-5, "2027a")
    plans.refresh()
    after = plans.rows()
    assert after["post.first_hours"].due_at == before["post.first_hours"].due_at
    assert after["post.first_hours"].wall == before["post.first_hours"].wall + HOUR
    assert after["pre.the_day"].due_at == before["pre.the_day"].due_at - HOUR


def test_a_visit_stays_at_its_wall_time_and_revision(plans: Plans) -> None:
    course = plans.enrol(visit(NAME), zone=NAME)
    plans.zone.set(-5, "2027a")
    plans.refresh()
    with plans.sessions() as session:
        [one] = infusions.of_course(session, course)
    assert (one.starts, one.revision) == (TENTH, 0)
    assert one.start == datetime(2026, 12, 10, 15, tzinfo=UTC)


def test_whose_instant_has_passed_by_the_new_data_goes_at_once(plans: Plans) -> None:
    plans.enrol(visit(NAME), zone=NAME)
    due = plans.rows()["pre.the_day"].due_at
    plans.now = due - HOUR / 2
    plans.zone.set(-5, "2027a")
    plans.refresh()
    row = plans.rows()["pre.the_day"]
    assert (row.status, row.due_at) == ("scheduled", plans.now)


@pytest.mark.parametrize(
    "wait",
    [{"attempts": 1}, {"reason": Reason.PAUSED.value}],
    ids=["a try after a refusal", "held by a switch"],
)
def test_a_wait_that_has_begun_is_kept(plans: Plans, wait: dict[str, Any]) -> None:
    plans.enrol(visit(NAME), zone=NAME)
    due = plans.rows()["pre.the_day"].due_at
    plans.now = due + HOUR / 2
    plans.change("pre.the_day", due_at=due + HOUR, **wait)
    plans.zone.set(-5, "2027a")
    plans.refresh()
    row = plans.rows()["pre.the_day"]
    assert (row.status, row.due_at, row.tz_version) == ("scheduled", due + HOUR, "2027a")


def test_a_move_after_new_data_does_not_end_another_visits_try_as_past(plans: Plans) -> None:
    first, second = visit(NAME), visit(NAME, TENTH + timedelta(days=7))
    course = plans.enrol(first, second, zone=NAME)
    [one, other] = plans.visits(course)
    due = plans.rows(infusion_id=one)["pre.the_day"].due_at
    plans.now = due + HOUR / 2
    with plans.sessions.begin() as session:
        session.execute(update(Message).where(Message.infusion_id == one, Message.step == "pre.the_day")
                        .values(attempts=1, due_at=due + HOUR))  # fmt: skip
    plans.zone.set(-5, "2027a")
    with plans.sessions.begin() as session:
        move(session, other, TENTH + timedelta(days=8), NAME, plans.sequence, plans.now)
    assert plans.rows(infusion_id=one, status="scheduled")["pre.the_day"].due_at == due + HOUR


def test_a_message_that_the_next_visit_now_takes_over_is_planned_away(plans: Plans) -> None:
    near = TENTH + timedelta(hours=1 + 24, minutes=30)  # the check-in gives way to a visit within 24 hours of the end
    [one, _] = plans.visits(plans.enrol(visit(), visit(NAME, near)))
    assert plans.rows(infusion_id=one)["post.check_in"].status == "scheduled"
    plans.zone.set(-5, "2027a")
    plans.refresh()
    assert plans.rows(infusion_id=one, status="suppressed")["post.check_in"].reason == "next_infusion_near"
    assert (plans.refresh(), plans.stale()) == (0, 0)


def test_a_message_that_had_given_way_is_planned_again(plans: Plans) -> None:
    near = TENTH + timedelta(hours=1 + 23, minutes=30)
    [one, _] = plans.visits(plans.enrol(visit(), visit(NAME, near)))
    assert plans.rows(infusion_id=one)["post.check_in"].status == "suppressed"
    plans.zone.set(-7, "2027a")
    plans.refresh()
    assert "post.check_in" in plans.rows(infusion_id=one, status="scheduled")
    with plans.sessions() as session:
        assert balance(session).holds


def test_nothing_that_went_out_is_planned_again(plans: Plans) -> None:
    plans.enrol(visit(NAME), zone=NAME)
    for step, status in {"pre.the_day": "unknown", "pre.tomorrow": "sending", "post.check_in": "accepted"}.items():
        plans.change(step, status=status)
    plans.zone.set(-5, "2027a")
    plans.refresh()
    with plans.sessions() as session:
        doubled = session.execute(
            select(Message.step).where(Message.status != "cancelled").group_by(Message.step).having(func.count() > 1)
        )
        assert doubled.all() == []
    assert plans.rows()["pre.the_day"].tz_version == "2026z"


def test_a_request_that_waits_for_the_morning_waits_for_the_mornings_new_instant(plans: Plans) -> None:
    plans.now = datetime(2026, 12, 2, 5, tzinfo=UTC)  # 23:00 there
    plans.enrol(visit(NAME), zone=NAME, agreed=False)
    before = plans.rows()["consent.request"]
    plans.zone.set(-5, "2027a")
    plans.refresh()
    after = plans.rows()["consent.request"]
    assert (before.wall, before.due_at) == (datetime(2026, 12, 2, 8), datetime(2026, 12, 2, 14, tzinfo=UTC))
    assert (after.wall, after.due_at) == (before.wall, before.due_at - HOUR)
    assert after.useful_until == before.useful_until - HOUR


def test_an_occasion_that_is_due_stays_as_it_is(plans: Plans) -> None:
    plans.enrol(visit(NAME), zone=NAME, agreed=False)
    before = plans.rows()["consent.request"]
    plans.zone.set(-5, "2027a")
    plans.refresh()
    after = plans.rows()["consent.request"]
    assert (after.due_at, after.useful_until, after.tz_version) == (before.due_at, before.useful_until, "2027a")


def test_a_notice_that_waits_tells_the_start_as_it_is_now(plans: Plans) -> None:
    [one] = plans.visits(plans.enrol(visit(NAME), zone=NAME))
    plans.change("pre.what_to_expect", status="delivered")
    plans.change("pre.the_day", status="delivered")
    plans.now = datetime(2026, 12, 2, 5, tzinfo=UTC)
    with plans.sessions.begin() as session:
        assert move(session, one, TENTH + timedelta(days=1), NAME, plans.sequence, plans.now).noticed == 1
    plans.zone.set(-5, "2027a")
    plans.refresh()
    with plans.sessions.begin() as session:
        [notice] = infusions.waiting_notices(session, one)
    assert notice.facts["new_start"] == "2026-12-11T15:00:00+00:00"
    row = plans.rows(status="scheduled")["visit.moved"]
    assert (row.useful_until, row.due_at) == (
        datetime(2026, 12, 11, 15, tzinfo=UTC),
        datetime(2026, 12, 2, 13, tzinfo=UTC),
    )


def test_a_row_its_sequence_no_longer_knows_follows_its_own_wall_time(plans: Plans) -> None:
    plans.enrol(visit(NAME), zone=NAME)
    plans.change("pre.the_day", step="pre.of_old")
    before = plans.rows()["pre.of_old"]
    plans.zone.set(-5, "2027a")
    plans.refresh()
    after = plans.rows()["pre.of_old"]
    assert (after.status, before.due_at - after.due_at, before.useful_until - after.useful_until) == (
        "scheduled",
        HOUR,
        HOUR,
    )


def test_small_pages_reach_everybody(plans: Plans) -> None:
    for number in range(43, 48):
        plans.enrol(visit(NAME), zone=NAME, number=number)
    plans.zone.set(-5, "2027a")
    waiting = plans.stale()
    done = list(rezone.steps(plans.sessions, {plans.sequence.name: plans.sequence}, lambda: NOW, batch=2))
    assert (done[-1].looked, done[-1].failed, plans.stale()) == (waiting, 0, 0)
    assert done[-1].moved == waiting - 5  # thanks for agreeing are due already
    assert [one.looked for one in done] == sorted(one.looked for one in done)


def test_a_course_whose_zone_is_gone_does_not_hold_up_the_others(plans: Plans) -> None:
    plans.enrol(visit(NAME), zone=NAME)
    plans.enrol(visit(), number=44)
    plans.zone.take_away("2027a")
    done = list(rezone.steps(plans.sessions, {plans.sequence.name: plans.sequence}, lambda: NOW))
    assert (done[-1].failed, done[-1].looked > 0) == (1, True)
    with plans.sessions() as session:
        left = session.scalars(select(Message.zone).where(Message.tz_version != "2027a").distinct()).all()
    assert left == [NAME]


def test_a_message_the_pump_takes_meanwhile_is_left_to_it(plans: Plans) -> None:
    course = plans.enrol(visit(NAME), zone=NAME)
    plans.zone.set(-5, "2027a")
    row = plans.rows()["pre.the_day"]
    with plans.sessions() as session:
        [unit] = {(one.patient_id, course) for one in [row]}
    plans.change("pre.the_day", status=Status.SENDING.value)
    with plans.sessions.begin() as session:
        rezone.refresh_one(session, unit, {plans.sequence.name: plans.sequence}, NOW)
    after = plans.rows()["pre.the_day"]
    assert (after.status, after.due_at, after.tz_version) == ("sending", row.due_at, "2026z")
