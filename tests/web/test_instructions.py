"""A clinic's own instructions: written, checked, approved, and only then told to patients."""

from __future__ import annotations

import pytest

from outreach.content import instructions
from outreach.content.compose import Values
from outreach.domain.access import Role
from outreach.store import staff
from tests.web.house import NOW, PASSWORD, PUBLIC, House, add_clinic, field

ROSA = {"reviewer": "Rosa Reviewer", "role": "nurse"}
APPROVER = "doctor@north.example"
CALL = "+12025550100"


@pytest.fixture
def approver(house: House) -> str:
    with house.out.sessions.begin() as session:
        staff.add(
            session, clinic_id=house.clinic_id, email=APPROVER, name="Doc", password=PASSWORD, role=Role.APPROVER
        )  # fmt: skip
    return APPROVER


def write(house: House, locale: str, seen: str = "", **texts: str) -> tuple[int, str]:
    """Save topics of a language, the first form of the page telling nothing; (status, page)."""
    desk = house.desk()
    csrf = field(desk.get("/instructions").text, "csrf")
    told = {f"text.{topic}": text for topic, text in texts.items()} | {f"seen.{topic}": seen for topic in texts}
    answer = desk.post("/instructions", data={"csrf": csrf, "language": locale, **told})
    return answer.status_code, answer.text


def approve(house: House, locale: str, topic: str, **other: str) -> tuple[int, str]:
    desk = house.desk(APPROVER)
    page = desk.get(f"/instructions?language={locale}").text
    form = {"csrf": field(page, "csrf"), "language": locale, "read": "1"} | ROSA
    answer = desk.post(
        "/instructions/approve", data=form | {f"approve.{topic}": field(page, f"approve.{topic}")} | other
    )
    return answer.status_code, answer.text


def told(house: House, locale: str) -> str:
    with house.out.sessions() as session:
        return house.out.speakers.of(session, house.clinic_id, house.out.words).instructions(locale, CALL)


def test_an_instruction_is_told_only_once_it_is_approved_and_earlier_words_until_then(
    house: House, approver: str
) -> None:
    assert write(house, "en", food="Eat nothing from midnight on.")[0] == 303
    assert told(house, "en") == ""
    assert approve(house, "en", "food")[0] == 303
    assert told(house, "en") == "Eat nothing from midnight on."
    assert write(house, "en", "Eat nothing from midnight on.", food="Eat nothing after 22:00.")[0] == 303
    assert told(house, "en") == "Eat nothing from midnight on."
    assert "patients get the earlier words" in house.desk().get("/instructions").text
    assert approve(house, "en", "food")[0] == 303
    assert told(house, "en") == "Eat nothing after 22:00."


def test_a_language_without_its_own_gets_the_clinics_and_an_empty_one_ends_at_once(house: House, approver: str) -> None:
    write(house, "en", food="Eat nothing after 22:00.")
    approve(house, "en", "food")
    assert told(house, "es").endswith("\nEat nothing after 22:00.")
    assert write(house, "es", food="No coma nada después de las 22:00.")[0] == 303
    assert told(house, "es").endswith("\nEat nothing after 22:00.")
    approve(house, "es", "food")
    assert told(house, "es") == "No coma nada después de las 22:00."
    assert write(house, "en", "Eat nothing after 22:00.", food="")[0] == 303
    assert told(house, "en") == ""
    assert told(house, "es") == "", "a translation of nothing"
    status, page = approve(house, "es", "food")
    assert status == 422
    assert "own language first" in page
    write(house, "en", food="Eat nothing after 22:00.")
    approve(house, "en", "food")
    assert told(house, "es").endswith("\nEat nothing after 22:00."), "the translation is read again first"
    approve(house, "es", "food")
    assert told(house, "es") == "No coma nada después de las 22:00."


def test_what_may_no_longer_be_said_is_not_approved_either(
    house: House, approver: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as before:  # written when the rules were others
        before.setattr(instructions, "faults", lambda *_: iter(()))
        assert write(house, "en", food="The infusion is safe.")[0] == 303
    status, page = approve(house, "en", "food")
    assert status == 422
    assert "must not be claimed" in page
    assert told(house, "en") == ""


@pytest.mark.parametrize(
    ("locale", "text", "says"),
    [
        ("en", "The infusion is safe.", "must not be claimed"),
        ("en", "Come <b>early</b>.", "&lt;b&gt;"),
        ("es", "No coma nada después de las 21:00.", "22"),
        ("es", "Eat nothing after 22:00, please.", "nglish"),
    ],
    ids=["a claim", "markup", "another time", "another language"],
)
def test_what_a_translation_may_not_say_an_instruction_may_not_either(
    house: House, locale: str, text: str, says: str
) -> None:
    write(house, "en", food="Eat nothing after 22:00.")
    seen = "Eat nothing after 22:00." if locale == "en" else ""
    status, page = write(house, locale, seen, food=text)
    assert status == 422
    assert says in page
    assert text.split("<")[0] in page, "what was typed is lost"


def test_of_two_who_write_at_once_the_second_is_told_and_loses_nothing(house: House) -> None:
    write(house, "en", food="Eat nothing after 22:00.")
    status, page = write(house, "en", "", food="Eat nothing after 23:00.")
    assert status == 409
    assert "Eat nothing after 23:00." in page
    assert "Eat nothing after 22:00." in page


def test_only_an_approver_approves_and_only_what_the_page_showed(house: House, approver: str) -> None:
    write(house, "en", food="Eat nothing after 22:00.")
    desk = house.desk()
    csrf = field(desk.get("/instructions").text, "csrf")
    form = {"language": "en", "approve.food": "00" * 32, "read": "1"} | ROSA
    assert desk.post("/instructions/approve", data=form | {"csrf": csrf}).status_code == 403
    doctor = house.desk(APPROVER)
    csrf = field(doctor.get("/instructions").text, "csrf")
    answer = doctor.post("/instructions/approve", data=form | {"csrf": csrf})
    assert answer.status_code == 409
    assert "Nothing was approved" in answer.text
    missing = doctor.post("/instructions/approve", data={"csrf": csrf, "language": "en"})
    assert missing.status_code == 422
    for sentence in ("Choose at least one text.", "Say who has read them.", "Tick that you have read the words."):
        assert sentence in missing.text
    assert told(house, "en") == ""


def test_who_wrote_a_translation_does_not_approve_it_and_words_written_back_count_as_they_did(
    house: House, approver: str
) -> None:
    before, after = "Eat nothing after 22:00.", "Eat nothing from midnight on."
    write(house, "en", food=before)
    approve(house, "en", "food")
    write(house, "en", before, food=after)
    approve(house, "en", "food")
    assert told(house, "en") == after
    write(house, "en", after, food=before)
    assert told(house, "en") == before, "it was approved once, and is what the clinic wants to say"
    assert "Approved: patients get it" in house.desk().get("/instructions").text
    write(house, "es", food="No coma nada después de las 22:00.")
    page = house.desk().get("/instructions?language=es").text
    assert "patients get it in English, after a line that offers an interpreter" in page
    status, page = approve(house, "es", "food", reviewer="Dr. Dana Desk")
    assert (status, "is named as the translator" in page) == (422, True)
    assert approve(house, "es", "food")[0] == 303
    assert told(house, "es") == "No coma nada después de las 22:00."


def test_another_clinics_instructions_are_its_own(house: House, approver: str) -> None:
    write(house, "en", food="Eat nothing after 22:00.")
    approve(house, "en", "food")
    other = add_clinic(house.out, "south", "+12025550111")
    with house.out.sessions() as session:
        assert house.out.speakers.of(session, other, house.out.words).instructions("en", CALL) == ""


def test_the_page_of_a_visit_carries_it(house: House, approver: str) -> None:
    write(house, "en", food="Eat nothing after 22:00: food & drink, 100% of it.")
    approve(house, "en", "food")
    with house.out.sessions() as session:
        spoken = house.out.speakers.of(session, house.clinic_id, house.out.words)
    values = Values(
        "North", "+12025550100", "America/New_York", visit_start=NOW, visit_minutes=60, link=f"{PUBLIC}/p/x",
        clinic_address="1 Sample Street", instructions=spoken.instructions("en", CALL),
    )  # fmt: skip
    assert "food &amp; drink, 100% of it" in spoken.words.page("pre.tomorrow", "en", "full", values)
