"""Addresses: normal forms, and refusals that say what would be right."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outreach.domain.channel import Channel
from outreach.domain.contact import doubt, email, index_form, phone
from outreach.errors import BadInput, Sentence


@pytest.mark.parametrize(
    ("raw", "region", "e164"),
    [
        pytest.param("(604) 555-0123", "CA", "+16045550123", id="national"),
        pytest.param("604.555.0123", "ca", "+16045550123", id="region in small letters"),
        pytest.param("+1 202 555 0143", None, "+12025550143", id="international needs no region"),
        pytest.param("٢٠٢٥٥٥٠١٤٣", "US", "+12025550143", id="Arabic-Indic digits"),
        pytest.param("２０２５５５０１４３", "US", "+12025550143", id="full-width digits"),
        pytest.param("\u202a+1 202 555 0143\u202c", None, "+12025550143", id="invisible direction marks"),
        pytest.param("tel:+1-202-555-0143", None, "+12025550143", id="a link"),
        pytest.param("+52 1 55 1234 5678", None, "+525512345678", id="Mexico's old 1"),
        pytest.param("+44 7911 123456", None, "+447911123456", id="a mobile of Guernsey"),
    ],
)
def test_a_number_becomes_e164(raw: str, region: str | None, e164: str) -> None:
    assert phone(raw, region) == e164


@pytest.mark.parametrize(
    ("raw", "region", "says"),
    [
        pytest.param("", "US", "is empty", id="empty"),
        pytest.param("hello", "US", r"Write it like \+1", id="no number"),
        pytest.param("555 0123", "US", "area code is missing", id="local only"),
        pytest.param("+1604", None, "too few digits", id="too short"),
        pytest.param("+1 604 555 0123 99", None, "too many digits", id="too long"),
        pytest.param("2025550143", None, r"Write it with \+ and the country code", id="no country"),
        pytest.param("+1 604 155 0123", None, "first digits are not in use", id="not valid"),
        pytest.param("202-555-0143 x12", "US", "extension", id="extension"),
        pytest.param("+44 20 7946 0018", None, "landline", id="landline"),
        pytest.param("1-800-FLOWERS", "US", "toll-free", id="toll-free"),
        pytest.param("+1 900 555 0123", None, "premium-rate", id="premium"),
    ],
)
def test_a_number_that_cannot_get_sms_is_refused_in_words(raw: str, region: str | None, says: str) -> None:
    with pytest.raises(BadInput, match=says):
        phone(raw, region)


def test_a_refusal_does_not_repeat_the_number() -> None:
    with pytest.raises(BadInput) as refused:
        phone("+1 604 155 0123")
    assert "155" not in str(refused.value)


def test_an_import_takes_a_possible_number_with_a_doubt() -> None:
    number = phone("+44 7700 900123", lenient=True)
    assert number == "+447700900123"
    assert "check it with the patient" in doubt(number)
    assert doubt("+12025550143") == ""


@given(st.text(max_size=30), st.sampled_from([None, "US", "CA", "XX"]))
def test_any_text_is_a_number_or_a_refusal(raw: str, region: str | None) -> None:
    try:
        number = phone(raw, region)
    except BadInput:
        return
    assert phone(number) == number


@pytest.mark.parametrize(
    ("raw", "normal"),
    [
        ("amira@example.org", "amira@example.org"),
        ("  Amira@Example.ORG ", "Amira@example.org"),
        ("jose\u0301@example.org", "josé@example.org"),
        ("linh@clinic.test", "linh@clinic.test"),
    ],
)
def test_an_email_address_gets_one_form(raw: str, normal: str) -> None:
    assert email(raw) == normal


@pytest.mark.parametrize("raw", ["", "amira", "a@", "@b.org", "a b@c.org", "a@b", "a@b.org\nBcc: c@d.org", "a@b..org"])
def test_what_is_no_email_address_is_refused(raw: str) -> None:
    with pytest.raises(BadInput, match=r"name@example\.org"):
        email(raw)


def test_why_it_is_none_is_said_in_our_words_and_can_be_said_in_others() -> None:
    for raw, why in {"amira": "it has no @", "a@b@c.org": "it has more than one @", "a b@c.org": "it has a space in it",
                     "@b.org": "nothing stands before the @", "a@b": "what stands after the @ is not complete",
                     "a@b!.org": "it has a letter or sign"}.items():  # fmt: skip
        with pytest.raises(BadInput, match=f"^Not an e-mail address: {why}") as refused:
            email(raw)
        assert isinstance(refused.value.args[0], Sentence)


def test_two_spellings_of_one_mailbox_meet_in_the_index() -> None:
    assert index_form(Channel.EMAIL, "Amira@Example.org") == index_form(Channel.EMAIL, "amira@example.ORG")
    assert index_form(Channel.SMS, "+12025550143") == "+12025550143"
