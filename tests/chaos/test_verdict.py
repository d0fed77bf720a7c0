"""The harness can fail: each way in which the two witnesses may disagree is found and named."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest

from outreach.chaos.verdict import Facts, Row, Verdict, judge
from outreach.domain.status import Status

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)


def row(status: Status, place: int = 0, patient: UUID | None = None) -> Row:
    return Row(uuid4(), patient or uuid4(), status, NOW - timedelta(minutes=1), NOW + timedelta(minutes=place))


def verdict(
    *told: tuple[Row, tuple[str, ...], str], balanced: bool = True, **more: frozenset[tuple[str, str]]
) -> Verdict:
    """Each row with its attempts; the last word names those that the carrier took, in its order."""
    attempts = {name: one.id for one, names, _ in told for name in names}
    taken = [name for _, _, took in told for name in took.split()]
    news = {"told": frozenset[tuple[str, str]](), "heard": frozenset[tuple[str, str]](), **more}
    return judge(Facts([one for one, _, _ in told], attempts, taken, balanced=balanced, now=NOW, **news))


def test_what_both_sides_agree_on_has_no_fault() -> None:
    found = verdict((row(Status.DELIVERED), ("a",), "a"), (row(Status.SUPPRESSED), (), ""))
    assert found.faults(0) == []
    assert not found.open


@pytest.mark.parametrize("took", ["a b", "a a"], ids=["two attempts", "one attempt twice"])
def test_a_message_taken_twice_is_doubled_and_named(took: str) -> None:
    twice = row(Status.DELIVERED)
    found = verdict((twice, ("a", "b"), took))
    assert found.doubled == [twice.id]
    assert str(twice.id) in found.faults(0)[0]


@pytest.mark.parametrize("status", [Status.ACCEPTED, Status.SENT, Status.DELIVERED])
def test_a_message_said_to_have_gone_that_the_carrier_never_took_is_lost_and_named(status: Status) -> None:
    gone = row(status)
    found = verdict((gone, ("a",), ""))
    assert found.lost == [gone.id]
    assert str(gone.id) in found.faults(0)[0]


def test_a_doubled_and_a_lost_message_of_one_run_are_both_named() -> None:
    twice, gone = row(Status.DELIVERED), row(Status.DELIVERED)
    sentences = " ".join(verdict((twice, ("a", "b"), "a b"), (gone, ("c",), "")).faults(0))
    assert str(twice.id) in sentences
    assert str(gone.id) in sentences


@pytest.mark.parametrize("status", [Status.SCHEDULED, Status.SENDING])
def test_a_due_message_that_nobody_sends_is_stuck(status: Status) -> None:
    assert verdict((row(status), (), "")).faults(0)


@pytest.mark.parametrize("status", [Status.FAILED, Status.EXPIRED, Status.CANCELLED, Status.SCHEDULED])
def test_a_message_that_the_carrier_took_may_not_be_denied(status: Status) -> None:
    one = row(status)
    assert verdict((one, ("a",), "a")).denied == [one.id]


def test_doubt_that_the_carriers_list_could_end_is_a_fault_and_other_doubt_is_bounded() -> None:
    known, unknown = row(Status.UNKNOWN), row(Status.UNKNOWN)
    found = verdict((known, ("a",), "a"), (unknown, ("b",), ""))
    assert (found.unsettled, found.in_doubt) == ([known.id], [unknown.id])
    assert len(found.faults(0)) == 2
    assert len(found.faults(1)) == 1


def test_a_callback_answered_with_2xx_must_be_among_our_events() -> None:
    told = frozenset({("a", "sent"), ("a", "delivered")})
    found = verdict((row(Status.SENT), ("a",), "a"), told=told, heard=frozenset({("a", "sent")}))
    assert found.unheard == ["a"]
    assert found.faults(0)


def test_an_attempt_that_we_do_not_know_is_strange() -> None:
    assert verdict((row(Status.DELIVERED), ("a",), "a z")).strange == ["z"]


def test_a_message_that_overtook_an_earlier_one_of_its_patient_is_named() -> None:
    patient = uuid4()
    late, early = row(Status.DELIVERED, 2, patient), row(Status.DELIVERED, 1, patient)
    other = row(Status.DELIVERED, 0)
    found = verdict((late, ("b",), "b"), (early, ("a",), "a"), (other, ("c",), "c"))
    assert found.disorder == [late.id]
    assert verdict((early, ("a",), "a"), (late, ("b",), "b")).disorder == []


def test_a_balance_that_does_not_add_up_is_a_fault() -> None:
    assert verdict(balanced=False).faults(0) == ["the balance does not hold"]
