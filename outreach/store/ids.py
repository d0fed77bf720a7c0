"""Identifiers of rows that come in millions: UUID version 7, so that new rows stand together in every index."""

from __future__ import annotations

import os
import threading
import time
from uuid import UUID

_RANDOM = (1 << 74) - 1
_LOW = (1 << 62) - 1
_AT_ONCE = 4096


class _Noise(threading.local):
    """Randomness of the kernel, fetched a page at a time: a call for each message would cost as much as its cipher."""

    page = b""
    at = 0
    of = 0


_noise = _Noise()


def noise(count: int) -> bytes:
    """`count` random bytes from the kernel's generator, never the same in two threads or processes."""
    if _noise.at + count > len(_noise.page) or _noise.of != os.getpid():
        _noise.page, _noise.of = os.urandom(_AT_ONCE), os.getpid()
        _noise.at = 0
    at = _noise.at
    _noise.at = at + count
    return _noise.page[at : at + count]


def fresh_ids(count: int) -> list[UUID]:
    """Several at once, all of this millisecond."""
    high = (time.time_ns() // 1_000_000 & 0xFFFFFFFFFFFF) << 80 | 0x7 << 76 | 0b10 << 62
    random, page = int.from_bytes, os.urandom(10 * count)
    draws = [random(page[at : at + 10]) & _RANDOM for at in range(0, 10 * count, 10)]
    return [UUID(int=high | (one >> 62) << 64 | one & _LOW) for one in draws]


def fresh_id() -> UUID:
    """A new UUIDv7 (RFC 9562): 48 bits of milliseconds, then 74 random bits."""
    random = int.from_bytes(noise(10)) & _RANDOM
    high = (time.time_ns() // 1_000_000 & 0xFFFFFFFFFFFF) << 80
    return UUID(int=high | 0x7 << 76 | (random >> 62) << 64 | 0b10 << 62 | random & _LOW)
