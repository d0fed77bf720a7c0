"""Patient lists in the console: uploaded, understood, looked at, loaded, taken back; nothing of another clinic's."""

from __future__ import annotations

import csv
import io
import re
from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import func, select, update

from outreach.actions import load_list, take_in, withdraw
from outreach.actions.agree import agree
from outreach.actions.listing import cleaned, parse_table
from outreach.domain.access import Role
from outreach.domain.channel import Channel
from outreach.store import changes, patients, staff
from outreach.store.intake import Upload
from outreach.store.office import Audit
from outreach.store.tables import Infusion, Patient
from outreach.store.traffic import Message
from tests.actions.test_sheet import workbook
from tests.web.house import NOW, PASSWORD, House, TestClient, add_clinic, count_queries, field

HEADER = "Patient ID;Full name;Mobile;Language;Appointment;Minutes;Visit"
ANA = "A1;Ana Ruiz;+1 202-555-0143;es;2026-12-15T10:00;40;V1"
BEN = "B2;Ben Ali;'+1 202-555-0144;en;2026-12-16T09:30;60;V2"
BAD = "C3;Cy Canary;12;en;2027-03-14T02:30;long;V3"


def listed(*lines: str, header: str = HEADER) -> bytes:
    return "\n".join([header, *lines, ""]).encode()


def send(browser: TestClient, data: bytes, name: str = "list.csv", csrf: str | None = None) -> str:
    """Upload a file. Returns where it leads, or "" with what is shown kept in browser.shown."""
    token = field(browser.get("/imports").text, "csrf") if csrf is None else csrf
    answer = browser.post("/imports", data={"csrf": token}, files={"file": (name, data)})
    browser.shown = answer  # type: ignore[attr-defined]
    return answer.headers.get("location", "")


def post(browser: TestClient, path: str, page: str, **fields: str) -> str:
    answer = browser.post(path, data={"csrf": field(browser.get(page).text, "csrf"), **fields})
    return str(answer.headers.get("location", ""))


def chosen(html: str) -> dict[str, str]:
    """What the form of columns would send as it stands."""
    found = {}
    for part in html.split("<select")[1:]:
        name = part.split('name="')[1].split('"')[0]
        on = [option for option in part.split("</select>")[0].split("<option") if " selected" in option]
        found[name] = on[0].split('value="')[1].split('"')[0] if on else ""
    return found


def understood(browser: TestClient, data: bytes) -> str:
    """A list with its columns taken as they were guessed."""
    at = send(browser, data)
    html = browser.get(at).text
    if "What the columns mean" in html:
        assert post(browser, f"{at}/columns", at, **chosen(html)) == at
    return at


def work(house: House) -> int:
    out = house.out
    return load_list.work_off(out.sessions, out.sequences, out.words, out.clock)


def loaded(house: House, browser: TestClient, *lines: str) -> str:
    at = understood(browser, listed(*lines))
    assert post(browser, f"{at}/load", at) == at
    work(house)
    return at


def count(house: House, table: type) -> int:
    with house.out.sessions() as session:
        return session.scalar(select(func.count()).select_from(table)) or 0


def test_a_list_goes_from_upload_to_linked_patients(house: House) -> None:
    desk = house.desk()
    at = send(desk, listed(ANA, BEN))
    html = desk.get(at).text
    assert "Text (CSV) in UTF-8, separated by semicolon" in html
    guessed = chosen(html)
    assert (guessed["column.external_id"], guessed["column.infusion_start"], guessed["column.minutes"]) == (
        "0",
        "4",
        "5",
    )
    assert post(desk, f"{at}/columns", at, **guessed) == at
    html = desk.get(at).text
    html = html.replace("\u202f", " ")
    for shown in ("Nothing is saved yet", "Ana Ruiz", "New patient", "Load all 2 rows", "+1 202-555-0144",
                  "Tue, Dec 15, 2026, 10:00 AM", ">Spanish<"):  # fmt: skip
        assert shown in html, shown
    assert count(house, Patient) == 0
    assert post(desk, f"{at}/load", at) == at
    assert "Loading the list" in desk.get(at).text
    work(house)
    html = desk.get(at).text
    assert "Ana Ruiz" in html
    with house.out.sessions() as session:
        ben = patients.by_external(session, house.clinic_id, "B2")
        assert ben is not None
        assert patients.addresses(session, house.clinic_id, ben.id)[Channel.SMS].value == "+12025550144"
        assert session.scalars(select(Upload.content_sealed)).all() == [None]
        actions = session.scalars(select(Audit.action).where(Audit.subject == "list").order_by(Audit.seq)).all()
    assert f"/patients/{ben.id}" in html
    assert actions == ["list.uploaded", "list.started", "list.loaded"]


def test_the_next_list_of_that_kind_skips_the_columns_even_in_another_order(house: House) -> None:
    desk = house.desk()
    understood(desk, listed(ANA))
    order = [1, 0, 2, 3, 4, 5, 6]
    turned = ["\n".join(";".join(line.split(";")[at] for at in order) for line in (HEADER, BEN))]
    at = send(desk, turned[0].encode())
    html = desk.get(at).text
    assert "The columns are understood as last time" in html
    assert "Ben Ali" in html


def test_errors_stand_at_their_cell_all_at_once_and_the_good_rows_can_go_on(house: House) -> None:
    desk = house.desk()
    at = understood(desk, listed(ANA, BAD))
    html = desk.get(at).text
    for shown in (
        "1 row has an error",
        "too few digits",
        "not exist",
        "not a length in minutes",
        "Load the 1 good row",
    ):
        assert shown in html, shown
    answer = desk.get(f"{at}/errors.csv")
    rows = list(csv.reader(io.StringIO(answer.text.removeprefix("\ufeff"))))
    assert [row[:2] for row in rows[1:]] == [["3", "Mobile"], ["3", "Appointment"], ["3", "Minutes"]]
    assert "Canary" not in answer.text
    assert post(desk, f"{at}/load", at) == at
    work(house)
    assert count(house, Patient) == 1
    assert "left out" in desk.get(at).text


def test_a_column_that_is_wrong_in_every_row_is_named_once_with_the_way_to_change_it(house: House) -> None:
    desk = house.desk()
    at = understood(desk, listed("A1;Ana;12;es;2026-12-15T10:00;40;V1", "B2;Ben;13;en;2026-12-16T09:30;long;V2"))
    html = desk.get(at).text
    assert html.count("is wrong in every row") == 1, "not the minutes, wrong in one"
    assert "The column “Mobile” is wrong in every row. It is read as: Mobile number." in html
    assert f'Does it hold something else? <a href="{at}/columns">' in html
    assert "is wrong in every row" not in desk.get(understood(desk, listed(ANA, BAD))).text


def test_the_same_list_twice_changes_nothing_and_says_so_before(house: House) -> None:
    desk = house.desk()
    loaded(house, desk, ANA, BEN)
    at = understood(desk, listed(ANA, BEN))
    assert desk.get(at).text.count("Unchanged") == 2
    before = [count(house, table) for table in (Patient, Infusion, Message)]
    post(desk, f"{at}/load", at)
    work(house)
    assert [count(house, table) for table in (Patient, Infusion, Message)] == before


def test_a_second_click_on_load_or_undo_does_nothing_more(house: House) -> None:
    desk = house.desk()
    at = understood(desk, listed(ANA))
    csrf = field(desk.get(at).text, "csrf")
    for _ in range(2):
        assert desk.post(f"{at}/load", data={"csrf": csrf}).status_code == 303
    work(house)
    assert desk.post(f"{at}/load", data={"csrf": csrf}).status_code == 303
    assert work(house) == 0
    for _ in range(2):
        assert desk.post(f"{at}/undo", data={"csrf": csrf}).status_code == 303
    work(house)
    assert desk.post(f"{at}/undo", data={"csrf": csrf}).status_code == 303
    assert work(house) == 0


def test_what_nobody_has_heard_of_is_taken_back_and_a_corrected_list_enrols_anew(house: House) -> None:
    desk = house.desk()
    loaded(house, desk, ANA)
    second = loaded(
        house, desk, ANA.replace("12-15T10", "12-18T11"), ANA.replace("V1", "V9").replace("12-15", "12-22"), BEN
    )
    assert "2 patients can be taken back" in desk.get(f"{second}/undo").text
    assert post(desk, f"{second}/undo", f"{second}/undo") == second
    work(house)
    assert "2 patients were taken back" in desk.get(second).text
    with house.out.sessions() as session:
        ana = patients.by_external(session, house.clinic_id, "A1")
        assert ana is not None
        assert ana.active
        assert patients.by_external(session, house.clinic_id, "B2") is None
        live = session.scalars(select(Infusion.starts).where(Infusion.status == "booked")).all()
        assert [str(starts) for starts in live] == ["2026-12-15 10:00:00"]
        inactive = select(Patient.id).where(Patient.active.is_(False))
        open_ = select(Message.id).where(Message.patient_id.in_(inactive), Message.status == "scheduled")
        assert session.scalars(open_).all() == []
    names = r"<bdi>([^<]+)</bdi></a>"
    assert ["Ben" in one for one in re.findall(names, desk.get("/patients").text)] == [False]
    assert "taken back" not in desk.get("/patients").text
    inactive = desk.get("/patients?show=inactive").text
    assert "B2" not in inactive, "the number is free, and does not stand there either"
    gone = re.findall(r'href="(/patients/[0-9a-f-]{36})"', inactive)
    page = desk.get(gone[0]).text
    assert (len(gone), "list that was taken back" in page) == (1, True)
    assert not [word for word in ("Add visits", "Stop messages", "agreement on paper</summary>", "<dt>Words</dt>")
                if word in page]  # fmt: skip
    assert "1 patient follows it" in desk.get("/sequences/ketamine-infusion").text
    again = understood(desk, listed(ANA.replace("12-15T10", "12-18T11"), BEN))
    html = desk.get(again).text
    assert (html.count("Moved</span>"), html.count("New patient</span>")) == (1, 1)
    loaded(house, desk, BEN)
    assert "2 patients follow it" in desk.get("/sequences/ketamine-infusion").text
    assert "B2" in desk.get("/patients").text


def test_what_a_list_brings_about_waits_until_it_can_no_longer_be_regretted(house: House) -> None:
    loaded(house, house.desk(), ANA)
    with house.out.sessions() as session:
        asked = session.scalars(select(Message.due_at).where(Message.step == "consent.request")).all()
    assert asked == [NOW + load_list.GRACE]


def test_thanks_for_an_agreement_in_the_list_wait_but_not_those_for_a_patients_own_yes(house: House) -> None:
    desk = house.desk()
    signed = {"consent_sms": "yes", "consent_date": "2026-11-20", "consent_form": "F1"}
    header = ";".join([HEADER, *signed])
    with_answers = listed(*(f"{line};{';'.join(signed.values())}" for line in (ANA, BEN)), header=header)
    at = understood(desk, with_answers)
    post(desk, f"{at}/load", at)
    work(house)
    thanks = select(Message.due_at).where(Message.step == "consent.confirmed")
    with house.out.sessions() as session:
        due = session.scalars(thanks).all()
        assert set(due) == {NOW + load_list.GRACE}
        assert not session.scalars(select(Message.id).where(Message.status == "scheduled", Message.due_at <= NOW)).all()
    with house.out.sessions.begin() as session:
        ana = patients.by_external(session, house.clinic_id, "A1")
        assert ana is not None
        phone = patients.addresses(session, house.clinic_id, ana.id)[Channel.SMS]
        withdraw.stop(session, phone.id, method="page", evidence="stop", now=NOW)
        later = NOW + timedelta(minutes=1)
        assert agree(session, phone.id, method="sms", evidence="SM1", locale="es", wording="?", now=later)
        changes.hold_back(session, [ana.id], later, load_list.GRACE)
        assert later in session.scalars(thanks).all()


def test_who_was_written_to_stays_and_the_page_says_why(house: House) -> None:
    desk = house.desk()
    at = loaded(house, desk, ANA, BEN)
    with house.out.sessions.begin() as session:
        ana = patients.by_external(session, house.clinic_id, "A1")
        assert ana is not None
        gone = select(Message.id).where(Message.patient_id == ana.id).limit(1).scalar_subquery()
        session.execute(
            update(Message).where(Message.id == gone).values(status="sent", sent_at=NOW + timedelta(hours=1))
        )
    html = desk.get(f"{at}/undo").text
    for shown in ("1 patient can be taken back", "1 patient cannot", "Ana Ruiz", "a message has gone out since then"):
        assert shown in html, shown
    post(desk, f"{at}/undo", f"{at}/undo")
    work(house)
    with house.out.sessions() as session:
        assert patients.by_external(session, house.clinic_id, "A1") is not None
        assert patients.by_external(session, house.clinic_id, "B2") is None


REFUSED = {
    "no file": (b"", "", "Choose a file first"),
    "empty": (b"", "list.csv", "The file is empty"),
    "a picture": (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "list.csv", "not a text file"),
    "an old workbook": (b"\xd0\xcf\x11\xe0" + bytes(600), "list.xls", "old workbook"),
    "a broken workbook": (b"PK\x03\x04" + bytes(600), "list.xlsx", "not an Excel workbook"),
    "an open quote": (listed('A1;"Ana'), "list.csv", "Line 2: A quotation mark is not closed"),
    "fifty megabytes": (b"x" * (50 * 1024 * 1024), "list.csv", "10 MB is the most"),
    "a little too much": (b"x;y\n" * (10 * 1024 * 256 + 2000), "list.csv", "10 MB is the most"),
    "too many rows": (listed(*["A;B;;;;;"] * 100_001), "list.csv", "more than 100,000 rows"),
}


@pytest.mark.parametrize(("data", "name", "says"), REFUSED.values(), ids=REFUSED.keys())
def test_a_file_that_cannot_be_used_gets_a_sentence_at_the_field(
    house: House, data: bytes, name: str, says: str
) -> None:
    desk = house.desk()
    token = field(desk.get("/imports").text, "csrf")
    answer = desk.post("/imports", data={"csrf": token}, files={"file": (name, data)} if name else {"other": ("", b"")})
    assert answer.status_code == 422
    assert says in answer.text
    assert count(house, Upload) == 0


def test_a_list_from_another_session_is_refused(house: House) -> None:
    desk = house.desk()
    assert send(desk, listed(ANA), csrf="forged") == ""
    assert desk.shown.status_code == 403  # type: ignore[attr-defined]
    assert count(house, Upload) == 0


def test_a_missing_column_is_asked_for_at_its_field_and_what_was_chosen_stays(house: House) -> None:
    desk = house.desk()
    at = send(desk, b"Patient ID,Full name,Mobile,Quand\nA1,Ana Ruiz,+1 202-555-0143,12/15/2026 10:00 AM\n")
    csrf, form = field(desk.get(at).text, "csrf"), chosen(desk.get(at).text)
    answer = desk.post(f"{at}/columns", data={"csrf": csrf, **form, "dates": "mdy"})
    assert answer.status_code == 422
    assert "Choose the column that holds this" in answer.text
    assert 'id="column.infusion_start" name="column.infusion_start" aria-invalid="true"' in answer.text
    assert chosen(answer.text)["column.phone"] == "2"
    form |= {"column.infusion_start": "3", "fixed.language": "es", "fixed.minutes": "40", "dates": "mdy"}
    assert desk.post(f"{at}/columns", data={"csrf": csrf, **form}).status_code == 303
    assert "Load 1 row" in desk.get(at).text


def test_a_long_workbook_is_read_by_a_worker_and_what_is_wrong_with_it_is_told(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(take_in, "LONG", 100)
    desk = house.desk()
    at = send(desk, workbook([HEADER.split(";"), ANA.split(";")]), "list.xlsx")
    assert "Reading the workbook" in desk.get(at).text
    work(house)
    assert "What the columns mean" in desk.get(at).text
    broken = send(desk, b"PK\x03\x04" + bytes(600), "list.xlsx")
    work(house)
    assert "not an Excel workbook" in desk.get(broken).text


def test_another_clinics_list_is_not_found(house: House) -> None:
    at = understood(house.desk(), listed(ANA))
    other = add_clinic(house.out, "south", "+12025550120")
    with house.out.sessions.begin() as session:
        staff.add(session, clinic_id=other, email="desk@south.example", name="Sol", password=PASSWORD,
                  role=Role.ADMINISTRATOR)  # fmt: skip
    stranger = house.desk("desk@south.example")
    csrf = field(stranger.get("/imports").text, "csrf")
    for path in ("", "/columns", "/errors.csv", "/undo"):
        assert stranger.get(at + path).status_code == 404, path
    for path in ("/columns", "/load", "/drop", "/undo"):
        assert stranger.post(at + path, data={"csrf": csrf}).status_code == 404, path
    assert "list.csv" not in stranger.get("/imports").text


def test_the_pages_of_a_list_ask_no_more_for_many_rows_than_for_few(house: House) -> None:
    desk, sent = house.desk(), {}
    for size in (3, 40):
        lines = [f"Q{size}-{n};Pat {n};+1 202-555-01{n:02};en;2026-12-15T10:00;40;V{n}" for n in range(size)]
        at = understood(desk, listed(*lines))
        post(desk, f"{at}/load", at)
        with count_queries(house.out.engine) as before:
            assert desk.get("/imports").status_code == 200
        work(house)
        with count_queries(house.out.engine) as result:
            assert desk.get(at).status_code == 200
        with count_queries(house.out.engine) as undo:
            assert desk.get(f"{at}/undo").status_code == 200
        sent[size] = [len(before), len(result), len(undo)]
    assert sent[3] == sent[40]


def test_a_dropped_list_is_forgotten(house: House) -> None:
    desk = house.desk()
    at = understood(desk, listed(ANA))
    assert post(desk, f"{at}/drop", at) == "/imports"
    with house.out.sessions() as session:
        [one] = session.scalars(select(Upload)).all()
        assert (one.state, one.content_sealed) == ("dropped", None)
    assert "no longer kept" in desk.get(at).text


def test_names_are_shown_as_text_whatever_they_hold(house: House) -> None:
    html = house.desk().get(understood(house.desk(), listed(ANA.replace("Ana Ruiz", "<script>x</script>")))).text
    assert "<script>x" not in html
    assert "&lt;script&gt;x" in html


def test_the_example_is_a_list_that_we_read(house: House) -> None:
    [line] = parse_table(house.desk().get("/imports/example.csv").content, "example.csv")
    assert cleaned(line.cells["phone"]) == "+1 202-555-0143"


def test_a_killed_worker_is_followed_by_another_that_doubles_nothing(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = house.desk()
    lines = [f"P{n};Pat {n};+1 202-555-01{n:02};en;2026-12-15T10:00;40;V{n}" for n in range(50)]
    at = understood(desk, listed(*lines))
    post(desk, f"{at}/load", at)
    chunks = 0
    real = load_list._chunk

    def dies(*args: object, **named: object) -> object:
        nonlocal chunks
        chunks += 1
        made = real(*args, **named)  # type: ignore[arg-type]
        if chunks == 2:
            raise KeyboardInterrupt  # after the work of the chunk, before its commit
        return made

    monkeypatch.setattr(load_list, "_chunk", dies)
    with pytest.raises(KeyboardInterrupt):
        work(house)
    assert count(house, Patient) == load_list.CHUNK
    assert work(house) == 0, "its lease still runs"
    later = house.later(timedelta(minutes=2))
    assert work(later) > 0
    assert (count(house, Patient), count(house, Infusion)) == (50, 50)
    with house.out.sessions() as session:
        [one] = session.scalars(select(Upload)).all()
    assert (one.state, one.done, one.result["patients"]) == ("done", 50, 50)
    assert UUID(at.rpartition("/")[2]) == one.id


def test_a_list_nobody_decides_about_is_forgotten_after_a_week_at_every_clinic(house: House) -> None:
    desk = house.desk()
    send(desk, listed(ANA))
    loaded(house, desk, BEN)
    south = add_clinic(house.out, "south", "+12025550111")
    with house.out.sessions.begin() as session:
        for age in (timedelta(0), timedelta(days=3)):
            take_in.take_in(session, south, None, "theirs.csv", listed(ANA), NOW + age)
    with house.out.sessions.begin() as session:
        assert take_in.drop_undecided(session, NOW + timedelta(days=7)) == 0, "not before"
    with house.out.sessions.begin() as session:
        assert take_in.drop_undecided(session, NOW + timedelta(days=7, seconds=1)) == 2
    with house.out.sessions() as session:
        kept = session.execute(select(Upload.clinic_id, Upload.state, Upload.content_sealed.is_not(None))).all()
        noted = session.execute(select(Audit.clinic_id, Audit.actor_kind).where(Audit.action == "list.dropped")).all()
    assert sorted(map(str, kept)) == sorted(
        map(str, [(house.clinic_id, "dropped", False), (house.clinic_id, "done", False), (south, "dropped", False),
                  (south, "mapping", True)])
    )  # fmt: skip
    assert {*map(tuple, noted)} == {(house.clinic_id, "system"), (south, "system")}
