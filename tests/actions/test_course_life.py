"""Whatever happens to a course, in whatever order: nothing twice, nothing that went out changed, and all adds up."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, select, update
from sqlalchemy.orm import Session, sessionmaker

from outreach.actions import rezone
from outreach.actions.enrol import Enrol, NewVisit, Paper, enrol
from outreach.actions.move import cancel, move
from outreach.domain.channel import Channel
from outreach.domain.sequence import Sequence
from outreach.errors import BadInput
from outreach.store import clinics, infusions
from outreach.store.messages import HANDED_OVER
from outreach.store.reports import balance
from outreach.store.traffic import Message
from outreach.store.vault import Vault
from tests import shipped
from tests.actions.moving_zone import NAME, MovingZone, moving_zone

BEGIN = datetime(2026, 12, 1, 18, tzinfo=UTC)
DAY_ONE = datetime(2026, 12, 8)
WENT_OUT = {status.value for status in HANDED_OVER}

walls = st.builds(lambda day, hour: DAY_ONE + timedelta(days=day, hours=hour), st.integers(0, 20), st.integers(9, 16))
which = st.integers(0, 3)
happenings = st.lists(
    st.one_of(
        st.tuples(st.just("move"), which, walls),
        st.tuples(st.just("cancel"), which),
        st.tuples(st.just("enrol"), walls),
        st.tuples(st.just("send"), st.integers(1, 5), st.sampled_from(["accepted", "delivered", "unknown", "sending"])),
        st.tuples(st.just("zone"), st.integers(-8, -4)),
        st.tuples(st.just("wait"), st.integers(1, 96)),
    ),
    min_size=2,
    max_size=8,
)
Key = tuple[UUID | None, str | None, str, str]


@dataclass
class Life:
    """One patient's course while things happen to it."""

    sessions: sessionmaker[Session]
    sequence: Sequence
    zone: MovingZone
    clinic_id: UUID
    patient_id: UUID | None = None
    course_id: UUID | None = None
    now: datetime = BEGIN
    versions: int = 0
    external: str = field(default_factory=lambda: uuid4().hex[:12])
    gone: dict[UUID, tuple[object, ...]] = field(default_factory=dict)

    def enrol(self, *starts: datetime) -> None:
        signed = Paper(channels=frozenset(Channel), on=date(2026, 11, 20), warned=True)
        form = Enrol(self.clinic_id, "Ana Sample", "en", tuple(NewVisit(one, 60) for one in starts), zone=NAME,
                     phone="+13125550143", email="ana@example.org", external=self.external, paper=signed)  # fmt: skip
        with self.sessions.begin() as session:
            done = enrol(session, form, self.sequence, self.now)
        self.patient_id, self.course_id = done.patient_id, done.course_id

    def move(self, which: int, starts: datetime) -> None:
        with self.sessions.begin() as session:
            move(session, self.visit(session, which), starts, NAME, self.sequence, self.now)

    def cancel(self, which: int) -> None:
        with self.sessions.begin() as session:
            cancel(session, self.visit(session, which), self.sequence, self.now)

    def visit(self, session: Session, which: int) -> UUID:
        assert self.course_id
        visits = infusions.of_course(session, self.course_id)
        return visits[which % len(visits)].id

    def send(self, number: int, status: str) -> None:
        """The next ones in due order leave; time goes on to the last of them."""
        with self.sessions.begin() as session:
            due = select(Message).where(Message.patient_id == self.patient_id, Message.status == "scheduled")
            for row in session.scalars(due.order_by(Message.due_at, Message.id).limit(number)):
                row.status, row.sent_at = status, row.due_at
                self.now = max(self.now, row.due_at)

    def zone_data(self, hours: int) -> None:
        self.versions += 1
        self.zone.set(hours, f"test-{self.external}-{self.versions}")
        by_name = {self.sequence.name: self.sequence}
        rezone.refresh(self.sessions, by_name, lambda: self.now)
        with self.sessions() as session:
            rows = session.scalars(select(Message).where(Message.patient_id == self.patient_id)).all()
        assert {row.tz_version for row in rows if row.status == "scheduled"} <= {
            f"test-{self.external}-{self.versions}"
        }
        assert rezone.refresh(self.sessions, by_name, lambda: self.now) == 0

    def wait(self, hours: int) -> None:
        self.now += timedelta(hours=hours)

    def check(self) -> None:
        with self.sessions() as session:
            rows = session.scalars(select(Message).where(Message.patient_id == self.patient_id)).all()
            assert balance(session).holds
        live: set[tuple[Key, int]] = set()
        sent: dict[Key, int] = {}
        again = {step.key for step in self.sequence.steps if step.again_when_moved}
        for row in rows:
            key = (row.infusion_id, row.occasion, row.step, row.channel)
            if row.status != "cancelled":
                assert (key, row.revision) not in live, key
                live.add((key, row.revision))
            if row.status in WENT_OUT:
                sent[key] = sent.get(key, 0) + 1
        assert [key for key, times in sent.items() if times > 1 and key[2] not in again] == []
        to_come = {(row.infusion_id, row.occasion, row.step, row.channel) for row in rows if row.status == "scheduled"}
        assert [key for key in to_come & sent.keys() if key[2] not in again] == []
        now_gone = {row.id: (row.status, row.wall, row.due_at, row.useful_until, row.tz_version, row.revision)
                    for row in rows if row.status in WENT_OUT}  # fmt: skip
        assert self.gone.items() <= now_gone.items()
        self.gone = now_gone


@pytest.fixture
def life(engine: Engine, vault: Vault, sequence: Sequence, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    sessions = sessionmaker(engine, info={"vault": vault}, expire_on_commit=False)
    with moving_zone(tmp_path, monkeypatch) as zone:
        zone.set(-6, "test")
        with sessions.begin() as session:
            clinic = clinics.add(
                session, slug="lakeside", name="Lakeside", zone=NAME, country="US", locale="en", phone="+13125550100",
                address="1 Example Street", emergency="911", sms_sender="+13125550100",
                email_sender="care@lakeside.example",
            )  # fmt: skip
            shipped.approve(session, clinic.id, "en")
        yield lambda: Life(sessions, sequence, zone, clinic.id)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(events=happenings)
def test_nothing_is_told_twice_and_nothing_gone_is_changed(life, events: list[tuple[object, ...]]) -> None:
    one: Life = life()
    one.zone.set(-6, "test")
    one.enrol(DAY_ONE + timedelta(hours=10), DAY_ONE + timedelta(days=2, hours=10))
    one.check()
    verbs = {"move": one.move, "cancel": one.cancel, "enrol": one.enrol, "send": one.send, "zone": one.zone_data,
             "wait": one.wait}  # fmt: skip
    for name, *arguments in events:
        with suppress(BadInput):  # that time is taken: refused, and rolled back
            verbs[str(name)](*arguments)  # type: ignore[operator]
        one.check()
    with one.sessions.begin() as session:  # the next example's zone data are none of this patient's business
        session.execute(update(Message).where(Message.status == "scheduled").values(status="cancelled"))
