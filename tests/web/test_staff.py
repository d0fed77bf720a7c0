"""Staff and one's own account: invitations, roles, leaving, codes; and that somebody can always administer."""

from __future__ import annotations

import re
from datetime import timedelta
from uuid import UUID

import pyotp
import pytest
from sqlalchemy import select

from outreach.domain.access import Role
from outreach.store import colleagues, staff
from outreach.store.office import Audit
from outreach.web.console.signin import WRONG_CODE
from outreach.web.tries import PER_PERSON
from tests.web.house import NOW, PASSWORD, House, TestClient, add_clinic, field

NEW = "three brown bears sit"
STAMP = int(NOW.timestamp())


def send(browser: TestClient, page: str, path: str, **fields: str):  # type: ignore[no-untyped-def]
    return browser.post(path, data={"csrf": field(browser.get(page).text, "csrf"), **fields})


def invited(house: House, browser: TestClient, role: str = "viewer") -> str:
    answer = send(browser, "/staff", "/staff", name="Vera Viewer", email="vera@north.example", role=role)
    assert answer.status_code == 200, answer.text
    return re.search(r'value="http://testserver(/invite/[^"]+)"', answer.text)[1]  # type: ignore[index]


def deeds(house: House) -> list[str]:
    with house.out.sessions() as session:
        return list(session.scalars(select(Audit.action).order_by(Audit.seq)))


def person(house: House, email: str) -> UUID:
    with house.out.sessions() as session:
        found = staff.id_of(session, email)
    assert found
    return found


def colleague(house: House, email: str = "rita@north.example", role: Role = Role.VIEWER) -> UUID:
    with house.out.sessions.begin() as session:
        return staff.add(session, clinic_id=house.clinic_id, email=email, name="Rita", password=PASSWORD, role=role)


def sign_in(house: House, email: str, password: str) -> tuple[TestClient, str]:
    browser = house.browser()
    form = field(browser.get("/sign-in").text, "form")
    answer = browser.post("/sign-in", data={"form": form, "email": email, "password": password})
    return browser, answer.headers.get("location", str(answer.status_code))


def test_an_invited_person_sets_a_password_once(house: House) -> None:
    path = invited(house, house.desk())
    guest = house.browser()
    assert "vera@north.example" in guest.get(path).text
    assert guest.post(path, data={"password": NEW, "again": NEW}).headers["location"] == "/sign-in?set=1"
    assert sign_in(house, "vera@north.example", NEW)[1] == "/today"
    assert guest.get(path).status_code == 410
    assert guest.post(path, data={"password": NEW, "again": NEW}).status_code == 410
    assert [one for one in deeds(house) if one != "staff.signed_in"] == ["staff.invited", "staff.joined"]


@pytest.mark.parametrize(
    ("password", "again", "says"),
    [
        ("short", "short", "it needs at least 10"),
        ("password12", "password12", "a stranger would try"),
        ("vera.north.example", "vera.north.example", "a stranger would try"),
        ("aaaaaaaaaaaa", "aaaaaaaaaaaa", "a stranger would try"),
        ("try-me-please", "try-me-please", "printed on the page of the demo"),
        (NEW, NEW + "x", "not the same"),
    ],
    ids=["short", "the word password", "their own address", "one letter", "the demo's", "two that differ"],
)
def test_a_password_that_does_not_fit_is_refused_at_its_field(
    house: House, password: str, again: str, says: str
) -> None:
    path = invited(house, house.desk())
    answer = house.browser().post(path, data={"password": password, "again": again})
    assert answer.status_code == 400
    assert says in answer.text
    assert house.browser().get(path).status_code == 200, "the link is still good"


@pytest.mark.parametrize("token", ["x", "A" * 43, "%20", "é"])
def test_a_garbled_link_says_whom_to_ask(house: House, token: str) -> None:
    answer = house.browser().get(f"/invite/{token}")
    assert answer.status_code == 410
    assert "Ask an administrator" in answer.text


def test_a_link_ends_after_three_days_and_when_there_is_a_newer_one(house: House) -> None:
    desk = house.desk()
    first = invited(house, desk)
    again = send(desk, "/staff", f"/staff/{person(house, 'vera@north.example')}/invite")
    second = re.search(r'value="http://testserver(/invite/[^"]+)"', again.text)[1]  # type: ignore[index]
    assert house.browser().get(first).status_code == 410
    assert house.browser().get(second).status_code == 200
    assert house.later(timedelta(days=3, seconds=1)).browser().get(second).status_code == 410


def test_an_invitation_that_is_wrong_keeps_what_was_typed(house: House) -> None:
    answer = send(house.desk(), "/staff", "/staff", name="Vera", email="desk@NORTH.example", role="viewer")
    assert answer.status_code == 400
    assert "already belongs to somebody" in answer.text
    assert 'value="Vera"' in answer.text
    answer = send(house.desk(), "/staff", "/staff", name="", email="no address", role="queen")
    assert answer.status_code == 400
    assert answer.text.count("aria-invalid") >= 1


def test_a_role_that_changes_ends_the_sessions_of_who_has_it(house: House) -> None:
    rita = colleague(house)
    browser = house.desk("rita@north.example")
    assert send(house.desk(), "/staff", f"/staff/{rita}", do="role", role="translator").status_code == 303
    assert browser.get("/today").headers["location"] == "/sign-in"
    assert sign_in(house, "rita@north.example", PASSWORD)[1] in ("/languages", "/account")


def test_who_leaves_is_out_at_once_and_can_come_back(house: House) -> None:
    rita, desk = colleague(house), house.desk()
    browser = house.desk("rita@north.example")
    send(desk, "/staff", f"/staff/{rita}", do="out")
    assert browser.get("/today").headers["location"] == "/sign-in"
    assert sign_in(house, "rita@north.example", PASSWORD)[1] == "403"
    send(desk, "/staff", f"/staff/{rita}", do="out")
    send(desk, "/staff", f"/staff/{rita}", do="back")
    assert sign_in(house, "rita@north.example", PASSWORD)[1] == "/today"
    assert deeds(house).count("staff.deactivated") == 1, "twice pressed is once done"


@pytest.mark.parametrize("fields", [{"do": "out"}, {"do": "role", "role": "viewer"}], ids=["leaves", "another role"])
def test_the_last_administrator_stays(house: House, fields: dict[str, str]) -> None:
    desk, me = house.desk(), person(house, house.email)
    invited(house, desk, role="administrator")  # who has no password yet cannot administer
    answer = send(desk, "/staff", f"/staff/{me}", **fields)
    assert answer.status_code == 409
    assert "Make somebody else an administrator first" in answer.text
    colleague(house, role=Role.ADMINISTRATOR)
    assert send(desk, "/staff", f"/staff/{me}", **fields).status_code == 303


def test_another_clinics_people_are_not_there(house: House) -> None:
    other = add_clinic(house.out, "south", "+12025550120")
    with house.out.sessions.begin() as session:
        theirs = staff.add(session, clinic_id=other, email="s@south.example", name="Sam", password=PASSWORD)
    desk = house.desk()
    assert "Sam" not in desk.get("/staff").text
    for do in ("out", "back", "codes", "role", "invite", ""):
        path = f"/staff/{theirs}/invite" if do == "invite" else f"/staff/{theirs}"
        assert send(desk, "/staff", path, do=do, role="viewer").status_code == 404


# One's own account


def set_up_codes(browser: TestClient, now_step: int = 0) -> pyotp.TOTP:
    send(browser, "/account", "/account/codes", do="begin", password=PASSWORD)
    secret = re.search(r"<code dir=\"ltr\">([A-Z2-7 ]+)</code>", browser.get("/account").text)[1]  # type: ignore[index]
    totp = pyotp.TOTP(secret.replace(" ", ""))
    code = totp.at(STAMP + 30 * now_step)
    answer = send(browser, "/account", "/account/codes", do="confirm", code=code, password=PASSWORD)
    assert answer.status_code == 303, answer.text
    return totp


def give_code(browser: TestClient, code: str):  # type: ignore[no-untyped-def]
    form = field(browser.get("/sign-in/code").text, "form")
    return browser.post("/sign-in/code", data={"form": form, "code": code})


def test_a_code_is_asked_after_the_password_and_counts_once(house: House) -> None:
    totp = set_up_codes(house.desk(), -1)
    browser, where = sign_in(house, house.email, PASSWORD)
    assert where == "/sign-in/code"
    assert browser.get("/today").headers["location"] == "/sign-in", "half a session opens nothing"
    assert WRONG_CODE in give_code(browser, totp.at(STAMP - 30)).text, "the one that began it is used up"
    assert give_code(browser, f"{totp.at(STAMP)[:3]} {totp.at(STAMP)[3:]}").headers["location"] == "/today"
    other, _ = sign_in(house, house.email, PASSWORD)
    assert give_code(other, totp.at(STAMP)).status_code == 403
    assert give_code(other, totp.at(STAMP + 30)).headers["location"] == "/today", "a clock half a minute ahead"
    assert give_code(sign_in(house, house.email, PASSWORD)[0], totp.at(STAMP)).status_code == 403


@pytest.mark.parametrize("steps", [-2, 2])
def test_a_code_of_another_minute_is_refused(house: House, steps: int) -> None:
    totp = set_up_codes(house.desk(), -1)
    assert give_code(sign_in(house, house.email, PASSWORD)[0], totp.at(STAMP + 30 * steps)).status_code == 403


def test_codes_cannot_be_guessed_for_long(house: House) -> None:
    totp = set_up_codes(house.desk())
    browser, _ = sign_in(house, house.email, PASSWORD)
    for _ in range(PER_PERSON):
        assert give_code(browser, "000000").status_code == 403
    assert give_code(browser, totp.at(STAMP + 30)).status_code == 429


def test_the_second_step_waits_five_minutes(house: House) -> None:
    set_up_codes(house.desk())
    browser, _ = sign_in(house, house.email, PASSWORD)
    later = house.later(timedelta(minutes=5, seconds=1)).browser()
    later.cookies.update(dict(browser.cookies))
    assert later.get("/sign-in/code").headers["location"] == "/sign-in"
    assert later.post("/sign-in/code", data={"form": "x", "code": "1"}).headers["location"] == "/sign-in"


def test_the_secret_is_shown_only_until_its_first_code_and_kept_sealed(house: House) -> None:
    desk = house.desk()
    totp = set_up_codes(desk)
    page = desk.get("/account").text
    assert totp.secret not in page.replace(" ", "")
    assert "<svg" not in page
    with house.out.sessions() as session:
        stored = colleagues.row(session, house.clinic_id, person(house, house.email))
    assert totp.secret.encode() not in (stored.totp_sealed or b"")


def test_codes_end_with_the_password_alone_given_again(house: House) -> None:
    desk = house.desk()
    set_up_codes(desk)
    answer = send(desk, "/account", "/account/codes", do="remove", password="wrong")
    assert answer.status_code == 400
    assert sign_in(house, house.email, PASSWORD)[1] == "/sign-in/code"
    assert send(desk, "/account", "/account/codes", do="remove", password=PASSWORD).status_code == 303
    assert sign_in(house, house.email, PASSWORD)[1] == "/today"


def test_an_administrator_takes_codes_away(house: House) -> None:
    rita = colleague(house)
    theirs = house.desk("rita@north.example")
    set_up_codes(theirs)
    send(house.desk(), "/staff", f"/staff/{rita}", do="codes")
    assert theirs.get("/today").headers["location"] == "/sign-in"
    assert sign_in(house, "rita@north.example", PASSWORD)[1] == "/today"
    assert "staff.codes_taken_away" in deeds(house)


def test_nobody_gives_themselves_a_link_or_takes_their_own_codes_away_on_the_staff_page(house: House) -> None:
    desk, me = house.desk(), person(house, house.email)
    set_up_codes(desk)
    assert f"/staff/{me}/invite" not in desk.get("/staff").text
    for path, fields in ((f"/staff/{me}/invite", {}), (f"/staff/{me}", {"do": "codes"})):
        answer = send(desk, "/staff", path, **fields)
        assert answer.status_code == 409
        assert "For yourself, use My account" in answer.text
        assert "/invite/" not in answer.text
    assert sign_in(house, house.email, PASSWORD)[1] == "/sign-in/code"


def test_codes_begin_with_the_password_given_again(house: House) -> None:
    desk = house.desk()
    for password in ("", "wrong"):
        answer = send(desk, "/account", "/account/codes", do="begin", password=password)
        assert answer.status_code == 400
        assert "not your password" in answer.text
    assert "<svg" not in desk.get("/account").text, "no picture without it"
    send(desk, "/account", "/account/codes", do="begin", password=PASSWORD)
    secret = re.search(r"<code dir=\"ltr\">([A-Z2-7 ]+)</code>", desk.get("/account").text)[1]  # type: ignore[index]
    code = pyotp.TOTP(secret.replace(" ", "")).at(STAMP)
    answer = send(desk, "/account", "/account/codes", do="confirm", code=code, password="wrong")
    assert answer.status_code == 400
    assert sign_in(house, house.email, PASSWORD)[1] == "/today", "not in use yet"


def test_a_new_password_ends_every_other_session(house: House) -> None:
    here, elsewhere = house.desk(), house.desk()
    before = here.cookies["outreach_desk"]
    answer = send(here, "/account", "/account/password", current=PASSWORD, new=NEW, again=NEW)
    assert answer.headers["location"] == "/account?done=password"
    assert here.cookies["outreach_desk"] != before
    assert here.get("/account").status_code == 200
    assert elsewhere.get("/account").headers["location"] == "/sign-in"
    assert sign_in(house, house.email, PASSWORD)[1] == "403"
    assert sign_in(house, house.email, NEW)[1] == "/today"


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"current": "wrong", "new": NEW, "again": NEW}, "not your password"),
        ({"current": PASSWORD, "new": NEW, "again": "other"}, "not the same"),
        ({"current": PASSWORD, "new": "short", "again": "short"}, "at least 10"),
        ({}, "not your password"),
    ],
    ids=["not theirs", "differ", "short", "nothing"],
)
def test_a_new_password_that_does_not_fit_changes_nothing(house: House, fields: dict[str, str], says: str) -> None:
    desk = house.desk()
    answer = send(desk, "/account", "/account/password", **fields)
    assert answer.status_code == 400
    assert says in answer.text
    assert desk.get("/today").status_code == 200


def test_language_and_telephone_are_ones_own_and_sealed(house: House) -> None:
    desk = house.desk()
    assert send(desk, "/account", "/account", locale="en", phone="(202) 555-0143").status_code == 303
    assert "+12025550143" in desk.get("/account").text
    with house.out.sessions() as session:
        stored = colleagues.row(session, house.clinic_id, person(house, house.email))
        assert b"2025550143" not in (stored.phone_sealed or b"")
        assert "2025550143" not in str(session.scalars(select(Audit.detail)).all())
    answer = send(desk, "/account", "/account", locale="xx", phone="12")
    assert answer.status_code == 400
    assert answer.text.count("aria-invalid") == 2
    assert 'value="12"' in answer.text
