"""Addresses: telephone numbers and e-mail addresses made normal, or refused with what would be right."""

from __future__ import annotations

import re
import unicodedata

import phonenumbers
from email_validator import EmailNotValidError, validate_email
from phonenumbers import NumberParseException, PhoneNumber, PhoneNumberType, ValidationResult

from outreach.domain.channel import Channel
from outreach.errors import BadInput

NUMBER = re.compile(r"(?<![\w/.:@-])\(?\+?\d(?:[ ().\u00a0\u2011-]{0,2}\d){6,}(?![\w@])")
"""A telephone number as it stands inside a text that people read; no time, no date in words, no part of an address."""
_LENGTH = {
    ValidationResult.INVALID_COUNTRY_CODE: "no country has this country code",
    ValidationResult.TOO_SHORT: "it has too few digits",
    ValidationResult.TOO_LONG: "it has too many digits",
    ValidationResult.INVALID_LENGTH: "no number of that country has this many digits",
    ValidationResult.IS_POSSIBLE_LOCAL_ONLY: "the area code is missing",
}
_NO_SMS = {
    PhoneNumberType.FIXED_LINE: "a landline",
    PhoneNumberType.TOLL_FREE: "a toll-free number",
    PhoneNumberType.PREMIUM_RATE: "a premium-rate number",
    PhoneNumberType.SHARED_COST: "a shared-cost number",
    PhoneNumberType.UAN: "a company's central number",
    PhoneNumberType.VOICEMAIL: "a voicemail number",
    PhoneNumberType.PAGER: "a pager",
}


def phone(raw: str, region: str | None = None, *, lenient: bool = False) -> str:
    """A number that can get SMS, as E.164 ("+12025550143"). `region`: the clinic's country (US), for numbers without +.

    BadInput says what is wrong, without repeating the number. In the US and Canada landlines cannot be told from
    mobiles; there the carrier says it later. `lenient` lets through numbers of right length in a range not known to be
    in use (number plans change weekly): an import accepts them and shows `doubt`.
    """
    number = _parsed(raw, region)
    reason = phonenumbers.is_possible_number_with_reason(number)
    if reason != ValidationResult.IS_POSSIBLE:
        raise BadInput(f"Not a phone number: {_LENGTH.get(reason, 'its length is wrong')}. {_like(region)}")
    if (what := _NO_SMS.get(phonenumbers.number_type(number))) is not None:
        raise BadInput(f"This is {what}: it cannot get SMS. Give a mobile number, or only an e-mail address.")
    if not lenient and not phonenumbers.is_valid_number(number):
        raise BadInput(f"Not a phone number: its first digits are not in use there. {_like(region)}")
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def call(raw: str, region: str | None = None) -> str:
    """A number that people can call, a landline too, as E.164. BadInput says what is wrong."""
    number = _parsed(raw, region)
    reason = phonenumbers.is_possible_number_with_reason(number)
    if reason != ValidationResult.IS_POSSIBLE:
        raise BadInput(f"Not a phone number: {_LENGTH.get(reason, 'its length is wrong')}. {_like(region)}")
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def doubt(e164: str) -> str:
    """Why a number that passed leniently may be wrong; "" when nothing speaks against it."""
    known = phonenumbers.is_valid_number(phonenumbers.parse(e164))
    return "" if known else "its first digits are not known to be in use: check it with the patient"


def email(raw: str) -> str:
    """An e-mail address in normal form; BadInput says what is wrong. No look-up is made."""
    try:
        # test_environment lets the reserved .test domain through, which samples and rehearsals use.
        found = validate_email(_visible(raw), check_deliverability=False, test_environment=True)
    except EmailNotValidError as fault:
        raise BadInput(f"Not an e-mail address: {fault} Write it like name@example.org.") from None
    return found.normalized


def index_form(channel: Channel, value: str) -> str:
    """The form in which two spellings of one address are equal: what the blind index is computed over."""
    if channel == Channel.EMAIL:
        return unicodedata.normalize("NFC", email(value).casefold())
    return value


def _parsed(raw: str, region: str | None) -> PhoneNumber:
    text = _visible(raw)
    if not text:
        raise BadInput(f"The phone number is empty. {_like(region)}")
    try:
        number = phonenumbers.parse(text, region.upper() if region else None)
    except NumberParseException as fault:
        if fault.error_type == NumberParseException.INVALID_COUNTRY_CODE and not text.startswith("+"):
            raise BadInput("The phone number has no country code. Write it with + and the country code.") from None
        raise BadInput(f"Not a phone number. {_like(region)}") from None
    if number.extension:
        raise BadInput("A number with an extension cannot get SMS. Give the mobile number itself.")
    return _mexican(number)


def _mexican(number: PhoneNumber) -> PhoneNumber:
    """Mexico dropped the 1 after +52 in 2019; old records still carry it."""
    national = str(number.national_number)
    if number.country_code == 52 and len(national) == 11 and national.startswith("1"):
        return PhoneNumber(country_code=52, national_number=int(national[1:]))
    return number


def _visible(raw: str) -> str:
    """Without the invisible characters (direction marks, zero-width) that come along when copied from elsewhere."""
    return "".join(char for char in raw if unicodedata.category(char) != "Cf").strip()


def _like(region: str | None) -> str:
    example = phonenumbers.example_number_for_type(region.upper(), PhoneNumberType.MOBILE) if region else None
    if example is None:
        return "Write it with + and the country code, such as +1 202 555 0143."
    return f"Write it like {phonenumbers.format_number(example, phonenumbers.PhoneNumberFormat.INTERNATIONAL)}."
