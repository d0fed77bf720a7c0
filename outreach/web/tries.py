"""How often one may try: counted in this process's memory, for sign-in."""

from __future__ import annotations

from collections import deque
from datetime import datetime, timedelta
from threading import Lock

WINDOW = timedelta(minutes=15)
MOST_KEYS = 10_000


class Tries:
    """Failed tries by key over the last quarter of an hour."""

    def __init__(self) -> None:
        self._tries: dict[str, deque[datetime]] = {}
        self._lock = Lock()

    def too_many(self, key: str, limit: int, now: datetime) -> bool:
        """Whether `key` has used up its `limit`."""
        with self._lock:
            return len(self._recent(key, now)) >= limit

    def count(self, key: str, now: datetime) -> None:
        """One more failed try of `key`."""
        with self._lock:
            if len(self._tries) >= MOST_KEYS:  # a flood of made-up keys: the oldest go, the newest are kept
                self._tries.pop(next(iter(self._tries)))
            recent = self._recent(key, now)
            recent.append(now)
            self._tries[key] = recent

    def clear(self, key: str) -> None:
        """A success: what `key` tried before no longer counts."""
        with self._lock:
            self._tries.pop(key, None)

    def _recent(self, key: str, now: datetime) -> deque[datetime]:
        recent = self._tries.get(key, deque())
        while recent and recent[0] <= now - WINDOW:
            recent.popleft()
        return recent
