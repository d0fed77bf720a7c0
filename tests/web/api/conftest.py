"""The API as other software meets it: an application over a real database, keys with chosen scopes."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

import pytest

from outreach.domain.access import Scope
from outreach.store import keys
from tests.web.conftest import house, words
from tests.web.house import NOW, House

__all__ = ["caller", "house", "words"]


class Software:
    """Calls the API with one key."""

    def __init__(self, house: House, bearer: str, key_id: UUID) -> None:
        self.browser, self.bearer, self.key_id = house.browser(), bearer, key_id

    def __call__(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        sent = {"Authorization": f"Bearer {self.bearer}"} | {k.replace("_", "-"): v for k, v in headers.items()}
        return self.browser.request(method, f"/api/v1{path}", json=body, headers=sent)


@pytest.fixture
def caller(house: House) -> Callable[..., Software]:
    """Software with a key of these scopes (all of them, if none are named) at a clinic."""

    def make(
        *scopes: Scope, clinic_id: UUID | None = None, expires_at: datetime | None = None, at: House | None = None
    ) -> Software:
        wanted: Iterable[Scope] = scopes or tuple(Scope)
        with house.out.sessions.begin() as session:
            key_id, bearer = keys.make(
                session, clinic_id=clinic_id or house.clinic_id, name="test", scopes=list(wanted),
                expires_at=expires_at, staff_id=None, now=NOW,
            )  # fmt: skip
        return Software(at or house, bearer, key_id)

    return make
