"""Addresses: telephone numbers and e-mail addresses made normal, or refused with what would be right."""

from __future__ import annotations

import re
import unicodedata

import phonenumbers
from email_validator import EmailNotValidError, validate_email
from phonenumbers import NumberParseException, PhoneNumber, PhoneNumberType, ValidationResult

from outreach.domain.channel import Channel
from outreach.errors import BadInput, Sentence, say

NUMBER = re.compile(r"(?<![\w/.:@-])\(?\+?\d(?:[ ().\u00a0\u2011-]{0,2}\d){6,}(?![\w@])")
"""A telephone number as it stands inside a text that people read; no time, no date in words, no part of an address."""
_LENGTH = {
    ValidationResult.INVALID_COUNTRY_CODE: say("no country has this country code"),
    ValidationResult.TOO_SHORT: say("it has too few digits"),
    ValidationResult.TOO_LONG: say("it has too many digits"),
    ValidationResult.INVALID_LENGTH: say("no number of that country has this many digits"),
    ValidationResult.IS_POSSIBLE_LOCAL_ONLY: say("the area code is missing"),
}
_WRONG_LENGTH = say("its length is wrong")
_NO_SMS = {
    PhoneNumberType.FIXED_LINE: say("a landline"),
    PhoneNumberType.TOLL_FREE: say("a toll-free number"),
    PhoneNumberType.PREMIUM_RATE: say("a premium-rate number"),
    PhoneNumberType.SHARED_COST: say("a shared-cost number"),
    PhoneNumberType.UAN: say("a company's central number"),
    PhoneNumberType.VOICEMAIL: say("a voicemail number"),
    PhoneNumberType.PAGER: say("a pager"),
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
        raise _no_number(_LENGTH.get(reason, _WRONG_LENGTH), region)
    if (what := _NO_SMS.get(phonenumbers.number_type(number))) is not None:
        raise BadInput(
            say("This is %(what)s: it cannot get SMS. Give a mobile number, or only an e-mail address.", what=what)
        )
    if not lenient and not phonenumbers.is_valid_number(number):
        raise _no_number(say("its first digits are not in use there"), region)
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def call(raw: str, region: str | None = None) -> str:
    """A number that people can call, a landline too, as E.164. BadInput says what is wrong."""
    number = _parsed(raw, region)
    reason = phonenumbers.is_possible_number_with_reason(number)
    if reason != ValidationResult.IS_POSSIBLE:
        raise _no_number(_LENGTH.get(reason, _WRONG_LENGTH), region)
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def doubt(e164: str) -> str:
    """Why a number that passed leniently may be wrong; "" when nothing speaks against it."""
    known = phonenumbers.is_valid_number(phonenumbers.parse(e164))
    return "" if known else say("its first digits are not known to be in use: check it with the patient")


def email(raw: str) -> str:
    """An e-mail address in normal form; BadInput says what is wrong. No look-up is made."""
    text = _visible(raw)
    try:
        # test_environment lets the reserved .test domain through, which samples and rehearsals use.
        return validate_email(text, check_deliverability=False, test_environment=True).normalized
    except EmailNotValidError:
        why = _no_mailbox(text)  # in our words: the library's are its own, in English, and repeat the address
        raise BadInput(say("Not an e-mail address: %(why)s. Write it like name@example.org.", why=why)) from None


def _no_mailbox(text: str) -> Sentence:
    before, _, after = text.partition("@")
    if "@" not in text:
        return say("it has no @")
    if "@" in after:
        return say("it has more than one @")
    if re.search(r"\s", text):
        return say("it has a space in it")
    if not before:
        return say("nothing stands before the @")
    if "." not in after.strip("."):
        return say("what stands after the @ is not complete")
    return say("it has a letter or sign that no e-mail address has there")


def index_form(channel: Channel, value: str) -> str:
    """The form in which two spellings of one address are equal: what the blind index is computed over."""
    if channel == Channel.EMAIL:
        return unicodedata.normalize("NFC", email(value).casefold())
    return value


def _parsed(raw: str, region: str | None) -> PhoneNumber:
    text = _visible(raw)
    if not text:
        raise BadInput(say("The phone number is empty. %(like)s", like=_like(region)))
    try:
        number = phonenumbers.parse(text, region.upper() if region else None)
    except NumberParseException as fault:
        if fault.error_type == NumberParseException.INVALID_COUNTRY_CODE and not text.startswith("+"):
            raise BadInput(say("The phone number has no country code. Write it with + and the country code.")) from None
        raise BadInput(say("Not a phone number. %(like)s", like=_like(region))) from None
    if number.extension:
        raise BadInput(say("A number with an extension cannot get SMS. Give the mobile number itself."))
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


def _no_number(why: Sentence, region: str | None) -> BadInput:
    return BadInput(say("Not a phone number: %(why)s. %(like)s", why=why, like=_like(region)))


def _like(region: str | None) -> Sentence:
    example = phonenumbers.example_number_for_type(region.upper(), PhoneNumberType.MOBILE) if region else None
    if example is None:
        return say("Write it with + and the country code, such as +1 202 555 0143.")
    shown = phonenumbers.format_number(example, phonenumbers.PhoneNumberFormat.INTERNATIONAL)
    return say("Write it like %(number)s.", number=shown)
