"""How long the carrier heard nothing from us after each disaster, read from its own clock. Pure."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median

from outreach.chaos.disasters import Disaster


@dataclass(frozen=True)
class Struck:
    """A disaster that happened; instants in seconds since 1970."""

    disaster: Disaster
    at: float
    mended: float


@dataclass(frozen=True)
class Recovery:
    """Seconds by kind of disaster.

    `back`     from the restart (or the waking) to the next message that the carrier took
    `silence`  the longest stretch without any message taken, of those that reach into the disaster
    """

    what: str
    times: int
    back_median: float
    back_longest: float
    silence_longest: float


def recoveries(struck: Sequence[Struck], taken: Sequence[float]) -> list[Recovery]:
    """`taken`: when the carrier took each message. A disaster after which nothing was left to send counts no time."""
    instants = sorted(taken)
    backs: dict[str, list[float]] = defaultdict(list)
    silences: dict[str, list[float]] = defaultdict(list)
    times: dict[str, int] = defaultdict(int)
    for one in struck:
        name = f"{one.disaster.kind} of {one.disaster.target.split()[0]}"
        times[name] += 1
        after = bisect_right(instants, one.mended)
        if after == len(instants):
            continue
        backs[name].append(instants[after] - one.mended)
        around = instants[max(0, bisect_left(instants, one.at) - 1) : after + 1]
        silences[name].append(max((b - a for a, b in pairwise(around)), default=0.0))
    return [
        Recovery(
            name, times[name], median(backs[name] or [0.0]), max(backs[name], default=0.0),
            max(silences[name], default=0.0),
        )
        for name in sorted(times)
    ]  # fmt: skip
