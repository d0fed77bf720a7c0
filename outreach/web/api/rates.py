"""How often a key may ask: counted per minute in Valkey, which all web processes share.

Valkey and not a row: a row would be written for each request, reads too, and PostgreSQL keeps what must not be lost,
while a lost count costs nothing. While Valkey is away each process counts for itself, so that nobody is locked out and
nobody is let in without limit.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

import redis
import structlog

log = structlog.get_logger()
WINDOW = 60
PER_WINDOW = 600
REST = 10.0
"""Seconds for which an absent Valkey is not asked again: its time-out must not be added to each request."""


@dataclass(frozen=True)
class Allowance:
    """How a key stands in the running minute."""

    limit: int
    left: int
    reset: int

    @property
    def over(self) -> bool:
        return self.left < 0

    def headers(self) -> dict[str, str]:
        said = {
            "RateLimit-Limit": str(self.limit),
            "RateLimit-Remaining": str(max(0, self.left)),
            "RateLimit-Reset": str(self.reset),
            "RateLimit-Policy": f"{self.limit};w={WINDOW}",
        }
        return said | {"Retry-After": str(self.reset)} if self.over else said


class Rates:
    """Counts requests by key. `seconds`: the wall clock, which all processes of one installation share."""

    def __init__(self, url: str | None, limit: int = PER_WINDOW, seconds: Callable[[], float] = time.time) -> None:
        self._limit, self._seconds = limit, seconds
        self._valkey = _connection(url)
        self._away_until = 0.0
        self._own: dict[tuple[UUID, int], int] = {}
        self._lock = threading.Lock()

    def take(self, key_id: UUID) -> Allowance:
        """Count one request."""
        now = self._seconds()
        window = int(now // WINDOW)
        count = self._shared(key_id, window, now)
        if count is None:
            count = self._alone(key_id, window)
        return Allowance(self._limit, self._limit - count, max(1, math.ceil((window + 1) * WINDOW - now)))

    def close(self) -> None:
        if self._valkey is not None:
            self._valkey.close()

    def _shared(self, key_id: UUID, window: int, now: float) -> int | None:
        if self._valkey is None or now < self._away_until:
            return None
        name = f"outreach:rate:{key_id}:{window}"
        try:
            with self._valkey.pipeline(transaction=False) as batch:
                batch.incr(name)
                batch.expire(name, 2 * WINDOW)
                count = batch.execute()[0]
        except redis.RedisError as error:
            self._away_until = now + REST
            log.warning("requests are counted by each process alone", error=type(error).__name__)
            return None
        return int(count)

    def _alone(self, key_id: UUID, window: int) -> int:
        with self._lock:
            if len(self._own) > 10_000:
                self._own = {one: count for one, count in self._own.items() if one[1] == window}
            count = self._own[key_id, window] = self._own.get((key_id, window), 0) + 1
            return count


def _connection(url: str | None) -> redis.Redis | None:
    """None for no address, and for what is none: then each process counts for itself."""
    if not url:
        return None
    try:
        return redis.Redis.from_url(url, socket_timeout=0.5, socket_connect_timeout=0.5)
    except ValueError:
        return None
