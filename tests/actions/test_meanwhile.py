"""Two at once: whoever comes second waits, sees what the first one did, and neither waits for the other in a ring."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as Late
from dataclasses import replace
from datetime import date, datetime, timedelta
from threading import Event as Signal
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import Engine, func, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, sessionmaker

from outreach.actions import correct, load, move, withdraw
from outreach.actions import enrol as enrolling
from outreach.actions.desk import Desk
from outreach.actions.enrol import Enrol, NewVisit, Paper, enrol, replan
from outreach.domain.channel import Channel
from outreach.domain.consent import ConsentKind
from outreach.errors import NotAllowed
from outreach.store import consents, enrolments, infusions, patients, plans
from outreach.store.tables import Clinic, Patient
from outreach.store.traffic import Message
from outreach.store.vault import Vault
from tests import shipped
from tests.actions.conftest import COLUMNS, NOW, lakeside

SIGNED = Paper(channels=frozenset(Channel), on=date(2026, 11, 20), form="F1", warned=True)
VISIT = NewVisit(datetime(2026, 12, 15, 10), 40, "V1")
SEQUENCE = shipped.sequence()
STAFF = UUID(int=5)
Place = tuple[sessionmaker[Session], UUID]


@pytest.fixture
def place(engine: Engine, vault: Vault) -> Place:
    sessions = sessionmaker(engine, info={"vault": vault}, expire_on_commit=False)
    with sessions.begin() as session:
        made = lakeside(session)
    return sessions, made.id


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(2) as one:
        yield one


def form(clinic_id: UUID, **more: Any) -> Enrol:
    known = Enrol(clinic_id, "Ana Sample", "es", (VISIT,), phone="(312) 555-0143", email="ana@example.org",
                  external="A1", paper=SIGNED)  # fmt: skip
    return replace(known, **more)


def after(
    pool: ThreadPoolExecutor, sessions: sessionmaker[Session], first: Callable[[Session], object],
    second: Callable[[Session], Any],
) -> Any:  # fmt: skip
    """`second` begins while `first` has done its work and not committed yet: it has to wait. Its answer."""

    def other() -> Any:
        with sessions.begin() as session:
            return second(session)

    with sessions.begin() as session:
        first(session)
        waiting = pool.submit(other)
        with pytest.raises(Late):
            waiting.result(0.3)
    return waiting.result(10)


def test_of_two_who_move_one_visit_alike_the_second_changes_nothing(place: Place, pool: ThreadPoolExecutor) -> None:
    sessions, clinic_id = place
    with sessions.begin() as session:
        [visit] = infusions.of_course(session, enrol(session, form(clinic_id), SEQUENCE, NOW).course_id)

    def same(session: Session) -> move.Moved:
        return move.move(session, visit.id, visit.starts + timedelta(days=1), visit.zone, SEQUENCE, NOW)

    second = after(pool, sessions, same, same)
    with sessions() as session:
        assert infusions.get(session, visit.id).revision == 1
    assert (second.planning.added, second.planning.cancelled) == (0, 0)


def test_a_plan_made_while_a_visit_moves_waits_and_is_made_of_the_new_time(
    place: Place, pool: ThreadPoolExecutor
) -> None:
    sessions, clinic_id = place
    with sessions.begin() as session:
        done = enrol(session, form(clinic_id), SEQUENCE, NOW)
        [visit] = infusions.of_course(session, done.course_id)
    after(
        pool, sessions,
        lambda session: move.move(session, visit.id, visit.starts + timedelta(days=1), visit.zone, SEQUENCE, NOW),
        lambda session: replan(session, done.course_id, SEQUENCE, NOW),
    )  # fmt: skip
    with sessions() as session:
        mine = select(Message.revision).where(Message.status == "scheduled", Message.infusion_id == visit.id)
        assert set(session.scalars(mine)) == {1}


def test_of_two_who_correct_one_patient_the_second_is_told(place: Place, pool: ThreadPoolExecutor) -> None:
    sessions, clinic_id = place
    with sessions.begin() as session:
        done = enrol(session, form(clinic_id, visits=()), SEQUENCE, NOW)
        person = patients.get(session, clinic_id, done.patient_id)
        wish = correct.now_is(session, person)

    def called(name: str) -> Callable[[Session], object]:
        return lambda session: correct.correct(
            session, clinic_id, person.id, replace(wish, name=name), person.version, {SEQUENCE.name: SEQUENCE},
            staff_id=STAFF, now=NOW,
        )  # fmt: skip

    with pytest.raises(NotAllowed):
        after(pool, sessions, called("Anna"), called("Anne"))


def test_two_who_write_for_two_addresses_of_one_patient_leave_them_where_both_say(
    place: Place, pool: ThreadPoolExecutor
) -> None:
    sessions, clinic_id = place
    with sessions.begin() as session:
        person, reach = patients.add_with(
            session, clinic_id=clinic_id, name="Jo", locale="en", zone="UTC", wording="full", now=NOW,
            given={Channel.SMS: "+12025550143", Channel.EMAIL: "jo@x.example"},
        )  # fmt: skip

    def says(channel: Channel, kind: ConsentKind) -> Callable[[Session], object]:
        return lambda session: consents.add(
            session, clinic_id=clinic_id, patient_id=person.id, address_id=reach[channel].id, channel=channel,
            kind=kind, method="paper", actor="desk", at=NOW, evidence="1",
        )  # fmt: skip

    after(pool, sessions, says(Channel.SMS, ConsentKind.AGREED), says(Channel.EMAIL, ConsentKind.OPTED_OUT))
    with sessions() as session:
        assert session.scalars(select(Patient.standing).where(Patient.id == person.id)).one() == "agreed"


def test_what_the_pump_takes_while_a_visit_moves_is_neither_put_aside_nor_planned_twice(
    place: Place, pool: ThreadPoolExecutor
) -> None:
    sessions, clinic_id = place
    with sessions.begin() as session:
        [visit] = infusions.of_course(session, enrol(session, form(clinic_id), SEQUENCE, NOW).course_id)
    taken: list[UUID] = []

    def pump(session: Session) -> None:
        sending = update(Message).where(Message.step == "post.check_in").values(status="sending")
        found = session.scalars(sending.returning(Message.id).execution_options(synchronize_session=False))
        taken.extend(found)

    after(pool, sessions, pump, lambda session: move.move(
        session, visit.id, visit.starts + timedelta(hours=2), visit.zone, SEQUENCE, NOW))  # fmt: skip
    with sessions() as session:
        rows = session.execute(select(Message.id, Message.status).where(Message.step == "post.check_in")).all()
    assert sorted(tuple(row) for row in rows) == sorted((one, "sending") for one in taken) != []


def test_a_stop_that_comes_while_a_course_is_planned_silences_what_is_planned(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    sessions, clinic_id = place
    with sessions.begin() as session:
        done = enrol(session, form(clinic_id, visits=()), SEQUENCE, NOW)
        phone = patients.addresses(session, clinic_id, done.patient_id)[Channel.SMS]
        infusions.add(session, clinic_id=clinic_id, course_id=done.course_id, starts=VISIT.starts,
                      zone="America/Chicago", minutes=40, now=NOW)  # fmt: skip
    write = plans.write

    def after_a_stop(session: Session, *given: Any) -> Any:
        with sessions.begin() as other:
            withdraw.stop(other, phone.id, method="sms", evidence="IN1", now=NOW)
        return write(session, *given)

    monkeypatch.setattr(plans, "write", after_a_stop)
    with sessions.begin() as session:
        replan(session, done.course_id, SEQUENCE, NOW)
    with sessions() as session:
        about = session.scalars(select(Message.status).where(Message.infusion_id.is_not(None)))
        assert set(about) == {"suppressed"}


def test_a_correction_and_a_plan_of_one_patient_never_wait_for_each_other(
    place: Place, pool: ThreadPoolExecutor
) -> None:
    """The one holds the patient and wants the course; the other holds the course and points messages at the patient."""
    sessions, clinic_id = place
    with sessions.begin() as session:
        done = enrol(session, form(clinic_id, visits=()), SEQUENCE, NOW)
        infusions.add(session, clinic_id=clinic_id, course_id=done.course_id, starts=VISIT.starts,
                      zone="America/Chicago", minutes=40, now=NOW)  # fmt: skip
    has_patient, has_course = Signal(), Signal()

    def desk() -> None:
        with sessions.begin() as session:
            patients.lock(session, clinic_id, done.patient_id)
            has_patient.set()
            assert has_course.wait(5)
            replan(session, done.course_id, SEQUENCE, NOW)

    def other() -> None:
        with sessions.begin() as session:
            assert has_patient.wait(5)
            enrolments.lock_course(session, done.course_id)
            has_course.set()
            replan(session, done.course_id, SEQUENCE, NOW)

    for one in [pool.submit(desk), pool.submit(other)]:
        one.result(20)


def test_a_list_that_comes_again_and_a_move_never_wait_for_each_other(
    place: Place, pool: ThreadPoolExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever writes a visit holds its course first."""
    sessions, clinic_id = place
    with sessions.begin() as session:
        [visit] = infusions.of_course(session, enrol(session, form(clinic_id), SEQUENCE, NOW).course_id)
    booked, locked, book = Signal(), Signal(), enrolling.book

    def slowly(*given: Any, **more: Any) -> Any:
        done = book(*given, **more)
        booked.set()
        locked.wait(1)  # where the course is held already, the other one gets there only after us
        return done

    monkeypatch.setattr(enrolling, "book", slowly)

    def listed() -> None:
        with sessions.begin() as session:
            later = NewVisit(VISIT.starts + timedelta(hours=2), 40, "V1")
            enrol(session, form(clinic_id, visits=(later,)), SEQUENCE, NOW)

    def moved() -> None:
        with sessions.begin() as session:
            assert booked.wait(5)
            enrolments.lock_course(session, visit.course_id)
            locked.set()
            move.move(session, visit.id, VISIT.starts + timedelta(days=1), visit.zone, SEQUENCE, NOW)

    for one in [pool.submit(listed), pool.submit(moved)]:
        one.result(20)
    with sessions() as session:
        assert infusions.get(session, visit.id).revision == 2


def test_an_identifier_that_somebody_else_took_meanwhile_costs_a_file_one_line(
    place: Place, monkeypatch: pytest.MonkeyPatch, patient_list: Callable[..., Any]
) -> None:
    sessions, clinic_id = place
    line = "{},Name {},{},,es,,2026-12-15T10:00,40,,yes,,2026-11-20,F1,yes,"
    path = patient_list(*(line.format(f"E{n}", n, f"+1202555014{n}") for n in (1, 2, 3)))
    assert COLUMNS in path.read_text()
    with sessions.begin() as session:
        enrol(session, form(clinic_id, external="E2"), SEQUENCE, NOW)
    found = patients.by_external
    monkeypatch.setattr(
        patients, "by_external", lambda session, clinic, one: None if one == "E2" else found(session, clinic, one)
    )
    with sessions.begin() as session:
        clinic = session.get_one(Clinic, clinic_id)
        loaded = load.load_rows(session, path, clinic=clinic, sequences={SEQUENCE.name: SEQUENCE},
                                words=shipped.words(), now=NOW)  # fmt: skip
    assert (loaded.patients, len(loaded.errors)) == (2, 1)
    with sessions() as session:
        assert session.scalar(select(func.count()).select_from(Patient)) == 3
        assert found(session, clinic_id, "E3") is not None


def test_a_worker_plans_anew_on_its_own_connection_and_is_well_after_a_refusal(place: Place, engine: Engine) -> None:
    sessions, clinic_id = place
    visits = tuple(NewVisit(VISIT.starts + timedelta(days=number), 40) for number in range(3))
    with sessions.begin() as session:
        done = enrol(session, form(clinic_id, visits=visits), SEQUENCE, NOW)
        first, second, _ = infusions.of_course(session, done.course_id)
    desk = Desk(sessions, engine)
    try:
        with desk.transaction() as session:
            move.move(session, first.id, first.starts + timedelta(hours=1), first.zone, SEQUENCE, NOW)
            move.cancel(session, second.id, SEQUENCE, NOW)
            again = replan(session, done.course_id, SEQUENCE, NOW)
        assert (again.added, again.cancelled) == (0, 0)
        with pytest.raises(IntegrityError), desk.transaction() as session:
            patients.add_with(session, clinic_id=clinic_id, name="A", locale="en", zone="UTC", wording="full", now=NOW,
                              external="A1", given={Channel.SMS: "+13125550999"})  # fmt: skip
        with desk.transaction() as session:
            assert enrol(session, form(clinic_id, external="A2"), SEQUENCE, NOW).new
    finally:
        desk.close()
