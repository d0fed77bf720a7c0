"""A patient's page: correcting, agreement, notes, more visits; two desks at once; the day; how many questions."""

from __future__ import annotations

import re
from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import select, update

from outreach.domain.channel import Channel
from outreach.domain.consent import State, may_contact
from outreach.store import consents, patients
from outreach.store.office import Audit, Task
from outreach.store.tables import Infusion, Patient, Staff
from outreach.store.traffic import Message
from tests.web.house import NOW, House, count_queries, field
from tests.web.test_console import enrol


@pytest.fixture
def locales() -> tuple[str, ...]:
    return ()  # all of them


def home(house: House, **changes: str) -> str:
    """Enrol; the path of the patient's page."""
    return enrol(house, **changes).partition("?")[0]


def typed(html: str) -> dict[str, str]:
    """The edit form as the browser would send it."""
    form = dict(re.findall(r'<input[^>]* name="([^"]+)"[^>]*? value="([^"]*)"', html))
    form |= dict(re.findall(r'<input type="radio" name="([^"]+)" value="([^"]+)" checked', html))
    for name, body in re.findall(r'<select id="[^"]+" name="([^"]+)"[^>]*>(.*?)</select>', html, re.S):
        form[name] = re.findall(r'value="([^"]*)" selected', body)[0]
    return form


def actions(house: House) -> list[str]:
    with house.out.sessions() as session:
        every = session.scalars(select(Audit.action).order_by(Audit.seq))
        return [one for one in every if not one.startswith("staff.")]


def state(house: House, channel: Channel = Channel.SMS) -> State:
    with house.out.sessions() as session:
        patient_id = session.scalars(select(Patient.id)).one()
        reach = patients.addresses(session, house.clinic_id, patient_id)[channel]
        return may_contact(consents.ledger(session, reach.id), house.out.clock()).state


def test_a_wrong_number_is_corrected_and_the_new_one_is_asked_first(house: House) -> None:
    path, browser = home(house), house.desk()
    form = typed(browser.get(f"{path}/edit").text)
    assert form["phone"] == "+12025550188"
    form |= {"phone": "(202) 555-0177", "step": "preview"}
    preview = browser.post(f"{path}/edit", data=form).text
    assert "Not saved yet" in preview
    assert "+1 202-555-0188" in preview
    assert "+1 202-555-0177" in preview
    assert "The new one is asked first" in preview
    assert "Asking for agreement" in preview
    assert state(house) is State.AGREED
    saved = browser.post(f"{path}/edit", data=form | {"step": "save"})
    assert "Saved." in browser.get(saved.headers["location"]).text
    assert state(house) is State.NONE
    assert actions(house) == ["patient.enrolled", "patient.changed"]
    same = typed(browser.get(f"{path}/edit").text) | {"step": "save"}
    assert browser.post(f"{path}/edit", data=same).headers["location"].endswith("saved=same")


def test_a_corrected_number_tells_what_went_to_the_old_one_and_that_the_plan_waits(house: House) -> None:
    path, browser = home(house), house.desk()
    assert "full: they name the treatment" in browser.get(path).text
    with house.out.sessions.begin() as session:
        first, second, third = session.scalars(select(Message).order_by(Message.due_at)).all()[:3]
        for one, wording in ((first, "full"), (second, "neutral")):
            one.status, one.sent_at, one.wording = "delivered", NOW, wording
        third.status = "failed"
    form = typed(browser.get(f"{path}/edit").text) | {"phone": "(202) 555-0177", "step": "preview"}
    preview = browser.post(f"{path}/edit", data=form).text
    assert "2 texts went to the old number already." in preview
    assert "1 of them named the treatment." in preview
    assert re.search(r"\d+ planned messages wait for the patient's agreement", preview.replace("&#39;", "'"))
    assert re.search(r"\d+ other planned messages keep their times and words", preview)
    assert "Messages before and after" not in preview, "no row whose before and after are the same"
    browser.post(f"{path}/edit", data=form | {"step": "save"})
    page = browser.get(path).text
    assert len(re.findall(r'muted">to <[^>]*>\+1.202.555.0188<', page)) == 2
    lines = re.findall(r'<li class="[^"]*" id="m-.*?</li>', page, re.S)
    planned = [one for one in lines if "◷" in one]
    assert len(planned) > 3
    assert ["Waits for agreement" in one for one in planned] == ["Asking for agreement" not in one for one in planned]
    assert "neutral until the patient agrees" in page
    assert "full: they name the treatment" not in page


def test_another_clock_and_language_move_and_reword_the_plan(house: House) -> None:
    path, browser = home(house), house.desk()
    form = typed(browser.get(f"{path}/edit").text) | {"zone": "Europe/Madrid", "locale": "en"}
    preview = browser.post(f"{path}/edit", data=form).text
    assert "What changes" in preview
    assert "in Madrid" in preview
    gone = typed(browser.get(f"{path}/edit").text) | {"active": "no", "step": "save"}
    html = browser.get(browser.post(f"{path}/edit", data=gone).headers["location"]).text
    assert "This patient is inactive" in html
    with house.out.sessions() as session:
        assert "scheduled" not in set(session.scalars(select(Message.status).where(Message.infusion_id.is_not(None))))


def test_the_second_of_two_desks_sees_what_changed_and_what_they_typed(house: House) -> None:
    path, one, other = home(house), house.desk(), house.desk()
    first, second = (typed(browser.get(f"{path}/edit").text) for browser in (one, other))
    assert one.post(f"{path}/edit", data=first | {"locale": "en", "step": "save"}).status_code == 303
    late = other.post(f"{path}/edit", data=second | {"name": "José Núñez", "step": "save"})
    assert late.status_code == 409
    assert "Somebody changed this patient" in late.text
    assert "You did so yourself, Sat, Nov 21, 2026" in late.text
    assert re.search(r"English.*Spanish", late.text, re.S)
    again = typed(late.text)
    assert again["name"] == "José Núñez"
    assert other.post(f"{path}/edit", data=again | {"locale": "en", "step": "save"}).status_code == 303
    with house.out.sessions() as session:
        person = patients.get(session, house.clinic_id, UUID(path.rpartition("/")[2]))
    assert (person.name, person.locale, person.version) == ("José Núñez", "en", 2)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"name": ""}, "Give the name"),
        ({"phone": "", "email": ""}, "Give a mobile number"),
        ({"wording": "x"}, "Choose"),
    ],
)
def test_a_wrong_field_is_told_and_nothing_is_lost(house: House, changes: dict[str, str], says: str) -> None:
    path, browser = home(house), house.desk()
    form = typed(browser.get(f"{path}/edit").text) | {"zone": "Europe/Madrid", "step": "save"} | changes
    answer = browser.post(f"{path}/edit", data=form)
    assert answer.status_code == 422
    assert says in answer.text
    assert 'value="Europe/Madrid" selected' in answer.text


def test_staff_stop_everything_and_write_down_a_new_agreement(house: House) -> None:
    path, browser = home(house), house.desk()
    way = f'href="{path}?stop=1#stop"'
    assert way in browser.get(path).text
    assert re.search(r'<details id="stop"[^>]* open>', browser.get(f"{path}?stop=1").text)
    assert not re.search(r'<details id="stop"[^>]* open>', browser.get(path).text)
    csrf = field(browser.get(path).text, "csrf")
    assert "Tick this first" in browser.post(f"{path}/stop", data={"csrf": csrf}).text, "one press is not enough"
    for _ in range(2):
        assert browser.post(f"{path}/stop", data={"csrf": csrf, "asked": "1"}).status_code == 303
    assert state(house) is State.REVOKED_BY_STAFF
    assert way not in browser.get(path).text, "there is nothing left to stop"
    paper = {"csrf": csrf, "for_sms": "1", "signed": "2026-11-21", "warned": "1"}
    same_day = browser.post(f"{path}/agreement", data=paper)
    assert "The later word counts" in browser.get(same_day.headers["location"]).text
    tomorrow = house.later(timedelta(days=1))
    desk = tomorrow.desk()
    csrf = field(desk.get(path).text, "csrf")
    done = desk.post(f"{path}/agreement", data=paper | {"csrf": csrf, "signed": "2026-11-22"})
    assert "The agreement is written down" in desk.get(done.headers["location"]).text
    assert state(tomorrow) is State.AGREED
    for wrong, says in (({"signed": "2026-12-24"}, "still to come"), ({"for_sms": ""}, "Choose what")):
        answer = desk.post(f"{path}/agreement", data=paper | {"csrf": csrf} | wrong)
        assert answer.status_code == 422
        assert says in answer.text
    assert actions(house) == ["patient.enrolled", "consent.revoked", "consent.recorded", "consent.recorded"]


def test_a_note_is_kept_once_and_shown_as_typed(house: House) -> None:
    path, browser = home(house), house.desk()
    csrf = field(browser.get(path).text, "csrf")
    for _ in range(2):
        browser.post(f"{path}/notes", data={"csrf": csrf, "note": "<b>Call</b> after 5"})
    html = browser.get(path).text
    assert html.count("&lt;b&gt;Call&lt;/b&gt; after 5") == 1
    assert "Dana Desk" in html
    assert browser.post(f"{path}/notes", data={"csrf": csrf, "note": " "}).status_code == 422
    too_long = browser.post(f"{path}/notes", data={"csrf": csrf, "note": "x" * 2001})
    assert "2001 characters" in too_long.text
    assert "x" * 2001 in too_long.text


def test_a_course_is_filled_in_changed_and_booked_once(house: House) -> None:
    path, browser = home(house), house.desk()
    csrf = field(browser.get(f"{path}/visits").text, "csrf")
    form = {"csrf": csrf, "date": "2026-12-08", "time": "09:30", "minutes": "40", "every": "3", "times": "3"}
    filled = browser.post(f"{path}/visits", data=form | {"step": "fill"}).text
    assert 'name="date3" type="date" value="2026-12-14"' in filled
    course = form | {"every": "", "times": "", "date2": "2026-12-11", "time2": "09:30", "date3": "2026-12-15",
                     "time3": "10:00"}  # fmt: skip
    preview = browser.post(f"{path}/visits", data=course).text.replace("\u202f", " ")
    assert "Tue, Dec 15, 2026, 10:00" in preview
    assert "Not saved yet" in preview
    for expected in ("added", "same"):
        done = browser.post(f"{path}/visits", data=course | {"step": "save"})
        assert done.headers["location"].endswith(f"saved={expected}")
    with house.out.sessions() as session:
        assert len(session.scalars(select(Infusion.id)).all()) == 4
    assert actions(house) == ["patient.enrolled", "visit.added"]


def test_a_whole_course_is_enrolled_at_once(house: House) -> None:
    html = house.desk().get(home(house, every="3", times="6")).text
    with house.out.sessions() as session:
        starts = session.scalars(select(Infusion.starts).order_by(Infusion.starts)).all()
    assert [one.day for one in starts] == [5, 8, 11, 14, 17, 20]
    assert html.count("Move or cancel") == 6


def test_a_long_timeline_is_cut_into_parts_that_meet(house: House) -> None:
    path, browser = home(house, every="3", times="12"), house.desk()
    first = browser.get(path).text
    later = re.search(r'href="([^"]*start=\d+)#messages">Later', first)
    assert later
    parts = [set(re.findall(r'id="m-([0-9a-f-]+)"', html)) for html in (first, browser.get(later[1]).text)]
    assert not parts[0] & parts[1]
    assert len(parts[0]) == 40
    assert len(first.encode()) < 150_000


def test_why_nothing_came_is_told_in_words(house: House) -> None:
    path, browser = home(house), house.desk()
    csrf = field(browser.get(path).text, "csrf")
    browser.post(f"{path}/stop", data={"csrf": csrf, "asked": "1"})
    html = browser.get(path).text
    assert "What happened" in html
    assert "the clinic took the agreement back" in html


def test_the_day_shows_visits_tasks_and_no_test_of_staff(house: House) -> None:
    path, browser = home(house), house.desk()
    patient_id = UUID(path.rpartition("/")[2])
    with house.out.sessions.begin() as session:
        session.add(Task(clinic_id=house.clinic_id, patient_id=patient_id, kind="call", occasion="x", opened_at=NOW,
                         due_at=NOW))  # fmt: skip
    html = browser.get("/today?day=2026-12-05").text
    assert html.count(f'href="{path}"') == 1
    assert "/inbox/" in html
    assert "Asks to be called" in html
    assert "Asks to be called" in browser.get(path).text
    with house.out.sessions.begin() as session:
        session.execute(update(Staff).values(test_patient_id=patient_id))
        session.execute(update(Patient).values(test=True))
    assert "José" not in browser.get("/patients").text
    assert "No message is planned" in browser.get("/today").text


@pytest.mark.parametrize("path", ["/today", "/today/messages?day=2026-12-02", "/patients", "patient"])
def test_more_rows_ask_no_more_questions(house: House, path: str) -> None:
    own = home(house, external="A-1", phone="+12025550101")
    browser = house.desk()

    def asked() -> int:
        with count_queries(house.out.engine) as statements:
            assert browser.get(own if path == "patient" else path).status_code == 200
        return len(statements)

    before = asked()
    for number in range(3):
        home(house, external=f"B-{number}", phone=f"+1202555013{number}", name=f"Ana {'ABC'[number]}")
    form = {"csrf": field(browser.get(f"{own}/visits").text, "csrf"), "date": "2026-12-20", "time": "10:00",
            "minutes": "60", "step": "save"}  # fmt: skip
    assert browser.post(f"{own}/visits", data=form).status_code == 303
    assert asked() == before <= 20


def test_a_visit_already_begun_cannot_be_moved_into_the_past_or_a_gap(house: House) -> None:
    path, browser = home(house), house.desk()
    visit = re.search(r'href="(/visits/[^"]*)"', browser.get(path).text)
    assert visit
    html = browser.get(visit[1]).text
    form = {"csrf": field(html, "csrf"), "revision": "0", "step": "save"}
    for changes, at_fault, says in (
        ({"date": "2026-11-01", "time": "10:00"}, "date", "This time is over"),
        ({"date": "2027-03-14", "time": "02:30"}, "time", "this hour does not exist"),
        ({"date": "2026-12-08", "time": "10:00", "minutes": "x"}, "minutes", "from 1 to 1440"),
    ):
        answer = browser.post(f"{visit[1]}/move", data=form | changes)
        assert answer.status_code == 422
        note = re.search(rf'<div id="{at_fault}-note"><p class="wrong">([^<]*)', answer.text)
        assert note
        assert says in note[1]
        assert f'value="{changes["date"]}"' in answer.text
