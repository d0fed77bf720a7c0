"""What an address may hold: nothing in it is a fault of ours, and a person who opens it is shown a page."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import quote

import pytest
from fastapi.dependencies.models import Dependant

from outreach.bench.page_doors import Room, doors
from outreach.store import staff
from outreach.store.tables import Clinic
from outreach.web.access import DOORS
from outreach.web.console.course import FIELDS
from outreach.web.headers import PATIENTS_PATHS
from tests.web.house import PASSWORD, House, field
from tests.web.test_access import framework, walk
from tests.web.test_many_rows import fill

ZERO, DIGITS = "a\0b", "9" * 5000
REFUSED = (ZERO, DIGITS, "\u0663" * 4000)
ODD = ("-1", "\u00b2", "9" * 25, "9" * 3999)
BY_HAND = ("in", "set", *FIELDS)
ASKS_BY_HAND = ("/sign-in", "/p/{token}", "/join/{slug}", "/sequences/{name}/course")
"""Where a handler takes questions from the request itself, so that no route names them."""
SAYINGS = {"done", "saved", "set", "sent"}
"""What only chooses a sentence to be shown: one odd value is as good as four."""
FILES = ("/delivery.csv", "/delivery.xlsx", "/imports/example.csv", "/styleguide.css")
LIST = b"name,phone\nAna Sample,+12025550143\n"


def questions(house: House) -> dict[str, set[str]]:
    """For each path of a GET the names that may stand behind its question mark."""
    return {
        route.path: set(named(route.dependant))  # type: ignore[attr-defined]
        for route in walk(framework(house).routes)
        if "GET" in (getattr(route, "methods", None) or ())
    }


def named(dependant: Dependant) -> Iterator[str]:
    yield from (one.alias for one in dependant.query_params)
    for below in dependant.dependencies:
        yield from named(below)


def pages(house: House) -> Iterator[tuple[str, str]]:
    """(route, the same with ids that exist) of every page for people, with rows enough that each shows something."""
    out = house.out
    with out.sessions.begin() as session:
        known = staff.recognise(session, house.email, PASSWORD)
        assert known is not None
        session.get_one(Clinic, house.clinic_id).join_open = True
    fill(house, known.staff_id, 2)
    desk = house.desk()
    csrf = field(desk.get("/imports").text, "csrf")
    taken = desk.post("/imports", data={"csrf": csrf}, files={"file": ("list.csv", LIST)})
    upload = re.search(r"^/imports/([0-9a-f-]{36})", taken.headers["location"])
    assert upload
    yield "/imports/{upload_id}", upload[0]
    yield from ((door.name, door.path) for door in doors(out) if door.room is not Room.API and "?" not in door.path)
    yield from ((path, path) for path in FILES)


def with_parts() -> list[str]:
    """The pages for people whose path has a part that anybody can write."""
    return [path for how, path in DOORS if how == "GET" and "{" in path and not path.startswith(("/api/", "/hooks/"))]


def test_whatever_stands_in_an_address_is_answered_and_to_people_with_a_page(house: House) -> None:
    asked, wrong = 0, []
    names, opened = questions(house), list(pages(house))
    desk = house.desk()

    def ask(address: str, *may: int) -> None:
        nonlocal asked
        if len(wrong) > 20:
            return  # enough to tell, and hundreds of tracebacks take minutes to write
        asked += 1
        try:
            answer = desk.get(address)
        except Exception as error:  # what the server would answer 500
            wrong.append(f"{address[:90]}: {error!r:.200}")
            return
        kind = answer.headers.get("content-type", "")
        if answer.status_code not in may or "json" in kind:
            wrong.append(f"{address[:90]}: {answer.status_code} {kind}")

    for route, path in opened:
        own = [*sorted(names[route]), *(BY_HAND if route in ASKS_BY_HAND else ())]
        for value in REFUSED[: 3 if set(own) - SAYINGS else 1]:
            ask(f"{path}?{[*own, 'in'][0]}={quote(value)}", 404 if path.startswith(PATIENTS_PATHS) else 400)
        for value in ODD[: 4 if set(own) - SAYINGS else len(own)]:
            ask(f"{path}?" + "&".join(f"{name}={quote(value)}" for name in own), 200, 303, 400, 404, 422)
    for route in with_parts():
        for value in REFUSED[:2]:
            ask(re.sub(r"{.*?}", quote(value), route), 404 if route.startswith(PATIENTS_PATHS) else 400)
        ask(re.sub(r"{.*?}", ODD[-1], route), 200, 303, 404, 410)
    assert not wrong, "\n".join(wrong)
    assert asked > 250


@pytest.mark.parametrize("address", ["/patients?cursor=%00", "/sequences/a%00b", f"/messages?limit={DIGITS}"])
def test_other_software_is_told_so_as_a_problem(house: House, address: str) -> None:
    answer = house.browser().get(f"/api/v1{address}")
    assert (answer.status_code, answer.headers["content-type"]) == (400, "application/problem+json")
    assert "cannot be read" in answer.json()["detail"]


@pytest.mark.parametrize("address", ["/imports?page=abc", "/today/messages?after=x"])
def test_nonsense_where_a_number_belongs_is_a_page_that_leads_back(house: House, address: str) -> None:
    answer = house.desk().get(address)
    assert (answer.status_code, answer.headers["content-type"]) == (400, "text/html; charset=utf-8")
    assert "is not what belongs there" in answer.text
    assert f'<a href="{address.partition("?")[0]}">' in answer.text
    assert house.browser().get(address).headers["location"] == "/sign-in", "and nobody learns of it who is not in"


@pytest.mark.parametrize("value", [ZERO, DIGITS])
def test_a_form_with_what_nobody_types_is_refused_as_a_whole(house: House, value: str) -> None:
    desk = house.desk()
    csrf = {"csrf": field(desk.get("/patients").text, "csrf")}
    files = {"file": ("list.csv", LIST)}
    for answer in (
        desk.post("/patients", data=csrf | {"language": value}),
        desk.post("/imports", data=csrf | {"more": value}, files=files),
    ):
        assert answer.status_code == 400
        assert "This form holds a character or a number that cannot be read." in answer.text


def test_a_list_whose_name_no_row_can_hold_is_refused(house: House) -> None:
    desk = house.desk()
    csrf = field(desk.get("/imports").text, "csrf")
    part = '--x\r\nContent-Disposition: form-data; name="{}"{}\r\n\r\n{}\r\n'
    body = part.format("csrf", "", csrf) + part.format("file", '; filename="a\0.csv"', LIST.decode()) + "--x--\r\n"
    answer = desk.post("/imports", content=body, headers={"Content-Type": "multipart/form-data; boundary=x"})
    assert answer.status_code == 400
