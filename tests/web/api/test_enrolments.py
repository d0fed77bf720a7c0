"""What other software may do with courses: no past visit by mistake, a sequence by name, an end; nobody twice."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any
from uuid import uuid4

from outreach.domain.access import Scope
from tests.web.house import House, add_clinic

Make = Callable[..., Any]
ANA = {"name": "Ana Sample", "locale": "en", "phone": "+12025550143"}
AHEAD, PAST = "2026-12-03T09:30", "2026-11-20T09:30"


def test_a_visit_of_the_past_is_refused_at_its_field_unless_it_is_called_history(caller: Make) -> None:
    ask = caller()
    refused = ask("POST", "/patients", ANA | {"infusions": [{"starts": AHEAD}, {"starts": PAST}]})
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, "body.infusions.1.starts")
    patient = ask("POST", "/patients", ANA | {"infusions": [{"starts": AHEAD}]}).json()["patient"]["id"]
    refused = ask("POST", f"/patients/{patient}/infusions", {"starts": PAST})
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, "body.starts")
    kept = ask("POST", f"/patients/{patient}/infusions", {"starts": "2026-11-01T09:30", "history": True})
    assert kept.status_code == 201
    about_it = {one["infusion_id"]: one["status"] for one in ask("GET", "/messages?status=scheduled").json()["items"]}
    assert kept.json()["infusion"]["id"] not in about_it
    visits = ask("GET", f"/courses/{kept.json()['infusion']['course_id']}/infusions").json()["items"]
    coming = next(one for one in visits if one["starts"] == AHEAD)
    for path, method in (("", "PATCH"), ("/preview", "POST")):
        moved = ask(method, f"/infusions/{coming['id']}{path}", {"starts": PAST}, If_Match='"v0"')
        assert (moved.status_code, moved.json()["errors"][0]["field"]) == (422, "body.starts")


def test_a_sequence_is_chosen_by_name_when_a_course_begins_and_kept(caller: Make, house: House) -> None:
    other = "short-course"
    own = replace(house.out.sequences["ketamine-infusion"], name=other)
    at = replace(house, out=replace(house.out, sequences={**house.out.sequences, other: own}))
    ask = caller(at=at)
    unknown = ask("POST", "/patients", ANA | {"sequence": "no-such-thing"})
    assert (unknown.status_code, unknown.json()["errors"][0]["field"]) == (422, "body.sequence")
    patient = ask("POST", "/patients", ANA | {"infusions": [{"starts": AHEAD}], "sequence": other}).json()["patient"]
    added = ask("POST", f"/patients/{patient['id']}/infusions", {"starts": "2026-12-10T09:30"}).json()
    ask("PATCH", f"/infusions/{added['infusion']['id']}", {"starts": "2026-12-11T09:30"}, If_Match='"v0"')
    ask("PATCH", f"/patients/{patient['id']}", {"zone": "America/New_York"}, If_Match=f'"v{patient["version"]}"')
    followed = ask("GET", f"/patients/{patient['id']}/enrolments").json()["items"]
    assert [(one["sequence"], one["status"]) for one in followed] == [(other, "active")]
    body = {"starts": "2026-12-20T09:30", "sequence": "ketamine-infusion"}
    assert ask("POST", f"/patients/{patient['id']}/infusions", body).status_code == 409


def test_an_enrolment_is_ended_once_and_nothing_more_is_planned_for_it(caller: Make, house: House) -> None:
    ask = caller()
    patient = ask("POST", "/patients", ANA | {"infusions": [{"starts": AHEAD}]}).json()["patient"]
    [followed] = ask("GET", f"/patients/{patient['id']}/enrolments").json()["items"]
    path = f"/enrolments/{followed['id']}/end"
    assert caller(clinic_id=add_clinic(house.out, "other", "desk@other.example"))("POST", path).status_code == 404
    assert caller(Scope.PATIENTS_WRITE)("POST", path).status_code == 403
    ended = ask("POST", path).json()
    assert ended["enrolment"]["status"] == "ended"
    assert ended["cancelled"] > 5
    assert ask("POST", path).json()["cancelled"] == 0
    [visit] = ask("GET", f"/courses/{followed['course_id']}/infusions").json()["items"]
    moved = ask("PATCH", f"/infusions/{visit['id']}", {"starts": "2026-12-04T09:30"}, If_Match='"v0"').json()
    ask("PATCH", f"/patients/{patient['id']}", {"zone": "America/New_York"}, If_Match=f'"v{patient["version"]}"')
    assert moved["planned"] == 0
    waiting = ask("GET", "/messages?status=scheduled").json()["items"]
    assert {one["step"] for one in waiting} <= {"consent.request"}
    fresh = ask("POST", f"/patients/{patient['id']}/infusions", {"starts": "2026-12-20T09:30"}).json()
    assert fresh["planned"] > 5
    assert fresh["infusion"]["course_id"] != followed["course_id"]


def test_two_forms_at_once_without_an_identifier_are_one_patient_and_a_conflict(caller: Make) -> None:
    ask = caller()
    with ThreadPoolExecutor(2) as both:
        answers = list(both.map(lambda _: ask("POST", "/patients", ANA), range(2)))
    assert sorted(one.status_code for one in answers) == [201, 409]
    assert ask("POST", "/patients", ANA | {"name": "Bo Sample"}).status_code == 201, "a family shares a phone"
    assert ask("POST", f"/enrolments/{uuid4()}/end").status_code == 404
