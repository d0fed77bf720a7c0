"""A zone of our own whose rules can be changed in a test: a TZif file that zoneinfo reads before the package's."""

from __future__ import annotations

import struct
import zoneinfo
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import tzdata

from outreach.domain import window

NAME = "Test/Moving"


class MovingZone:
    """`set(hours, version)`: from now on the zone is that many hours east of UTC, by zone data of that name."""

    def __init__(self, folder: Path, patch: pytest.MonkeyPatch) -> None:
        self._file = folder / NAME
        self._file.parent.mkdir(parents=True, exist_ok=True)
        self._patch = patch

    def set(self, hours: int, version: str) -> None:
        self._file.write_bytes(tzif(hours))
        self._patch.setattr(tzdata, "IANA_VERSION", version)
        forget()

    def take_away(self, version: str) -> None:
        """Zone data in which the name no longer exists."""
        self._file.unlink()
        self._patch.setattr(tzdata, "IANA_VERSION", version)
        forget()


@contextmanager
def moving_zone(folder: Path, patch: pytest.MonkeyPatch) -> Iterator[MovingZone]:
    before = zoneinfo.TZPATH
    zoneinfo.reset_tzpath(to=[folder])
    try:
        yield MovingZone(folder, patch)
    finally:
        zoneinfo.reset_tzpath(to=before)
        forget()


def forget() -> None:
    """What a new process would not know either."""
    zoneinfo.ZoneInfo.clear_cache()
    window.zone.cache_clear()
    window.zone_names.cache_clear()


def tzif(hours: int) -> bytes:
    """The smallest zone file (RFC 9636, version 2): one offset for ever."""
    name = f"{hours:+03}"
    block = struct.pack(">lBB", hours * 3600, 0, 0) + name.encode() + b"\0"
    head = b"TZif2" + bytes(15) + struct.pack(">6L", 0, 0, 0, 0, 1, len(name) + 1)
    return (head + block) * 2 + f"\n<{name}>{-hours}\n".encode()
