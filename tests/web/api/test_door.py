"""The API's door: keys and scopes, other clinics, repeats, pages, limits, lost updates; and refusals as problems."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import delete, func, select, text

from outreach.domain.access import Scope
from outreach.store import audit, calls, kept, keys, reading
from outreach.store.doors import ApiKey, WebhookCall
from outreach.store.office import Audit
from outreach.store.tables import Patient
from outreach.store.traffic import Message, Queued
from outreach.web.access import DOORS
from outreach.web.api.rates import Rates
from tests.web.house import NOW, House, add_clinic, field

Make = Callable[..., Any]
ANA = {"name": "Ana Sample", "locale": "en", "phone": "+12025550143", "external_id": "MRN-1"}
ROUTES = sorted((method, path) for method, path in DOORS if path.startswith("/api/") and "openapi" not in path)


def _path(path: str) -> str:
    """A route's path with ids that nobody has."""
    words = {"channel": "sms", "name": "ketamine-infusion"}
    return re.sub(r"{(\w+)}", lambda found: words.get(found[1], str(uuid4())), path.removeprefix("/api/v1"))


def test_no_route_opens_without_a_key_or_without_its_scope(caller: Make, house: House) -> None:
    browser, keyed = house.browser(), {needed: caller(*[one for one in Scope if one is not needed]) for needed in Scope}
    for method, path in ROUTES:
        body: dict[str, str] | None = {} if method in ("POST", "PUT", "PATCH") else None
        needed = DOORS[method, path]
        for bearer in ("", "ork_abcdefgh_wrong"):
            headers = {"Authorization": f"Bearer {bearer}"}
            answer = browser.request(method, "/api/v1" + _path(path), json=body, headers=headers)
            assert (answer.status_code, answer.headers["content-type"]) == (401, "application/problem+json"), path
        if isinstance(needed, Scope):
            assert keyed[needed](method, _path(path), body).status_code == 403, path


def test_every_route_of_the_api_is_in_the_table_and_every_door_leads_somewhere(caller: Make) -> None:
    paths = caller()("GET", "/openapi.json").json()["paths"]
    assert sorted((m.upper(), "/api" + path) for path, methods in paths.items() for m in methods) == ROUTES


def test_a_key_that_is_revoked_or_over_opens_nothing(caller: Make, house: House) -> None:
    over = caller(expires_at=NOW + timedelta(hours=1), at=house.later(timedelta(hours=2)))
    assert over("GET", "/me").status_code == 401
    good = caller()
    assert good("GET", "/me").status_code == 200
    with house.out.sessions.begin() as session:
        assert keys.revoke(session, house.clinic_id, good.key_id, NOW)
    assert good("GET", "/me").status_code == 401


def test_a_keys_secret_is_not_in_the_database_and_its_use_is_noted_once_a_minute(caller: Make, house: House) -> None:
    one = caller()
    secret = one.bearer.split("_", 2)[2]
    one("GET", "/me")
    with house.out.sessions() as session:
        row = session.execute(text("select api_key::text from api_key")).scalar_one()
        used = session.scalar(select(ApiKey.used_at))
    assert secret not in row
    assert secret.encode().hex() not in row
    assert used == NOW


def test_another_clinics_rows_are_not_there(caller: Make, house: House) -> None:
    south = caller(clinic_id=add_clinic(house.out, "south", "+12025550111"))
    north = caller()
    done = north("POST", "/patients", ANA | {"infusions": [{"starts": "2026-12-03T09:30"}]}).json()
    patient_id = done["patient"]["id"]
    visit = north("GET", f"/courses/{done['course_id']}/infusions").json()["items"][0]["id"]
    enrolment = north("GET", f"/patients/{patient_id}/enrolments").json()["items"][0]["id"]
    message = north("GET", "/messages").json()["items"][0]["id"]
    hook = north("POST", "/webhooks", {"url": "https://ehr.example.org/x", "kinds": ["task.opened"]}).json()["id"]
    for method, path, body in (
        ("GET", f"/patients/{patient_id}", None),
        ("PATCH", f"/patients/{patient_id}", {"name": "X"}),
        ("GET", f"/patients/{patient_id}/addresses", None),
        ("PUT", f"/patients/{patient_id}/addresses/sms", {"value": "+12025550144"}),
        ("GET", f"/patients/{patient_id}/consents", None),
        ("POST", f"/patients/{patient_id}/consents/revoke", {"channel": "sms", "evidence": "x"}),
        ("GET", f"/patients/{patient_id}/courses", None),
        ("GET", f"/patients/{patient_id}/enrolments", None),
        ("POST", f"/enrolments/{enrolment}/end", None),
        ("POST", f"/patients/{patient_id}/infusions", {"starts": "2026-12-09T09:30"}),
        ("GET", f"/courses/{done['course_id']}/infusions", None),
        ("GET", f"/infusions/{visit}", None),
        ("PATCH", f"/infusions/{visit}", {"starts": "2026-12-09T09:30"}),
        ("POST", f"/infusions/{visit}/cancel", None),
        ("POST", f"/infusions/{visit}/preview", {"starts": "2026-12-09T09:30"}),
        ("GET", f"/messages/{message}", None),
        ("GET", f"/messages/{message}/words", None),
        ("GET", f"/messages/{message}/events", None),
        ("GET", f"/webhooks/{hook}", None),
        ("PATCH", f"/webhooks/{hook}", {"active": False}),
        ("DELETE", f"/webhooks/{hook}", None),
        ("GET", f"/webhooks/{hook}/calls", None),
    ):
        assert south(method, path, body, If_Match='"v0"').status_code == 404, (method, path)
    assert south("GET", "/patients").json()["items"] == []
    assert south("GET", "/messages").json()["items"] == []
    assert south("POST", "/patients/search", {"external_id": "MRN-1"}).json()["items"] == []
    assert north("GET", f"/infusions/{visit}").json()["starts"] == "2026-12-03T09:30"


def test_the_same_request_twice_is_done_once_and_another_with_its_key_is_refused(caller: Make, house: House) -> None:
    one = caller()
    first = one("POST", "/patients", ANA, Idempotency_Key="a")
    again = one("POST", "/patients", ANA, Idempotency_Key="a")
    assert (first.status_code, again.status_code, again.text) == (201, 201, first.text)
    assert again.headers["idempotency-replayed"] == "true"
    assert one("POST", "/patients", ANA | {"name": "Bo"}, Idempotency_Key="a").status_code == 422
    with house.out.sessions() as session:
        assert session.scalar(select(func.count()).select_from(Patient)) == 1
        assert (
            "Ana" not in session.execute(text("select string_agg(kept_answer::text, '') from kept_answer")).scalar_one()
        )
    tomorrow = house.later(timedelta(hours=25))
    later = type(one)(tomorrow, one.bearer, one.key_id)
    assert later("POST", "/patients", ANA, Idempotency_Key="a").status_code == 409, "it is over, and she is there"


def test_a_repeat_while_the_first_is_being_done_is_told_to_wait(caller: Make, house: House) -> None:
    one = caller()
    with house.out.sessions.begin() as session:
        assert kept.take(session, one.key_id, "a")
        busy = one("POST", "/patients", ANA, Idempotency_Key="a")
    assert (busy.status_code, busy.headers["retry-after"]) == (409, "1")
    assert one("POST", "/patients", ANA, Idempotency_Key="a").status_code == 201


def test_what_one_key_was_answered_is_not_the_answer_to_another(caller: Make, house: House) -> None:
    hook = {"url": "https://ehr.example.org/x", "kinds": ["task.opened"]}
    made = [one("POST", "/webhooks", hook, Idempotency_Key="a") for one in (caller(), caller())]
    assert [one.status_code for one in made] == [201, 201]
    assert made[0].json()["secret"] != made[1].json()["secret"]
    south = caller(clinic_id=add_clinic(house.out, "south", "+12025550111"))
    theirs = south("POST", "/webhooks", hook | {"kinds": ["consent.changed"]}, Idempotency_Key="a")
    assert (theirs.status_code, theirs.json()["kinds"]) == (201, ["consent.changed"])


def test_a_call_is_told_again_by_its_own_webhook_only(caller: Make, house: House) -> None:
    hook, south = (
        {"url": "https://ehr.example.org/x", "kinds": ["task.opened"]},
        add_clinic(house.out, "south", "+1202"),
    )
    one, desk = caller(), house.desk()
    own = [one("POST", "/webhooks", hook).json()["id"] for _ in range(2)]
    theirs = caller(clinic_id=south)("POST", "/webhooks", hook).json()["id"]
    ids: dict[str, UUID] = {}
    with house.out.sessions.begin() as session:
        for clinic_id, hook_id in ((house.clinic_id, own[0]), (house.clinic_id, own[1]), (south, theirs)):
            calls.add(session, clinic_id, UUID(hook_id), "task.opened", "a", {}, NOW)
            [made] = calls.history(session, clinic_id, UUID(hook_id), 9)
            ids[hook_id] = made.id
            calls.record(session, made.id, "given_up", NOW, status_code=500, note="")
    csrf = field(desk.get("/keys").text, "csrf")
    for foreign in (own[1], theirs):
        path = f"/webhooks/{own[0]}/calls/{ids[foreign]}/replay"
        assert one("POST", path).status_code == 404
        assert desk.post(path, data={"csrf": csrf}).status_code == 404
    assert one("POST", f"/webhooks/{own[0]}/calls/{ids[own[0]]}/replay").status_code == 202
    assert one("POST", f"/webhooks/{own[0]}/calls/{ids[own[0]]}/replay").status_code == 409
    with house.out.sessions() as session:
        states = {row.id: row.state for row in session.execute(select(WebhookCall.id, WebhookCall.state))}
    assert [states[ids[hook_id]] for hook_id in (*own, theirs)] == ["due", "given_up", "given_up"]


def test_two_at_once_with_one_key_enrol_one_patient(caller: Make, house: House) -> None:
    one, answers = caller(), list[int]()
    threads = [
        threading.Thread(target=lambda: answers.append(one("POST", "/patients", ANA, Idempotency_Key="a").status_code))
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(answers) <= {201, 409}
    with house.out.sessions() as session:
        assert session.scalar(select(func.count()).select_from(Patient)) == 1


def test_one_new_identifier_sent_twice_at_once_is_one_patient_and_a_conflict(caller: Make, house: House) -> None:
    software, together = [caller(), caller()], threading.Barrier(2)
    assert [one("GET", "/me").status_code for one in software] == [200, 200]  # what is made at first is made by now

    def send(one: Any) -> int:
        together.wait()
        return int(one("POST", "/patients", ANA).status_code)

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(send, software)) == [201, 409]
    with house.out.sessions() as session:
        assert session.scalar(select(func.count()).select_from(Patient)) == 1


def test_pages_hold_everything_once_and_a_cursor_is_good_for_its_own_question_only(caller: Make) -> None:
    one = caller()
    for number in range(5):
        one("POST", "/patients", ANA | {"external_id": f"M-{number}"})
    seen, cursor = list[str](), ""
    while True:
        page = one("GET", f"/patients?limit=2{cursor}").json()
        seen += [patient["external_id"] for patient in page["items"]]
        if not page["next_cursor"]:
            break
        cursor = f"&cursor={page['next_cursor']}"
    assert sorted(seen) == [f"M-{number}" for number in range(5)]
    for path in (f"/messages?{cursor}", "/patients?cursor=AAAA", f"/patients?x=1{cursor[:-4]}AAAA"):
        assert one("GET", path).status_code == 422, path


def test_a_filter_that_little_meets_looks_at_so_many_messages_for_a_page_and_says_where_to_go_on(
    caller: Make, house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = caller()
    patient = house.patient()
    for number in range(6):
        house.message(patient, f"step.{number}")
    with house.out.sessions.begin() as session:
        for number, row in enumerate(session.scalars(select(Message).order_by(Message.step))):
            row.due_at = NOW + timedelta(hours=number // 2)  # two of them at the same instant
            row.status = "failed" if number in (2, 3, 5) else "delivered"
    for window in (1, 2, 20_000):
        monkeypatch.setattr(reading, "LOOKED_AT", window)
        for asked, there in (("status=failed", 3), ("step=step.1", 1), ("step=no.such", 0)):
            seen, cursor, pages = list[str](), "", 0
            while pages < 9:
                page = one("GET", f"/messages?{asked}&limit=1{cursor}").json()
                seen, pages = [*seen, *(message["id"] for message in page["items"])], pages + 1
                if not page["next_cursor"]:
                    break
                cursor = f"&cursor={page['next_cursor']}"
            assert (len(seen), len(set(seen))) == (there, there), (window, asked)
            assert pages < 9
            assert window > 2 or pages > 1, "the window was not felt"


def test_what_is_planned_is_listed_from_its_first_on_and_what_is_in_hand_bit_by_bit(
    caller: Make, house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, patient = caller(), house.patient()
    for number in range(8):
        house.message(patient, f"step.{number}")
    states = ("delivered", "delivered", "sent", "sending", "sent", "delivered", "scheduled", "scheduled")
    with house.out.sessions.begin() as session:
        for number, row in enumerate(session.scalars(select(Message).order_by(Message.step))):
            row.due_at, row.status = NOW + timedelta(minutes=number), states[number]
        session.flush()
        handed_over = select(Message.id).where(Message.status != "scheduled")
        session.execute(delete(Queued).where(Queued.message_id.in_(handed_over)))  # as a claim does
    for bound in ("LOOKED_AT", "LOOKED_AT_IN_HAND"):
        monkeypatch.setattr(reading, bound, 2)
    planned = one("GET", "/messages?status=scheduled").json()
    assert [message["step"] for message in planned["items"]] == ["step.6", "step.7"]  # nothing of the past was read
    found, cursor = list[str](), ""
    for _ in range(9):
        page = one("GET", f"/messages?status=sending&status=sent&limit=1{cursor}").json()
        found += [message["step"] for message in page["items"]]
        if not page["next_cursor"]:
            break
        cursor = f"&cursor={page['next_cursor']}"
    else:
        pytest.fail("the list does not end")
    assert found == ["step.2", "step.3", "step.4"]


def test_a_change_needs_the_version_that_was_read(caller: Make) -> None:
    one = caller()
    patient = one("POST", "/patients", ANA).json()["patient"]
    path = f"/patients/{patient['id']}"
    tag = one("GET", path).headers["etag"]
    assert one("PATCH", path, {"name": "Bo"}).status_code == 428
    changed = one("PATCH", path, {"name": "Bo"}, If_Match=tag)
    assert (changed.status_code, changed.json()["name"]) == (200, "Bo")
    lost = one("PATCH", path, {"name": "Cy"}, If_Match=tag)
    assert (lost.status_code, lost.json()["type"]) == (412, "urn:outreach:problem:changed-meanwhile")
    assert one("PATCH", path, {"name": "Cy"}, If_Match=changed.headers["etag"]).status_code == 200


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"name": "  "}, "body.name"),
        ({"name": "a\u0000b"}, "body.name"),
        ({"name": "\u202eevil"}, "body.name"),
        ({"name": "x" * 300}, "body.name"),
        ({"name": "Evil.example"}, "body.name"),
        ({"phone": None}, "body"),
        ({"zone": "Mars/Base"}, "body.zone"),
        ({"infusions": [{"starts": "2026-02-31T10:00"}]}, "body.infusions.0.starts"),
        ({"infusions": [{"starts": "2026-12-03T10:00:00Z"}]}, "body.infusions.0.starts"),
        ({"surprise": 1}, "body.surprise"),
    ],
    ids=lambda value: value if isinstance(value, str) else "-".join(value),
)
def test_what_is_wrong_is_told_at_its_field_and_not_repeated(caller: Make, body: dict[str, Any], field: str) -> None:
    answer = caller()("POST", "/patients", ANA | body)
    assert (answer.status_code, answer.headers["content-type"]) == (422, "application/problem+json")
    assert field in [fault["field"] for fault in answer.json()["errors"]]
    assert "evil" not in answer.text


def test_an_hour_that_the_clock_skips_a_landline_and_an_unknown_language_are_refused(caller: Make) -> None:
    one = caller()
    for body in ({"infusions": [{"starts": "2027-03-14T02:30"}]}, {"phone": "12"}, {"locale": "xx"}):
        assert one("POST", "/patients", ANA | body).status_code == 422, body
    assert one("GET", "/patients").json()["items"] == []


def test_everything_under_api_is_told_as_a_problem(caller: Make, house: House) -> None:
    one = caller()
    for method, path, status in (("GET", "/nothing", 404), ("DELETE", "/patients", 405)):
        answer = one(method, path)
        assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")
    long = house.browser().post(
        "/api/v1/patients",
        content=b"x" * 70_000,
        headers={"Authorization": f"Bearer {one.bearer}", "Content-Type": "application/json"},
    )
    assert (long.status_code, long.headers["content-type"]) == (413, "application/problem+json")
    torn = house.browser().post(
        "/api/v1/patients",
        content=b"{",
        headers={"Authorization": f"Bearer {one.bearer}", "Content-Type": "application/json"},
    )
    assert torn.status_code == 422


def test_who_asks_too_often_is_told_when_to_come_back(redis_url: str) -> None:
    now = [1_000_000_000.0]
    both = [Rates(redis_url, 3, lambda: now[0]), Rates(redis_url, 3, lambda: now[0])]
    key = uuid4()
    stands = [both[number % 2].take(key) for number in range(4)]
    assert [one.over for one in stands] == [False, False, False, True]
    assert stands[3].headers()["Retry-After"] == stands[3].headers()["RateLimit-Reset"] == "20"
    now[0] += 20
    assert not both[0].take(key).over
    for one in both:
        one.close()


def test_each_answer_says_how_the_key_stands_and_the_one_too_many_is_refused(
    caller: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("outreach.web.api.app.Rates", lambda _url: Rates(None, 2, lambda: 30.0))
    one, other = caller(), caller()
    told = [one("GET", "/patients", Idempotency_Key="a") for _ in range(3)]
    assert [(answer.status_code, answer.headers["ratelimit-remaining"]) for answer in told] == [
        (200, "1"), (200, "0"), (429, "0"),
    ]  # fmt: skip
    assert {answer.headers["ratelimit-limit"] for answer in told} == {"2"}
    assert [answer.headers.get("retry-after") for answer in told] == [None, None, "30"]
    assert told[2].json()["type"] == "urn:outreach:problem:too-many"
    assert one("POST", "/patients", ANA).status_code == 429
    assert other("POST", "/patients", ANA).status_code == 201, "each key has its own"


def test_while_valkey_is_away_each_process_counts_for_itself() -> None:
    alone, key = Rates("redis://127.0.0.1:1/0", 2, lambda: 0.0), uuid4()
    assert [alone.take(key).over for _ in range(3)] == [False, False, True]
    alone.close()


def test_what_a_key_does_is_in_the_audit_and_names_nobody(caller: Make, house: House) -> None:
    one = caller()
    patient = one("POST", "/patients", ANA).json()["patient"]["id"]
    one("PUT", f"/patients/{patient}/addresses/sms", {"value": "+12025550155"})
    with house.out.sessions() as session:
        rows = session.scalars(select(Audit).order_by(Audit.seq)).all()
    assert [(row.actor_kind, row.actor_id, row.action) for row in rows] == [
        ("key", one.key_id, "patient.enrolled"), ("key", one.key_id, "address.changed"),
    ]  # fmt: skip
    assert "Ana" not in str([row.detail for row in rows])
    assert "5550155" not in str([row.detail for row in rows])


def test_what_software_did_to_visits_courses_and_consent_is_found_in_the_audit(caller: Make, house: House) -> None:
    one, desk = caller(), house.desk()
    patient = one("POST", "/patients", ANA).json()["patient"]["id"]
    visit = one("POST", f"/patients/{patient}/infusions", {"starts": "2026-12-03T09:30"}).json()["infusion"]
    one("PATCH", f"/infusions/{visit['id']}", {"starts": "2026-12-04T09:30"}, If_Match='"v0"')
    with house.out.sessions.begin() as session:  # as rows were written once
        audit.note(session, clinic_id=house.clinic_id, at=NOW, actor_kind="key", actor_id=one.key_id,
                   action="visit.changed", subject="infusion", subject_id=visit["id"])  # fmt: skip
    one("POST", f"/infusions/{visit['id']}/cancel")
    [followed] = one("GET", f"/patients/{patient}/enrolments").json()["items"]
    one("POST", f"/enrolments/{followed['id']}/end")
    for again in (True, False):
        revoked = one("POST", f"/patients/{patient}/consents/revoke", {"channel": "sms", "evidence": "call-1"})
        assert revoked.json()["news"] is again
    for asked, seen in (
        ("subject=visit", ["cancelled a visit", "changed a visit", "moved a visit", "added a visit"]),
        (
            f"subject=infusion&of={visit['id']}",
            ["cancelled a visit", "changed a visit", "moved a visit", "added a visit"],
        ),
        ("subject=course", ["ended a series of visits"]),
        ("subject=patient", ["took an agreement back", "enrolled a patient"]),
    ):
        text = desk.get(f"/audit?{asked}").text
        assert re.findall(r"</strong> ([^<\n]+?)\s*<", text.split("<main")[1]) == seen, asked
        assert text.count(f'href="/visits/{visit["id"]}"') == (4 if "a visit" in seen[0] else 0)
