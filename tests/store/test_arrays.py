"""Arrays made here are read by the server as those the driver makes."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from outreach.store.arrays import Array, Blobs, Ids, Instants, Numbers, Texts, Walls
from outreach.store.rows import fetch

CASES: list[tuple[type[Any], str, list[Any]]] = [
    (Ids, "uuid", [uuid4(), uuid4()]),
    (Ids, "uuid", [None, uuid4(), None]),
    (Instants, "timestamptz", [None, datetime(2026, 11, 21, tzinfo=UTC)]),
    (Walls, "timestamp", [datetime(1999, 12, 31, 23, 59, 59, 999999), datetime(2026, 11, 21)]),
    (Texts, "text", ["a", "", "\u0639\u064a\u0627\u062f\u0629", "{,\\"]),
    (Texts, "text", [None, "x", None]),
    (Blobs, "bytea", [b"", bytes(range(256)), None]),
    (Numbers, "int", [0, -1, 2**31 - 1]),
    (Instants, "timestamptz", [datetime(1999, 12, 31, 23, 59, 59, 999999, UTC), datetime(2026, 11, 21, tzinfo=UTC)]),
]


@pytest.mark.parametrize(("kind", "element", "values"), [*CASES, *((k, e, []) for k, e, _ in CASES)])
def test_what_goes_in_comes_out(engine: Engine, kind: type[Array], element: str, values: list[Any]) -> None:
    with Session(engine) as session:
        rows = fetch(session, f"select x from unnest(%(xs)b::{element}[]) as x", xs=kind.of(values))  # type: ignore[attr-defined]
    assert [row[0] for row in rows] == values
