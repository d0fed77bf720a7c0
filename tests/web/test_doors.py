"""Keys and webhooks at the console: secrets shown once, other clinics' absent, faults at their fields."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from outreach.domain.access import Role, Scope
from outreach.domain.news import Kind
from outreach.store import calls, keys, staff, webhooks
from outreach.store.doors import ApiKey
from outreach.store.office import Audit
from tests.web.house import NOW, PASSWORD, House, add_clinic, field

HOOK = "https://ehr.example.org/x"


def send(browser: Any, page: str, action: str, **fields: Any) -> Any:
    return browser.post(action, data={"csrf": field(browser.get(page).text, "csrf")} | fields)


def test_a_new_keys_secret_stands_on_one_page_and_opens_the_api(house: House) -> None:
    browser = house.desk()
    made = send(browser, "/keys", "/keys", name="Booking", scopes=["patients:read"], expires="2027-01-31")
    bearer = re.search(r'value="(ork_[^"]+)"', made.text)
    assert bearer
    assert bearer[1] not in browser.get("/keys").text
    me = house.browser().get("/api/v1/me", headers={"Authorization": f"Bearer {bearer[1]}"}).json()
    assert (me["scopes"], me["expires_at"]) == (["patients:read"], "2027-02-01T05:00:00Z")
    with house.out.sessions() as session:
        key_id = session.scalars(select(ApiKey.id)).one()
    for _ in range(2):
        assert send(browser, "/keys", f"/keys/{key_id}/revoke").headers["location"] == "/keys?done=revoked"
    assert house.browser().get("/api/v1/me", headers={"Authorization": f"Bearer {bearer[1]}"}).status_code == 401
    with house.out.sessions() as session:
        assert [row.action for row in session.scalars(select(Audit)) if row.subject == "key"] == [
            "key.made", "key.revoked",
        ]  # fmt: skip


@pytest.mark.parametrize(
    "fields",
    [
        {"name": "", "scopes": ["patients:read"]},
        {"name": "x" * 300, "scopes": ["patients:read"]},
        {"name": "Booking"},
        {"name": "Booking", "scopes": ["everything"]},
        {"name": "Booking", "scopes": ["patients:read"], "expires": "2020-01-01"},
        {"name": "Booking", "scopes": ["patients:read"], "expires": "9999-12-31"},
    ],
    ids=["no name", "long name", "no scope", "no such scope", "past", "far"],
)
def test_a_key_with_a_fault_is_not_made_and_what_was_typed_stays(house: House, fields: dict[str, Any]) -> None:
    browser = house.desk()
    answer = send(browser, "/keys", "/keys", **fields)
    assert answer.status_code == 422
    assert f'value="{fields["name"]}"' in answer.text
    with house.out.sessions() as session:
        assert keys.listing(session, house.clinic_id) == []


def test_a_webhook_is_set_up_looked_at_tried_switched_and_taken_away(house: House) -> None:
    browser = house.desk()
    made = send(browser, "/webhooks", "/webhooks", url=HOOK, kinds=["message.delivered", "task.opened"])
    assert "whsec_" in made.text
    assert "whsec_" not in browser.get("/webhooks").text
    with house.out.sessions() as session:
        (hook,) = webhooks.listing(session, house.clinic_id)
    page = f"/webhooks/{hook.id}"
    assert send(browser, page, f"{page}/try").headers["location"] == f"{page}?done=tried"
    with house.out.sessions.begin() as session:
        (trial,) = calls.history(session, house.clinic_id, hook.id, 9)
        calls.record(session, trial.id, "given_up", NOW, status_code=500, note="")
    assert "Given up" in browser.get(page).text
    again = send(browser, page, f"{page}/calls/{trial.id}/replay")
    assert again.headers["location"] == f"{page}?done=again"
    assert send(browser, page, f"{page}/replay", days="x").headers["location"] == f"{page}?done=none"
    assert send(browser, page, f"{page}/switch", on="0").headers["location"] == f"{page}?done=off"
    assert "Switched off" in browser.get("/webhooks").text
    assert send(browser, page, f"{page}/remove").headers["location"] == "/webhooks?done=removed"
    assert browser.get(page).status_code == 404


def test_an_address_inside_the_house_is_refused_at_its_field(house: House) -> None:
    browser = house.desk()
    for url in ("http://ehr.example.org/", "https://10.0.0.1/", "https://localhost@[::1]/", "nonsense"):
        answer = send(browser, "/webhooks", "/webhooks", url=url, kinds=["task.opened"])
        assert answer.status_code == 422, url
        assert 'aria-invalid="true"' in answer.text


def test_another_clinics_keys_and_webhooks_are_not_there(house: House) -> None:
    south = add_clinic(house.out, "south", "+12025550111")
    with house.out.sessions.begin() as session:
        key_id, _ = keys.make(session, clinic_id=south, name="theirs", scopes=[Scope.PATIENTS_READ], expires_at=None,
                              staff_id=None, now=NOW)  # fmt: skip
        hook_id, _ = webhooks.add(session, south, HOOK, {Kind.TASK}, NOW)
        calls.add(session, south, hook_id, "t", "a", {}, NOW - timedelta(days=1))
        (call,) = calls.history(session, south, hook_id, 9)
        calls.record(session, call.id, "given_up", NOW, status_code=None, note="")
    browser = house.desk()
    assert "theirs" not in browser.get("/keys").text
    assert browser.get(f"/webhooks/{hook_id}").status_code == 404
    for action in (f"/keys/{key_id}/revoke", f"/webhooks/{hook_id}/switch", f"/webhooks/{hook_id}/try",
                   f"/webhooks/{hook_id}/replay", f"/webhooks/{hook_id}/remove",
                   f"/webhooks/{hook_id}/calls/{call.id}/replay", "/keys/x/revoke"):  # fmt: skip
        assert send(browser, "/keys", action).status_code == 404, action
    with house.out.sessions() as session:
        assert keys.listing(session, south)[0].revoked_at is None
        assert webhooks.get(session, south, hook_id).active


@pytest.mark.parametrize("role", [role for role in Role if role is not Role.ADMINISTRATOR])
def test_only_administrators_see_them(house: House, role: Role) -> None:
    with house.out.sessions.begin() as session:
        staff.add(session, clinic_id=house.clinic_id, email="other@north.example", name="Olu", password=PASSWORD,
                  role=role)  # fmt: skip
    browser = house.browser()
    form = field(browser.get("/sign-in").text, "form")
    browser.post("/sign-in", data={"form": form, "email": "other@north.example", "password": PASSWORD})
    assert browser.get("/keys").status_code == 403
    assert browser.get("/webhooks").status_code == 403
