"""What one run of the bench was asked for, and the checks that every stretch of posts must pass."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from outreach.bench import cpu
from outreach.bench.ground import Ground
from outreach.errors import OutreachError

BUSIEST = 0.6
"""Of one core: a stand-in that needs more would be what is measured."""


@dataclass(frozen=True)
class Plan:
    """`latency` in milliseconds; `quick` makes every section small: a smoke test, not a measurement."""

    messages: int = 8000
    window: int = 256
    latency: float = 50.0
    reps: int = 5
    quick: bool = False
    tell: Callable[[str], None] = lambda _text: None


class Wrong(OutreachError):
    """The run itself was not right (lost, doubled, or a bottleneck elsewhere): its figures are not shown."""


@dataclass
class Stretch:
    """CPU seconds and wall seconds of a measured stretch: of this process, and of PostgreSQL."""

    worker: float = 0.0
    postgres: float = 0.0
    wall: float = 0.0


@contextmanager
def posting(ground: Ground, count: int, window: int, what: str) -> Iterator[Stretch]:
    """Measure a stretch in which `count` messages are posted, and prove that just these arrived, each once."""
    ground.carrier.reset()
    before = ground.carrier.counts()
    gc.collect()
    used = Stretch()
    postgres, worker, begun = cpu.tree(ground.postgres), cpu.mine(), time.perf_counter()
    yield used
    used.wall, used.worker = time.perf_counter() - begun, cpu.mine() - worker
    used.postgres = cpu.tree(ground.postgres) - postgres
    after = ground.carrier.counts()
    if (after["distinct"], after["doubles"], after["posts"]) != (count, 0, count):
        raise Wrong(f"{what}: of {count} messages {after['distinct']} arrived, {after['doubles']} of them twice")
    opened = after["connections_made"] - before["connections_made"]
    if opened > window + 1:
        raise Wrong(f"{what}: {opened} connections for a window of {window}")
    busy = (after["cpu_seconds"] - before["cpu_seconds"]) / used.wall
    if busy > BUSIEST:
        raise Wrong(f"{what}: the carrier's stand-in used {busy:.0%} of a core; the figures would be its own")
