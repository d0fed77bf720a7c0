"""Identifiers of rows that come in millions: UUID version 7, so that new rows stand together in every index."""

from __future__ import annotations

import os
import time
from uuid import UUID

_RANDOM = (1 << 74) - 1


def fresh_id() -> UUID:
    """A new UUIDv7 (RFC 9562): 48 bits of milliseconds, then 74 random bits."""
    noise = int.from_bytes(os.urandom(10)) & _RANDOM
    high = (time.time_ns() // 1_000_000 & 0xFFFFFFFFFFFF) << 80
    return UUID(int=high | 0x7 << 76 | (noise >> 62) << 64 | 0b10 << 62 | noise & ((1 << 62) - 1))
