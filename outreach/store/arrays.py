"""Arrays as the server reads them, made here in one go: element by element, the driver would spend more on the lists of
a batch than on everything else it sends."""

from __future__ import annotations

import struct
from collections.abc import Collection, Iterable
from datetime import UTC, datetime, timedelta
from typing import ClassVar, Self
from uuid import UUID

import psycopg
from psycopg.adapt import Dumper
from psycopg.pq import Format

_LENGTH = struct.Struct("!i").pack
_HEAD = struct.Struct("!iiIii").pack
_EMPTY = struct.Struct("!iiI").pack
_NUMBER = struct.Struct("!ii").pack
_INSTANT = struct.Struct("!iq").pack
_ID = _LENGTH(16)
_NULL = _LENGTH(-1)
_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class Array(bytes):
    """A whole array; `element` and `oid` are the server's numbers for the type of one and of all."""

    element: ClassVar[int]
    oid: ClassVar[int]

    @classmethod
    def joined(cls, count: int, elements: bytes, nulls: bool = False) -> Self:
        """`elements`: each with its length before it."""
        return cls(_HEAD(1, nulls, cls.element, count, 1) + elements if count else _EMPTY(0, 0, cls.element))


class Ids(Array):
    element, oid = 2950, 2951

    @classmethod
    def of(cls, ids: Collection[UUID | None]) -> Self:
        try:
            return cls.joined(len(ids), _ID + _ID.join([one.int.to_bytes(16) for one in ids]) if ids else b"")  # type: ignore[union-attr]
        except AttributeError:  # one of them is None: seldom, and to look for it first costs more than the array
            return cls.joined(len(ids), *_lengths(None if one is None else one.bytes for one in ids))


class Texts(Array):
    element, oid = 25, 1009

    @classmethod
    def of(cls, texts: Collection[str | None]) -> Self:
        return cls.joined(len(texts), *_lengths(None if one is None else one.encode() for one in texts))


class Blobs(Array):
    element, oid = 17, 1001

    @classmethod
    def of(cls, blobs: Collection[bytes | None]) -> Self:
        return cls.joined(len(blobs), *_lengths(blobs))


class Numbers(Array):
    element, oid = 23, 1007

    @classmethod
    def of(cls, numbers: Collection[int]) -> Self:
        return cls.joined(len(numbers), b"".join([_NUMBER(4, one) for one in numbers]))


class Instants(Array):
    """Aware, to the microsecond."""

    element, oid = 1184, 1185
    epoch: ClassVar[datetime] = _EPOCH

    @classmethod
    def of(cls, instants: Collection[datetime | None]) -> Self:
        epoch = cls.epoch
        made = [_NULL if one is None else _INSTANT(8, (one - epoch) // _MICROSECOND) for one in instants]
        return cls.joined(len(instants), b"".join(made), None in instants)


class Walls(Instants):
    """Naive, to the microsecond."""

    element, oid = 1114, 1115
    epoch = _EPOCH.replace(tzinfo=None)


def _lengths(elements: Iterable[bytes | None]) -> tuple[bytes, bool]:
    made = [_NULL if one is None else _LENGTH(len(one)) + one for one in elements]
    return b"".join(made), _NULL in made


class _ArrayDumper(Dumper):
    format = Format.BINARY

    def dump(self, obj: Array) -> bytes:
        return bytes(obj)


for _kind in (Ids, Texts, Blobs, Numbers, Instants, Walls):
    psycopg.adapters.register_dumper(_kind, type(_kind.__name__, (_ArrayDumper,), {"oid": _kind.oid}))
