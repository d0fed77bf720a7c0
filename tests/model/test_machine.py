"""The life of messages on a real database, driven by Hypothesis: workers die anywhere, carriers lag."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from sqlalchemy import Engine, select, text, update

from outreach.actions.recover import recover
from outreach.actions.resolve import Decision, resolve
from outreach.domain.message import Receipt
from outreach.domain.status import ENDS, RANK, Status
from outreach.errors import NotAllowed, Reason
from outreach.store import messages
from outreach.store.receipts import News, hear_all
from outreach.store.traffic import Event, Message
from outreach.store.vault import Vault
from tests.model.stage import Listing, Stage, listed, staged

MESSAGES = 2
LONG = timedelta(hours=73)


@dataclass
class Try:
    """One attempt: what its worker knows, and what the carrier did with it."""

    id: UUID
    message: int
    hand: str = "ready"
    fate: str = "nowhere"
    waived: bool = False

    @property
    def carrier_id(self) -> str:
        return f"SM{self.id.hex}"

    @property
    def taken(self) -> bool:
        return self.fate in ("taken", "sent", "delivered", "undelivered")


@dataclass
class Line:
    """One message: its id, and the status it had after the last step."""

    id: UUID
    words: str
    status: Status = Status.SCHEDULED
    told: bool = False
    tries: list[Try] = field(default_factory=list)


STAGE: list[Stage] = []


class Life(RuleBasedStateMachine):
    """Two messages of one patient. Only what the store does is under test; the rules here never look ahead."""

    resend_after_lease = False  # the mutant

    def __init__(self) -> None:
        super().__init__()
        self.stage = STAGE[-1]
        self.carrier = Listing()
        self.lines: list[Line] = []
        self.tries: list[Try] = []
        self.back: set[int] = set()

    @initialize()
    def planned(self) -> None:
        who = self.stage.patient(f"+1202556{self.stage.number:04}")
        self.phone = f"+1202556{self.stage.number:04}"
        self.who = who
        self.lines = [Line(self.stage.plan(**who), f"Words {number}.") for number in range(MESSAGES)]

    # the worker: every rule ends where it may be killed

    @rule(at=st.integers(0, MESSAGES - 1))
    def claim(self, at: int) -> None:
        """By any worker: the lock makes two of them one after the other."""
        line = self.lines[at]
        row = self.stage.row(line.id)
        if row.status != "scheduled" or row.due_at > self.stage.now:
            return
        if self.stage.now >= row.useful_until:
            with self.stage.sessions.begin() as session:
                messages.finish(session, [line.id], Status.EXPIRED, Reason.TOO_LATE, self.stage.now)
            return
        one = Try(self.stage.begin(line.id, line.words), at)
        self.tries.append(one)
        line.tries.append(one)

    @rule(pick=st.integers(0, 9), fate=st.sampled_from(["taken", "taken", "refused", "nowhere"]))
    def post(self, pick: int, fate: str) -> None:
        """Only while the lease is long enough, which is what the worker's monotonic clock tells it."""
        for one in self._held("ready", pick):
            row = self.stage.row(self.lines[one.message].id)
            if row.attempt_id == one.id and row.status == "sending" and not self._over(one):
                one.hand, one.fate = "posted", fate
            else:
                one.hand = "not begun"

    @rule(pick=st.integers(0, 9), read=st.booleans())
    def answer(self, pick: int, read: bool) -> None:
        for one in self._held("posted", pick):
            known = "accepted" if one.taken else "refused" if one.fate == "refused" else "silent"
            one.hand = known if read else "silent"

    @rule(pick=st.integers(0, 9), retry=st.booleans())
    def write(self, pick: int, retry: bool) -> None:
        """Early or late, once or twice."""
        for one in self._held(("accepted", "refused", "silent", "not begun"), pick):
            line, now = self.lines[one.message], self.stage.now
            if one.hand == "accepted":
                self.stage.record(line.id, one.id, Status.ACCEPTED, "accepted", carrier_id=one.carrier_id)
            elif one.hand == "silent":
                self.stage.record(line.id, one.id, Status.UNKNOWN, "no answer")
            elif retry or one.hand == "not begun":
                self.back.add(one.message)
                self.stage.record(line.id, one.id, Status.SCHEDULED, "refused", due_at=now)
            else:
                self.stage.record(line.id, one.id, Status.FAILED, "refused", reason=Reason.BAD_NUMBER)

    @rule(pick=st.integers(0, 9))
    def kill(self, pick: int) -> None:
        for one in self._held(("ready", "posted", "accepted", "refused", "silent", "not begun"), pick):
            one.hand = "gone"

    # time and rounds

    @rule(at=st.integers(0, MESSAGES - 1))
    def lease_ends(self, at: int) -> None:
        if self.stage.status(self.lines[at].id) is Status.SENDING:
            self.stage.lease_over(self.lines[at].id)

    @rule()
    def round(self) -> None:
        """What recover does; the broken one hands expired leases out again."""
        if self.resend_after_lease:
            with self.stage.sessions.begin() as session:
                session.execute(
                    update(Message)
                    .where(Message.status == "sending", Message.lease_until < text("now()"))
                    .values(status="scheduled", attempt_id=None)
                )
            self.back.update(range(MESSAGES))
        recover(self.stage.sessions, {"twilio": self.carrier}, self.stage.clock, hold=timedelta(0))  # type: ignore[dict-item]

    @rule(by=st.sampled_from([timedelta(minutes=5), timedelta(hours=7), timedelta(hours=25), LONG]))
    def time_passes(self, by: timedelta) -> None:
        """A suspended machine or a jump of the clock is no more than this."""
        self.stage.now += by

    # the carrier

    @rule(pick=st.integers(0, 9), word=st.sampled_from(["sent", "delivered", "undelivered"]))
    def carry(self, pick: int, word: str) -> None:
        for one in self._those(lambda one: one.fate in ("taken", "sent"), pick):
            one.fate = word
            self._relist(one)

    @rule(pick=st.integers(0, 9))
    def appear(self, pick: int) -> None:
        """The list lags: a message is in it some time after it was taken."""
        for one in self._those(lambda one: one.taken, pick):
            if all(entry.carrier_id != one.carrier_id for entry in self.carrier.entries):
                self.carrier.entries.append(self._entry(one))

    @rule(pick=st.integers(0, 9), back=st.integers(0, 2), times=st.integers(1, 2))
    def callback(self, pick: int, back: int, times: int) -> None:
        """Of any attempt, in any order, any number of times."""
        for one in self._those(lambda one: one.taken, pick):
            passed = [Status.ACCEPTED, *([] if one.fate == "taken" else [Status.SENT])]
            passed += [Status(one.fate)] if one.fate in ("delivered", "undelivered") else []
            word = passed[max(0, len(passed) - 1 - back)]
            news = [News(one.id, Receipt(one.carrier_id, word.value, word))] * times
            with self.stage.sessions.begin() as session:
                hear_all(session, news, self.stage.now)

    # people

    @rule(at=st.integers(0, MESSAGES - 1), decision=st.sampled_from(list(Decision)))
    def person(self, at: int, decision: Decision) -> None:
        line = self.lines[at]
        row = self.stage.row(line.id)
        if row.attempt_id is None:
            return
        try:
            with self.stage.sessions.begin() as session:
                other = resolve(
                    session, self.stage.clinic_id, line.id, row.attempt_id, decision, uuid4(), self.stage.now
                )
        except NotAllowed:
            return
        if other is None:
            line.told |= decision is Decision.ARRIVED
            if decision is Decision.AGAIN:
                self.back.add(at)
                next(one for one in line.tries if one.id == row.attempt_id).waived = True

    @rule()
    def stop(self) -> None:
        with self.stage.sessions.begin() as session:
            messages.suppress_scheduled(session, [self.who["address_id"]], Reason.OPTED_OUT, self.stage.now)

    @rule(at=st.integers(0, MESSAGES - 1))
    def visit_cancelled(self, at: int) -> None:
        with self.stage.sessions.begin() as session:
            messages.finish(session, [self.lines[at].id], Status.CANCELLED, Reason.VISIT_CANCELLED, self.stage.now)

    # what must hold after every step

    @invariant()
    def promises_hold(self) -> None:
        rows = self._rows()
        for at, line in enumerate(self.lines):
            row, before = rows[line.id], line.status
            line.status = now = Status(row.status)
            unasked = [one for one in line.tries if one.taken and not one.waived]
            assert len(unasked) <= 1, "the carrier took it twice and no person had decided so"
            assert before not in ENDS or now is before, "an end did not stay"
            assert RANK[now] >= RANK[before] or (at in self.back and now is Status.SCHEDULED), "went backwards"
            assert (row.ended_at is not None) == (now in ENDS), "an end has an instant, and nothing else has"
            gone = now in (Status.ACCEPTED, Status.SENT, Status.DELIVERED)
            assert not gone or line.told or any(one.taken for one in line.tries), "counts as gone and never left"
            never = (Status.SCHEDULED, Status.CANCELLED, Status.SUPPRESSED, Status.EXPIRED, Status.FAILED)
            assert now not in never or not unasked, "counts as never sent and the carrier has it"
        self.back.clear()

    def teardown(self) -> None:
        """Whatever happened: workers die, time passes, rounds come, a person clears the table. Everything ends."""
        if not self.lines:
            return
        for one in self.tries:
            one.hand = "gone"
        for at in range(MESSAGES):
            self.lease_ends(at)
        for _ in range(5):
            self.round()
        for at, line in enumerate(self.lines):
            if self.stage.status(line.id) is Status.UNKNOWN:
                self.person(at, Decision.LEFT)
        self.stage.now += LONG
        self.round()
        for at in range(MESSAGES):
            self.claim(at)
        rows = self._rows()
        for line in self.lines:
            row = rows[line.id]
            assert Status(row.status) in ENDS, f"stuck at {row.status}"
            with self.stage.sessions() as session:
                told = session.scalars(
                    select(Event.status).where(Event.message_id == line.id, Event.at == row.ended_at)
                )
                assert row.status in set(told), "an end that no event tells"

    # at hand

    def _rows(self) -> dict[UUID, Message]:
        with self.stage.sessions() as session:
            found = session.scalars(select(Message).where(Message.id.in_([line.id for line in self.lines])))
            return {row.id: row for row in found}

    def _over(self, one: Try) -> bool:
        with self.stage.sessions() as session:
            over = Message.lease_until < text("now()")
            return bool(session.scalar(select(over).where(Message.id == self.lines[one.message].id)))

    def _held(self, hands: str | tuple[str, ...], pick: int) -> list[Try]:
        wanted = (hands,) if isinstance(hands, str) else hands
        return self._those(lambda one: one.hand in wanted, pick)

    def _those(self, fits, pick: int) -> list[Try]:
        found = [one for one in self.tries if fits(one)]
        return [found[pick % len(found)]] if found else []

    def _entry(self, one: Try):
        status = Status.ACCEPTED if one.fate == "taken" else Status(one.fate)
        return listed(one.carrier_id, status, to=self.phone, body=self.lines[one.message].words)

    def _relist(self, one: Try) -> None:
        self.carrier.entries = [
            self._entry(one) if entry.carrier_id == one.carrier_id else entry for entry in self.carrier.entries
        ]


class Resending(Life):
    """The usual mistake: a lease that is over is given to the next worker."""

    resend_after_lease = True


@pytest.fixture
def stage(engine: Engine, vault: Vault) -> Iterator[Stage]:
    STAGE.append(staged(engine, vault))
    yield STAGE[-1]
    STAGE.pop()


@pytest.mark.usefixtures("stage")
def test_no_order_of_deaths_answers_callbacks_and_decisions_breaks_a_promise() -> None:
    wanted = settings(max_examples=25, stateful_step_count=30, deadline=None, database=None,
                      suppress_health_check=list(HealthCheck))  # fmt: skip
    run_state_machine_as_test(Life, settings=wanted)


def killed_after_the_carrier_took_it(life: Life) -> Iterator[None]:
    """One way among those that Hypothesis walks, step by step: the way to a double, if anything resends."""
    life.planned()
    for step in (
        lambda: life.claim(0),
        lambda: life.post(0, "taken"),
        lambda: life.kill(0),
        lambda: life.lease_ends(0),
        life.round,
        lambda: life.claim(0),
        lambda: life.post(0, "taken"),
    ):
        yield step()


@pytest.mark.usefixtures("stage")
def test_the_machine_sees_what_resending_after_a_lease_would_do() -> None:
    kept, broken = Life(), Resending()
    for _ in killed_after_the_carrier_took_it(kept):
        kept.promises_hold()
    assert len(kept.lines[0].tries) == 1
    *_, _ = killed_after_the_carrier_took_it(broken)
    with pytest.raises(AssertionError, match="the carrier took it twice"):
        broken.promises_hold()
