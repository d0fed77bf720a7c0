"""The console: enrolling with a look ahead, finding, moving, and the wall between clinics."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from html import escape
from threading import Barrier
from uuid import uuid4

import pytest
from fastapi.routing import APIRoute
from sqlalchemy import func, select

from outreach.domain.access import Role
from outreach.store import patients, staff
from outreach.store.office import Note
from outreach.store.tables import Base, Consent, Infusion, Patient
from outreach.store.traffic import Message
from outreach.web.access import PUBLIC, who_may
from outreach.web.console import PARTS
from tests.web.house import NOW, PASSWORD, House, add_clinic, field

FORM = {
    "name": "José Ñandú", "external": "A-17", "locale": "es", "zone": "America/Chicago", "phone": "(202) 555-0188",
    "email": "", "date": "2026-12-05", "time": "09:30", "minutes": "40", "consent": "warned", "signed": "2026-11-20",
}  # fmt: skip


def enrol(house: House, **changes: str) -> str:
    """Enrol through the form; the path of the new patient's page."""
    browser = house.desk()
    csrf = field(browser.get("/patients/new").text, "csrf")
    answer = browser.post("/patients/new", data=FORM | changes | {"csrf": csrf, "step": "save"})
    assert answer.status_code == 303, answer.text
    return str(answer.headers["location"])


def count(house: House, table: type[Base]) -> int:
    with house.out.sessions() as session:
        return session.scalar(select(func.count()).select_from(table)) or 0


def test_the_preview_shows_every_message_and_saves_nothing(house: House) -> None:
    browser = house.desk()
    csrf = field(browser.get("/patients/new").text, "csrf")
    html = browser.post("/patients/new", data=FORM | {"csrf": csrf, "step": "preview"}).text
    assert "Not saved yet" in html
    assert "José Ñandú" in html
    assert "Wed, Dec 2, 2026, 10:00" in html.replace("\u202f", " ")  # three days before, in Chicago
    assert "at the clinic" in html
    assert 'lang="es"' in html
    assert (count(house, Patient), count(house, Message), count(house, Infusion)) == (0, 0, 0)
    with house.out.sessions() as session:
        assert session.scalar(select(func.count()).select_from(Base.metadata.tables["consent_event"])) == 0


def test_the_preview_names_address_and_visit_and_shows_the_words_that_will_go(house: House) -> None:
    browser = house.desk()
    csrf = field(browser.get("/patients/new").text, "csrf")

    def preview(**more: str) -> str:
        return str(browser.post("/patients/new", data=FORM | {"csrf": csrf, "step": "preview"} | more).text)

    asked, warned, plain = (preview(consent=how) for how in ("", "warned", "paper"))
    for html in (asked, warned, plain):
        assert "Texts go to</dt>" in html
        assert re.search(r"Texts go to</dt><dd><bdi[^>]*>\+1 202-555-01\d\d</bdi>", html)
        assert html.index("<h2>Visits</h2>") < html.index('class="when">') < html.index(">Messages</h2>")
    until = "neutral until the patient agrees"
    assert ["Words: full" in html for html in (warned, asked)] == [True, False]
    assert [until in html for html in (warned, asked)] == [False, True]
    assert until in browser.get("/patients/new").text
    assert until in browser.get(enrol(house, consent="")).text, "the same before saving as after"
    for html in (asked, warned):
        assert "ketamina" in html.casefold()
    assert "Words: neutral" in plain
    assert "ketamina" not in plain.casefold().partition(">messages</h2>")[2]


def test_what_the_preview_showed_is_what_is_saved(house: House) -> None:
    browser = house.desk()
    csrf = field(browser.get("/patients/new").text, "csrf")
    preview = browser.post("/patients/new", data=FORM | {"csrf": csrf, "step": "preview"}).text
    saved = browser.get(enrol(house)).text

    def lines(html: str) -> list[str]:
        return re.findall(r'<strong>([^<]*)</strong>\s*<span class="muted">|<div class="when">([^<]*)', html)

    assert lines(preview)
    assert lines(saved) == lines(preview)
    assert "Enrolled." in saved


@pytest.mark.parametrize(
    "typed",
    [
        pytest.param({}, id="with an identifier"),
        pytest.param({"external": ""}, id="known by a number"),
        pytest.param({"external": "", "phone": "", "email": "jo@home.example"}, id="known by a mailbox"),
    ],
)
def test_a_form_sent_twice_at_once_makes_one_patient(house: House, typed: dict[str, str]) -> None:
    browsers, together = [house.desk(), house.desk()], Barrier(2)
    forms = [FORM | typed | {"csrf": field(one.get("/patients/new").text, "csrf"), "step": "save"} for one in browsers]

    def send(at: int) -> int:
        together.wait()
        return browsers[at].post("/patients/new", data=forms[at]).status_code

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(send, range(2))) == [303, 422]
    assert count(house, Patient) == 1


def test_going_back_keeps_what_was_typed(house: House) -> None:
    browser = house.desk()
    csrf = field(browser.get("/patients/new").text, "csrf")
    html = browser.post("/patients/new", data=FORM | {"csrf": csrf, "step": "change"}).text
    assert 'value="José Ñandú"' in html
    assert 'value="es" selected' in html
    assert 'value="warned" checked' in html


@pytest.mark.parametrize(
    ("changes", "at_fault", "says"),
    [
        ({"name": " "}, "name", "Give the name"),
        ({"name": "https://evil.example"}, "name", "does not look like a name"),
        ({"phone": "12"}, "phone", "too few digits"),
        ({"phone": "", "email": ""}, "phone", "Give a mobile number or an e-mail address"),
        ({"email": "no-at"}, "email", "Not an e-mail address"),
        ({"name": "x" * 300}, "name", "300 characters"),
        ({"name": "Ana 🎉"}, "name", "pictures or signs"),
        ({"name": "Ana \u202eevil"}, "name", "turn text around"),
        ({"name": "<script>alert(1)</script>"}, "name", "signs such as &lt;. Leave them out"),
        ({"name": "www.evil"}, "name", "does not look like a name"),
        ({"name": "win evil.example now"}, "name", "does not look like a name"),
        ({"locale": "xx"}, "locale", "Choose one from the list"),
        ({"zone": "Mars/Base"}, "zone", "Choose one from the list"),
        ({"date": "9999-12-31"}, "date", "too far away"),
        ({"date2": "2026-12-05", "time2": "09:30"}, "date2", "on the form twice"),
        ({"date2": "2026-12-08", "time2": ""}, "time2", "Give a date and a time"),
        ({"every": "0", "times": "3"}, "every", "from 1 to 90"),
        ({"date": ""}, "date", "Give a date and a time"),
        ({"time": "25:00"}, "time", "Give a date and a time"),
        ({"date": "2026-11-20"}, "date", "This time is over: it is Sat, Nov 21, 2026, 1:00\u202fPM at the clinic"),
        ({"date": "2027-03-14", "time": "02:30"}, "time", "this hour does not exist"),
        ({"minutes": "0"}, "minutes", "from 1 to 1440"),
        ({"minutes": "٤٠"}, "minutes", "from 1 to 1440"),
        ({"signed": "2026-12-24"}, "signed", "still to come"),
        ({"signed": ""}, "signed", "Give the date it was signed"),
    ],
)
def test_a_mistake_is_told_beside_its_field(house: House, changes: dict[str, str], at_fault: str, says: str) -> None:
    browser = house.desk()
    csrf = field(browser.get("/patients/new").text, "csrf")
    answer = browser.post("/patients/new", data=FORM | changes | {"csrf": csrf, "step": "save"})
    assert answer.status_code == 422
    note = re.search(rf'<div id="{at_fault}-note"><p class="wrong">([^<]*)', answer.text)
    assert note
    assert says in note[1]
    assert count(house, Patient) == 0


@pytest.mark.parametrize(
    "name",
    [
        "Sinéad O’Brien-Smith",
        "St.John Mark",
        "نور الدین",
        "می\u200cنا",
        "王小明",
        "J. R. R. Núñez",
        "Ana (Mother) & Co",
    ],
)
def test_a_name_of_any_script_is_taken_and_shown_as_typed(house: House, name: str) -> None:
    assert f"<bdi>{escape(name)}</bdi>" in house.desk().get(enrol(house, name=name)).text


def test_a_stored_name_never_runs(house: House) -> None:
    patient_id = house.patient()
    with house.out.sessions.begin() as session:
        person = patients.get(session, house.clinic_id, patient_id)
        patients.change(session, person, {"name": "<b>{{ 7*7 }}</b>"})
    html = house.desk().get(f"/patients/{patient_id}").text
    assert "&lt;b&gt;{{ 7*7 }}&lt;/b&gt;" in html
    assert "<b>{{" not in html


def test_the_same_person_is_not_enrolled_twice(house: House) -> None:
    enrol(house)
    other = add_clinic(house.out, "south", "+12025550199")
    with house.out.sessions.begin() as session:
        patients.add(session, clinic_id=other, name="José Ñandú", locale="es", zone="America/Chicago", wording="full",
                     external="A-19", now=NOW)  # fmt: skip
    with house.out.sessions() as session:
        known = session.scalars(select(Patient.id).where(Patient.clinic_id == house.clinic_id)).one()
    for again, at in (({}, "external"), ({"external": ""}, "phone")):
        with pytest.raises(AssertionError, match="enrolled already") as refused:
            enrol(house, **again)
        page = str(refused.value)
        assert f'id="{at}-note"><p class="wrong">This patient is enrolled already.' in page, again
        assert f'href="/patients/{known}"' in page, again
        assert f'href="/patients/{known}/visits"' in page, again
    enrol(house, external="A-18", name="Another of the family")
    enrol(house, external="A-19", phone="(202) 555-0189")
    assert count(house, Patient) == 4, "one of them another clinic's: its number says nothing here"


def test_without_consent_only_the_question_goes_and_the_page_says_so(house: House) -> None:
    html = house.desk().get(enrol(house, consent="")).text
    assert "Asking for agreement" in html
    assert "Nothing is recorded" in html


@pytest.mark.parametrize(
    "wanted", ["A-17", "a1", "+1 202 555 0188", "2025550188", "0188", "nandu", "José ñan", "jose 0188"]
)
def test_a_patient_is_found_by_what_the_desk_knows(house: House, wanted: str) -> None:
    enrol(house)
    browser = house.desk()
    csrf = field(browser.get("/patients").text, "csrf")
    assert "José Ñandú" in browser.post("/patients", data={"csrf": csrf, "find": wanted}).text
    for other in ("188", "andu", "A-18", "jose 0189"):
        answer = browser.post("/patients", data={"csrf": csrf, "find": other})
        assert "José Ñandú" not in answer.text
        assert "Nobody here is found" in answer.text


def test_a_visit_moves_once_for_two_desks(house: House) -> None:
    browser = house.desk()
    page = browser.get(enrol(house)).text
    visit = re.search(r'href="(/visits/[^"]*)"', page)
    assert visit
    html = browser.get(visit[1]).text
    form = {"csrf": field(html, "csrf"), "revision": field(html, "revision"), "date": "2026-12-08", "time": "11:00"}
    preview = browser.post(f"{visit[1]}/move", data=form).text.replace("\u202f", " ")
    assert "Not saved yet" in preview
    assert "to <strong>Tue, Dec 8, 2026, 11:00" in preview
    assert count(house, Infusion) == 1
    with house.out.sessions() as session:
        assert session.scalars(select(Infusion.revision)).all() == [0]
    form["step"] = "save"
    with house.out.sessions.begin() as session:
        staff.add(session, clinic_id=house.clinic_id, email="mia@north.example", name="Mia Móvil", password=PASSWORD,
                  role=Role.COORDINATOR)  # fmt: skip
    mia = house.desk("mia@north.example")
    theirs = {"csrf": field(mia.get(visit[1]).text, "csrf"), "revision": "0", "step": "save"}
    moved = browser.post(f"{visit[1]}/move", data=form)
    assert "It was <bdi>Dana Desk</bdi>, Sat, Nov 21, 2026" in mia.post(f"{visit[1]}/cancel", data=theirs).text
    assert "Tue, Dec 8, 2026, 11:00" in browser.get(moved.headers["location"]).text.replace("\u202f", " ")
    late = browser.post(f"{visit[1]}/move", data=form | {"date": "2026-12-09"})
    assert late.status_code == 409
    assert "Somebody changed this visit" in late.text
    assert "You did so yourself, Sat, Nov 21, 2026" in late.text
    assert "It is now on Tue, Dec 8, 2026, 11:00" in late.text.replace("\u202f", " ")
    assert 'value="2026-12-09"' in late.text
    assert field(late.text, "revision") == "1"
    cancel = {"csrf": form["csrf"], "revision": "1"}
    assert "Not cancelled yet" in browser.post(f"{visit[1]}/cancel", data=cancel).text
    cancelled = browser.post(f"{visit[1]}/cancel", data=cancel | {"step": "save"})
    assert "the visit was cancelled" in browser.get(cancelled.headers["location"]).text
    with house.out.sessions() as session:
        assert session.scalars(select(Infusion.status)).all() == ["cancelled"]


@pytest.mark.parametrize("when", [{"date": "2026-11-01", "time": "10:00"}, {"date": "x", "time": ""}])
def test_a_visit_cannot_move_to_nowhere(house: House, when: dict[str, str]) -> None:
    browser = house.desk()
    visit = re.search(r'href="(/visits/[^"]*)"', browser.get(enrol(house)).text)
    assert visit
    csrf = field(browser.get(visit[1]).text, "csrf")
    answer = browser.post(f"{visit[1]}/move", data=when | {"csrf": csrf, "revision": "0"})
    assert answer.status_code == 422
    assert 'role="alert"' in answer.text


def test_today_counts_in_words(house: House) -> None:
    house.message(house.patient(), "consent.request")
    html = house.desk().get("/today").text
    assert re.search(r'show=due"><b>1</b>', html)
    listed = house.desk().get("/today/messages?show=due").text
    assert "Ana Sample" in listed
    assert "Asking for agreement" in listed
    assert "Ana Sample" not in house.desk().get("/today/messages?show=trouble").text
    for day in ("2026-11-20", "nonsense", "0001-01-01", "9999-12-31"):
        assert house.desk().get(f"/today?day={day}").status_code == 200


def test_another_clinics_rows_are_not_found(house: House) -> None:
    """Every route with an id, tried by the staff of another clinic, reads and changes nothing."""
    own = house.desk()
    path = enrol(house).partition("?")[0]
    visit = re.search(r'href="(/visits/[^"]*)"', own.get(path).text)
    assert visit
    other = add_clinic(house.out, "south", "+12025550111")
    with house.out.sessions.begin() as session:
        staff.add(
            session, clinic_id=other, email="desk@south.example", name="S", password=PASSWORD, role=Role.ADMINISTRATOR
        )
    stranger = house.desk("desk@south.example")
    csrf = field(stranger.get("/today").text, "csrf")
    form = {"csrf": csrf, "revision": "0", "date": "2026-12-08", "time": "11:00"}
    assert stranger.get(path).status_code == 404
    assert stranger.get(visit[1]).status_code == 404
    for end in ("/edit", "/visits"):
        assert stranger.get(path + end).status_code == 404
    for end in ("/edit", "/visits", "/notes", "/agreement", "/stop"):
        assert stranger.post(path + end, data=form | {"step": "save", "note": "x"}).status_code in (404, 422), end
    assert stranger.post(f"{visit[1]}/move", data=form).status_code == 404
    assert stranger.post(f"{visit[1]}/cancel", data=form).status_code == 404
    assert "José" not in stranger.get("/patients").text
    assert "José" not in stranger.get("/today").text
    for wanted in ("A-17", "+12025550188"):
        assert "José" not in stranger.post("/patients", data={"csrf": csrf, "find": wanted}).text
    with house.out.sessions() as session:
        assert session.scalars(select(Infusion.revision)).all() == [0]
        assert session.scalars(select(Patient.version)).all() == [0]
        assert not session.scalars(select(Note.id)).all()
        assert set(session.scalars(select(Consent.kind))) == {"agreed"}
    assert stranger.get(f"/patients/{uuid4()}").status_code == 404


def test_every_console_route_asks_who_is_there(house: House) -> None:
    """A new route that forgets the desk is found here, not by a stranger."""
    browser = house.browser()
    routes = [route for part in PARTS for route in part.router.routes if isinstance(route, APIRoute)]
    asked = [route for route in routes if not any(who_may(one, route.path) is PUBLIC for one in route.methods or ())]
    assert len(asked) >= 9
    for route in asked:
        path = re.sub(r"\{[^}]*\}", str(uuid4()), route.path)
        for method in route.methods or ():
            assert browser.request(method, path).headers.get("location") == "/sign-in", path


def test_a_later_clock_shows_later_messages(house: House) -> None:
    enrol(house)
    later = house.later(timedelta(days=11))
    assert later.out.clock() > NOW
    assert "José Ñandú" in later.desk().get("/today/messages").text
