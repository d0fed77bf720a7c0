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


def desk_of(house: House, role: Role) -> Any:
    with house.out.sessions.begin() as session:
        staff.add(session, clinic_id=house.clinic_id, email=f"{role}@north.example", name="Olu", password=PASSWORD,
                  role=role)  # fmt: skip
    browser = house.browser()
    form = field(browser.get("/sign-in").text, "form")
    browser.post("/sign-in", data={"form": form, "email": f"{role}@north.example", "password": PASSWORD})
    return browser


@pytest.mark.parametrize("role", [role for role in Role if role is not Role.ADMINISTRATOR])
def test_only_administrators_see_webhooks_and_with_approvers_keys(house: House, role: Role) -> None:
    browser = desk_of(house, role)
    assert browser.get("/keys").status_code == (200 if role is Role.APPROVER else 403)
    assert browser.get("/webhooks").status_code == 403


def test_a_key_that_approves_is_made_by_who_may_approve_and_every_other_by_administrators(house: House) -> None:
    administrator, approver = house.desk(), desk_of(house, Role.APPROVER)
    offered = {name: re.findall(r'name="scopes" value="([^"]+)"', desk.get("/keys").text)
               for name, desk in (("administrator", administrator), ("approver", approver))}  # fmt: skip
    assert offered["approver"] == ["sequences:read", "approvals:write"]
    assert sorted(offered["administrator"]) == sorted({scope.value for scope in Scope} - {"approvals:write"})
    everything = [scope.value for scope in Scope]
    for desk, name, held in (
        (administrator, "Booking", offered["administrator"]),
        (approver, "Words", offered["approver"]),
    ):
        assert send(desk, "/keys", "/keys", name="Only", scopes=sorted({*everything} - {*held})).status_code == 422
        assert send(desk, "/keys", "/keys", name=name, scopes=everything).status_code == 200
    with house.out.sessions() as session:
        made = {one.name: one for one in keys.listing(session, house.clinic_id)}
    assert {name: sorted(one.scopes) for name, one in made.items()} == {
        "Booking": sorted(offered["administrator"]), "Words": sorted(offered["approver"]),
    }  # fmt: skip
    ends = {name: f"/keys/{one.id}/revoke" for name, one in made.items()}
    assert [end in approver.get("/keys").text for end in ends.values()] == [name == "Words" for name in ends]
    assert send(approver, "/keys", ends["Booking"]).status_code == 403
    assert send(approver, "/keys", ends["Words"]).status_code == 303
    assert send(administrator, "/keys", ends["Booking"]).status_code == 303
    assert send(approver, "/keys", "/keys", name="Words 2", scopes=everything).status_code == 200
    with house.out.sessions() as session:
        [last] = [one for one in keys.listing(session, house.clinic_id) if one.name == "Words 2"]
    assert send(administrator, "/keys", f"/keys/{last.id}/revoke").status_code == 303


def test_a_key_made_by_an_approver_approves_through_the_api(house: House) -> None:
    made = send(
        desk_of(house, Role.APPROVER), "/keys", "/keys", name="Words", scopes=["sequences:read", "approvals:write"]
    )
    bearer = re.search(r'value="(ork_[^"]+)"', made.text)
    assert bearer
    program, headers = house.browser(), {"Authorization": f"Bearer {bearer[1]}"}
    path = "/api/v1/approvals"
    words = program.get(f"{path}/es/pre.tomorrow", headers=headers).json()
    body = {"locale": "es", "text": "pre.tomorrow", "digest": words["digest"], "reviewer": "Ana Ruiz", "role": "nurse"}
    assert program.post(path, json=body, headers=headers).json()["state"] == "approved"
    assert program.get("/api/v1/patients", headers=headers).status_code == 403
