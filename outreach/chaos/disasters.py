"""What goes wrong and when, drawn once from a seed: the same seed plans the same disasters. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from random import Random
from typing import Any


class Kind(StrEnum):
    KILL = "kill -9"
    FREEZE = "freeze"
    BACKEND = "backend kill -9"


@dataclass(frozen=True)
class Disaster:
    """`target` is hit `after` seconds from the one before; a frozen one wakes, a killed one is restarted, `down`
    seconds later."""

    kind: Kind
    target: str
    after: float
    down: float


@dataclass(frozen=True)
class Weather:
    """Faults of the carrier that come into force `at` seconds from the start; the words of carrier_faults.Faults."""

    at: float
    name: str
    faults: dict[str, Any]


_DEADLY: Sequence[tuple[float, Kind, str]] = (
    (6, Kind.KILL, "worker 1"), (6, Kind.KILL, "worker 2"), (3, Kind.FREEZE, "worker 1"),
    (3, Kind.FREEZE, "worker 2"), (3, Kind.KILL, "web"), (1, Kind.FREEZE, "web"), (2, Kind.KILL, "beat"),
    (1, Kind.FREEZE, "beat"), (2, Kind.KILL, "valkey"), (1, Kind.FREEZE, "valkey"), (3, Kind.KILL, "postgres"),
    (1, Kind.FREEZE, "postgres"), (3, Kind.BACKEND, "postgres"),
)  # fmt: skip
"""How often each comes, relative to the others."""

BURSTS = 0.6
AHEAD = (0.1, 0.9)
CALM: dict[str, Any] = {}
_SKIES: Sequence[tuple[str, dict[str, Any]]] = (
    ("calm", CALM),
    ("latency spikes", {"spike": 0.05, "spike_ms": 1200}),
    ("slower than our patience", {"spike": 0.02, "spike_ms": 2600}),
    ("429", {"too_many": 0.2, "retry_after": 1}),
    ("500 after taking", {"error_taken": 0.05}),
    ("500 without taking", {"error": 0.01}),
    ("garbled 201", {"garbled": 0.05}),
    ("half-open sockets", {"half_open": 0.03}),
    ("silence without taking", {"hang": 0.01}),
    ("a list that lags", {"list_lag_ms": 4000, "error_taken": 0.02}),
)


def plan(kills: int, seed: int, lease: float, pace: float) -> list[Disaster]:
    """`kills` disasters, `pace` seconds apart on average. A freeze of a worker outlives its lease (seconds).

    Each kind comes once before any comes by its weight, so that a short run meets them all.
    """
    random = Random(seed)
    once = [(kind, target) for _, kind, target in _DEADLY]
    random.shuffle(once)
    weights = [weight for weight, _, _ in _DEADLY]
    planned = []
    for number in range(kills):
        if number < len(once):
            kind, target = once[number]
        else:
            _, kind, target = random.choices(_DEADLY, weights)[0]
        down = random.uniform(0.1, 1.5)
        if kind is Kind.FREEZE:
            down = lease + random.uniform(0.5, 2.0) if target.startswith("worker") else random.uniform(1.0, 4.0)
        planned.append(Disaster(kind, target, pace * random.uniform(0.5, 1.5), down))
    return planned


def skies(seconds: float, seed: int) -> list[Weather]:
    """The carrier's weather over a run, each sky once before any comes again; always seeded anew."""
    random = Random(seed + 1)
    found: list[Weather] = []
    at, left = 0.0, list(_SKIES)
    while at < seconds:
        if not left:
            left = list(_SKIES)
        name, faults = left.pop(random.randrange(len(left)))
        found.append(Weather(at, name, {**faults, "seed": random.randrange(2**31)}))
        at += random.uniform(4.0, 10.0)
    return found


def due(count: int, disasters: Sequence[Disaster], seconds: float, seed: int) -> list[float]:
    """When messages are due, in seconds from the start, sorted: BURSTS of them just before a disaster, so that many
    are in a worker's hands when it strikes; the others evenly over all `seconds`."""
    random = Random(seed + 2)
    strikes, at = [], 0.0
    for disaster in disasters:
        at += disaster.after
        strikes.append(at)
    crowd = int(count * BURSTS) if strikes else 0
    moments = [random.choice(strikes) - random.uniform(*AHEAD) for _ in range(crowd)]
    moments += [random.uniform(0, seconds) for _ in range(count - crowd)]
    return sorted(max(0.0, moment) for moment in moments)
