"""The proof of consent for other software: every column, one scope, its reading noted."""

from __future__ import annotations

from typing import Any

from outreach.domain.access import Scope
from tests.web.house import House, add_clinic
from tests.web.links import hold


def test_the_api_gives_the_same_with_a_key_that_may_read_patients(house: House, caller: Any) -> None:
    held = hold(house)
    key = caller(Scope.PATIENTS_READ)
    answer = key("GET", f"/patients/{held.patient_id}/consents/export")
    assert answer.status_code == 200
    items = answer.json()["items"]
    assert len(items) == 2
    assert set(items[0]) == {
        "id", "address_id", "channel", "kind", "purpose", "scope", "basis", "wording_version", "wording", "locale",
        "method", "actor", "at", "evidence", "warned",
    }  # fmt: skip
    assert items[0]["basis"] == "written"
    assert held.audited()[-1] == "consent.exported"
    south = caller(Scope.PATIENTS_READ, clinic_id=add_clinic(house.out, "south", "+12025550111"))
    assert south("GET", f"/patients/{held.patient_id}/consents/export").status_code == 404
