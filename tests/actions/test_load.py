"""Loading a patient list: every fault named without its value, good rows in, twice the same as once."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from outreach.actions.cells import Rules
from outreach.actions.enrol import replan
from outreach.actions.listing import cleaned, parse_table
from outreach.actions.load import Loaded, load_rows
from outreach.actions.roster import check
from outreach.actions.sample import load_sample, read_clinic
from outreach.actions.sheet import MOST_ROWS
from outreach.content.compose import Words
from outreach.content.laws import load_laws
from outreach.domain.channel import Channel
from outreach.domain.sequence import Sequence
from outreach.errors import BadFile
from outreach.settings import ROOT
from outreach.store import patients, staff
from outreach.store.tables import Clinic, Consent, Infusion, Patient
from outreach.store.traffic import Message
from tests.actions.conftest import COLUMNS, NOW

SAMPLE = ROOT / "config" / "sample"
PatientList = Callable[..., Path]
Load = Callable[[Path], Loaded]
ANA = "A1,Ana Ruiz,+1 312-555-0143,ana@example.org,es,America/Chicago,2026-12-15T10:00,40,V1,yes,,2026-11-20,F1,yes,"
BEN = "B2,بن علي,+1 312-555-0144,,ar,,2026-12-16 09:30,60,V2,,,,,,"


@pytest.fixture
def load(session: Session, clinic: Clinic, sequence: Sequence, words: Words) -> Load:
    def run(path: Path) -> Loaded:
        return load_rows(session, path, clinic=clinic, sequences={sequence.name: sequence}, words=words, now=NOW)

    return run


def count(session: Session, table: type) -> int:
    return session.scalar(select(func.count()).select_from(table)) or 0


def test_rows_become_patients_visits_and_messages(
    session: Session, clinic: Clinic, load: Load, patient_list: PatientList
) -> None:
    result = load(patient_list(ANA, BEN))
    assert (result.loaded, result.patients, result.asked, result.errors) == (2, 2, 2, [])
    ben = patients.by_external(session, clinic.id, "B2")
    assert ben is not None
    assert (ben.name, ben.locale, ben.zone) == ("بن علي", "ar", clinic.zone)
    assert patients.addresses(session, clinic.id, ben.id)[Channel.SMS].value == "+13125550144"
    starts = session.scalars(select(Infusion.starts).order_by(Infusion.starts)).all()
    assert starts == [datetime(2026, 12, 15, 10), datetime(2026, 12, 16, 9, 30)]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
@pytest.mark.parametrize("separator", [",", ";"])
@pytest.mark.parametrize("ending", ["\n", "\r\n"], ids=["lf", "crlf"])
def test_files_as_spreadsheets_write_them(
    load: Load, tmp_path: Path, encoding: str, separator: str, ending: str
) -> None:
    text = ending.join([COLUMNS, ANA, BEN, ""]).replace(",", separator)
    path = tmp_path / "list.csv"
    path.write_bytes(text.encode(encoding))
    result = load(path)
    assert (result.loaded, result.errors) == (2, [])


def test_the_same_file_twice_changes_nothing(session: Session, load: Load, patient_list: PatientList) -> None:
    path = patient_list(ANA, BEN)
    load(path)
    before = [count(session, table) for table in (Patient, Infusion, Message, Consent)]
    again = load(path)
    assert (again.loaded, again.moved, again.updated, again.unchanged, again.asked) == (0, 0, 0, 2, 0)
    assert [count(session, table) for table in (Patient, Infusion, Message, Consent)] == before


def test_a_changed_time_of_a_known_visit_is_a_move(session: Session, load: Load, patient_list: PatientList) -> None:
    load(patient_list(ANA, BEN))
    result = load(patient_list(ANA.replace("2026-12-15T10:00", "2026-12-18T11:00"), BEN))
    assert (result.loaded, result.moved, result.unchanged) == (0, 1, 1)
    assert count(session, Infusion) == 2


def test_a_changed_address_is_an_update(load: Load, patient_list: PatientList) -> None:
    load(patient_list(ANA))
    result = load(patient_list(ANA.replace("0143", "0199").replace(",yes,,2026-11-20,F1,yes", ",,,,,")))
    assert (result.updated, result.unchanged, result.asked) == (1, 0, 1)


def test_a_new_visit_may_take_the_time_that_another_leaves(
    session: Session, load: Load, patient_list: PatientList
) -> None:
    load(patient_list(ANA))
    newcomer = ANA.replace("V1", "V9")
    result = load(patient_list(newcomer, ANA.replace("2026-12-15T10:00", "2026-12-18T11:00").replace("V1", "V1")))
    assert (result.loaded, result.moved, result.errors) == (1, 1, [])


def test_two_visits_that_trade_places_are_refused_with_the_way_out(
    session: Session, load: Load, patient_list: PatientList
) -> None:
    other = ANA.replace("V1", "V3").replace("12-15T10", "12-20T10")
    load(patient_list(ANA, other, BEN))
    traded = load(patient_list(ANA.replace("V1", "V3"), other.replace("V3", "V1"), BEN))
    assert {(error.line, error.column) for error in traded.errors} == {(2, "infusion_start"), (3, "infusion_start")}
    assert traded.unchanged == 1
    assert session.scalars(select(Infusion.revision)).all() == [0, 0, 0]


def test_several_rows_are_one_patient_with_several_infusions(
    session: Session, load: Load, patient_list: PatientList
) -> None:
    short = "A1,,,,,,2026-12-17T10:00,40,V7,,,,,,"
    result = load(patient_list(ANA, short))
    assert (result.loaded, result.patients) == (2, 1)
    assert count(session, Infusion) == 2


FAULTS = {
    "zone": (ANA.replace("America/Chicago", "America/Chicgo"), "zone", "unknown zone", "America/Chicago"),
    "language": (ANA.replace(",es,", ",tlh,"), "language", "unknown language", "use one of"),
    "no language": (ANA.replace(",es,", ",,"), "language", "there is none", "reads"),
    "no identifier": (ANA.replace("A1,", ",", 1), "external_id", "there is none", "your own records"),
    "no name": (ANA.replace("Ana Ruiz", " "), "name", "there is none", "goes by"),
    "link as a name": (ANA.replace("Ana Ruiz", "Evil.example"), "name", "looks like a link", "goes by"),
    "picture in a name": (ANA.replace("Ana", "\u2600 Ana"), "name", "pictures", "goes by"),
    "no letter in a name": (ANA.replace("Ana Ruiz", "555 0143"), "name", "no letter", "goes by"),
    "turning marks": (ANA.replace("Ana", "\u202eAna"), "name", "invisible", "anew"),
    "landline": (ANA.replace("+1 312-555-0143", "+44 20 7946 0018"), "phone", "landline", "mobile"),
    "short number": (ANA.replace("+1 312-555-0143", "555-01"), "phone", "not a phone number", "+1"),
    "calculated number": (ANA.replace("+1 312-555-0143", "1.3125E+10"), "phone", "calculation", "text"),
    "mailbox": (ANA.replace("ana@example.org", "ana@"), "email", "not an e-mail", "name@example.org"),
    "no address": (BEN.replace("+1 312-555-0144", ""), "phone", "neither", "at least one"),
    "no time": (ANA.replace("2026-12-15T10:00", ""), "infusion_start", "has no time", "the clinic's clock"),
    "day only": (ANA.replace("T10:00", ""), "infusion_start", "a day without a time", "2026-11-28T10:00"),
    "offset": (ANA.replace("T10:00", "T10:00-06:00"), "infusion_start", "offset", "the clinic's clock"),
    "other order": (ANA.replace("2026-12-15T10:00", "12/15/2026 10:00"), "infusion_start", "guessing", "2026-11-28"),
    "no such day": (ANA.replace("12-15T", "12-32T"), "infusion_start", "no such day", "2026-11-28"),
    "skipped hour": (ANA.replace("2026-12-15T10:00", "2027-03-14T02:30"), "infusion_start", "not exist", "another"),
    "wrong century": (ANA.replace("2026-12-15", "2126-12-15"), "infusion_start", "three years", "year"),
    "length": (ANA.replace(",40,", ",2h,"), "minutes", "not a length", "whole minutes"),
    "consent word": (ANA.replace(",yes,,", ",maybe,,"), "consent_sms", "neither yes nor no", "refused"),
    "consent date": (ANA.replace("2026-11-20", "20.11.2026"), "consent_date", "guessing", "2026-11-28"),
    "future date": (ANA.replace("2026-11-20", "2026-12-09"), "consent_date", "future", "signed"),
    "undated": (ANA.replace("2026-11-20", ""), "consent_date", "there is none", "signed"),
    "consent, no address": (BEN.replace("V2,,,,", "V2,,yes,2026-11-20,"), "consent_email", "no email", "give"),
    "wording": (ANA + "loud", "wording", "unknown wording", "neutral"),
}


@pytest.mark.parametrize(("line", "column", "problem", "remedy"), FAULTS.values(), ids=FAULTS.keys())
def test_a_bad_cell_is_named_with_its_remedy_and_the_others_load(
    session: Session, load: Load, patient_list: PatientList, line: str, column: str, problem: str, remedy: str
) -> None:
    good = ANA.replace("A1", "G1").replace("0143", "0177").replace("ana@", "good@")
    result = load(patient_list(good, line))
    [error] = result.errors
    assert (error.line, error.column) == (3, column)
    assert problem in error.problem
    assert remedy in error.remedy
    assert (result.loaded, count(session, Patient)) == (1, 1)


def test_every_fault_of_every_row_is_told_at_once_and_no_value_among_them(
    load: Load, patient_list: PatientList
) -> None:
    bad = "C3,Canary Quill,canary-1,canary.mail,xx,Canary/Zone,canary-2,canary-3,V9,canary,canary,canary,,canary,canary"
    result = load(patient_list(bad, ANA, bad.replace("C3", "C4")))
    assert Counter(error.line for error in result.errors) == {2: 11, 4: 11}
    assert "canary" not in json.dumps(result.as_json()).casefold()
    assert result.loaded == 1


def test_rows_of_one_patient_must_agree(load: Load, patient_list: PatientList) -> None:
    other = ANA.replace("Ana Ruiz", "Anna Ruiz").replace("V1", "V5").replace("12-15", "12-16")
    twice = ANA.replace("V1", "V6")
    result = load(patient_list(ANA, other, twice))
    assert [(error.line, error.column, error.problem) for error in result.errors] == [
        (3, "name", "differs from line 2 of the same patient"),
        (4, "infusion_start", "the same visit as in line 2"),
    ]


@pytest.mark.parametrize(
    ("data", "line", "says"),
    [
        (b"", 0, "empty"),
        (b"PK\x03\x04...", 0, "not an Excel workbook"),
        (b"\xd0\xcf\x11\xe0....", 0, "old workbook"),
        (b"sugar,flour,eggs\n1,2,3\n", 1, "does not name columns"),
        (COLUMNS.replace("minutes,", "").encode(), 1, 'the column "minutes" is missing'),
        (COLUMNS.replace("phone,email,", "").encode(), 1, '"phone" and "email"'),
        (COLUMNS.replace("language", "langauge").encode(), 1, 'unknown column "langauge" .did you mean language'),
        (f"{COLUMNS},Mobile".encode(), 1, 'the column "phone" is there twice'),
        (f'{COLUMNS}\nA1,"Ana'.encode(), 2, "not closed"),
        (f"{COLUMNS}\nA1\0".encode(), 2, "not a text file"),
    ],
    ids=["empty", "workbook", "xls", "recipe", "missing", "no address", "unknown", "twice", "quote", "nul"],
)
def test_a_file_that_cannot_be_used_is_refused_whole(data: bytes, line: int, says: str) -> None:
    with pytest.raises(BadFile, match=says) as refused:
        parse_table(data, "list.csv")
    assert refused.value.line == line
    assert refused.value.remedy


def test_a_file_too_large_is_refused_before_it_is_read(tmp_path: Path, load: Load) -> None:
    path = tmp_path / "large.csv"
    with path.open("wb") as file:
        file.truncate(10 * 1024 * 1024 + 1)
    with pytest.raises(BadFile, match="10 MB is the most"):
        load(path)
    with pytest.raises(BadFile, match="no such file"):
        load(tmp_path / "none.csv")


def test_too_many_rows_are_refused() -> None:
    data = "\n".join([COLUMNS, *["x"] * (MOST_ROWS + 1)]).encode()
    with pytest.raises(BadFile, match="more than 100,000 rows"):
        parse_table(data, "list.csv")


def test_headers_may_be_written_in_other_ways() -> None:
    header = "Patient ID;Name;Mobile;E-Mail;Language;Time zone;Start;Duration"
    [line] = parse_table(f"sep=;\n{header}\nA1;Ana;'+13125550143;;es;;2026-12-15T10:00;40\n".encode(), "list.csv")
    assert line.number == 3
    assert line.cells["phone"] == "+13125550143"
    assert line.cells["infusion_start"] == "2026-12-15T10:00"


def test_a_cell_over_two_lines_does_not_shift_the_line_numbers() -> None:
    lines = parse_table(f'{COLUMNS}\n"A1","Ana\nRuiz"\n\nB2,Ben\n'.encode(), "list.csv")
    assert [line.number for line in lines] == [2, 5]


def test_a_row_with_cells_beyond_the_header_is_refused(load: Load, patient_list: PatientList) -> None:
    result = load(patient_list(ANA.replace("Ana Ruiz", "Ruiz, Ana") + ",,more", BEN))
    assert [(error.line, error.column) for error in result.errors] == [(2, "")]
    assert result.loaded == 1


@pytest.mark.parametrize(
    ("cell", "meant"),
    [("'+1555", "+1555"), ("'=x", "=x"), (" 'Aisha ", "'Aisha"), ("'", "'"), ("O'Dell", "O'Dell")],
)
def test_the_quote_of_spreadsheets_is_taken_off_and_names_keep_theirs(cell: str, meant: str) -> None:
    assert cleaned(cell) == meant


def test_a_mistake_in_every_row_does_not_slow_the_reading(words: Words) -> None:
    bad_zone = "X{0},N,+1312555{1:04},,en,Nowhere/Atall,2026-12-15T10:00,40,V{0},,,,,,"
    rows = [bad_zone.format(number, number % 10000) for number in range(5000)]
    lines = parse_table("\n".join([COLUMNS, *rows]).encode(), "list.csv")
    roster = check(lines, Rules("US", "America/Chicago", words.resolve, ("en",), NOW))
    assert len(roster.errors) == 5000


def test_the_sample_is_a_demo_that_starts_at_once_in_three_languages(
    session: Session, words: Words, sequence: Sequence
) -> None:
    loaded = load_sample(session, ROOT, NOW, {sequence.name: sequence}, words)
    assert loaded is not None
    assert loaded.errors == []
    assert loaded.patients >= 30
    assert session.execute(select(Clinic.demo, Clinic.carrier_answers)).all() == [(True, "none")]
    first = session.scalars(select(Infusion.starts).order_by(Infusion.starts)).first()
    assert first is not None
    assert first.date() == (NOW + timedelta(days=2)).date()
    due = session.execute(
        select(Patient.locale, Message.channel, Message.step)
        .join(Message, Message.patient_id == Patient.id)
        .where(Message.due_at <= NOW, Message.status == "scheduled")
    )
    asked = {(locale, channel) for locale, channel, step in due if step == "consent.request"}
    assert asked == {(locale, channel) for locale in ("en", "es", "ar") for channel in ("sms", "email")}
    assert staff.exists(session, staff.DEMO_EMAIL)
    assert load_sample(session, ROOT, NOW, {sequence.name: sequence}, words) is None


def test_the_sample_has_series_zones_and_every_kind_of_consent(words: Words) -> None:
    lines = parse_table((SAMPLE / "patients.csv").read_bytes(), "patients.csv")
    assert Counter(Counter(line.cells["external_id"] for line in lines).values()).keys() >= {1, 2, 3, 4, 6}
    assert len({line.cells["zone"] for line in lines}) >= 5
    assert {line.cells["consent_warned"] for line in lines} == {"yes", "no", ""}
    assert all("555-01" in line.cells["phone"] for line in lines if line.cells["phone"])
    assert all(".example." in f".{line.cells['email'].partition('@')[2]}" for line in lines if line.cells["email"])


@pytest.mark.parametrize(
    ("change", "line", "says"),
    [
        (("zone: America/Chicago", "zone: America/Chicgo"), 6, "Did you mean America/Chicago"),
        (('"911"', "911"), 11, "must be a text"),
        (("country: US", "contry: US"), 7, 'unknown line "contry"'),
        (('quiet_from: "21:00"', 'quiet_from: "25:00"'), 18, "25:00"),
        (("law: us", "law: mars"), 14, 'no profile "mars"'),
        (("most_a_day: 4", "most_a_day: 0"), 22, "whole number"),
    ],
    ids=["zone", "number", "unknown", "hour", "law", "limit"],
)
def test_a_clinic_file_is_refused_with_its_line(tmp_path: Path, change: tuple[str, str], line: int, says: str) -> None:
    path = tmp_path / "clinic.yaml"
    path.write_text((SAMPLE / "clinic.yaml").read_text("utf-8").replace(*change), "utf-8")
    with pytest.raises(BadFile, match=says) as refused:
        read_clinic(path, load_laws(ROOT / "config" / "law"))
    assert refused.value.line == line


def test_what_a_clinic_file_leaves_out_is_as_its_law_says(tmp_path: Path) -> None:
    path, laws = tmp_path / "clinic.yaml", load_laws(ROOT / "config" / "law")
    lines = [line for line in (SAMPLE / "clinic.yaml").read_text("utf-8").splitlines()
             if not line.startswith(("quiet_", "most_"))]  # fmt: skip
    for code, law in laws.items():
        path.write_text("\n".join(lines).replace("law: us", f"law: {code}"), "utf-8")
        made = read_clinic(path, laws)
        assert made["law"] == code
        assert all(made[name] == getattr(law, name) for name in ("quiet_from", "quiet_to", "most_a_day", "most_a_week"))


def test_a_loaded_course_needs_no_other_plan(
    session: Session, load: Load, patient_list: PatientList, sequence: Sequence
) -> None:
    load(patient_list(ANA))
    [course] = session.scalars(select(Infusion.course_id)).all()
    planning = replan(session, course, sequence, NOW)
    assert (planning.added, planning.cancelled) == (0, 0)
