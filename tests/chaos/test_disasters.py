"""The schedule: seeded, complete, and freezes that outlive a lease; what recovery is read from."""

from __future__ import annotations

from outreach.bench.carrier_faults import Faults
from outreach.chaos.disasters import Disaster, Kind, plan, skies
from outreach.chaos.recovery import Struck, recoveries


def test_the_same_seed_plans_the_same_disasters_and_the_same_weather() -> None:
    assert plan(50, 7, 6.0, 5.0) == plan(50, 7, 6.0, 5.0) != plan(50, 8, 6.0, 5.0)
    assert skies(300, 7) == skies(300, 7) != skies(300, 8)


def test_a_run_of_fifty_hits_everything_and_freezes_workers_past_their_lease() -> None:
    planned = plan(50, 7, 6.0, 5.0)
    assert {one.target for one in planned} == {"worker 1", "worker 2", "web", "beat", "valkey", "postgres"}
    assert {one.kind for one in planned} == set(Kind)
    frozen = [one for one in planned if one.kind is Kind.FREEZE and one.target.startswith("worker")]
    assert frozen
    assert all(one.down > 6.0 for one in frozen)


def test_every_sky_is_one_that_the_carrier_knows() -> None:
    found = skies(600, 3)
    for sky in found:
        Faults(**sky.faults)
    assert {"429", "garbled 201", "half-open sockets"} <= {sky.name for sky in found}


def test_recovery_is_the_time_from_the_restart_to_the_next_message_taken() -> None:
    struck = [Struck(Disaster(Kind.KILL, "worker 1", 0, 0), at=10.0, mended=11.0)]
    (found,) = recoveries(struck, [9.5, 9.9, 13.5, 13.6])
    assert (found.what, found.times, found.back_median) == ("kill -9 of worker", 1, 2.5)
    assert round(found.silence_longest, 1) == 3.6
    assert recoveries(struck, [9.5])[0].back_longest == 0.0
